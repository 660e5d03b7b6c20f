"""Terms: propose, accept, decline, withdraw (R2). What is agreed at the award opens the Job; what is
agreed while it runs changes it, and its money (``agreeing``).

Each proposal is a new version; one is open at a time.
"""

from datetime import datetime

from billing.moves import dormancy
from billing.services import catching_up, closing
from escrow_site.lib import display, states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, all_of, refuse_if
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry
from jobs.services.columns import set_columns
from workroom.models import Terms
from workroom.notices import TERMS_DECLINED, TERMS_PROPOSED, TERMS_WITHDRAWN
from workroom.proposals import TermsInput
from workroom.selectors import changes
from workroom.services import agreeing, versions
from workroom.services.versions import UnfitProposal

LONGEST_ANSWER = 2000
CHANGE_PROPOSED = "A change of the Terms was proposed."


# Proposing


def may_propose(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """Either side proposes Terms: until the award has lapsed, and while the Job runs (R2.1, R2.2)."""
    if job.role_of(by) is None:
        return WrongParty("Only the Client and the Freelancer of a Job can propose Terms.")
    if job.state == Job.State.DRAFT:
        return WrongState("This Job has not been awarded yet: change its draft.")
    if job.has_ended:
        return WrongState(
            f"This Job is {job.get_state_display().lower()}: its Terms stay as they are."
        )
    if job.is_running:
        return refuse_locked(by)
    if job.open_proposal_until is not None and job.open_proposal_until <= at:
        return WrongState(
            f"Nobody answered by {display.instant(job.open_proposal_until)}, so the award has "
            "lapsed. The Client can award the work again as a new Job."
        )
    return refuse_locked(by)


def propose(job: Job, *, by: Person, terms: TermsInput, answering: int, at: datetime) -> Terms:
    """Send a new version to the other side; an older open one becomes superseded (R2.1).

    ``answering`` is the version that the person saw: the open one, else the agreed one, else the
    newest. A dormant Job is active again (R10.4). Locks the Job. Raises Refusal when may_propose
    refuses, StalePage when another version has come since, UnfitProposal for what cannot be agreed
    on, MilestoneLocked for what cannot be changed now.
    """
    terms = terms.tidied()
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_propose(job, by=by, at=at))
        seen = _standing_version(job, at=at)
        if seen.version != answering:
            raise StalePage(
                f"Terms {seen.version} have come since you opened this page. Look at them first."
            )
        refuse_if(_refuse_proposal(job, terms, seen))
        # Also one that has lapsed: it makes room.
        states.move(Terms.objects.of(job).filter(state=Terms.State.PROPOSED), "supersede")
        new = _insert_proposal(job, terms, by=by, at=at)
        woken = dormancy.reactivate(job, by=by, at=at, reason=CHANGE_PROPOSED)
        activity.record_all([_proposed(job, new, terms, by=by, at=at), *woken])
    return new


def _proposed(job: Job, new: Terms, terms: TermsInput, *, by: Person, at: datetime) -> Entry:
    return Entry(
        job=job,
        kind=TERMS_PROPOSED,
        by=by,
        at=at,
        reason=new.message,
        address="" if job.freelancer_id else job.freelancer_email,
        facts={
            "version": new.version,
            "total_minor": terms.total_minor,
            "lapses_at": new.lapses_at,
        },
    )


