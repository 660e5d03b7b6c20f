"""Who can stop what is to come, and how (R6.3, R7, R9, R10): as the rows stand, each way that is open.

Pure: no database, no clock, no words for a reader (``billing.selectors.foretold`` has them). Tests
hold what moves money, freezes it or takes a claim back against the guards of the services.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum

from billing.models import Escrow, ReleaseRequest
from billing.selectors.escrow_rows import Row
from billing.timetables import Event, What
from jobs.models import Job


class Party(Enum):
    """Whose money, or whose move, it is."""

    CLIENT = "client"
    FREELANCER = "freelancer"
    BOTH = "both"


class Action(Enum):
    """What somebody can do so that a thing does not happen, or happens otherwise."""

    AUTHENTICATE = "pass the bank's authentication: the payment is Funded"
    CANCEL_PAYMENT = "cancel the pending payment at once"
    ANSWER = "answer the open proposal"
    WITHDRAW = "withdraw the open proposal"
    ANSWER_CANCELLATION = "accept or decline the request to cancel the Job"
    WITHDRAW_CANCELLATION = "withdraw the request to cancel the Job"
    ACCEPT_CANCELLATION = "accept the open request to cancel the Job: all that is held is divided"
    ANSWER_DISPUTE = "answer the Dispute, or offer a split"
    WITHDRAW_DISPUTE = "withdraw the Dispute"
    RELEASE = "release the Milestone"
    REQUEST_CHANGES = "send the Release Request back (R7.3)"
    OPEN_DISPUTE = "open a Dispute: it freezes the Milestone (R9.1)"
    VOID = "void the Release Request"
    REFUND = "refund the Milestone (R8.1)"
    REQUEST = "request release of a Milestone: it does not go back (R10.4)"
    REPORT = "send a Status Report or a timesheet"
    FUND = "fund a Milestone"
    REQUEST_FUNDING = "request funding of a Milestone"
    CHANGE_TERMS = "propose changed Terms, or accept them"
    REQUEST_CANCELLATION = "request cancellation of the Job (R8.3)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """One party's way of stopping a thing; ``times`` how often it still can, where that is limited."""

    by: Party
    how: Action
    times: int | None = None


CLIENT, FREELANCER, BOTH = Party.CLIENT, Party.FREELANCER, Party.BOTH

AGAINST_LAPSE = (
    Stop(by=CLIENT, how=Action.AUTHENTICATE),
    Stop(by=CLIENT, how=Action.CANCEL_PAYMENT),
)
AGAINST_END_OF_PROPOSAL = (
    Stop(by=BOTH, how=Action.ANSWER),
    Stop(by=BOTH, how=Action.WITHDRAW),
)
AGAINST_END_OF_CANCELLATION = (
    Stop(by=BOTH, how=Action.ANSWER_CANCELLATION),
    Stop(by=BOTH, how=Action.WITHDRAW_CANCELLATION),
)
ALWAYS: dict[What, tuple[Stop, ...]] = {
    What.AUTHENTICATION_REMINDER: AGAINST_LAPSE,
    What.PAYMENT_LAPSES: AGAINST_LAPSE,
    What.AWARD_EXPIRES: AGAINST_END_OF_PROPOSAL,
    What.PROPOSAL_LAPSES: AGAINST_END_OF_PROPOSAL,
    What.CANCELLATION_LAPSES: AGAINST_END_OF_CANCELLATION,
}


def stops(event: Event, *, job: Job, rows: Iterable[Row]) -> tuple[Stop, ...]:
    """Every way to stop an event; of what follows from another event none, it is that one's."""
    match event.what:
        case What.OVERDUE | What.WARNING | What.RELEASE:
            return tuple(_against_release(job, *_row(event, rows)))
        case What.DORMANT:
            return tuple(_activity(job, rows))
        case What.FREELANCER_TOLD | What.SETTLEMENT | What.RETURN:
            return tuple(_activity(job, rows))
        case What.DISPUTE_ESCALATES:
            return tuple(_against_escalation(job, *_row(event, rows)))
    return ALWAYS.get(event.what, ())


