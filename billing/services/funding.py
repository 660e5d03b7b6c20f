"""Funding Requests: the Freelancer, or the system for the first Milestone, asks for money (R3.1)."""

from datetime import datetime

from billing.models import Allocation, Escrow, FundingRequest
from billing.moves import reasons
from billing.notices import FUNDING_REQUESTED
from billing.services import catching_up
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked


def refuse_hourly(job: Job) -> Refusal | None:
    """Hourly Jobs have no escrow (R1.3)."""
    if job.kind == Job.Kind.HOURLY:
        return WrongState(
            "This is an hourly Job. Hourly Jobs have no escrow, so nothing can be funded on it."
        )
    return None


def refuse_unless_running(job: Job) -> Refusal | None:
    """Money moves on a running Job only."""
    if not job.is_running:
        return WrongState(f"This Job is {job.get_state_display().lower()}: nothing can be funded.")
    return None


def may_request_funding(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer requests funding of an unfunded Milestone, once while it is open (R3.1)."""
    job = escrow.job
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer can request funding.")
    if refusal := refuse_hourly(job) or refuse_unless_running(job):
        return refusal
    if escrow.state != Escrow.State.UNFUNDED:
        return WrongState(
            f"“{escrow}” is {escrow.get_state_display().lower()}: there is nothing to request."
        )
    return refuse_locked(by)


def request_funding(job_id: int, *, number: int, by: Person, at: datetime) -> FundingRequest:
    """Ask the Client to fund the Escrow with this number on the Job.

    Locks the Job. Raises Refusal when may_request_funding refuses, when funding has been requested
    already, or when a payment is under way.
    """
    with catching_up.locked_job(job_id, at=at) as job:
        escrow = Escrow.objects.filter(job=job, number=number).first()
        if refusal := refuse_hourly(job):
            raise refusal
        if escrow is None:
            raise WrongState("This Milestone is not part of the agreed Terms.")
        escrow.job = job
        refuse_if(may_request_funding(escrow, by=by, at=at))
        if Allocation.objects.filter(escrow=escrow, live=True).exists():
            raise WrongState(f"A payment for “{escrow}” is under way already.")
        if FundingRequest.objects.filter(escrow=escrow, closed_at__isnull=True).exists():
            raise WrongState(f"Funding of “{escrow}” has been requested already.")
        request = _open_request(escrow, by=by, at=at)
        _record(job, escrow, by=by, at=at)
    return request


def request_first_funding(job: Job, escrow: Escrow, *, at: datetime) -> None:
    """The system's own request when the first Terms are accepted (R3.1); the Job is locked."""
    _open_request(escrow, by=None, at=at)
    _record(job, escrow, by=None, reason=reasons.FIRST_FUNDING, at=at)


def _open_request(escrow: Escrow, *, by: Person | None, at: datetime) -> FundingRequest:
    return FundingRequest.objects.create(escrow=escrow, requested_by=by, requested_at=at)


def _record(job: Job, escrow: Escrow, *, by: Person | None, at: datetime, reason: str = "") -> None:
    activity.record(
        job,
        FUNDING_REQUESTED,
        by=by,
        at=at,
        reason=reason,
        escrow=escrow.title,
        number=escrow.number,
        amount_minor=escrow.amount_minor,
    )
