"""Why money moved or a state changed when no person chose just that: one sentence for each rule.

Said to both sides on the Job's Activity, on papers and pages, and kept for ever: so instants are in
UTC, and what only the Client may know, such as his bank's words, is not here. The sentences of the
timers are in ``due_entries``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.models import Allocation, Cancellation, Escrow, Payment, Refund
from escrow_site.lib.display import utc
from jobs.models import Job, Person

# What the columns of payments and refunds hold.
LONGEST_REASON = 300

# --- Funding (R3) ---

FIRST_FUNDING = "The Terms were accepted: funding of the first Milestone is requested at once."
CONFIRMED = "The bank confirmed the payment."
AUTHENTICATED = "The bank authenticated the Pending payment: it is Funded from this instant."
PENDING = "The bank has not authenticated the card yet: the money is Pending, and not held."
REFUSED = "The bank refused the payment: nothing was charged."
UNFUNDED_AGAIN = "nothing was charged, and what was Pending is unfunded again."
NOT_AUTHENTICATED = f"The bank did not authenticate the Pending payment: {UNFUNDED_AGAIN}"


def funded(*, was_pending: bool) -> str:
    return AUTHENTICATED if was_pending else CONFIRMED


def failed(*, was_pending: bool) -> str:
    return NOT_AUTHENTICATED if was_pending else REFUSED


def cancelled(*, was_pending: bool, by: Person | None) -> str:
    """By a person; without one the bank's own answer is all that is known."""
    if by is None:
        what = "The bank says that the payment is cancelled"
    elif was_pending:
        what = "Cancelled before the bank had authenticated it"
    else:
        what = "Stopped before the bank had answered"
    return f"{what}: {UNFUNDED_AGAIN if was_pending else 'nothing was charged.'}"


# --- Money that goes back ---

HAD_ENDED = {
    Payment.State.FAILED: "the bank had refused the payment",
    Payment.State.CANCELLED: "the payment had been cancelled",
    Payment.State.LAPSED: "the payment had lapsed",
}


@dataclass(frozen=True)
class Unwanted:
    """What made money unwanted before it arrived, and since when if that has its instant (R3.5)."""

    cause: str
    since: datetime | None = None

    def __str__(self) -> str:
        since = f" on {utc(self.since)}" if self.since else ""
        words = f"The money arrived when it was no longer wanted: {self.cause}{since}."
        return words[:LONGEST_REASON]


def unwanted(payment: Payment, allocations: Sequence[Allocation]) -> Unwanted:
    """To be asked before the payment is moved: its state is what says why."""
    if had_ended := HAD_ENDED.get(Payment.State(payment.state)):
        return Unwanted(had_ended, payment.ended_at)
    return Unwanted(_why(payment, allocations))


def _why(payment: Payment, allocations: Sequence[Allocation]) -> str:
    if not payment.job.is_running:
        return f"the Job was {payment.job.get_state_display().lower()}"
    for allocation in allocations:
        escrow = allocation.escrow
        if escrow.state not in (Escrow.State.UNFUNDED, Escrow.State.PENDING):
            return f"“{escrow}” was {escrow.get_state_display().lower()}"
        if escrow.amount_minor != allocation.amount_minor:
            return f"the price of “{escrow}” had changed"
    return "another payment stands for the Milestone"


def refund_refused(refund: Refund) -> str:
    """Why the money was on its way back, and why it is on the payer's balance instead (R8.1)."""
    return (
        f"{refund.reason} The card takes no money back, so it is on the Client’s available balance."
    )


# --- Cancellation (R8.3) ---

NOTHING_IN_IT = "No money was held, Pending or under way, so nobody had to agree."
NEVER_FUNDED_OF_CANCELLED = "The Job was cancelled: what was never funded is removed."
OVERTAKEN = "What is held on the Job is no longer what the request divides."


def cancellation_agreed(cancellation: Cancellation, *, at: datetime) -> str:
    return (
        f"Both sides agreed to cancel the Job: requested {utc(cancellation.requested_at)}, "
        f"accepted {utc(at)}."
    )


def cancellation_lapsed(job: Job, cancellation: Cancellation) -> str:
    assert job.policy is not None
    return (
        f"Nobody answered the request within {job.policy.cancellation_days} days, by "
        f"{utc(cancellation.lapses_at)}."
    )


# --- The end of a Job (R11.1) ---

NEVER_FUNDED = "The Job was marked complete: what was never funded is removed."


def completed_by_hand(job: Job) -> str:
    if job.kind == Job.Kind.HOURLY:
        return "Marked complete: an hourly Job has no Milestones that could complete it."
    return "Marked complete: its end was to be determined, and no money was held, Pending or asked for."
