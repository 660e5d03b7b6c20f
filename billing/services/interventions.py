"""Interventions: one agent proposes what a party asked for, a second one confirms it (R9.7).

What may be done, and how, is in ``acts``. While it is proposed it is known to support alone. Neither
agent may be a party of the Job.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from billing.intervention_notices import OVERTAKEN, PROPOSED, SENT_BACK, WITHDRAWN
from billing.models import Escrow, Intervention
from billing.services import acts, catching_up
from billing.services.wishes import wish_about, wishes_on
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.notices import Kind
from jobs.services import activity, words
from jobs.services.agents import refuse_non_agent

PERMISSION = "billing.propose_intervention"
CHECK_PERMISSION = "billing.confirm_intervention"
HOW_AT_MOST = 100
HELD_CHANGED = "What is held has changed since it was proposed, so the proposal is overtaken."
PAGE_IS_STALE = "What is held has changed since you opened this page. Look at the amounts again."
OVER = {
    Intervention.State.CONFIRMED: "confirmed already",
    Intervention.State.SENT_BACK: "sent back already",
    Intervention.State.WITHDRAWN: "withdrawn",
    Intervention.State.OVERTAKEN: "overtaken: what it was about has changed",
}


class ProposedAlready(WrongState):
    """Something else on this Job waits for a second agent."""


# --- What it is about ---


@dataclass(frozen=True, kw_only=True)
class Opening:
    """A kind of intervention that is possible now, and the Milestones that it is possible on."""

    kind: Intervention.Kind
    escrows: list[Escrow]


def openings(job: Job, escrows: Sequence[Escrow], *, by: Person, at: datetime) -> list[Opening]:
    """What an agent may propose on the Job now, each by the guard of its service; for a page."""
    if may_propose(job, by=by, at=at) is not None:
        return []
    found = []
    for kind in Intervention.Kind:
        possible = [
            wish for wish in wishes_on(job, escrows, kind) if acts.may_act(wish, at=at) is None
        ]
        if possible:
            about = [wish.escrow for wish in possible if wish.escrow is not None]
            found.append(Opening(kind=kind, escrows=about))
    return found


# --- Proposing ---


def may_propose(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """An agent who is no party proposes something on a Job on which nothing else is proposed."""
    if refusal := refuse_non_agent(job, by=by, permission=PERMISSION):
        return refusal
    if job.state == Job.State.DRAFT:
        return WrongState("This Job is a draft: there is nothing to intervene in.")
    standing = _proposed_of(job)
    if standing is not None and why_overtaken(standing) is None:
        return ProposedAlready(
            f"{standing} on this Job waits for a second agent: “{standing.act}”. It is to be "
            "confirmed, sent back or withdrawn first."
        )
    return None


def propose(
    job_id: int,
    *,
    kind: str,
    basis: str,
    reason: str,
    by: Person,
    at: datetime,
    asked_by: Person | None = None,
    asked_how: str = "",
    number: int | None = None,
    amount_minor: int | None = None,
    until: datetime | None = None,
    seen_minor: int | None = None,
) -> Intervention:
    """Propose what a party asked for, or what reverses an error of ours; nothing is done yet.

    ``asked_how`` says when and how the party asked. ``seen_minor`` is what was held when the agent
    chose. A proposal on the same Job that is overtaken makes room. Locks the Job. Raises the Refusal
    of may_propose and of acts.may_carry_out, NothingSaid, StalePage.
    """
    reason = words.check(reason, what="the reason: both sides read it")
    with catching_up.locked_job(job_id, at=at) as job:
        refuse_if(may_propose(job, by=by, at=at))
        asker, how = _asker(job, basis=basis, asked_by=asked_by, asked_how=asked_how)
        wish = wish_about(
            job,
            kind=kind,
            number=number,
            asked_by=asker,
            asked_how=how,
            amount_minor=amount_minor,
            until=until,
        )
        refuse_if(acts.may_act(wish, at=at))
        if seen_minor is not None and seen_minor != wish.base_minor:
            raise StalePage(PAGE_IS_STALE)
        refuse_if(acts.may_carry_out(wish, at=at))
        overtaken = _make_room(job)
        wish.basis, wish.reason, wish.seen_held_minor = basis, reason, wish.base_minor
        wish.proposed_by, wish.proposed_at = by, at
        wish.save()
        _record([*overtaken, (wish, PROPOSED)], by=by, at=at)
    return wish


def _asker(
    job: Job, *, basis: str, asked_by: Person | None, asked_how: str
) -> tuple[Person | None, str]:
    if basis == Intervention.Basis.PLATFORM_ERROR:
        return None, ""
    if basis != Intervention.Basis.PARTY_REQUEST:
        raise WrongState("Choose why it is done: a party asked, or an error of ours is reversed.")
    if asked_by is None or job.role_of(asked_by) is None:
        raise WrongParty("Choose which party asked for it.")
    how = words.check(asked_how, what="when and how the party asked", at_most=HOW_AT_MOST)
    return (job.client if asked_by.pk == job.client_id else job.freelancer), " ".join(how.split())


def _make_room(job: Job) -> list[tuple[Intervention, Kind]]:
    """End the proposal that stands: it is overtaken, or may_propose would have refused."""
    standing = _proposed_of(job)
    if standing is None:
        return []
    states.move([standing], "overtake")
    return [(standing, OVERTAKEN)]


def _proposed_of(job: Job) -> Intervention | None:
    intervention = _with_rows(Intervention.objects.filter(job=job).proposed()).first()
    return _on(intervention, job) if intervention is not None else None


# --- Checking ---


def may_check(intervention: Intervention, *, by: Person, at: datetime) -> Refusal | None:
    """A second, senior agent who is no party confirms a proposal or sends it back."""
    if refusal := refuse_non_agent(intervention.job, by=by, permission=PERMISSION):
        return refusal
    if not by.has_perm(CHECK_PERMISSION):
        return WrongParty("Only a senior support agent confirms a proposal or sends it back.")
    if refusal := _refuse_over(intervention):
        return refusal
    if intervention.proposed_by_id == by.pk:
        return WrongParty("You proposed this yourself: a second agent is to confirm it.")
    return None


def may_confirm(intervention: Intervention, *, by: Person, at: datetime) -> Refusal | None:
    """As may_check, while it is not overtaken and the party could still do it itself."""
    return (
        may_check(intervention, by=by, at=at)
        or why_overtaken(intervention)
        or acts.may_carry_out(intervention, at=at)
    )


def _refuse_over(intervention: Intervention) -> Refusal | None:
    if intervention.state == Intervention.State.PROPOSED:
        return None
    who = f" by {intervention.checked_by}" if intervention.checked_by else ""
    return WrongState(f"This proposal was {OVER[Intervention.State(intervention.state)]}{who}.")


def why_overtaken(intervention: Intervention) -> Refusal | None:
    """Why a proposal can never be confirmed any more: what it was about is not as it was."""
    if intervention.request is not None and not intervention.request.is_unanswered:
        return StalePage("The Release Request has ended meanwhile, so the proposal is overtaken.")
    if intervention.dispute is not None and not intervention.dispute.is_open:
        return StalePage("The Dispute has ended meanwhile, so the proposal is overtaken.")
    if intervention.base_minor != intervention.seen_held_minor:
        return StalePage(HELD_CHANGED)
    is_waking = intervention.kind == Intervention.Kind.REACTIVATE
    if is_waking and intervention.job.state != Job.State.DORMANT:
        return StalePage("The Job is not Dormant any more, so the proposal is overtaken.")
    return None


def confirm(intervention_id: int, *, by: Person, at: datetime) -> Intervention:
    """Confirm another agent's proposal: it is done at once, and both sides are told.

    One that is overtaken ends so, and is refused. Locks the Job. Raises the Refusal of may_confirm,
    NotEnoughAvailable, Intervention.DoesNotExist.
    """
    with _locked(intervention_id, at=at) as intervention:
        refuse_if(may_check(intervention, by=by, at=at))
        overtaken = why_overtaken(intervention)
        if overtaken is None:
            refuse_if(acts.may_carry_out(intervention, at=at))
            _carry_out(intervention, by=by, at=at)
        else:
            states.move([intervention], "overtake")
            _record([(intervention, OVERTAKEN)], by=by, at=at)
    refuse_if(overtaken)
    return intervention


def _carry_out(intervention: Intervention, *, by: Person, at: datetime) -> None:
    states.move([intervention], "confirm", at=at, by_id=by.pk)
    agents = f"{intervention.proposed_by} and {by}"
    entries = acts.carry_out(intervention, by=by, at=at, reason=intervention.reason, agents=agents)
    activity.record_all(entries)


def send_back(intervention_id: int, *, answer: str, by: Person, at: datetime) -> Intervention:
    """Send another agent's proposal back, saying why; nothing is done, and no party is told.

    Locks the Job. Raises the Refusal of may_check, NothingSaid, Intervention.DoesNotExist.
    """
    answer = words.check(answer, what="why you send it back")
    with _locked(intervention_id, at=at) as intervention:
        refuse_if(may_check(intervention, by=by, at=at))
        states.move([intervention], "send_back", at=at, by_id=by.pk, answer=answer)
        _record([(intervention, SENT_BACK)], by=by, at=at, reason=answer)
    return intervention


def may_withdraw(intervention: Intervention, *, by: Person, at: datetime) -> Refusal | None:
    """Who proposed it takes it back while nobody has checked it."""
    if refusal := refuse_non_agent(intervention.job, by=by, permission=PERMISSION):
        return refusal
    if intervention.proposed_by_id != by.pk:
        return WrongParty("Only the person who proposed this can withdraw it.")
    return _refuse_over(intervention)


def withdraw(intervention_id: int, *, by: Person, at: datetime) -> Intervention:
    """Take one's own proposal back.

    Locks the Job. Raises the Refusal of may_withdraw, Intervention.DoesNotExist.
    """
    with _locked(intervention_id, at=at) as intervention:
        refuse_if(may_withdraw(intervention, by=by, at=at))
        states.move([intervention], "withdraw")
        _record([(intervention, WITHDRAWN)], by=by, at=at)
    return intervention


# --- What these share ---


def read(intervention_id: int) -> Intervention:
    """One with its rows, for a page. Raises Intervention.DoesNotExist."""
    intervention = _with_rows(Intervention.objects.all()).get(pk=intervention_id)
    return _on(intervention, intervention.job)


def _with_rows(rows: QuerySet[Intervention]) -> QuerySet[Intervention]:
    return rows.select_related(
        "job__client", "job__freelancer", "job__policy", "escrow", "request__pro_forma",
        "dispute__opened_by", "asked_by", "proposed_by", "checked_by",
    )  # fmt: skip


def _on(intervention: Intervention, job: Job) -> Intervention:
    """Its rows know their Job and Escrow."""
    intervention.job = job
    if intervention.escrow is not None:
        intervention.escrow.job = job
    for about in (intervention.request, intervention.dispute):
        if about is not None:
            assert intervention.escrow is not None
            about.job, about.escrow = job, intervention.escrow
    return intervention


@contextmanager
def _locked(intervention_id: int, *, at: datetime) -> Iterator[Intervention]:
    """A transaction with its Job locked and up to date, as ``catching_up.locked_job``."""
    job_id = Intervention.objects.values_list("job_id", flat=True).get(pk=intervention_id)
    with catching_up.locked_job(job_id, at=at) as job:
        intervention = _with_rows(Intervention.objects.all()).get(pk=intervention_id)
        yield _on(intervention, job)


def _record(
    lines: Sequence[tuple[Intervention, Kind]], *, by: Person, at: datetime, reason: str = ""
) -> None:
    activity.record_all(
        activity.Entry(
            job=intervention.job,
            kind=kind,
            by=by,
            at=at,
            reason=reason,
            facts={"intervention": intervention.pk, "act": intervention.act},
        )
        for intervention, kind in lines
    )
