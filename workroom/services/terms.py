"""Terms: propose, accept, decline, withdraw (R2). What is agreed at the award opens the Job.

Each proposal is a new version; one is open at a time. Changes on a running Job are not here yet.
"""

from datetime import datetime

from django.db.models import OuterRef, Subquery

from billing.models import Escrow
from billing.services import catching_up, escrows
from billing.services.escrows import EscrowPart
from escrow_site.lib import display, states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.columns import set_columns
from workroom.models import Milestone, Terms
from workroom.notices import TERMS_ACCEPTED, TERMS_DECLINED, TERMS_PROPOSED, TERMS_WITHDRAWN
from workroom.proposals import TermsInput
from workroom.services import versions
from workroom.services.versions import UnfitProposal

LONGEST_ANSWER = 2000
BOTH_AGREE = "Both sides agree to these Terms: the Job is active."


# Proposing


def may_propose(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """Either side proposes Terms until the first are agreed or the award has lapsed (R2.1)."""
    if job.role_of(by) is None:
        return WrongParty("Only the Client and the Freelancer of a Job can propose Terms.")
    if job.state == Job.State.DRAFT:
        return WrongState("This Job has not been awarded yet: change its draft.")
    if job.is_running:
        return WrongState("Changing the Terms of a running Job is not possible yet.")
    if job.has_ended:
        return WrongState(
            f"This Job is {job.get_state_display().lower()}: its Terms stay as they are."
        )
    if job.open_proposal_until is not None and job.open_proposal_until <= at:
        return WrongState(
            f"Nobody answered by {display.instant(job.open_proposal_until)}, so the award has "
            "lapsed. The Client can award the work again as a new Job."
        )
    return refuse_locked(by)


def propose(job: Job, *, by: Person, terms: TermsInput, answering: int, at: datetime) -> Terms:
    """Send a new version to the other side; an older open one becomes superseded (R2.1).

    ``answering`` is the version that the person saw: the open one, or the newest if none is open.
    Locks the Job. Raises Refusal when may_propose refuses, StalePage when another version has
    come since, UnfitProposal for what cannot be agreed on.
    """
    terms = terms.tidied()
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_propose(job, by=by, at=at))
        seen = _standing_version(job)
        if seen.version != answering:
            raise StalePage(
                f"Terms {seen.version} have come since you opened this page. Look at them first."
            )
        refuse_if(_refuse_proposal(job, terms, seen))
        if seen.state == Terms.State.PROPOSED:
            states.move([seen], "supersede")
        new = _insert_proposal(job, terms, by=by, at=at)
        uninformed = "" if job.freelancer_id else job.freelancer_email
        activity.record(
            job,
            TERMS_PROPOSED,
            by=by,
            at=at,
            reason=new.message,
            address=uninformed,
            version=new.version,
            total_minor=terms.total_minor,
            lapses_at=new.lapses_at,
        )
    return new


def _standing_version(job: Job) -> Terms:
    """The open proposal, else the newest version."""
    versions_of_job = Terms.objects.of(job).prefetch_related("milestones")
    standing = (
        versions_of_job.filter(state=Terms.State.PROPOSED).first()
        or versions_of_job.order_by("-version").first()
    )
    assert standing is not None, f"Job {job.pk} was awarded without Terms"
    standing.job = job
    return standing


def _refuse_proposal(job: Job, terms: TermsInput, seen: Terms) -> Refusal | None:
    if refusal := versions.refuse_unfit(job, terms) or versions.refuse_incomplete(job, terms):
        return refusal
    named = {one.number for one in terms.milestones if one.number is not None}
    if not named <= versions.numbers_in_use(job):
        return UnfitProposal("A Milestone that you sent is none of this Job: start again.")
    if seen.state == Terms.State.PROPOSED and terms.says_the_same_as(TermsInput.of(seen)):
        return UnfitProposal(f"You have changed nothing: this is what Terms {seen.version} say.")
    return None


def _insert_proposal(job: Job, terms: TermsInput, *, by: Person, at: datetime) -> Terms:
    assert job.policy is not None
    newest = Terms.objects.of(job).order_by("-version").values_list("version", flat=True)[0]
    new = versions.write_version(job, terms, by=by, version=newest + 1)
    lapses_at = at + job.policy.proposal_days * DAY
    states.move([new], "propose", at=at, lapses_at=lapses_at)
    set_columns(job, open_proposal_until=lapses_at)
    return new


# Answering


def may_answer(terms: Terms, *, by: Person, at: datetime) -> Refusal | None:
    """The other side answers an open proposal, once, before it lapses (R2.1, R2.3)."""
    job = terms.job
    if job.role_of(by) is None:
        return WrongParty("Only the Client and the Freelancer of a Job can answer its Terms.")
    if refusal := _refuse_unless_open(terms, at=at):
        return refusal
    if terms.proposed_by_id == by.pk:
        return WrongParty(
            f"You proposed Terms {terms.version} yourself: the other side answers them. You can "
            "withdraw them."
        )
    return refuse_locked(by)


def may_accept(terms: Terms, *, by: Person, at: datetime) -> Refusal | None:
    """As may_answer; the first Terms are agreed on an awarded Job."""
    if refusal := may_answer(terms, by=by, at=at):
        return refusal
    if terms.job.state != Job.State.AWARDED:
        return WrongState("Changing the Terms of a running Job is not possible yet.")
    return None


