"""Support in a Dispute: an agent reads, asks and decides; a second one confirms or sends back (R9.3).

Neither may be a party of the Job. A decision that is not confirmed is known to support alone: the
parties may still agree, and what they agree on beats it.
"""

from datetime import datetime

from billing.dispute_notices import (
    DECISION_PROPOSED,
    DECISION_SENT_BACK,
    DECISION_WITHDRAWN,
    DISPUTE_ASKED,
    DISPUTE_DECIDED,
)
from billing.models import Decision, Dispute, DisputeStatement
from billing.moves import disputes as moves
from billing.selectors import frozen
from billing.services import settling
from billing.services.disputes import (
    HELD_CHANGED,
    WORDS_AT_MOST,
    locked_dispute,
    refuse_said_again,
)
from billing.services.offers import refuse_share
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Person
from jobs.services import activity, words
from jobs.services.agents import refuse_non_agent

PERMISSION = "billing.decide_dispute"
CHECK_PERMISSION = "billing.confirm_decision"
RULE = "Dispute decided by support, and confirmed by a second support agent."
OVER = {
    Decision.State.CONFIRMED: "confirmed already",
    Decision.State.SENT_BACK: "sent back already",
    Decision.State.WITHDRAWN: "withdrawn by who had made it",
    Decision.State.OVERTAKEN: "overtaken: the Dispute had ended before it was confirmed",
}


def _refuse_ended(dispute: Dispute) -> Refusal | None:
    if not dispute.is_open:
        return WrongState(f"This Dispute is {dispute.get_state_display().lower()} already.")
    if dispute.state == Dispute.State.OPEN:
        return WrongState("This Dispute is between the parties: it has not come to support yet.")
    return None


def may_ask(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """An agent asks both sides for more, once the Dispute has come to support."""
    return refuse_non_agent(dispute.job, by=by, permission=PERMISSION) or _refuse_ended(dispute)


def ask(dispute_id: int, *, text: str, by: Person, at: datetime) -> DisputeStatement:
    """Ask both sides for more; they read it among the statements.

    Locks the Job. Raises the Refusal of may_ask, NothingSaid, SentAlready.
    """
    text = words.check(text, what="what you want to know", at_most=WORDS_AT_MOST)
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_ask(dispute, by=by, at=at))
        refuse_if(refuse_said_again(dispute, text, by=by, at=at))
        statement = DisputeStatement.objects.create(dispute=dispute, by=by, made_at=at, text=text)
        facts = moves.facts_of(dispute)
        activity.record(dispute.job, DISPUTE_ASKED, by=by, at=at, reason=text, **facts)
    return statement


def may_decide(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """An agent decides a Dispute that is with support and has no decision waiting."""
    if refusal := may_ask(dispute, by=by, at=at):
        return refusal
    if dispute.state == Dispute.State.DECIDED:
        return WrongState("This Dispute is decided already: a second agent is to confirm it.")
    return None


def decide(
    dispute_id: int,
    *,
    to_freelancer_minor: int,
    reasons: str,
    by: Person,
    at: datetime,
    seen_held_minor: int | None = None,
) -> Decision:
    """Decide how what is held is split, with reasons in writing; moves no money.

    Locks the Job. Raises the Refusal of may_decide, NothingSaid, StalePage, WrongAmount.
    """
    reasons = words.check(reasons, what="your reasons", at_most=WORDS_AT_MOST)
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_decide(dispute, by=by, at=at))
        held_minor = dispute.escrow.held_minor
        if seen_held_minor is not None and seen_held_minor != held_minor:
            raise StalePage(HELD_CHANGED)
        currency = dispute.job.currency
        refuse_if(refuse_share(to_freelancer_minor, held_minor=held_minor, currency=currency))
        decision = Decision.objects.create(
            dispute=dispute,
            decided_by=by,
            decided_at=at,
            held_minor=held_minor,
            to_freelancer_minor=to_freelancer_minor,
            reasons=reasons,
        )
        states.move([dispute], "decide")
        activity.record(dispute.job, DECISION_PROPOSED, by=by, at=at, **moves.facts_of(dispute))
    return decision


