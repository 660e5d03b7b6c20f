"""Disputes and time: silence brings them to support; they keep the Job awake and unsettled (R9.3, R10.1).

To the second; what fell due meanwhile is dated by the Dispute's end.
"""

from datetime import UTC, datetime, timedelta

import pytest

from billing.forecast import forecast
from billing.models import Dispute, Escrow, ReleaseRequest
from billing.selectors import escrow_rows, foretold
from billing.services import disputes, mediation, offers, refunding, releases, sweeping
from billing.stopping import CLIENT, FREELANCER, Action, Stop
from billing.timetables import What
from jobs.models import Activity, Job, Notification, Person
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    agent_named,
    differences,
    figures,
    funded_job,
    open_dispute,
)
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
LATE = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


def state_of(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def decided(dispute: Dispute, *, at: datetime, to_freelancer_minor: int = 0) -> None:
    """By two agents, at one instant; nobody else has done anything."""
    alma, bela = agent_named("Alma"), agent_named("Bela")
    made = mediation.decide(
        dispute.pk, to_freelancer_minor=to_freelancer_minor, reasons="x", by=alma, at=at
    )
    mediation.confirm(made.pk, by=bela, at=at)


# --- Escalation ---


def test_silence_brings_it_to_support_to_the_second(job: Job, client_person: Person) -> None:
    """Opened on Friday 13 March 12:00: due on Tuesday at the same UTC time."""
    made = open_dispute(job, client_person, at=NOON + 4 * DAY)
    due_at = NOON + 8 * DAY
    sweeping.sweep(at=due_at - SECOND)
    made.refresh_from_db()
    assert made.state == "open"
    swept = sweeping.sweep(at=due_at + 3 * HOUR)
    assert swept.done == {What.DISPUTE_ESCALATES: 1}
    made.refresh_from_db()
    assert (made.state, made.escalated_at, made.escalated_by) == ("mediation", due_at, None)
    line = Activity.objects.latest("pk")
    assert (line.kind, line.actor_kind, line.happened_at, line.reason) == (
        "dispute_escalated", "timer", due_at,
        "No answer within 2 business days, by 17 Mar 2026 12:00 UTC.",
    )  # fmt: skip
    assert "due_at" not in line.facts
    assert Notification.objects.filter(activity=line).count() == 2
    assert sweeping.sweep(at=LATE).done[What.DISPUTE_ESCALATES] == 0


def test_an_answer_that_comes_too_late_is_judged_after_the_escalation(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    """R6.4: nobody swept; the answer is still heard, but support has it."""
    made = open_dispute(job, client_person)
    disputes.answer(made.pk, text="Late.", by=freelancer, at=NOON + 2 * DAY)
    made.refresh_from_db()
    assert (made.state, made.escalated_at, made.answered_at) == (
        "mediation", NOON + 2 * DAY, NOON + 2 * DAY,
    )  # fmt: skip
    kinds = Activity.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds)[-2:] == ["dispute_escalated", "dispute_answered"]


def test_two_disputes_escalate_in_one_sweep(client_person: Person, freelancer: Person) -> None:
    job = funded_job(client_person, freelancer, 1, 2)
    open_dispute(job, client_person, number=1)
    open_dispute(job, freelancer, number=2, at=NOON + HOUR)
    assert sweeping.sweep(at=NOON + 3 * DAY).done[What.DISPUTE_ESCALATES] == 2
    assert list(Dispute.objects.order_by("pk").values_list("state", "escalated_at")) == [
        ("mediation", NOON + 2 * DAY), ("mediation", NOON + 2 * DAY + HOUR),
    ]  # fmt: skip


# --- Dormancy (R10.1) ---


def test_a_job_with_an_open_dispute_does_not_become_dormant(
    client_person: Person, freelancer: Person
) -> None:
    """A year of silence: then support decides on M1, and D of M2's money is that instant."""
    job = funded_job(client_person, freelancer, 1, 2)
    made = open_dispute(job, client_person)
    sweeping.sweep(at=LATE)
    assert state_of(job) == "active"
    assert Job.objects.get(pk=job.pk).next_due_at is None
    decided(made, at=LATE)
    assert figures(job, 2) == ("funded", 0, 0, 1_000_00)
    assert Job.objects.get(pk=job.pk).next_due_at == LATE
    sweeping.sweep(at=LATE + 2 * DAY)
    line = Activity.objects.get(kind="dormant")
    assert (state_of(job), line.happened_at) == ("dormant", LATE)


def test_withdrawing_is_activity_so_sixty_days_begin_anew(job: Job, client_person: Person) -> None:
    made = open_dispute(job, client_person)
    disputes.withdraw(made.pk, by=client_person, at=LATE)
    sweeping.sweep(at=LATE + 60 * DAY - SECOND)
    assert state_of(job) == "active"
    sweeping.sweep(at=LATE + 60 * DAY)
    assert state_of(job) == "dormant"


def test_a_dormant_job_is_not_settled_while_disputed(
    client_person: Person, freelancer: Person
) -> None:
    """M1 disputed on D+1: nobody is told and nothing goes back before the decision, then 7 days and 7."""
    job = funded_job(client_person, freelancer, 1, 2)
    dormant_at = Job.objects.get(pk=job.pk).dormant_at
    assert dormant_at is not None
    sweeping.sweep(at=dormant_at + HOUR)
    assert state_of(job) == "dormant"
    made = open_dispute(job, client_person, at=dormant_at + DAY)
    sweeping.sweep(at=LATE)
    assert Activity.objects.filter(kind="dormant_freelancer").count() == 0
    assert figures(job, 2) == ("funded", 0, 0, 1_000_00)
    decided(made, at=LATE, to_freelancer_minor=500_00)
    sweeping.sweep(at=LATE)
    assert Activity.objects.get(kind="dormant_freelancer").happened_at == LATE
    sweeping.sweep(at=LATE + 7 * DAY - SECOND)
    assert figures(job, 2) == ("funded", 0, 0, 1_000_00)
    sweeping.sweep(at=LATE + 7 * DAY)
    assert figures(job, 2) == ("refunded", 0, 1_000_00, 0)
    assert Activity.objects.get(kind="settled").happened_at == LATE + 7 * DAY
    assert state_of(job) == "completed"
    assert differences(LATE + 8 * DAY) == []


def test_a_dispute_on_a_dormant_job_is_activity_and_no_reactivation(
    job: Job, client_person: Person
) -> None:
    dormant_at = Job.objects.get(pk=job.pk).dormant_at
    assert dormant_at is not None
    sweeping.sweep(at=dormant_at)
    made = open_dispute(job, client_person, at=dormant_at + DAY)
    disputes.withdraw(made.pk, by=client_person, at=dormant_at + 2 * DAY)
    assert state_of(job) == "dormant"
    sweeping.sweep(at=dormant_at + 9 * DAY)
    assert Activity.objects.get(kind="dormant_freelancer").happened_at == dormant_at + 9 * DAY
    sweeping.sweep(at=dormant_at + 16 * DAY - SECOND)
    assert figures(job) == ("funded", 0, 0, 500_00)
    sweeping.sweep(at=dormant_at + 16 * DAY)
    assert figures(job) == ("refunded", 0, 500_00, 0)


# --- What ends it (R9.5) ---


def test_the_clients_full_release_ends_it(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    request = request_release(job)
    made = open_dispute(job, freelancer)
    pending = offers.make(made.pk, to_freelancer_minor=1, by=client_person, at=NOON)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON + HOUR)
    made.refresh_from_db()
    request.refresh_from_db()
    pending.refresh_from_db()
    assert (made.state, made.ended_at, request.state, pending.state) == (
        "settled", NOON + HOUR, "released", "lapsed",
    )  # fmt: skip
    line = Activity.objects.get(kind="dispute_ended")
    assert (line.actor, line.reason) == (client_person, "Released by the Client.")
    assert Notification.objects.get(activity=line).person == freelancer
    assert Escrow.objects.get(job=job, number=1).disputed_at is None
    assert differences(NOON + HOUR) == []


def test_the_freelancers_full_refund_ends_it(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    request = request_release(job)
    made = open_dispute(job, client_person)
    refunding.refund_held(
        job.pk, number=1, amount_minor=500_00, by=freelancer, at=NOON + HOUR, reason="Fine.",
        seen_held_minor=500_00,
    )  # fmt: skip
    made.refresh_from_db()
    request.refresh_from_db()
    assert (made.state, request.state, request.pro_forma.state) == ("settled", "settled", "void")
    assert figures(job) == ("refunded", 0, 500_00, 0)
    assert differences(NOON + HOUR) == []


# --- The forecast ---


def test_the_forecast_says_who_must_answer_and_what_silence_does(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    open_dispute(job, client_person)
    job = Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)
    rows = escrow_rows.rows_of([job.pk])[job.pk]
    foreseen = forecast(job, rows, at=NOON + HOUR)
    assert [(one.at, one.what, one.amount_minor) for one in foreseen] == [
        (NOON + 2 * DAY, What.DISPUTE_ESCALATES, 500_00)
    ]
    assert foreseen[0].turn is FREELANCER
    assert foreseen[0].stops == (
        Stop(by=FREELANCER, how=Action.ANSWER_DISPUTE),
        Stop(by=CLIENT, how=Action.WITHDRAW_DISPUTE),
        Stop(by=CLIENT, how=Action.RELEASE),
        Stop(by=FREELANCER, how=Action.REFUND),
    )
    (for_freelancer,) = foretold.moments(job, foreseen, role="freelancer")
    assert (for_freelancer.title, for_freelancer.key) == (
        "The Dispute about “Milestone 1” goes to support", "dispute-escalates-1",
    )  # fmt: skip
    assert for_freelancer.text == (
        "It does so if you have not answered by then: support reads what both of you have said and "
        "decides how the $500.00 is split; until then it stays held."
    )
    assert for_freelancer.stops == (
        "You can answer, or offer a split.", "Clara Client can withdraw the Dispute.",
        "Clara Client can release all that is held, or you refund it: the Dispute ends then.",
    )  # fmt: skip
    (for_client,) = foretold.moments(job, foreseen, role="client")
    assert for_client.stops == (
        "Frank Freelancer can answer, or offer a split.", "You can withdraw the Dispute.",
        "You can release all that is held, or Frank Freelancer refund it: the Dispute ends then.",
    )  # fmt: skip
    # And so it happens.
    sweeping.sweep(at=NOON + 2 * DAY)
    assert Dispute.objects.get().state == "mediation"


def test_other_milestones_are_foretold_as_they_will_happen(
    client_person: Person, freelancer: Person
) -> None:
    job = funded_job(client_person, freelancer, 1, 2)
    request_release(job, 2)
    open_dispute(job, freelancer, number=1)
    job = Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)
    foreseen = forecast(job, escrow_rows.rows_of([job.pk])[job.pk], at=NOON + HOUR)
    assert foreseen[0].turn is CLIENT
    assert [(one.what, one.number) for one in foreseen if one.to] == [(What.RELEASE, 2)]
    sweeping.sweep(at=LATE)
    assert ReleaseRequest.objects.get().state == "released"
    assert figures(job, 1) == ("funded", 0, 0, 500_00)
