"""A Job as its clocks see it: what can fall due on it, its dates, and the rows they are read from.

Pure: no database and no clock. What falls due by it, and what follows from that, is in ``timers``;
the rows are read in ``selectors.escrow_rows``.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from billing.models import Escrow, Payment, ReleaseRequest
from escrow_site.lib.timing import DAY
from jobs.models import Job, Policy

Rows = Collection[tuple[Escrow, ReleaseRequest | None, Payment | None]]


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
    """What an agreed Milestone holds, its unanswered request, and its open Dispute (R9) or chargeback,
    which freezes it likewise (R8.4).

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
    """A Job as its clocks see it; ``timers.run`` changes it as time would.

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


def of_job(job: Job, rows: Rows) -> Timetable:
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
                is_disputed=escrow.is_frozen,
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
