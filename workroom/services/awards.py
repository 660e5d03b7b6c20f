"""Awards: the Client gives his Job to a Freelancer by e-mail address (R1.1, R1.2).

Whose address it is, and how an award ends without agreement. Terms are answered in terms.
"""

from contextlib import suppress
from datetime import datetime
from typing import Any

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import QuerySet

from billing.services import catching_up
from billing.services.catching_up import JobSetAside
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from escrow_site.lib.timing import DAY
from jobs.models import Invitation, Job, Person, Policy
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.columns import set_columns
from workroom.models import Terms
from workroom.notices import AWARD_DECLINED, AWARD_WITHDRAWN, AWARDED, INVITED
from workroom.proposals import TermsInput
from workroom.services import versions
from workroom.services.versions import UnfitProposal

LONGEST_ADDRESS = 254
LONGEST_REASON = 2000
# Mails to people who never asked for one, by one Client within 24 hours.
INVITATIONS_A_DAY = 20


class BadAddress(Refusal):
    """A Job cannot be awarded to this address."""


class TooManyInvitations(Refusal):
    """This Client has sent as many invitations as one may within a day."""


# Awarding


def may_award(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """The Client awards his draft, once."""
    if job.role_of(by) != "client":
        return WrongParty("Only the Client can award this Job.")
    if job.state != Job.State.DRAFT:
        return WrongState(f"This Job has been awarded to {job.freelancer_email} already.")
    return refuse_locked(by)


def refuse_unready(job: Job, terms: TermsInput) -> Refusal | None:
    """What a draft still lacks for an award."""
    return versions.refuse_unfit(job, terms) or versions.refuse_incomplete(job, terms)


def award(job: Job, *, by: Person, email: str, at: datetime, seen: int | None = None) -> Job:
    """Propose the draft Terms to the holder of an address and pin the Policy (R1.1).

    An account that has confirmed the address becomes the Freelancer at once; any other address
    gets an invitation, of which a Client sends so many a day. ``seen`` is the row of the draft Terms
    that the Client saw: each saving makes another. Locks the Job. Raises Refusal when may_award
    refuses or the draft is incomplete, StalePage when it was changed meanwhile, BadAddress for an
    address that cannot be, TooManyInvitations.
    """
    email = clean_address(email)
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_award(job, by=by, at=at))
        refuse_if(_refuse_own_address(by, email))
        terms = Terms.objects.of(job).prefetch_related("milestones").get()
        refuse_if(refuse_unready(job, TermsInput.of(terms)))
        refuse_if(_refuse_changed(terms, seen))
        freelancer = confirmed_holder(email)
        if freelancer is None:
            refuse_if(_refuse_many_invitations(by, at=at))
        policy = Policy.objects.current()
        lapses_at = at + policy.proposal_days * DAY
        set_columns(
            job,
            policy=policy,
            freelancer=freelancer,
            freelancer_email=email,
            open_proposal_until=lapses_at,
        )
        states.move([job], "award", at=at)
        states.move([terms], "propose", at=at, lapses_at=lapses_at)
        if freelancer is None:
            _invite(job, terms, by=by, at=at)
        else:
            _tell_awarded(job, terms, by=by, at=at)
    if freelancer is None and (holder := confirmed_holder(email)):
        # Confirmed while this transaction ran: then nobody has looked for the Job since.
        bind_jobs(holder, email=email, at=at)
    return job


def clean_address(email: str) -> str:
    """The address in lower case; raises BadAddress when it is none."""
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise BadAddress("Enter an e-mail address, for example ana@example.com.") from error
    if len(email) > LONGEST_ADDRESS:
        raise BadAddress(f"An e-mail address has {LONGEST_ADDRESS} characters at most.")
    return email


def confirmed_holder(email: str) -> Person | None:
    """The person who has confirmed the address, if there is one."""
    found = (
        EmailAddress.objects.filter(email__iexact=email, verified=True)
        .select_related("user")
        .first()
    )
    return found.user if found else None


def _refuse_changed(terms: Terms, seen: int | None) -> Refusal | None:
    if seen is None or seen == terms.pk:
        return None
    return StalePage(
        "The draft was saved again while this page was open. Here it is as it stands now: check it, "
        "then award it."
    )


def _refuse_own_address(client: Person, email: str) -> Refusal | None:
    """Nobody is Client and Freelancer of one Job (R1.1)."""
    own = EmailAddress.objects.filter(user=client, email__iexact=email)
    if email == client.email.lower() or own.exists():
        return BadAddress("This is your own address. A Job needs somebody else to do it.")
    return None


def _refuse_many_invitations(client: Person, *, at: datetime) -> Refusal | None:
    sent = Invitation.objects.filter(job__client=client, invited_at__gt=at - DAY)
    if sent.count() < INVITATIONS_A_DAY:
        return None
    return TooManyInvitations(
        f"You have invited {INVITATIONS_A_DAY} people without an account within a day. Try again tomorrow."
    )


def _invite(job: Job, terms: Terms, *, by: Person, at: datetime) -> None:
    Invitation.objects.create(job=job, email=job.freelancer_email, invited_at=at)
    activity.record(
        job,
        INVITED,
        by=by,
        at=at,
        address=job.freelancer_email,
        email=job.freelancer_email,
        version=terms.version,
        total_minor=TermsInput.of(terms).total_minor,
        lapses_at=terms.lapses_at,
    )


