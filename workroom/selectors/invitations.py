"""Invitations: what their page may say, and the Job that one has led to (R1.1)."""

from datetime import datetime
from enum import Enum

from allauth.account.models import EmailAddress

from jobs.models import Invitation, Job, Person


class Standing(Enum):
    """Who follows the link, and whether it still leads anywhere."""

    OPEN = "nobody is signed in: sign up or sign in"
    OVER = "the Job has ended, or nobody answered in time"
    TAKEN = "it was accepted; the account that did so must sign in"
    UNCONFIRMED = "the address is this account's, but not confirmed yet"
    SOMEBODY_ELSE = "signed in with an account that has not this address"


def standing(invitation: Invitation, *, viewer: Person | None, at: datetime) -> Standing:
    """How things stand for somebody who may not see the Job itself."""
    job = invitation.job
    if job.has_ended or (job.open_proposal_until is not None and job.open_proposal_until <= at):
        return Standing.OVER
    if job.freelancer_id is not None:
        return Standing.TAKEN
    if viewer is None:
        return Standing.OPEN
    if EmailAddress.objects.filter(user=viewer, email__iexact=invitation.email).exists():
        return Standing.UNCONFIRMED
    return Standing.SOMEBODY_ELSE


def newest_invited_job(person: Person, *, email: str) -> Job | None:
    """The Job that the newest invitation of this address has brought to the person."""
    jobs = Job.objects.filter(
        freelancer=person, state=Job.State.AWARDED, invitation__email__iexact=email
    )
    return jobs.order_by("-pk").first()
