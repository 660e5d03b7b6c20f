"""What falls due on a Job, and in which order: one timetable for sweep, button, page and mail.

Pure: no database and no clock. ``catching_up`` carries out what ``run`` says up to now, ``forecast``
shows what it says from now on, so the two cannot differ. Each thing is dated by its own instant (R6.4).
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Any

from billing.models import Escrow, Payment, ReleaseRequest
from escrow_site.lib.timing import DAY
from jobs.models import Job, Policy

# A notice that is written within a minute of its instant is on time: the sweep comes twice a minute.
ON_TIME = timedelta(minutes=1)


class What(IntEnum):
    """What can fall due. Of things at the same instant the one that stands first here comes first."""

    AUTHENTICATION_REMINDER = 1
    PAYMENT_LAPSES = 2
    AWARD_EXPIRES = 3
    PROPOSAL_LAPSES = 4
    CANCELLATION_LAPSES = 5
    DISPUTE_ESCALATES = 6
    OVERDUE = 7
    WARNING = 8
    RELEASE = 9
    DORMANT = 10
    FREELANCER_TOLD = 11
    SETTLEMENT = 12
    # What follows from the others, at their instant.
    RETURN = 13
    CANCELLATION_STALE = 14
    REMOVAL = 15
    REACTIVATION = 16
    COMPLETION = 17


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """One thing that falls due; ``number`` is its Milestone's, amounts are in minor units.

    A payment may be for several Milestones, ``numbers``; ``number`` is the first of them.
    """

    at: datetime
    what: What
    number: int | None = None
    request_id: int | None = None
    payment_id: int | None = None
    numbers: tuple[int, ...] = ()
    amount_minor: int = 0
    days_left: int | None = None


@dataclass(kw_only=True, slots=True)
class RequestTimes:
    """An unanswered Release Request; a disputed one has no clock (R9.1)."""

    id: int
    state: str
    requested_at: datetime
    overdue_at: datetime
    due_at: datetime
    noticed_until: datetime


@dataclass(kw_only=True, slots=True)
class MilestoneMoney:
    """What an agreed Milestone holds, its unanswered request, and its open Dispute (R9).

    ``answer_due_at`` is when the Dispute goes to support, None when it was answered or is there.
    """

    number: int
    state: str
    held_minor: int
    request: RequestTimes | None
    is_disputed: bool = False
    answer_due_at: datetime | None = None


@dataclass(kw_only=True, slots=True)
class PendingPayment:
    """A payment that waits for the Client's bank."""

    id: int
    numbers: list[int]
    amount_minor: int
    lapses_at: datetime
    noticed_until: datetime


@dataclass(kw_only=True, slots=True)
class Timetable:
    """A Job as its clocks see it; ``run`` changes it as time would.

    ``bank_is_silent``: a payment is under way that the bank has not answered at all.
    """

    state: str
    kind: str
    policy: Policy
    open_ended: bool
    open_proposal_until: datetime | None
    open_cancellation_until: datetime | None
    last_milestone_ends_at: datetime | None
    last_activity_at: datetime | None
    last_activity_besides_requests_at: datetime | None
    dormant_at: datetime | None
    freelancer_told_dormant_at: datetime | None
    dispute_ended_at: datetime | None = None
    milestones: list[MilestoneMoney] = field(default_factory=list)
    payments: list[PendingPayment] = field(default_factory=list)
    bank_is_silent: bool = False

    @property
    def is_running(self) -> bool:
        return self.state in (Job.State.ACTIVE, Job.State.DORMANT)

    @property
    def held(self) -> list[MilestoneMoney]:
        """The Milestones that make up the balance of R10.1."""
        return [one for one in self.milestones if one.state == Escrow.State.FUNDED]

    @property
    def unrequested(self) -> list[MilestoneMoney]:
        """Held Milestones with no open, overdue or disputed request (R10.3)."""
        return [one for one in self.held if one.request is None]

    @property
    def is_disputed(self) -> bool:
        return any(one.is_disputed for one in self.held)

    # The dates of R10

    @property
    def quiet_since(self) -> datetime | None:
        """A of R10.3: the later of D and the last Activity other than Release Requests."""
        if self.state != Job.State.DORMANT or self.dormant_at is None:
            return None
        return max(self.dormant_at, self.last_activity_besides_requests_at or self.dormant_at)

    @property
    def freelancer_told_due_at(self) -> datetime | None:
        quiet = self.quiet_since
        return quiet and self.after_disputes(quiet + self.policy.dormant_freelancer_days * DAY)

    @property
    def is_freelancer_told(self) -> bool:
        """Whether the Freelancer was told of this A, and not of an earlier one."""
        due_at, told_at = self.freelancer_told_due_at, self.freelancer_told_dormant_at
        return due_at is not None and told_at is not None and told_at >= due_at

    @property
    def settlement_at(self) -> datetime | None:
        """A+14 d, and never earlier than 7 d after the Freelancer's notice was written (R10.3)."""
        quiet = self.quiet_since
        if quiet is None:
            return None
        told_at = self.freelancer_told_due_at
        if self.is_freelancer_told:
            told_at = self.freelancer_told_dormant_at
        assert told_at is not None
        policy = self.policy
        notice_days = policy.dormant_settlement_days - policy.dormant_freelancer_days
        settled_at = max(quiet + policy.dormant_settlement_days * DAY, told_at + notice_days * DAY)
        return self.after_disputes(settled_at)

    def after_disputes(self, due_at: datetime) -> datetime:
        """What fell due by R10 while a Dispute was open is dated by its end (R10.1)."""
        return max(due_at, self.dispute_ended_at or due_at)

    def dormant_date_from(self, at: datetime) -> datetime:
        """D when ``at`` is the last Activity (R10.1)."""
        return max(at, self.last_milestone_ends_at or at) + self.policy.dormant_days * DAY


