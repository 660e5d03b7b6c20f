"""What support may do for a party, kind by kind (R9.7): judged and carried out as the party's own act.

The guards are those of the party's own services, asked with the party as ``by``; the moves are theirs,
made with the agent as ``by``. Who proposes and who confirms is in ``interventions``. No locks here.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from billing.intervention_notices import DONE
from billing.models import Dispute, Intervention
from billing.moves import clocks, dormancy
from billing.moves import disputes as dispute_moves
from billing.moves.credits import Credit
from billing.moves.reasons import LONGEST_REASON
from billing.moves.refunds import Return
from billing.moves.releases import Part
from billing.notices import CREDITED, REFUNDED, RELEASED, VOIDED
from billing.selectors import frozen
from billing.services import disputes, refunding, release_requests, releases
from escrow_site.lib import display
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from jobs.services import accounts
from jobs.services.activity import Entry

Kind = Intervention.Kind
# Judges an intervention as the act of this party at this instant.
Guard = Callable[[Intervention, Person, datetime], Refusal | None]
# The lines of history of the act itself: whom they would tell is told by the notice about it.
OF_THE_ACT = {one.name for one in (RELEASED, REFUNDED, CREDITED, VOIDED)}
OF_THE_REQUEST = ("request", "stands_until_at")


class WrongUntil(Refusal):
    """The instant that a clock is to be extended to is none that the party could have brought about."""


@dataclass(frozen=True, kw_only=True)
class Done:
    """What is to be recorded: the lines of the act, and the facts of the notice about it."""

    entries: list[Entry]
    facts: dict[str, Any] = field(default_factory=dict)


# --- Guards ---


def may_act(intervention: Intervention, *, at: datetime) -> Refusal | None:
    """Whether the party could do it now, whatever the amount or the instant."""
    party = intervention.party
    if party is None:
        return WrongState("There is nobody on this Job who could do this.")
    if accounts.refuse_locked(party):
        return WrongParty(f"The account of {party} is locked, so it can do nothing.")
    if refusal := _refuse_disputed(intervention):
        return refusal
    if refusal := GUARDS[Kind(intervention.kind)](intervention, party, at):
        return WrongState(f"{party} cannot do this: {refusal.message}")
    return None


def may_carry_out(intervention: Intervention, *, at: datetime) -> Refusal | None:
    """As may_act, with the amount or the instant that is asked for."""
    if refusal := may_act(intervention, at=at):
        return refusal
    assert intervention.party is not None
    check = FIGURES.get(Kind(intervention.kind))
    return check(intervention, intervention.party, at) if check else None


def _refuse_disputed(intervention: Intervention) -> Refusal | None:
    """Inside a Dispute support acts by mediation alone, whoever asked (R9.3, R9.7). More time for its
    answer decides nothing: it moves neither the money nor the clock of the Milestone.
    """
    escrow = intervention.escrow
    if intervention.kind == Kind.EXTEND_ANSWER or escrow is None or escrow.disputed_at is None:
        return None
    return frozen.Disputed(
        f"“{escrow}” is disputed: support decides about its money by mediation alone (R9.3). The "
        "Client can still release all of it, the Freelancer refund all of it, and both agree on a "
        "split."
    )


def _of_escrow(
    guard: Callable[..., Refusal | None],
) -> Guard:
    def judged(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
        if intervention.escrow is None:
            return WrongState("Choose a Milestone.")
        return guard(intervention.escrow, by=party, at=at)

    return judged


def _amount(
    guard: Callable[..., Refusal | None],
) -> Guard:
    def judged(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
        if intervention.amount_minor is None:
            return WrongState("Enter an amount.")
        return guard(intervention.escrow, amount_minor=intervention.amount_minor, by=party, at=at)

    return judged


def _may_void(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
    if intervention.request is None:
        return WrongState("There is no Release Request that waits for an answer.")
    return release_requests.may_void(intervention.request, by=party, at=at)


def _may_extend_release(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
    """Who may void may ask anew, and so give the request as much time as a new one has."""
    if refusal := _may_void(intervention, party, at):
        return refusal
    if not intervention.job.is_running:
        return WrongState(f"This Job is {intervention.job.get_state_display().lower()}.")
    return None


def _may_extend_answer(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
    """Only the opener, who could withdraw; only while the other side is silent and in time."""
    if intervention.dispute is None:
        return WrongState("There is no open Dispute about this Milestone.")
    if refusal := disputes.may_withdraw(intervention.dispute, by=party, at=at):
        return refusal
    if intervention.dispute.state != Dispute.State.OPEN:
        return WrongState("This Dispute is with support already.")
    if intervention.dispute.answered_at is not None:
        return WrongState("This Dispute is answered already.")
    return None


def _may_reactivate(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
    """Either side, as a Terms change request would do it (R10.4)."""
    if intervention.job.role_of(party) is None:
        return WrongParty("Only the Client and the Freelancer can make a Job active again.")
    if intervention.job.state != Job.State.DORMANT:
        return WrongState(
            f"This Job is not Dormant: it is {intervention.job.get_state_display().lower()}."
        )
    return None


def _until_of_release(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
    assert intervention.request is not None
    return _refuse_until(intervention, at=at, now_due_at=intervention.request.auto_release_at)


def _until_of_answer(intervention: Intervention, party: Person, at: datetime) -> Refusal | None:
    assert intervention.dispute is not None
    return _refuse_until(intervention, at=at, now_due_at=intervention.dispute.answer_due_at)


def _refuse_until(
    intervention: Intervention, *, at: datetime, now_due_at: datetime
) -> Refusal | None:
    """Later than now, and no later than a request that is made now would be due."""
    assert intervention.job.policy is not None
    latest_at = at + intervention.job.policy.release_days * DAY
    if intervention.until is None or intervention.until <= now_due_at:
        return WrongUntil(
            f"Choose an instant after {display.instant(now_due_at)}, when it is due now."
        )
    if intervention.until > latest_at:
        return WrongUntil(f"Choose an instant up to {display.instant(latest_at)}.")
    return None


GUARDS: dict[Intervention.Kind, Guard] = {
    Kind.RELEASE: _of_escrow(releases.may_release),
    Kind.REFUND_HELD: _of_escrow(refunding.may_refund_held),
    Kind.REFUND_RELEASED: _of_escrow(refunding.may_refund_released),
    Kind.VOID: _may_void,
    Kind.EXTEND_RELEASE: _may_extend_release,
    Kind.EXTEND_ANSWER: _may_extend_answer,
    Kind.REACTIVATE: _may_reactivate,
}
FIGURES: dict[Intervention.Kind, Guard] = {
    Kind.RELEASE: _amount(releases.may_release_amount),
    Kind.REFUND_HELD: _amount(refunding.may_refund_amount),
    Kind.REFUND_RELEASED: _amount(refunding.may_credit_amount),
    Kind.EXTEND_RELEASE: _until_of_release,
    Kind.EXTEND_ANSWER: _until_of_answer,
}


# --- Carrying out ---


def carry_out(
    intervention: Intervention, *, by: Person, at: datetime, reason: str, agents: str
) -> list[Entry]:
    """Do it on the locked Job, with an agent as ``by``; what is to be recorded, the notice first.

    Each line counts for dormancy as the party's own act, and as nothing when an error of ours is
    reversed (R10). Decides nothing. Raises NotEnoughAvailable, LostRace.
    """
    job, escrow = intervention.job, intervention.escrow
    done = MOVES[Kind(intervention.kind)](intervention, by, at)
    facts = {
        "on_whose_behalf": intervention.on_whose_behalf,
        "asked_how": intervention.asked_how,
        "agents": agents,
        **({"escrow": escrow.title, "number": escrow.number} if escrow else {}),
        **_named_by(done.entries),
        **done.facts,
    }
    told = Entry(
        job=job,
        kind=DONE[intervention.kind],
        by=by,
        at=at,
        reason=reason,
        facts=facts,
        as_release_request=intervention.kind == Kind.EXTEND_RELEASE,
    )
    return [
        replace(
            entry.quiet() if entry.kind.name in OF_THE_ACT else entry,
            asked_by=intervention.asked_by,
        )
        for entry in (told, *done.entries)
    ]


def _named_by(entries: list[Entry]) -> dict[str, Any]:
    """The Release Request that the act was about, if there was one, and how long it stands for what is
    left: the notice speaks of no other.
    """
    for entry in entries:
        if entry.kind.name in OF_THE_ACT and "request" in entry.facts:
            return {name: entry.facts[name] for name in OF_THE_REQUEST if name in entry.facts}
    return {}


def _ground(intervention: Intervention) -> str:
    """Why, for papers and ledger: the rule, the party and how he asked."""
    how = f", asked {intervention.asked_how}" if intervention.asked_by else ""
    return f"By support {intervention.on_whose_behalf}{how}."[:LONGEST_REASON]


def _release(intervention: Intervention, by: Person, at: datetime) -> Done:
    escrow = intervention.escrow
    assert escrow is not None and intervention.amount_minor is not None
    left_minor = escrow.held_minor - intervention.amount_minor
    part = Part(
        job=intervention.job,
        escrow=escrow,
        request=intervention.request,
        gross_minor=intervention.amount_minor,
        at=at,
        reason=_ground(intervention),
    )
    whose = intervention.on_whose_behalf
    woken = f"Support released money {whose}." if intervention.asked_by else ""
    (released,), entries = releases.carry_out(intervention.job, [part], by=by, at=at, woken=woken)
    facts: dict[str, Any] = {
        "amount_minor": intervention.amount_minor,
        "net_minor": released.amounts.net_minor,
        "fees_minor": released.amounts.gross_minor - released.amounts.net_minor,
        "document": released.document,
        "document_id": released.document_id,
        **({"held_minor": left_minor} if left_minor else {}),
    }
    return Done(entries=entries, facts=facts)


def _refund_held(intervention: Intervention, by: Person, at: datetime) -> Done:
    escrow = intervention.escrow
    assert escrow is not None and intervention.amount_minor is not None
    left_minor = escrow.held_minor - intervention.amount_minor
    back = Return(
        job=intervention.job,
        escrow=escrow,
        amount_minor=intervention.amount_minor,
        at=at,
        reason=_ground(intervention),
        by=by,
    )
    _, entries = refunding.give_back(back, said=_ground(intervention))
    facts: dict[str, Any] = {
        "amount_minor": intervention.amount_minor,
        **({"held_minor": left_minor} if left_minor else {}),
    }
    return Done(entries=entries, facts=facts)


def _refund_released(intervention: Intervention, by: Person, at: datetime) -> Done:
    assert intervention.escrow is not None and intervention.amount_minor is not None
    credit = Credit(
        job=intervention.job,
        escrow=intervention.escrow,
        amount_minor=intervention.amount_minor,
        by=by,
        at=at,
        reason=_ground(intervention),
    )
    _, entries = refunding.give_credit(credit, said=_ground(intervention))
    (line,) = entries
    wanted = (
        "amount_minor", "net_minor", "service_fee_minor", "document", "document_id", "statement",
    )  # fmt: skip
    return Done(
        entries=entries, facts={name: line.facts[name] for name in wanted if name in line.facts}
    )


def _void(intervention: Intervention, by: Person, at: datetime) -> Done:
    escrow, request = intervention.escrow, intervention.request
    assert escrow is not None and request is not None
    entries = release_requests.take_back(request, by=by, at=at, reason=_ground(intervention))
    facts = {"amount_minor": escrow.held_minor, "request": request.pk}
    return Done(entries=entries, facts=facts)


def _extend_release(intervention: Intervention, by: Person, at: datetime) -> Done:
    escrow, request = intervention.escrow, intervention.request
    assert escrow is not None and request is not None and intervention.until is not None
    before_at = request.auto_release_at
    clocks.extend_release(request, until=intervention.until, at=at)
    facts = {
        "amount_minor": escrow.held_minor,
        "request": request.pk,
        "before_at": before_at,
        "due_at": intervention.until,
    }
    return Done(entries=[], facts=facts)


def _extend_answer(intervention: Intervention, by: Person, at: datetime) -> Done:
    assert intervention.dispute is not None and intervention.until is not None
    before_at = intervention.dispute.answer_due_at
    dispute_moves.extend_answer(intervention.dispute, until=intervention.until)
    facts = {
        "dispute": intervention.dispute.pk,
        "before_at": before_at,
        "due_at": intervention.until,
    }
    return Done(entries=[], facts=facts)


def _reactivate(intervention: Intervention, by: Person, at: datetime) -> Done:
    woken = f"Support made the Job active again {intervention.on_whose_behalf}."
    entries = dormancy.reactivate(intervention.job, by=by, at=at, reason=woken)
    untold = [entry.quiet() for entry in entries]
    return Done(entries=untold, facts={"due_at": intervention.job.dormant_at})


MOVES: dict[Intervention.Kind, Callable[[Intervention, Person, datetime], Done]] = {
    Kind.RELEASE: _release,
    Kind.REFUND_HELD: _refund_held,
    Kind.REFUND_RELEASED: _refund_released,
    Kind.VOID: _void,
    Kind.EXTEND_RELEASE: _extend_release,
    Kind.EXTEND_ANSWER: _extend_answer,
    Kind.REACTIVATE: _reactivate,
}
