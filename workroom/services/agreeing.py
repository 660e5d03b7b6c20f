"""What agreement does: the first Terms open the Job, later ones change it (R2.1 to R2.3).

``terms.accept`` is the one caller; it has locked the Job and asked the guards.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery

from billing.models import Escrow
from billing.moves import dormancy
from billing.services import closing, escrow_changes, escrows
from billing.services.escrow_changes import MilestoneLocked, Plan
from billing.services.escrows import EscrowPart
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.activity import Entry
from jobs.services.columns import set_columns
from workroom.models import Milestone, Terms
from workroom.notices import TERMS_ACCEPTED, TERMS_CHANGED, TERMS_UNFIT

BOTH_AGREE = "Both sides agree to these Terms: the Job is active."
BOTH_CHANGE = "Both sides agree to these Terms: they take the place of the ones before."
CHANGE_ACCEPTED = "A change of the Terms was accepted."
CHANGED_MEANWHILE = (
    "What these Terms do to the money has changed since you opened this page. Look at it again before "
    "you accept."
)


def agree_first(job: Job, terms: Terms, *, by: Person, at: datetime) -> None:
    """The Job is active, every Milestone has its Escrow, the first is asked to be funded (R3.1)."""
    states.move([terms], "agree", at=at)
    milestones = list(terms.milestones.order_by("position"))
    states.move([job], "activate", at=at)
    _push_down(job, terms, milestones)
    activity.record(
        job,
        TERMS_ACCEPTED,
        by=by,
        at=at,
        reason=BOTH_AGREE,
        version=terms.version,
        total_minor=_total_minor(milestones),
    )
    if milestones:
        escrows.open_escrows(job, map(_part, milestones), at=at)
        _link(terms)


def agree_change(job: Job, terms: Terms, plan: Plan, *, by: Person, at: datetime) -> None:
    """The new version takes the place of the agreed one; the money follows the plan (R2.3).

    A dormant Job is active again (R10.4); one with nothing left to do is completed (R11.1).
    """
    states.move(Terms.objects.of(terms.job).agreed(), "supersede")
    states.move([terms], "agree", at=at)
    milestones = list(terms.milestones.order_by("position"))
    _push_down(job, terms, milestones)
    reason = f"Agreed in Terms {terms.version}."
    changes = _prices_changed(plan)
    moved = escrow_changes.carry_out(job, plan, by=by, at=at, reason=reason)
    _link(terms)
    facts: dict[str, Any] = {"version": terms.version, "total_minor": _total_minor(milestones)}
    if changes:
        facts["changes"] = changes
    if plan.refund_minor:
        facts["refund_minor"] = plan.refund_minor
        facts["escrow"] = ", ".join(one.old.escrow.title for one in plan.refunds if one.old)
    changed = Entry(job=job, kind=TERMS_CHANGED, by=by, at=at, reason=BOTH_CHANGE, facts=facts)
    follows = closing.complete_if_finished(job, at=at) or dormancy.reactivate(
        job, by=by, at=at, reason=CHANGE_ACCEPTED
    )
    activity.record_all([changed, *moved, *follows])


def _prices_changed(plan: Plan) -> list[dict[str, Any]]:
    """What is added, removed, or has another price, for the notice; read before anything is moved."""
    changes = []
    for one in plan.changes:
        before = one.old.escrow.amount_minor if one.old else None
        after = one.new.amount_minor if one.new else None
        if before != after:
            changes.append({"escrow": one.title, "before_minor": before, "amount_minor": after})
    return changes


def give_up(job: Job, terms: Terms, refusal: Refusal, *, at: datetime) -> None:
    """A proposal that does not fit any more is superseded: what is agreed stays in force (R2.3)."""
    states.move([terms], "supersede")
    set_columns(job, open_proposal_until=None)
    unfit = Entry(
        job=job,
        kind=TERMS_UNFIT,
        by=None,
        at=at,
        reason=refusal.message,
        facts={"version": terms.version},
    )
    activity.record_all([unfit, *closing.complete_if_finished(job, at=at)])


def unfit(terms: Terms, refusal: Refusal | None) -> Refusal | None:
    """What is said to whoever wanted to accept what does not fit any more."""
    if refusal is None:
        return None
    return MilestoneLocked(
        f"Terms {terms.version} do not fit any more and are superseded. {refusal.message}"
    )


def _push_down(job: Job, terms: Terms, milestones: Sequence[Milestone]) -> None:
    """What the money must know of the Terms stands on the Job."""
    dates = [milestone.due_on for milestone in milestones if milestone.due_on]
    set_columns(
        job,
        last_milestone_on=max(dates, default=None),
        open_ended=terms.open_ended,
        open_proposal_until=None,
    )


def _part(milestone: Milestone) -> EscrowPart:
    return EscrowPart(
        number=milestone.number,
        position=milestone.position,
        title=milestone.title,
        due_on=milestone.due_on,
        amount_minor=milestone.amount_minor,
    )


def _link(terms: Terms) -> None:
    """Let the Milestones of an agreed version point to their Escrows."""
    same_number = Escrow.objects.filter(job=terms.job, number=OuterRef("number"))
    Milestone.objects.filter(terms=terms).update(escrow=Subquery(same_number.values("pk")[:1]))


def _total_minor(milestones: Sequence[Milestone]) -> int:
    return sum(milestone.amount_minor for milestone in milestones)
