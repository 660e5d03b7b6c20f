"""Time runs on a Job: what falls due, in which order, for sweep, button, page and mail alike.

Pure: no database and no clock; ``run`` changes a ``Timetable`` as time would. ``moves.due`` carries
out what it says up to now, ``forecast`` shows what it says from now on, so the two cannot differ.
Each thing is dated by its own instant (R6.4).
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from billing.models import Escrow, ReleaseRequest
from billing.timetables import (
    Event,
    MilestoneMoney,
    PendingPayment,
    RequestTimes,
    Timetable,
    What,
)
from escrow_site.lib.timing import DAY
from jobs.models import Job

# A notice that is written within a minute of its instant is on time: the sweep comes twice a minute.
ON_TIME = timedelta(minutes=1)


def run(table: Timetable, *, now: datetime, until: datetime | None = None) -> list[Event]:
    """Let time run to ``until`` (for ever, when None): what falls due, in order; changes the table.

    ``now`` is when it is carried out: a notice that is written late gives its reader the time from
    then on.
    """
    events: list[Event] = []
    while event := next_event(table):
        if until is not None and event.at > until:
            break
        events.append(event)
        events += _happen(table, event, now=now)
    return events


def next_event(table: Timetable) -> Event | None:
    """What falls due next if nobody acts."""
    return min(
        (
            *_of_payments(table),
            *_of_proposals(table),
            *_of_cancellation(table),
            *_of_disputes(table),
            *_of_requests(table),
            *_of_dormancy(table),
        ),
        key=lambda event: (event.at, event.what, event.number or 0),
        default=None,
    )


def _of_payments(table: Timetable) -> Iterator[Event]:
    """A Pending payment: its reminders, and its end (R3.4)."""
    for payment in table.payments:
        about: dict[str, Any] = {
            "number": payment.numbers[0],
            "numbers": tuple(payment.numbers),
            "payment_id": payment.id,
            "amount_minor": payment.amount_minor,
        }
        for days in table.policy.authentication_reminder_days:
            at = payment.lapses_at - days * DAY
            if at > payment.noticed_until:
                yield Event(at=at, what=What.AUTHENTICATION_REMINDER, days_left=days, **about)
        yield Event(at=payment.lapses_at, what=What.PAYMENT_LAPSES, **about)


def _of_proposals(table: Timetable) -> Iterator[Event]:
    """An unanswered proposal lapses, and with the first one its award (R1.2, R2.3)."""
    if table.open_proposal_until is None:
        return
    if table.state == Job.State.AWARDED:
        yield Event(at=table.open_proposal_until, what=What.AWARD_EXPIRES)
    elif table.is_running:
        yield Event(at=table.open_proposal_until, what=What.PROPOSAL_LAPSES)


def _of_cancellation(table: Timetable) -> Iterator[Event]:
    """An unanswered request to cancel the Job lapses; it stops no other clock (R8.3)."""
    if table.is_running and table.open_cancellation_until is not None:
        yield Event(at=table.open_cancellation_until, what=What.CANCELLATION_LAPSES)


def _of_disputes(table: Timetable) -> Iterator[Event]:
    """A Dispute that the other side does not answer goes to support (R9.3)."""
    if not table.is_running:
        return
    for milestone in table.held:
        if milestone.answer_due_at is not None:
            yield Event(
                at=milestone.answer_due_at,
                what=What.DISPUTE_ESCALATES,
                number=milestone.number,
                amount_minor=milestone.held_minor,
            )


def _of_requests(table: Timetable) -> Iterator[Event]:
    """The 30-day clock of each request: Overdue, warnings, release (R6.1, R6.2)."""
    if not table.is_running:
        return
    for milestone in table.held:
        request = milestone.request
        if request is None or request.state == ReleaseRequest.State.DISPUTED:
            continue
        about: dict[str, Any] = {
            "number": milestone.number,
            "request_id": request.id,
            "amount_minor": milestone.held_minor,
        }
        if request.state == ReleaseRequest.State.OPEN:
            yield Event(at=request.overdue_at, what=What.OVERDUE, **about)
        for days in table.policy.warning_days_before_due:
            at = request.due_at - days * DAY
            if at > request.noticed_until:
                yield Event(at=at, what=What.WARNING, days_left=days, **about)
        yield Event(at=request.due_at, what=What.RELEASE, **about)


def _of_dormancy(table: Timetable) -> Iterator[Event]:
    """D, A+7 d and A+14 d of a Job that holds money (R10.3)."""
    if not table.held or table.is_disputed:
        return
    held_minor = sum(one.held_minor for one in table.held)
    if table.state == Job.State.ACTIVE and table.dormant_at:
        dormant_at = table.after_disputes(table.dormant_at)
        yield Event(at=dormant_at, what=What.DORMANT, amount_minor=held_minor)
    elif table.state == Job.State.DORMANT:
        if not table.is_freelancer_told:
            told_at = table.freelancer_told_due_at
            assert told_at is not None
            yield Event(at=told_at, what=What.FREELANCER_TOLD, amount_minor=held_minor)
        elif table.unrequested:
            assert table.settlement_at is not None
            yield Event(at=table.settlement_at, what=What.SETTLEMENT)


# --- What an event does ---


def _happen(table: Timetable, event: Event, *, now: datetime) -> list[Event]:
    """Let an event happen; what follows from it at the same instant."""
    match event.what:
        case What.AUTHENTICATION_REMINDER:
            _payment(table, event).noticed_until = event.at
        case What.PAYMENT_LAPSES:
            _lapse(table, _payment(table, event))
        case What.AWARD_EXPIRES:
            table.state, table.open_proposal_until = Job.State.EXPIRED, None
        case What.PROPOSAL_LAPSES:
            table.open_proposal_until = None
            return _complete_if_finished(table, event.at)
        case What.CANCELLATION_LAPSES:
            table.open_cancellation_until = None
        case What.DISPUTE_ESCALATES:
            _milestone(table, event.number).answer_due_at = None
        case What.OVERDUE:
            _request(table, event).state = ReleaseRequest.State.OVERDUE
        case What.WARNING:
            _request(table, event).noticed_until = event.at
        case What.RELEASE:
            _empty(_milestone(table, event.number), Escrow.State.RELEASED)
            return _after_money_left(table, event.at)
        case What.DORMANT:
            table.state, table.freelancer_told_dormant_at = Job.State.DORMANT, None
        case What.FREELANCER_TOLD:
            table.freelancer_told_dormant_at = _written_at(event, now=now)
        case What.SETTLEMENT:
            return _settle(table, event.at)
    return []


def _written_at(event: Event, *, now: datetime) -> datetime:
    """When the notice of an event counts as written: at its instant, unless it is really late."""
    return now if now > event.at + ON_TIME else event.at


def _settle(table: Timetable, at: datetime) -> list[Event]:
    """Milestones never requested go back to the Client; the others keep their clocks (R10.3)."""
    returned = [
        Event(at=at, what=What.RETURN, number=one.number, amount_minor=one.held_minor)
        for one in table.unrequested
    ]
    for milestone in table.unrequested:
        _empty(milestone, Escrow.State.REFUNDED)
    return returned + _after_money_left(table, at)


def _after_money_left(table: Timetable, at: datetime) -> list[Event]:
    """With no balance left a dormant Job is over by R11 or by its settlement, or active again (R10.4)."""
    overtaken = _overtake_cancellation(table, at)
    return overtaken + _end_or_wake_up(table, at)


def _overtake_cancellation(table: Timetable, at: datetime) -> list[Event]:
    """What is held is no longer what the request to cancel the Job divides (R8.3)."""
    if table.open_cancellation_until is None:
        return []
    table.open_cancellation_until = None
    return [Event(at=at, what=What.CANCELLATION_STALE)]


def _end_or_wake_up(table: Timetable, at: datetime) -> list[Event]:
    if ended := _complete_if_finished(table, at):
        return ended
    if table.state != Job.State.DORMANT or table.held:
        return []
    if _ends_by_settlement(table, at):
        unfunded = [one for one in table.milestones if one.state == Escrow.State.UNFUNDED]
        for milestone in unfunded:
            milestone.state = Escrow.State.REMOVED
        removed = [Event(at=at, what=What.REMOVAL, number=one.number) for one in unfunded]
        return removed + _complete_if_finished(table, at)
    _reactivate(table, at)
    return [Event(at=at, what=What.REACTIVATION)]


def _ends_by_settlement(table: Timetable, at: datetime) -> bool:
    """Whether what is unfunded goes too: settled, and neither an end that is to be determined, a
    payment under way (R2.3) nor an open proposal keeps the Job.
    """
    assert table.settlement_at is not None
    return (
        table.is_freelancer_told
        and table.settlement_at <= at
        and not (table.open_ended or table.payments or table.bank_is_silent)
        and table.open_proposal_until is None
    )


def _reactivate(table: Timetable, at: datetime) -> None:
    """Back to active, 60 days anew (R10.4)."""
    table.state = Job.State.ACTIVE
    table.last_activity_at = max(table.last_activity_at or at, at)
    table.dormant_at = table.dormant_date_from(table.last_activity_at)
    table.freelancer_told_dormant_at = None


def _complete_if_finished(table: Timetable, at: datetime) -> list[Event]:
    """A Job completes by itself when nothing of its Terms is left to do (R11.1)."""
    unfinished = (Escrow.State.UNFUNDED, Escrow.State.PENDING, Escrow.State.FUNDED)
    if (
        not table.is_running
        or table.kind == Job.Kind.HOURLY
        or table.open_ended
        or table.open_proposal_until is not None
        or any(one.state in unfinished for one in table.milestones)
    ):
        return []
    table.state = Job.State.COMPLETED
    return [*_overtake_cancellation(table, at), Event(at=at, what=What.COMPLETION)]


def _lapse(table: Timetable, payment: PendingPayment) -> None:
    table.payments.remove(payment)
    for number in payment.numbers:
        _milestone(table, number).state = Escrow.State.UNFUNDED


def _empty(milestone: MilestoneMoney, state: str) -> None:
    milestone.state, milestone.held_minor, milestone.request = state, 0, None


def _milestone(table: Timetable, number: int | None) -> MilestoneMoney:
    return next(one for one in table.milestones if one.number == number)


def _request(table: Timetable, event: Event) -> RequestTimes:
    request = _milestone(table, event.number).request
    assert request is not None
    return request


def _payment(table: Timetable, event: Event) -> PendingPayment:
    return next(one for one in table.payments if one.id == event.payment_id)