def answerer(escrow: Escrow, job: Job) -> Party:
    """The side that has to answer the Escrow's Dispute: not the one that opened it (R9.2)."""
    return FREELANCER if escrow.disputed_by_id == job.client_id else CLIENT


def _row(event: Event, rows: Iterable[Row]) -> tuple[Escrow, ReleaseRequest | None]:
    return next((row[0], row[1]) for row in rows if row[0].number == event.number)


def _against_release(job: Job, escrow: Escrow, request: ReleaseRequest | None) -> Iterator[Stop]:
    """Until the due instant (R6.3). Changed Terms are none: the request locks its Milestone (R2.3)."""
    assert job.policy is not None
    yield Stop(by=CLIENT, how=Action.RELEASE)
    times = job.policy.returns_at_most - escrow.times_returned
    if times > 0:
        yield Stop(by=CLIENT, how=Action.REQUEST_CHANGES, times=times)
    yield Stop(by=FREELANCER, how=Action.VOID)
    yield Stop(by=FREELANCER, how=Action.REFUND)
    yield from _disputes(job, [(escrow, request)])
    if job.open_cancellation_until is not None:
        yield Stop(by=BOTH, how=Action.ACCEPT_CANCELLATION)


def _against_escalation(job: Job, escrow: Escrow, request: ReleaseRequest | None) -> Iterator[Stop]:
    turn = answerer(escrow, job)
    is_free = escrow.charged_back_at is None
    yield Stop(by=turn, how=Action.ANSWER_DISPUTE)
    yield Stop(by=CLIENT if turn is FREELANCER else FREELANCER, how=Action.WITHDRAW_DISPUTE)
    if is_free:
        yield Stop(by=CLIENT, how=Action.RELEASE)
        yield Stop(by=FREELANCER, how=Action.REFUND)


def _activity(job: Job, rows: Iterable[Row]) -> Iterator[Stop]:
    """What keeps a Job awake or wakes it, or begins the weeks to its settlement anew (R10.2 to R10.4)."""
    rows = list(rows)
    held = [(escrow, request) for escrow, request, _ in rows if escrow.state == Escrow.State.FUNDED]
    is_unfunded = any(escrow.state == Escrow.State.UNFUNDED for escrow, _, _ in rows)
    yield Stop(by=CLIENT, how=Action.RELEASE)
    if is_unfunded:
        yield Stop(by=CLIENT, how=Action.FUND)
    yield Stop(by=FREELANCER, how=Action.REPORT)
    if is_unfunded:
        yield Stop(by=FREELANCER, how=Action.REQUEST_FUNDING)
    if any(request is None for _, request in held):
        yield Stop(by=FREELANCER, how=Action.REQUEST)
    yield Stop(by=FREELANCER, how=Action.REFUND)
    yield Stop(by=BOTH, how=Action.CHANGE_TERMS)
    is_asked = job.open_cancellation_until is not None
    yield Stop(by=BOTH, how=Action.ACCEPT_CANCELLATION if is_asked else Action.REQUEST_CANCELLATION)
    yield from _disputes(job, held)


def _disputes(job: Job, held: Iterable[tuple[Escrow, ReleaseRequest | None]]) -> Iterator[Stop]:
    """Who can open a Dispute about any of these: who withdrew one cannot on the same request (R9.4)."""
    held = list(held)
    may = [
        party
        for party, person_id in ((CLIENT, job.client_id), (FREELANCER, job.freelancer_id))
        if any(person_id not in _openers(request) for _, request in held)
    ]
    by = BOTH if len(may) == 2 else next(iter(may), None)
    if by is not None:
        yield Stop(by=by, how=Action.OPEN_DISPUTE)


def _openers(request: ReleaseRequest | None) -> set[int]:
    return {one.opened_by_id for one in request.disputes.all()} if request else set()
