"""What happens on a Job if nobody acts (R10.6): one function tells the future.

The instants are those of ``billing.timers``, by which the sweep and every service carry out what is
due; here each is told with its Milestone, its money, and who can keep it from happening. Pure: no
database, no clock, no words for a reader (``billing.selectors.foretold``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from billing import timers
from billing.models import Escrow
from billing.selectors.timetables import Row
from billing.services.amounts import Amounts, quote, return_fee
from billing.timers import Event, What
from jobs.models import Job


class Party(Enum):
    """Whose money, or whose move, it is."""

    CLIENT = "client"
    FREELANCER = "freelancer"
    BOTH = "both"


class Action(Enum):
    """What somebody can do so that a thing does not happen, or happens otherwise.

    Only what the product lets people do: an action that is built joins them here.
    """

    AUTHENTICATE = "pass the bank's authentication: the payment is Funded"
    CANCEL_PAYMENT = "cancel the pending payment at once"
    ANSWER = "answer the open proposal"
    WITHDRAW = "withdraw the open proposal"
    ANSWER_CANCELLATION = "accept or decline the request to cancel the Job"
    WITHDRAW_CANCELLATION = "withdraw the request to cancel the Job"
    ANSWER_DISPUTE = "answer the Dispute, or offer a split"
    WITHDRAW_DISPUTE = "withdraw the Dispute"
    RELEASE = "release the Milestone before"
    VOID = "void the Release Request"
    KEEP_AWAKE = "any Activity (R10.2): D is reckoned from it"
    REACTIVATE = "release a Milestone: active again (R10.4)"
    REQUEST = "request release of a Milestone: it does not go back (R10.4)"
    START_TWO_WEEKS_ANEW = "any other Activity: the two weeks begin anew (R10.3)"


@dataclass(frozen=True, kw_only=True, slots=True)
class Stop:
    """One party's way of stopping a thing."""

    by: Party
    how: Action


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreseen:
    """One thing that will happen unless somebody acts.

    ``at`` is its own instant (R6.4), which may have passed: then it happens ``at_once``. ``titles``
    are the Milestones it is about; ``amounts`` says how the money divides (R5.2, R10.5), in minor
    units; ``to`` is who gets its net, None when none moves; ``turn`` whose silence brings it about.
    """

    at: datetime
    what: What
    at_once: bool = False
    number: int | None = None
    titles: tuple[str, ...] = ()
    amount_minor: int = 0
    amounts: Amounts | None = None
    to: Party | None = None
    days_left: int | None = None
    request_id: int | None = None
    payment_id: int | None = None
    turn: Party | None = None
    stops: tuple[Stop, ...] = ()


CLIENT, FREELANCER, BOTH = Party.CLIENT, Party.FREELANCER, Party.BOTH

AGAINST_RELEASE = (
    Stop(by=CLIENT, how=Action.RELEASE),
    Stop(by=FREELANCER, how=Action.VOID),
)
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
AGAINST_SETTLEMENT = (
    Stop(by=FREELANCER, how=Action.REQUEST),
    Stop(by=CLIENT, how=Action.REACTIVATE),
    Stop(by=BOTH, how=Action.START_TWO_WEEKS_ANEW),
)
# What is not named here follows from what is.
STOPS: dict[What, tuple[Stop, ...]] = {
    What.AUTHENTICATION_REMINDER: AGAINST_LAPSE,
    What.PAYMENT_LAPSES: AGAINST_LAPSE,
    What.AWARD_EXPIRES: AGAINST_END_OF_PROPOSAL,
    What.PROPOSAL_LAPSES: AGAINST_END_OF_PROPOSAL,
    What.CANCELLATION_LAPSES: AGAINST_END_OF_CANCELLATION,
    What.OVERDUE: AGAINST_RELEASE,
    What.WARNING: AGAINST_RELEASE,
    What.RELEASE: AGAINST_RELEASE,
    What.DORMANT: (Stop(by=BOTH, how=Action.KEEP_AWAKE),),
    What.FREELANCER_TOLD: AGAINST_SETTLEMENT,
    What.SETTLEMENT: AGAINST_SETTLEMENT,
    What.RETURN: AGAINST_SETTLEMENT,
}
# Told to people, and changing neither money nor a state that money hangs on.
REMINDERS = frozenset({What.AUTHENTICATION_REMINDER, What.OVERDUE, What.WARNING})
GOES_TO = {What.RELEASE: FREELANCER, What.RETURN: CLIENT}


def forecast(job: Job, rows: list[Row], *, at: datetime) -> list[Foreseen]:
    """All that will happen on a Job from ``at`` on if nobody acts, in its order.

    ``rows``: ``billing.selectors.timetables``. Nothing is written, neither to the database nor to
    the Job or its rows. What was due before ``at`` and no sweep has carried out yet is told too.
    """
    if job.policy is None or job.has_ended:
        return []
    events = timers.run(timers.timetable(job, rows), now=at, until=None)
    return list(_told(job, rows, events, at=at))


def _told(job: Job, rows: list[Row], events: list[Event], *, at: datetime) -> Iterator[Foreseen]:
    escrows = {escrow.number: escrow for escrow, _, _ in rows}
    for event in events:
        yield Foreseen(
            at=event.at,
            what=event.what,
            at_once=event.at <= at,
            number=event.number,
            titles=_titles(event, escrows),
            amount_minor=event.amount_minor,
            amounts=_amounts(event, escrows, job),
            to=GOES_TO.get(event.what),
            days_left=event.days_left,
            request_id=event.request_id,
            payment_id=event.payment_id,
            turn=_turn(event, escrows, job),
            stops=_stops(event, escrows, job),
        )


def _turn(event: Event, escrows: dict[int, Escrow], job: Job) -> Party | None:
    """The side that has to answer a Dispute: not the one that opened it (R9.2)."""
    if event.what is not What.DISPUTE_ESCALATES:
        return None
    assert event.number is not None
    return FREELANCER if escrows[event.number].disputed_by_id == job.client_id else CLIENT


def _stops(event: Event, escrows: dict[int, Escrow], job: Job) -> tuple[Stop, ...]:
    turn = _turn(event, escrows, job)
    if turn is None:
        return STOPS.get(event.what, ())
    opener = CLIENT if turn is FREELANCER else FREELANCER
    return (
        Stop(by=turn, how=Action.ANSWER_DISPUTE),
        Stop(by=opener, how=Action.WITHDRAW_DISPUTE),
    )


def _titles(event: Event, escrows: dict[int, Escrow]) -> tuple[str, ...]:
    """The Milestones that an event is about: all that its payment is for, or its own."""
    numbers = event.numbers or ((event.number,) if event.number is not None else ())
    return tuple(escrows[number].title for number in numbers)


def _amounts(event: Event, escrows: dict[int, Escrow], job: Job) -> Amounts | None:
    """How what is released or goes back divides (R5.2, R10.5)."""
    if event.what not in GOES_TO:
        return None
    assert event.number is not None and job.policy is not None
    escrow = escrows[event.number]
    if event.what is What.RELEASE:
        return quote(escrow, policy=job.policy, gross_minor=event.amount_minor)
    return Amounts(
        gross_minor=event.amount_minor,
        service_fee_minor=0,
        processing_fee_minor=return_fee(escrow, policy=job.policy),
    )
