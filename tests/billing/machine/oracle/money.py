"""Funding, Release Requests, releases, and refunds by the Freelancer (R3, R5, R7, R8.1, R8.2)."""

from datetime import datetime

from tests.billing.machine.oracle.clock import Oracle
from tests.billing.machine.oracle.rows import CLIENT, FREELANCER, Milestone, Request

RETURNS_AT_MOST = 2


def is_held(job: Oracle, number: int) -> bool:
    return job.is_running and job.milestones[number].state == "funded"


# --- Money in ---


def may_fund(job: Oracle, side: str, number: int) -> bool:
    return side == CLIENT and job.is_running and job.milestones[number].state == "unfunded"


def fund(job: Oracle, number: int, at: datetime) -> None:
    """Funding is Activity that wakes nobody up (R10.2, R10.4)."""
    job.milestones[number].fund()
    job.activity(at)
    job.held_changed()


# --- Release Requests ---


def may_request(job: Oracle, side: str, number: int) -> bool:
    milestone = job.milestones[number]
    is_free = milestone.request is None and milestone.dispute is None
    return side == FREELANCER and is_held(job, number) and is_free


def request(job: Oracle, number: int, at: datetime) -> None:
    """It reactivates the Milestone it names; the Job when none is left without one (R10.4)."""
    job.milestones[number].request = Request.made(at)
    job.activity(at, is_request=True)
    if all(one.request for one in job.held()):
        job.reactivate(at)


def _can_be_taken_back(milestone: Milestone) -> bool:
    return milestone.request is not None and milestone.request.state in ("open", "overdue")


def may_void(job: Oracle, side: str, number: int) -> bool:
    return side == FREELANCER and _can_be_taken_back(job.milestones[number])


def may_request_changes(job: Oracle, side: str, number: int) -> bool:
    """At most twice per Milestone (R7.3)."""
    milestone = job.milestones[number]
    returns_left = RETURNS_AT_MOST - milestone.times_returned
    return side == CLIENT and _can_be_taken_back(milestone) and returns_left > 0


def void(job: Oracle, number: int, at: datetime) -> None:
    """No Activity; after A+14 d nothing goes back, and the Job is active again (R10.3)."""
    job.milestones[number].request = None
    if job.state == "dormant" and job.is_settled(at):
        job.reactivate(at)


def request_changes(job: Oracle, number: int, at: datetime) -> None:
    """It ends as if voided (R7.3)."""
    job.milestones[number].times_returned += 1
    void(job, number, at)


# --- Releases ---


def may_release(job: Oracle, side: str, number: int, amount: int) -> bool:
    """The whole also while it is disputed; a part never (R5.3, R9.1, R9.5)."""
    milestone = job.milestones[number]
    return (
        side == CLIENT
        and is_held(job, number)
        and 0 < amount <= milestone.held
        and (amount == milestone.held or milestone.dispute is None)
    )


def release(job: Oracle, number: int, amount: int, at: datetime) -> None:
    """A release by the Client reactivates (R10.4)."""
    milestone = job.milestones[number]
    job.activity(at)
    job.available += milestone.release(amount)
    end_dispute(job, milestone, at)
    job.held_changed()
    if not job.ends():
        job.reactivate(at)


def end_dispute(job: Oracle, milestone: Milestone, at: datetime) -> None:
    """One's own full release or refund ends it (R9.5)."""
    if milestone.dispute is not None:
        milestone.dispute, job.dispute_ended = None, at


# --- Refunds ---


def may_refund(job: Oracle, side: str, number: int, amount: int) -> bool:
    milestone = job.milestones[number]
    return (
        side == FREELANCER
        and is_held(job, number)
        and 0 < amount <= milestone.held
        and (amount == milestone.held or milestone.dispute is None)
    )


def refund(job: Oracle, number: int, amount: int, at: datetime) -> None:
    """The whole ends request and Dispute; after a part the request stands, clock unchanged (R8.1)."""
    milestone = job.milestones[number]
    job.activity(at)
    milestone.give_back(amount)
    if not milestone.held:
        end_dispute(job, milestone, at)
    job.held_changed()
    job.left_without_balance(at)


def may_refund_released(job: Oracle, side: str, number: int, amount: int) -> bool:
    """From the available balance: gross less the fee that comes back. Also after the end (R8.2)."""
    milestone = job.milestones[number]
    if side != FREELANCER or milestone.dispute or not 0 < amount <= milestone.kept:
        return False
    return _gives(milestone, amount) <= job.available


def _gives(milestone: Milestone, amount: int) -> int:
    before = (milestone.credited, milestone.fee_taken)
    gives = milestone.credit(amount)
    milestone.credited, milestone.fee_taken = before
    return gives


def refund_released(job: Oracle, number: int, amount: int, at: datetime) -> None:
    """Milestone and Job keep their state; after the end a new Statement is issued (R11.2)."""
    job.available -= job.milestones[number].credit(amount)
    job.activity(at)
    job.statements += bool(job.statements)


def may_pay_out(job: Oracle, amount: int) -> bool:
    return 0 < amount <= job.available