def _standing_version(job: Job, *, at: datetime) -> Terms:
    """The open proposal, else the agreed version, else the newest."""
    versions_of_job = Terms.objects.of(job).prefetch_related("milestones")
    standing = (
        versions_of_job.open(at=at).first()
        or versions_of_job.agreed().first()
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
    holding = (Terms.State.PROPOSED, Terms.State.AGREED)
    if seen.state in holding and terms.says_the_same_as(TermsInput.of(seen)):
        return UnfitProposal(f"You have changed nothing: this is what Terms {seen.version} say.")
    return _refuse_change(job, terms) if job.is_running else None


def _refuse_change(job: Job, terms: TermsInput) -> Refusal | None:
    """What cannot be changed of a running Job now: see billing.services.escrow_changes (R2.3)."""
    agreed = Terms.objects.of(job).agreed().prefetch_related("milestones").get()
    if terms.says_the_same_as(TermsInput.of(agreed)):
        return UnfitProposal(f"You have changed nothing: this is what Terms {agreed.version} say.")
    named = {one.number for one in terms.milestones if one.number is not None}
    if versions.gone_from(agreed) & named:
        return UnfitProposal("A Milestone that was removed cannot come back: add a new one.")
    return all_of(changes.plan(job, terms.milestones).refusals)


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
    """As may_answer. Whether a change still fits is for ``accept`` to see."""
    return may_answer(terms, by=by, at=at)


def accept(
    job: Job, *, by: Person, version: int, at: datetime, seen_refund_minor: int | None = None
) -> Terms:
    """Agree to the version that was seen. The first opens the Job and its Escrows (R2.1, R3.1); a
    later one changes them, and what is held beyond its prices goes back at once (R2.3).

    ``seen_refund_minor`` is what the person saw going back. Locks the Job. Raises Refusal when
    may_accept refuses, StalePage when a newer version has taken its place or another amount would
    go back, MilestoneLocked when it does not fit any more: then it is superseded, and that stands.
    """
    with catching_up.locked_job(job.pk, at=at) as job:
        terms = _version_seen(job, version, at=at)
        refuse_if(may_accept(terms, by=by, at=at))
        if not job.is_running:
            agreeing.agree_first(job, terms, by=by, at=at)
            return terms
        plan = changes.plan(job, terms.milestones.order_by("position"))
        if plan.refusal is not None:
            agreeing.give_up(job, terms, plan.refusal, at=at)
        elif seen_refund_minor is not None and seen_refund_minor != plan.refund_minor:
            raise StalePage(agreeing.CHANGED_MEANWHILE)
        else:
            agreeing.agree_change(job, terms, plan, by=by, at=at)
    refuse_if(agreeing.unfit(terms, plan.refusal))
    return terms


def decline(job: Job, *, by: Person, version: int, at: datetime, answer: str = "") -> Terms:
    """Say no to one proposal; what was agreed stays, and either side may propose again.

    A Job that only the proposal kept from its end is completed (R11.1).

    Locks the Job. Raises Refusal when may_answer refuses, StalePage as accept.
    """
    if len(answer) > LONGEST_ANSWER or "\x00" in answer:
        raise UnfitProposal(f"The answer can be {LONGEST_ANSWER:,} plain characters at most.")
    with catching_up.locked_job(job.pk, at=at) as job:
        terms = _version_seen(job, version, at=at)
        refuse_if(may_answer(terms, by=by, at=at))
        states.move([terms], "decline", at=at, answer=answer.strip())
        set_columns(job, open_proposal_until=None)
        facts = {"version": terms.version}
        declined = Entry(
            job=job, kind=TERMS_DECLINED, by=by, at=at, reason=answer.strip(), facts=facts
        )
        activity.record_all([declined, *closing.complete_if_finished(job, at=at)])
    return terms


# Taking back


def may_withdraw(terms: Terms, *, by: Person, at: datetime) -> Refusal | None:
    """The proposer takes his open proposal back (R2.1)."""
    if terms.proposed_by_id != by.pk:
        return WrongParty(f"Only the person who proposed Terms {terms.version} can withdraw them.")
    return _refuse_unless_open(terms, at=at) or refuse_locked(by)


def withdraw(job: Job, *, by: Person, version: int, at: datetime) -> Terms:
    """Take one's own proposal back; what was agreed stays. Completes the Job as ``decline`` does.

    Locks the Job. Raises Refusal when may_withdraw refuses.
    """
    with catching_up.locked_job(job.pk, at=at) as job:
        terms = _version_seen(job, version, at=at)
        refuse_if(may_withdraw(terms, by=by, at=at))
        states.move([terms], "withdraw", at=at)
        set_columns(job, open_proposal_until=None)
        withdrawn = Entry(
            job=job,
            kind=TERMS_WITHDRAWN,
            by=by,
            at=at,
            address="" if job.freelancer_id else job.freelancer_email,
            facts={"version": terms.version},
        )
        activity.record_all([withdrawn, *closing.complete_if_finished(job, at=at)])
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


def _version_seen(job: Job, version: int, *, at: datetime) -> Terms:
    """The version that the person saw; StalePage when a newer proposal has taken its place."""
    terms = Terms.objects.of(job).filter(version=version).first()
    if terms is None:
        raise StalePage(f"This Job has no Terms {version}.")
    if terms.state == Terms.State.SUPERSEDED:
        newest = _standing_version(job, at=at)
        if newest.version < version:
            raise StalePage(
                f"Terms {version} are superseded: they did not fit any more. Terms "
                f"{newest.version} stay in force."
            )
        raise StalePage(
            f"Terms {newest.version} have taken the place of Terms {version} since you opened "
            "this page. Look at them before you answer."
        )
    terms.job = job
    return terms
