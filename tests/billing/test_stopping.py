"""The ways out that the forecast names are those that the guards of the services leave open, and the
other way round (R6.3, R7.3, R9.2, R9.4, R10).
"""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from billing.forecast import Foreseen, forecast
from billing.models import Escrow, ReleaseRequest
from billing.selectors import escrow_rows, foretold
from billing.services import (
    cancellations,
    catching_up,
    disputes,
    funding,
    payments,
    refunding,
    release_requests,
    releases,
)
from billing.stopping import CLIENT, FREELANCER, Action, Party, Stop
from billing.timetables import What
from jobs.models import Job, Person
from tests.billing.dispute_steps import DAY, HOUR, NOON, funded_job, open_dispute
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db

SILENT_AT = datetime(2026, 7, 2, tzinfo=NOON.tzinfo)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 held and 1,000.00 not funded."""
    return funded_job(client_person, freelancer, 1)


def as_it_stands(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def coming(job: Job, what: What, *, at: datetime) -> Foreseen:
    rows = escrow_rows.rows_of([job.pk])[job.pk]
    return next(one for one in forecast(as_it_stands(job), rows, at=at) if one.what is what)


def sentences(job: Job, what: What, *, role: str, at: datetime) -> tuple[str, ...]:
    row = as_it_stands(job)
    foreseen = forecast(row, escrow_rows.rows_of([job.pk])[job.pk], at=at)
    told = foretold.moments(row, foreseen, role=role)
    return next(moment.stops for moment in told if moment.what is what)


def allowed(job: Job, action: Action, party: Party, *, at: datetime) -> bool:
    """Whether the guard of the action lets this side do it to any Milestone."""
    job = as_it_stands(job)
    by = job.client if party is CLIENT else job.freelancer
    assert by is not None
    if action is Action.REQUEST_CANCELLATION:
        return cancellations.may_request(job, by=by, at=at) is None
    guard = {
        Action.RELEASE: releases.may_release,
        Action.REFUND: refunding.may_refund_held,
        Action.OPEN_DISPUTE: disputes.may_open,
        Action.FUND: payments.may_fund,
        Action.REQUEST_FUNDING: funding.may_request_funding,
        Action.REQUEST: release_requests.may_request_release,
        Action.VOID: release_requests.may_void,
        Action.REQUEST_CHANGES: release_requests.may_request_changes,
    }[action]
    rows = (
        ReleaseRequest.objects.filter(job=job).unanswered()
        if action in (Action.VOID, Action.REQUEST_CHANGES)
        else Escrow.objects.of(job)
    )
    return any(guard(row, by=by, at=at) is None for row in rows)  # type: ignore[operator]


def named(stops: tuple[Stop, ...], action: Action, party: Party) -> bool:
    return any(stop.how is action and stop.by in (party, Party.BOTH) for stop in stops)


def dispute_and_withdraw(job: Job, by: Person) -> None:
    dispute = open_dispute(job, by, at=NOON + HOUR)
    disputes.withdraw(dispute.pk, by=by, at=NOON + 2 * HOUR)


def send_back_twice(job: Job) -> None:
    for hours in (1, 3):
        request = ReleaseRequest.objects.filter(job=job).unanswered().get()
        at = NOON + hours * HOUR
        release_requests.request_changes(request.pk, comment="Red.", by=job.client, at=at)
        request_release(job, at=at + HOUR)


def ask_to_cancel(job: Job) -> None:
    cancellations.request(job.pk, shares=None, reason="No time.", by=job.client, at=NOON + HOUR)


HAPPENED: dict[str, Callable[[Job], object]] = {
    "requested": lambda job: None,
    "sent back twice": send_back_twice,
    "the Client withdrew a Dispute": lambda job: dispute_and_withdraw(job, job.client),
    "the Freelancer withdrew a Dispute": lambda job: dispute_and_withdraw(job, job.freelancer),
    "cancellation requested": ask_to_cancel,
}


@pytest.mark.parametrize("happened", HAPPENED)
def test_what_stops_a_release_is_what_may_be_done(job: Job, happened: str) -> None:
    request_release(job)
    HAPPENED[happened](job)
    at = NOON + 5 * HOUR
    stops = coming(job, What.RELEASE, at=at).stops
    for action in (
        Action.RELEASE, Action.REQUEST_CHANGES, Action.VOID, Action.REFUND, Action.OPEN_DISPUTE,
    ):  # fmt: skip
        for party in (CLIENT, FREELANCER):
            assert named(stops, action, party) == allowed(job, action, party, at=at), (
                action,
                party,
            )
    is_asked = happened == "cancellation requested"
    assert named(stops, Action.ACCEPT_CANCELLATION, CLIENT) == is_asked


@pytest.mark.parametrize(("what", "at"), [(What.DORMANT, NOON), (What.SETTLEMENT, SILENT_AT)])
@pytest.mark.parametrize("happened", ["nothing", "cancellation requested", "all funded"])
def test_what_keeps_a_job_awake_is_what_may_be_done(
    client_person: Person, freelancer: Person, what: What, at: datetime, happened: str
) -> None:
    numbers = (1, 2) if happened == "all funded" else (1,)
    job = funded_job(client_person, freelancer, *numbers)
    if happened == "cancellation requested":
        ask_at = at - DAY
        cancellations.request(
            job.pk, shares=None, reason="No time.", by=freelancer, at=min(ask_at, NOON)
        )
        at = min(at, NOON)
    catching_up.carry_out_due([job.pk], at=at)
    stops = coming(job, what, at=at).stops
    for action in (
        Action.RELEASE, Action.FUND, Action.REQUEST_FUNDING, Action.REQUEST, Action.REFUND,
        Action.REQUEST_CANCELLATION, Action.OPEN_DISPUTE,
    ):  # fmt: skip
        for party in (CLIENT, FREELANCER):
            assert named(stops, action, party) == allowed(job, action, party, at=at), (
                action,
                party,
            )


@pytest.mark.parametrize("opener", ["client", "freelancer"])
def test_what_stops_an_escalation_is_what_may_be_done(job: Job, opener: str) -> None:
    """R9.2: the other side answers, the opener withdraws, and each may give up all of it."""
    dispute = open_dispute(job, getattr(job, opener))
    at = NOON + HOUR
    stops = coming(job, What.DISPUTE_ESCALATES, at=at).stops
    guards = {
        Action.ANSWER_DISPUTE: disputes.may_answer,
        Action.WITHDRAW_DISPUTE: disputes.may_withdraw,
    }
    for party, by in ((CLIENT, job.client), (FREELANCER, job.freelancer)):
        assert by is not None
        for action, guard in guards.items():
            assert named(stops, action, party) == (guard(dispute, by=by, at=at) is None)
        for action in (Action.RELEASE, Action.REFUND):
            assert named(stops, action, party) == allowed(job, action, party, at=at)


# In words


def test_changes_can_be_requested_twice(job: Job) -> None:
    request_release(job)
    can = "You can release it, request changes (at most {}) or open a Dispute."
    told = sentences(job, What.RELEASE, role="client", at=NOON)
    assert told[0] == can.format("twice")
    request = ReleaseRequest.objects.get()
    at = NOON + HOUR
    release_requests.request_changes(request.pk, comment="Red.", by=job.client, at=at)
    request_release(job, at=at)
    told = sentences(job, What.RELEASE, role="client", at=at)
    assert told[0] == can.format("once")
    assert told[2].startswith("After a void or a request for changes the money stays held,")


def test_when_it_cannot_any_more_nobody_is_told_so(job: Job) -> None:
    request_release(job)
    send_back_twice(job)
    told = sentences(job, What.RELEASE, role="client", at=NOON + 5 * HOUR)
    assert told == (
        "You can release it or open a Dispute.",
        "Frank Freelancer can void the request, refund the money or open a Dispute.",
        "After a void the money stays held, and a new request starts a new 30 days.",
    )


def test_who_withdrew_a_dispute_is_not_told_to_open_one(job: Job) -> None:
    request_release(job)
    dispute_and_withdraw(job, job.client)
    told = sentences(job, What.RELEASE, role="client", at=NOON + 5 * HOUR)
    assert told[:2] == (
        "You can release it or request changes (at most twice).",
        "Frank Freelancer can void the request, refund the money or open a Dispute.",
    )


def test_a_request_to_cancel_may_divide_what_is_held(job: Job) -> None:
    request_release(job)
    ask_to_cancel(job)
    told = sentences(job, What.RELEASE, role="freelancer", at=NOON + 2 * HOUR)
    assert told[-1] == (
        "Whoever received the request to cancel the Job can accept it: what is held is divided "
        "as it says."
    )


def test_what_stops_the_settlement_names_each_way_once(job: Job) -> None:
    catching_up.carry_out_due([job.pk], at=SILENT_AT)
    assert sentences(job, What.SETTLEMENT, role="freelancer", at=SILENT_AT) == (
        "You can request release of a Milestone: it does not go back, and is released 30 days later "
        "unless Clara Client answers. Once every held Milestone is requested, the Job is active "
        "again.",
        "Clara Client can release a Milestone or request cancellation of the Job, and either of you "
        "can propose or accept changed Terms: the Job is active again, and 60 days begin anew.",
        "Either of you can open a Dispute: nothing is settled while it is open.",
        "Any other activity (a Status Report, a timesheet, a payment into escrow, a Funding Request, "
        "a refund or a request for cancellation by you) begins the 14 days until the settlement "
        "anew.",
    )


def test_all_of_it_does_what_it_says(job: Job) -> None:
    """A Dispute about a Dormant Job's Milestone: nothing is settled while it is open."""
    catching_up.carry_out_due([job.pk], at=SILENT_AT)
    open_dispute(job, job.freelancer, at=SILENT_AT)
    catching_up.carry_out_due([job.pk], at=SILENT_AT + timedelta(days=60))
    assert Escrow.objects.get(job=job, number=1).held_minor == 500_00
