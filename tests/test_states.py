"""Every state of every machine against every verb: what DESIGN 2 lists is allowed, nothing else is."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import models
from django_fsm import TransitionNotAllowed, can_proceed

from billing.models import (
    Cancellation,
    Chargeback,
    Decision,
    Dispute,
    Escrow,
    Intervention,
    Offer,
    Payment,
    Payout,
    ProForma,
    Refund,
    ReleaseRequest,
    SealedLimit,
)
from escrow_site.lib import states
from jobs.models import Activity, Job, Notification, Person, Policy
from workroom.management.commands.generate_states import MACHINES
from workroom.models import Terms

AT = datetime(2026, 3, 1, tzinfo=UTC)
RUNNING = {"active", "dormant"}
UNDER_WAY = {"started", "authenticating"}
# model -> verb -> (the states it may be called in, the state it leads to)
ALLOWED: dict[type[models.Model], dict[str, tuple[set[str], str]]] = {
    Job: {
        "award": ({"draft"}, "awarded"),
        "activate": ({"awarded"}, "active"),
        "decline": ({"awarded"}, "declined"),
        "withdraw": ({"awarded"}, "withdrawn"),
        "expire": ({"awarded"}, "expired"),
        "fall_dormant": ({"active"}, "dormant"),
        "reactivate": ({"dormant"}, "active"),
        "complete": (RUNNING, "completed"),
        "cancel": (RUNNING, "cancelled"),
    },
    Terms: {
        "propose": ({"draft"}, "proposed"),
        "agree": ({"proposed"}, "agreed"),
        "decline": ({"proposed"}, "declined"),
        "withdraw": ({"proposed"}, "withdrawn"),
        "supersede": ({"proposed", "agreed"}, "superseded"),
    },
    Escrow: {
        "await_authentication": ({"unfunded"}, "pending"),
        "fall_back": ({"pending"}, "unfunded"),
        "fund": ({"unfunded", "pending"}, "funded"),
        "release_rest": ({"funded"}, "released"),
        "refund_rest": ({"funded"}, "refunded"),
        "refund_what_was_not_released": ({"funded"}, "released"),
        "remove": ({"unfunded"}, "removed"),
    },
    Payment: {
        "await_authentication": ({"started"}, "authenticating"),
        "succeed": (UNDER_WAY, "succeeded"),
        "fail": (UNDER_WAY, "failed"),
        "cancel": (UNDER_WAY, "cancelled"),
        "lapse": (UNDER_WAY, "lapsed"),
        "send_back": ({"failed", "cancelled", "lapsed"}, "returned"),
        "charge_back": ({"succeeded"}, "charged_back"),
    },
    Chargeback: {
        "record": ({"open"}, "recorded"),
        "send_back": ({"recorded"}, "open"),
        "take_back": ({"recorded"}, "open"),
        "win": ({"recorded"}, "won"),
        "lose": ({"recorded"}, "lost"),
    },
    Cancellation: {
        "accept": ({"requested"}, "accepted"),
        "decline": ({"requested"}, "declined"),
        "lapse": ({"requested"}, "lapsed"),
        "become_stale": ({"requested"}, "stale"),
        "withdraw": ({"requested"}, "withdrawn"),
    },
    Refund: {"succeed": ({"started"}, "succeeded"), "fail": ({"started"}, "failed")},
    ReleaseRequest: {
        "become_overdue": ({"open"}, "overdue"),
        "release": ({"open", "overdue", "disputed"}, "released"),
        "void": ({"open", "overdue"}, "voided"),
        "send_back": ({"open", "overdue"}, "returned"),
        "settle": ({"open", "overdue", "disputed"}, "settled"),
        "dispute": ({"open", "overdue"}, "disputed"),
        "resume": ({"disputed"}, "open"),
        "resume_overdue": ({"disputed"}, "overdue"),
    },
    Dispute: {
        "escalate": ({"open"}, "mediation"),
        "decide": ({"mediation"}, "decided"),
        "send_back": ({"decided"}, "mediation"),
        "settle": ({"open", "mediation", "decided"}, "settled"),
        "withdraw": ({"open", "mediation", "decided"}, "withdrawn"),
    },
    Offer: {
        "replace": ({"open"}, "replaced"),
        "accept": ({"open"}, "accepted"),
        "lapse": ({"open"}, "lapsed"),
        "withdraw": ({"open"}, "withdrawn"),
    },
    Decision: {
        "confirm": ({"proposed"}, "confirmed"),
        "send_back": ({"proposed"}, "sent_back"),
        "overtake": ({"proposed"}, "overtaken"),
        "withdraw": ({"proposed"}, "withdrawn"),
    },
    SealedLimit: {
        "match": ({"waiting"}, "matched"),
        "spend": ({"waiting"}, "spent"),
        "lapse": ({"waiting"}, "lapsed"),
        "take_back": ({"waiting"}, "taken_back"),
    },
    Intervention: {
        "confirm": ({"proposed"}, "confirmed"),
        "send_back": ({"proposed"}, "sent_back"),
        "withdraw": ({"proposed"}, "withdrawn"),
        "overtake": ({"proposed"}, "overtaken"),
    },
    ProForma: {"become_final": ({"issued"}, "invoiced"), "void": ({"issued"}, "void")},
    Payout: {"confirm": ({"started"}, "paid"), "fail": ({"started"}, "failed")},
    Notification: {
        "claim": ({"queued", "sending"}, "sending"),
        "mark_sent": ({"sending"}, "sent"),
        "put_back": ({"sending"}, "queued"),
        "give_up": ({"sending"}, "failed"),
        "send_again": ({"failed"}, "queued"),
    },
}
ARGUMENTS: dict[str, Any] = {
    "at": AT, "until": AT, "lapses_at": AT, "next_attempt_at": AT, "failure": "x", "answer": "x",
    "reason": "x", "gateway_reference": "x", "due_at": AT, "overdue_at": AT, "by_id": 1,
    "answered_by": None, "outcome": "won",
}  # fmt: skip


def in_state(model: type[models.Model], state: str) -> Any:
    priced = {"amount_minor": 1} if hasattr(model, "amount_minor") else {}
    return model(state=state, **priced)


def arguments_of(row: Any, verb: str) -> dict[str, Any]:
    wanted = getattr(row, verb).__wrapped__.__code__.co_varnames
    return {name: value for name, value in ARGUMENTS.items() if name in wanted}


CASES = [
    (model, state, verb)
    for model in ALLOWED
    for state in model._meta.get_field("state").flatchoices
    for verb in ALLOWED[model]
]


@pytest.mark.parametrize(
    ("model", "state", "verb"),
    [(model, state, verb) for model, (state, _), verb in CASES],
    ids=[f"{model.__name__}-{state}-{verb}" for model, (state, _), verb in CASES],
)
def test_every_state_against_every_verb(model: type[models.Model], state: str, verb: str) -> None:
    row = in_state(model, state)
    sources, target = ALLOWED[model][verb]
    assert can_proceed(getattr(row, verb)) is (state in sources)
    if state in sources:
        getattr(row, verb)(**arguments_of(row, verb))
        assert row.state == target
    else:
        with pytest.raises(TransitionNotAllowed):
            getattr(row, verb)(**arguments_of(row, verb))
        assert row.state == state


def test_no_verb_is_left_out() -> None:
    assert set(MACHINES) == set(ALLOWED)
    for model, verbs in ALLOWED.items():
        field = model._meta.get_field("state")
        assert {move.name for move in field.get_all_transitions(model)} == set(verbs), model


@pytest.mark.parametrize("model", MACHINES)
def test_a_state_is_not_assigned(model: type[models.Model]) -> None:
    row = model()
    with pytest.raises(AttributeError):
        row.state = row.state  # type: ignore[attr-defined]


@pytest.mark.django_db
def test_move_notices_a_lost_race(client_person: Person) -> None:
    """What another transaction changed meanwhile is not overwritten."""
    job = Job.objects.create(title="Logo", currency="USD", client=client_person, drafted_at=AT)
    stale = Job.objects.get(pk=job.pk)
    Job.objects.filter(pk=job.pk).update(policy=Policy.objects.current())
    states.move([job], "award", at=AT)
    with pytest.raises(states.LostRace, match="Job award: 0 of 1 rows were draft"):
        states.move([stale], "award", at=AT)
    assert Job.objects.get(pk=job.pk).awarded_at == AT


def awarded_jobs(client: Person, freelancer: Person, count: int) -> list[Job]:
    policy = Policy.objects.current()
    jobs = Job.objects.bulk_create(
        Job(
            title=f"Logo {number}", currency="USD", client=client, freelancer=freelancer,
            policy=policy, state="awarded", drafted_at=AT, awarded_at=AT,
        )
        for number in range(count)
    )  # fmt: skip
    return list(Job.objects.filter(pk__in=[job.pk for job in jobs]).order_by("pk"))


@pytest.mark.django_db
def test_three_hundred_rows_with_values_of_their_own_are_one_update(
    client_person: Person, freelancer: Person, django_assert_num_queries: Any
) -> None:
    jobs = awarded_jobs(client_person, freelancer, 300)
    instants = [AT + timedelta(microseconds=number) for number in range(len(jobs))]
    with django_assert_num_queries(1):
        states.move_each(
            ((job, {"at": at}) for job, at in zip(jobs, instants, strict=True)), "decline"
        )
    stored = Job.objects.order_by("pk").values_list("pk", "state", "ended_at")
    assert list(stored) == [
        (job.pk, "declined", at) for job, at in zip(jobs, instants, strict=True)
    ]


@pytest.mark.django_db
def test_the_source_states_and_columns_make_the_groups(
    client_person: Person, freelancer: Person, django_assert_num_queries: Any
) -> None:
    """Active Jobs lose their Dormant Date with the end, others have none: two groups, two updates."""
    jobs = awarded_jobs(client_person, freelancer, 30)
    states.move(jobs, "activate", at=AT)
    for number, job in enumerate(jobs[:20]):
        Job.objects.filter(pk=job.pk).update(dormant_at=AT + timedelta(days=number))
    jobs = list(Job.objects.order_by("pk"))
    with django_assert_num_queries(2):
        states.move_each(
            [(job, {"at": AT + timedelta(hours=number)}) for number, job in enumerate(jobs)],
            "complete",
        )
    stored = Job.objects.order_by("pk").values_list("state", "ended_at", "dormant_at")
    assert list(stored) == [
        ("completed", AT + timedelta(hours=number), None) for number in range(30)
    ]


@pytest.mark.django_db
def test_equal_values_are_a_plain_update(
    client_person: Person, freelancer: Person, django_assert_num_queries: Any
) -> None:
    jobs = awarded_jobs(client_person, freelancer, 3)
    with django_assert_num_queries(1) as queries:
        states.move(jobs, "decline", at=AT)
    assert "jsonb_to_recordset" not in queries[0]["sql"]
    assert set(Job.objects.values_list("state", "ended_at")) == {("declined", AT)}


@pytest.mark.django_db
def test_one_row_of_many_that_lost_its_race_stops_all(
    client_person: Person, freelancer: Person
) -> None:
    jobs = awarded_jobs(client_person, freelancer, 3)
    states.move([Job.objects.get(pk=jobs[1].pk)], "activate", at=AT)
    with pytest.raises(states.LostRace, match="Job decline: 2 of 3 rows were awarded"):
        states.move_each(
            [(job, {"at": AT + timedelta(hours=number)}) for number, job in enumerate(jobs)],
            "decline",
        )
    assert Job.objects.get(pk=jobs[1].pk).state == "active"


@pytest.mark.django_db
def test_values_of_every_kind_arrive(client_person: Person, freelancer: Person) -> None:
    """Nothing, numbers and texts with quotes in them, as the columns have them."""
    jobs = awarded_jobs(client_person, freelancer, 2)
    activity = Activity.objects.create(
        job=jobs[0], kind="declined", actor_kind="system", happened_at=AT
    )
    waiting = Notification.objects.bulk_create(
        Notification(activity=activity, person=person, state="sending", next_attempt_at=AT,
                     lease_until=AT, attempts=number)
        for number, person in enumerate([client_person, freelancer])
    )  # fmt: skip
    first, second = Notification.objects.filter(pk__in=[row.pk for row in waiting]).order_by("pk")
    states.move_each(
        [(first, {"failure": "It\"s 'gone'\\ – ☂"}), (second, {"failure": ""})], "give_up"
    )
    states.move_each([(first, {"at": AT}), (second, {"at": AT + timedelta(days=1)})], "send_again")
    stored = Notification.objects.order_by("pk")
    assert list(stored.values_list("state", "next_attempt_at", "lease_until", "attempts", "failure")) == [
        ("queued", AT, None, 0, "It\"s 'gone'\\ – ☂"),
        ("queued", AT + timedelta(days=1), None, 0, ""),
    ]  # fmt: skip


@pytest.mark.django_db
def test_reading_a_row_anew_keeps_the_state_protected_for_everybody(client_person: Person) -> None:
    """While one row is refreshed, no other instance of its class can be assigned a state."""
    job = Job.objects.create(title="Logo", currency="USD", client=client_person, drafted_at=AT)
    other = Job.objects.get(pk=job.pk)
    Job.objects.filter(pk=job.pk).update(policy=Policy.objects.current())
    states.move([other], "award", at=AT)
    assert job.state == "draft"
    job.refresh_from_db()
    assert (job.state, job.awarded_at) == ("awarded", AT)
    with pytest.raises(AttributeError):
        job.state = "draft"
    job.refresh_from_db(fields=["title"])
    with pytest.raises(AssertionError):
        job.refresh_from_db(fields=["state"])
