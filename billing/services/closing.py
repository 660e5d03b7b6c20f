"""The end of a Job (R11): completion by itself or by hand."""

from datetime import datetime

from billing.models import Escrow, Payment, ReleaseRequest
from billing.moves import cancellations, reasons, removals
from billing.moves.endings import Ending, complete_all
from billing.notices import REMOVED
from billing.services import catching_up
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry


def complete_if_finished(job: Job, *, at: datetime) -> list[Entry]:
    """Complete a locked Job when every agreed Milestone is released, refunded or removed (R11.1).

    Not when the end of the timeline is to be determined, nor while a Terms proposal is open. An
    hourly Job has no Milestones and is completed by hand. Returns what the caller is to record.
    """
    if not job.is_running or job.open_ended or job.kind == Job.Kind.HOURLY:
        return []
    if job.open_proposal_until is not None and job.open_proposal_until > at:
        return []
    if Escrow.objects.filter(job=job).unfinished().exists():
        return []
    return [*_end_cancellation(job, at=at), *complete_all([Ending(job=job, by=None, at=at)])]


def _end_cancellation(job: Job, *, at: datetime) -> list[Entry]:
    """There is nothing left to cancel."""
    if job.open_cancellation_until is None:
        return []
    return cancellations.end_all([(job, at)], "become_stale")


def may_complete(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """Either side marks a Job complete whose end is open, when no money is in it (R11.1).

    Reads the Job's Escrows and Release Requests.
    """
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) is None:
        return WrongParty("Only the Client or the Freelancer can complete a Job.")
    if not job.is_running:
        return WrongState(f"This Job is {job.get_state_display().lower()}.")
    if not job.open_ended and job.kind == Job.Kind.FIXED_PRICE:
        return WrongState(
            "This Job completes by itself when every Milestone is released, refunded or removed."
        )
    if job.open_proposal_until is not None and job.open_proposal_until > at:
        return WrongState("A Terms proposal is open: answer or withdraw it first.")
    unfinished = [
        f"“{escrow}” is {escrow.get_state_display().lower()}"
        for escrow in Escrow.objects.of(job)
        if escrow.state in (Escrow.State.FUNDED, Escrow.State.PENDING)
    ]
    if unfinished:
        return WrongState(f"The Job cannot be completed yet: {', '.join(unfinished)}.")
    if Payment.objects.filter(job=job).under_way().exists():
        return WrongState("The Job cannot be completed yet: a payment is under way.")
    if ReleaseRequest.objects.filter(job=job).unanswered().exists():
        return WrongState("The Job cannot be completed yet: a Release Request is open.")
    return None


def complete(job_id: int, *, by: Person, at: datetime) -> Job:
    """Mark an open-ended or hourly Job complete; unfunded Milestones are removed.

    Locks the Job. Raises the Refusal of may_complete.
    """
    with catching_up.locked_job(job_id, at=at) as job:
        refuse_if(may_complete(job, by=by, at=at))
        unfunded = list(Escrow.objects.filter(job=job, state=Escrow.State.UNFUNDED))
        removals.remove(unfunded, at=at)
        ending = Ending(job=job, by=by, at=at, reason=reasons.completed_by_hand(job))
        removed = [_removal(job, escrow, by=by, at=at) for escrow in unfunded]
        overtaken = _end_cancellation(job, at=at)
        activity.record_all([*removed, *overtaken, *complete_all([ending])])
    return job


def _removal(job: Job, escrow: Escrow, *, by: Person, at: datetime) -> Entry:
    return Entry(
        job=job,
        kind=REMOVED,
        by=by,
        at=at,
        reason=reasons.NEVER_FUNDED,
        facts={"escrow": escrow.title, "number": escrow.number},
    )