def may_check(decision: Decision, *, by: Person, at: datetime) -> Refusal | None:
    """A second, senior agent confirms a decision or sends it back; reads ``decision.dispute``."""
    if refusal := refuse_non_agent(decision.dispute.job, by=by, permission=PERMISSION):
        return refusal
    if not by.has_perm(CHECK_PERMISSION):
        return WrongParty("Only a senior support agent confirms a decision or sends it back.")
    if refusal := _refuse_over(decision):
        return refusal
    if decision.decided_by_id == by.pk:
        return WrongParty("You decided this yourself: a second agent is to confirm it.")
    if decision.held_minor != decision.dispute.escrow.held_minor:
        return StalePage(HELD_CHANGED)
    return None


def _refuse_over(decision: Decision) -> Refusal | None:
    if decision.state == Decision.State.PROPOSED:
        return None
    who = f" by {decision.checked_by}" if decision.checked_by else ""
    return WrongState(f"This decision was {OVER[Decision.State(decision.state)]}{who}.")


def may_confirm(decision: Decision, *, by: Person, at: datetime) -> Refusal | None:
    """As may_check, and not while the bank wants the money back (R8.4)."""
    if refusal := may_check(decision, by=by, at=at):
        return refusal
    return frozen.refuse_charged_back(decision.dispute.escrow)


def _read(dispute: Dispute, decision_id: int) -> Decision:
    decision = Decision.objects.select_related("checked_by").get(pk=decision_id)
    decision.dispute = dispute
    return decision


def confirm(decision_id: int, *, by: Person, at: datetime) -> Decision:
    """Confirm another agent's decision: the money is split at once, and both sides are told why.

    Locks the Job. Raises the Refusal of may_confirm, Decision.DoesNotExist.
    """
    dispute_id = Decision.objects.values_list("dispute_id", flat=True).get(pk=decision_id)
    with locked_dispute(dispute_id, at=at) as dispute:
        decision = _read(dispute, decision_id)
        refuse_if(may_confirm(decision, by=by, at=at))
        states.move([decision], "confirm", at=at, by_id=by.pk)
        settling.settle(
            dispute,
            to_freelancer_minor=decision.to_freelancer_minor,
            kind=DISPUTE_DECIDED,
            by=by,
            at=at,
            rule=RULE,
            said=decision.reasons,
        )
    return decision


def send_back(decision_id: int, *, answer: str, by: Person, at: datetime) -> Decision:
    """Send another agent's decision back, saying why: the Dispute is to be decided anew.

    Locks the Job. Raises the Refusal of may_check, NothingSaid, Decision.DoesNotExist.
    """
    answer = words.check(answer, what="why you send it back")
    dispute_id = Decision.objects.values_list("dispute_id", flat=True).get(pk=decision_id)
    with locked_dispute(dispute_id, at=at) as dispute:
        decision = _read(dispute, decision_id)
        refuse_if(may_check(decision, by=by, at=at))
        states.move([decision], "send_back", at=at, by_id=by.pk, answer=answer)
        states.move([dispute], "send_back")
        activity.record(dispute.job, DECISION_SENT_BACK, by=by, at=at, **moves.facts_of(dispute))
    return decision


def may_withdraw(decision: Decision, *, by: Person, at: datetime) -> Refusal | None:
    """Who decided takes it back while nobody has checked it; reads ``decision.dispute``."""
    if refusal := refuse_non_agent(decision.dispute.job, by=by, permission=PERMISSION):
        return refusal
    if decision.decided_by_id != by.pk:
        return WrongParty("Only the person who decided this can withdraw it.")
    return _refuse_over(decision)


def withdraw(decision_id: int, *, by: Person, at: datetime) -> Decision:
    """Take one's own decision back: the Dispute is to be decided anew.

    Locks the Job. Raises the Refusal of may_withdraw, Decision.DoesNotExist.
    """
    dispute_id = Decision.objects.values_list("dispute_id", flat=True).get(pk=decision_id)
    with locked_dispute(dispute_id, at=at) as dispute:
        decision = _read(dispute, decision_id)
        refuse_if(may_withdraw(decision, by=by, at=at))
        states.move([decision], "withdraw")
        states.move([dispute], "send_back")
        activity.record(dispute.job, DECISION_WITHDRAWN, by=by, at=at, **moves.facts_of(dispute))
    return decision