def _tell_awarded(
    job: Job, terms: Terms | None, *, by: Person | None, at: datetime, reason: str = ""
) -> None:
    facts: dict[str, Any] = {"freelancer": str(job.freelancer)}
    if terms is not None:
        facts |= {
            "version": terms.version,
            "total_minor": TermsInput.of(terms).total_minor,
            "lapses_at": terms.lapses_at,
        }
    activity.record(job, AWARDED, by=by, at=at, reason=reason, **facts)


# The invited person has an account now


def bind_jobs(person: Person, *, email: str, at: datetime) -> list[Job]:
    """Make the person the Freelancer of the awarded Jobs that wait for this address (R1.1).

    Only an address that the person has confirmed binds; a Job of which he is the Client stays
    unbound, and so does one that is set aside. May be called again at any time. Locks each Job in
    its own transaction.
    """
    email = email.strip().lower()
    holder = confirmed_holder(email)
    if holder is None or holder.pk != person.pk:
        return []
    waiting = _waiting_for(email).exclude(client=person).order_by("pk")
    bound = []
    for job_id in waiting.values_list("pk", flat=True):
        with suppress(JobSetAside):
            bound.append(_bind(job_id, person, at=at))
    return [job for job in bound if job is not None]


def _waiting_for(email: str) -> QuerySet[Job]:
    return Job.objects.filter(
        state=Job.State.AWARDED, freelancer__isnull=True, freelancer_email=email
    )


def _bind(job_id: int, person: Person, *, at: datetime) -> Job | None:
    with catching_up.locked_job(job_id, at=at) as job:
        if job.state != Job.State.AWARDED or job.freelancer_id is not None:
            return None
        set_columns(job, freelancer=person)
        Invitation.objects.filter(job=job, accepted_at=None).update(accepted_at=at)
        terms = (
            Terms.objects.of(job)
            .open(at=at)
            .filter(proposed_by=job.client)
            .prefetch_related("milestones")
            .first()
        )
        reason = f"{job.freelancer_email}, the address that the Client had named, was confirmed."
        _tell_awarded(job, terms, by=None, at=at, reason=reason)
    return job


# The end of an award without agreement


def may_withdraw_award(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """The Client takes the award back until Terms are agreed."""
    if job.role_of(by) != "client":
        return WrongParty("Only the Client can withdraw the award.")
    return _refuse_unless_awarded(job) or refuse_locked(by)


def withdraw_award(job: Job, *, by: Person, at: datetime, reason: str = "") -> Job:
    """End an awarded Job as withdrawn; an open proposal ends with it (R1.2).

    Locks the Job. Raises Refusal when may_withdraw_award refuses.
    """
    refuse_if(_refuse_reason(reason))
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_withdraw_award(job, by=by, at=at))
        _end_proposals(job, by=by, at=at, answer="The Client withdrew the award.")
        states.move([job], "withdraw", at=at)
        uninformed = "" if job.freelancer_id else job.freelancer_email
        activity.record(
            job, AWARD_WITHDRAWN, by=by, at=at, reason=reason.strip(), address=uninformed
        )
    return job


def may_decline_award(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer turns the whole Job down until Terms are agreed."""
    if job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer can decline this Job.")
    return _refuse_unless_awarded(job) or refuse_locked(by)


def decline_award(job: Job, *, by: Person, at: datetime, reason: str = "") -> Job:
    """End an awarded Job as declined; an open proposal ends with it (R1.2).

    Locks the Job. Raises Refusal when may_decline_award refuses.
    """
    refuse_if(_refuse_reason(reason))
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_decline_award(job, by=by, at=at))
        _end_proposals(job, by=by, at=at, answer=reason.strip())
        states.move([job], "decline", at=at)
        activity.record(job, AWARD_DECLINED, by=by, at=at, reason=reason.strip())
    return job


def _refuse_unless_awarded(job: Job) -> Refusal | None:
    if job.state == Job.State.DRAFT:
        return WrongState("This Job has not been awarded yet.")
    if job.has_ended:
        return WrongState(f"This Job is {job.get_state_display().lower()} already.")
    if job.state != Job.State.AWARDED:
        return WrongState("The Terms of this Job are agreed: the award can't be undone any more.")
    return None


def _refuse_reason(reason: str) -> Refusal | None:
    if len(reason) > LONGEST_REASON or "\x00" in reason:
        return UnfitProposal(f"The reason can be {LONGEST_REASON:,} plain characters at most.")
    return None


def _end_proposals(job: Job, *, by: Person, at: datetime, answer: str) -> None:
    """The open proposal goes with the Job: withdrawn by its proposer, declined by the other."""
    proposed = list(Terms.objects.of(job).filter(state=Terms.State.PROPOSED))
    states.move([one for one in proposed if one.proposed_by_id == by.pk], "withdraw", at=at)
    others = [one for one in proposed if one.proposed_by_id != by.pk]
    states.move(others, "decline", at=at, answer=answer)
    set_columns(job, open_proposal_until=None)
