"""What happens on a Job if nobody acts (R10.6): one function tells the future.

The instants are those of ``billing.timers``, by which the sweep and every service carry out what is
due; here each is told with its Milestone, its money, and who can keep it from happening. Pure: no
database, no clock, no words for a reader (``billing.selectors.foretold``).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from billing import timers, timetables
from billing.models import Escrow
from billing.selectors.escrow_rows import Row
from billing.services.amounts import Amounts, quote, return_fee
from billing.stopping import CLIENT, FREELANCER, Party, Stop, answerer, stops
from billing.timetables import Event, What
from jobs.models import Job


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


# Told to people, and changing neither money nor a state that money hangs on.
REMINDERS = frozenset({What.AUTHENTICATION_REMINDER, What.OVERDUE, What.WARNING})
GOES_TO = {What.RELEASE: FREELANCER, What.RETURN: CLIENT}


def forecast(job: Job, rows: list[Row], *, at: datetime) -> list[Foreseen]:
    """All that will happen on a Job from ``at`` on if nobody acts, in its order.

    ``rows``: ``billing.selectors.escrow_rows``. Nothing is written, neither to the database nor to
    the Job or its rows. What was due before ``at`` and no sweep has carried out yet is told too.
    """
    if job.policy is None or job.has_ended:
        return []
    events = timers.run(timetables.of_job(job, rows), now=at, until=None)
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
            stops=stops(event, job=job, rows=rows),
        )


def _turn(event: Event, escrows: dict[int, Escrow], job: Job) -> Party | None:
    """The side that has to answer a Dispute."""
    if event.what is not What.DISPUTE_ESCALATES:
        return None
    assert event.number is not None
    return answerer(escrows[event.number], job)


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