# --- Reading the rows ---

Rows = Collection[tuple[Escrow, ReleaseRequest | None, Payment | None]]


def timetable(job: Job, rows: Rows) -> Timetable:
    """The timetable of an awarded Job; ``rows`` are its agreed Escrows in the order of the Terms, each
    with its unanswered request and the payment that is there for it.
    """
    assert job.policy is not None
    payments: dict[int, PendingPayment] = {}
    milestones = []
    for escrow, request, payment in rows:
        milestones.append(
            MilestoneMoney(
                number=escrow.number,
                state=escrow.state,
                held_minor=escrow.held_minor,
                request=_request_times(request) if request else None,
                is_disputed=escrow.disputed_at is not None,
                answer_due_at=escrow.answer_due_at,
            )
        )
        if payment is not None and payment.state == Payment.State.AUTHENTICATING:
            pending = payments.setdefault(payment.pk, _pending_payment(payment))
            pending.numbers.append(escrow.number)
    bank_is_silent = any(
        payment is not None and payment.state == Payment.State.STARTED for _, _, payment in rows
    )
    return Timetable(
        state=job.state,
        kind=job.kind,
        policy=job.policy,
        open_ended=job.open_ended,
        open_proposal_until=job.open_proposal_until,
        open_cancellation_until=job.open_cancellation_until,
        last_milestone_ends_at=job.last_milestone_ends_at,
        last_activity_at=job.last_activity_at,
        last_activity_besides_requests_at=job.last_activity_besides_requests_at,
        dormant_at=job.dormant_at,
        freelancer_told_dormant_at=job.freelancer_told_dormant_at,
        dispute_ended_at=job.dispute_ended_at,
        milestones=milestones,
        payments=list(payments.values()),
        bank_is_silent=bank_is_silent,
    )


def _request_times(request: ReleaseRequest) -> RequestTimes:
    return RequestTimes(
        id=request.pk,
        state=request.state,
        requested_at=request.requested_at,
        overdue_at=request.overdue_at,
        due_at=request.auto_release_at,
        noticed_until=request.noticed_until or request.requested_at,
    )


def _pending_payment(payment: Payment) -> PendingPayment:
    return PendingPayment(
        id=payment.pk,
        numbers=[],
        amount_minor=payment.amount_minor,
        lapses_at=payment.lapses_at,
        noticed_until=payment.noticed_until or payment.started_at,
    )


# --- Letting time run ---


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
            table.freelancer_told_dormant_at = written_at(event, now=now)
        case What.SETTLEMENT:
            return _settle(table, event.at)
    return []


def written_at(event: Event, *, now: datetime) -> datetime:
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
    reactivate(table, at)
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


def reactivate(table: Timetable, at: datetime) -> None:
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