def accept(job: Job, *, by: Person, version: int, at: datetime) -> Terms:
    """Agree to the version that was seen: the Job is active, its Escrows are open (R2.1, R3.1).

    Every Milestone gets its Escrow, and the system requests funding of the first. Locks the Job.
    Raises Refusal when may_accept refuses, StalePage when a newer version has taken its place.
    """
    with catching_up.locked_job(job.pk, at=at) as job:
        terms = _version_seen(job, version)
        refuse_if(may_accept(terms, by=by, at=at))
        states.move(Terms.objects.of(job).agreed(), "supersede")
        states.move([terms], "agree", at=at)
        milestones = list(terms.milestones.order_by("position"))
        _activate(job, terms, milestones, at=at)
        activity.record(
            job,
            TERMS_ACCEPTED,
            by=by,
            at=at,
            reason=BOTH_AGREE,
            version=terms.version,
            total_minor=sum(milestone.amount_minor for milestone in milestones),
        )
        if milestones:
            _open_escrows(job, terms, milestones, at=at)
    return terms


def _activate(job: Job, terms: Terms, milestones: list[Milestone], *, at: datetime) -> None:
    """Make the Job active and push down what the money must know of its Terms."""
    states.move([job], "activate", at=at)
    set_columns(
        job,
        last_milestone_on=max(
            (milestone.due_on for milestone in milestones if milestone.due_on), default=None
        ),
        open_ended=terms.open_ended,
        open_proposal_until=None,
    )


def _open_escrows(job: Job, terms: Terms, milestones: list[Milestone], *, at: datetime) -> None:
    """Open the Escrows and let the Milestones point to them."""
    escrows.open_escrows(
        job,
        [
            EscrowPart(
                number=milestone.number,
                position=milestone.position,
                title=milestone.title,
                due_on=milestone.due_on,
                amount_minor=milestone.amount_minor,
            )
            for milestone in milestones
        ],
        at=at,
    )
    same_number = Escrow.objects.filter(job=job, number=OuterRef("number"))
    Milestone.objects.filter(terms=terms).update(escrow=Subquery(same_number.values("pk")[:1]))


def decline(job: Job, *, by: Person, version: int, at: datetime, answer: str = "") -> Terms:
    """Say no to one proposal; the Job stays awarded and either side may propose again.

    Locks the Job. Raises Refusal when may_answer refuses, StalePage as accept.
    """
    if len(answer) > LONGEST_ANSWER or "\x00" in answer:
        raise UnfitProposal(f"The answer can be {LONGEST_ANSWER:,} plain characters at most.")
    with catching_up.locked_job(job.pk, at=at) as job:
        terms = _version_seen(job, version)
        refuse_if(may_answer(terms, by=by, at=at))
        states.move([terms], "decline", at=at, answer=answer.strip())
        set_columns(job, open_proposal_until=None)
        activity.record(
            job, TERMS_DECLINED, by=by, at=at, reason=answer.strip(), version=terms.version
        )
    return terms


# Taking back


def may_withdraw(terms: Terms, *, by: Person, at: datetime) -> Refusal | None:
    """The proposer takes his open proposal back (R2.1)."""
    if terms.proposed_by_id != by.pk:
        return WrongParty(f"Only who proposed Terms {terms.version} can withdraw them.")
    return _refuse_unless_open(terms, at=at) or refuse_locked(by)


def withdraw(job: Job, *, by: Person, version: int, at: datetime) -> Terms:
    """Take one's own proposal back; the Job stays awarded.

    Locks the Job. Raises Refusal when may_withdraw refuses.
    """
    with catching_up.locked_job(job.pk, at=at) as job:
        terms = _version_seen(job, version)
        refuse_if(may_withdraw(terms, by=by, at=at))
        states.move([terms], "withdraw", at=at)
        set_columns(job, open_proposal_until=None)
        uninformed = "" if job.freelancer_id else job.freelancer_email
        activity.record(
            job, TERMS_WITHDRAWN, by=by, at=at, address=uninformed, version=terms.version
        )
    return terms


def _refuse_unless_open(terms: Terms, *, at: datetime) -> Refusal | None:
    if terms.state != Terms.State.PROPOSED:
        return WrongState(
            f"Terms {terms.version} are {terms.get_state_display().lower()} already: there is "
            "nothing to answer."
        )
    if terms.lapses_at is not None and at >= terms.lapses_at:
        return WrongState(
            f"Terms {terms.version} lapsed on {display.instant(terms.lapses_at)}: nobody had "
            "answered them in time."
        )
    if terms.job.has_ended:
        return WrongState(f"This Job is {terms.job.get_state_display().lower()}.")
    return None


def _version_seen(job: Job, version: int) -> Terms:
    """The version that the person saw; StalePage when a newer proposal has taken its place."""
    terms = Terms.objects.of(job).filter(version=version).first()
    if terms is None:
        raise StalePage(f"This Job has no Terms {version}.")
    if terms.state == Terms.State.SUPERSEDED:
        newest = _standing_version(job)
        raise StalePage(
            f"Terms {newest.version} have taken the place of Terms {version} since you opened "
            "this page. Look at them before you answer."
        )
    terms.job = job
    return terms
