"""Cancellation by agreement, and completion by hand (R8.3, R11.1)."""

from datetime import datetime

from tests.billing.machine.oracle.clock import Oracle
from tests.billing.machine.oracle.rows import CLIENT, DAY, Cancellation, other


def may_request(job: Oracle, shares: dict[int, int]) -> bool:
    """One open request per Job; each share is of what is held."""
    if not job.is_running or job.cancellation is not None:
        return False
    return set(shares) == _held_numbers(job) and all(
        0 <= share <= job.milestones[number].held for number, share in shares.items()
    )


def _held_numbers(job: Oracle) -> set[int]:
    return {number for number, one in job.milestones.items() if one.state == "funded"}


def request(job: Oracle, side: str, shares: dict[int, int], at: datetime) -> None:
    """With nothing held it is done at once; by the Client it reactivates (R10.4)."""
    if not shares:
        job.end("cancelled")
        return
    job.activity(at)
    job.cancellation = Cancellation(side, at + 5 * DAY, dict(shares))
    job.was_to_be_cancelled = True
    if side == CLIENT:
        job.reactivate(at)


def may_answer(job: Oracle, side: str) -> bool:
    return job.cancellation is not None and job.cancellation.by == other(side)


def may_withdraw(job: Oracle, side: str) -> bool:
    return job.cancellation is not None and job.cancellation.by == side


def accept(job: Oracle) -> None:
    """It ends requests and Disputes, and executes the split at once."""
    assert job.cancellation is not None
    for number, to_freelancer in job.cancellation.shares.items():
        milestone = job.milestones[number]
        back = milestone.held - to_freelancer
        if to_freelancer:
            job.available += milestone.release(to_freelancer)
        if back:
            milestone.give_back(back)
        milestone.dispute = None
    job.end("cancelled")


def decline_or_withdraw(job: Oracle) -> None:
    """No Activity (R10.2)."""
    job.cancellation = None


def may_complete(job: Oracle) -> bool:
    """Either side, when its end is to be determined and nothing is held or proposed (R11.1)."""
    return job.is_running and job.open_ended and not job.held() and job.proposal is None
