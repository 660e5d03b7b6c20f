"""Sealed settlement: each side may enter, hidden, what would be acceptable to it (R9.6).

The limits are compared as soon as both are there, and are worth nothing after that. So that nobody can
probe, entries are few (``sealed_tries_rule``), and a limit is erased once it was compared.
An amount under seal is in no history, no notice, no log and no message of a refusal.
"""

from datetime import datetime, timedelta

from billing.dispute_notices import (
    DISPUTE_SETTLED,
    SEALED_ENTERED,
    SEALED_NO_MATCH,
    SEALED_TAKEN_BACK,
)
from billing.models import Dispute, SealedLimit
from billing.models.dispute import SEALED_AT_MOST, SEALED_PAUSE
from billing.moves import disputes as moves
from billing.selectors import frozen
from billing.services import settling
from billing.services.disputes import HELD_CHANGED, locked_dispute, refuse_outside
from billing.services.offers import refuse_share
from escrow_site.lib import states
from escrow_site.lib.display import instant
from escrow_site.lib.refusals import Refusal, StalePage, WrongState, refuse_if
from jobs.models import Person
from jobs.services import activity

RULE = "Dispute settled by limits under seal, at their midpoint."


class TooMany(Refusal):
    """The side has entered as many limits as it may, or the last one not long enough ago."""


def may_enter(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """Either side enters a limit: a few times for one Milestone, and with a pause between them."""
    if refusal := refuse_outside(dispute, by=by):
        return refusal
    if refusal := frozen.refuse_charged_back(dispute.escrow):
        return refusal
    of_milestone = SealedLimit.objects.filter(dispute__escrow=dispute.escrow_id, by=by)
    entries = list(of_milestone.order_by("entered_at"))
    if any(entry.state == SealedLimit.State.WAITING for entry in entries):
        return WrongState("Your limit is waiting for the other side’s. You can take it back.")
    if len(entries) >= SEALED_AT_MOST:
        return TooMany(
            f"You have entered {SEALED_AT_MOST} limits for this Milestone, which is the most. You "
            "can still make open offers."
        )
    if entries and at < entries[-1].entered_at + SEALED_PAUSE:
        next_at = instant(entries[-1].entered_at + SEALED_PAUSE)
        hours = SEALED_PAUSE // timedelta(hours=1)
        return TooMany(f"You can enter one limit in {hours} hours: the next one from {next_at} on.")
    return None


def enter(
    dispute_id: int,
    *,
    limit_minor: int,
    by: Person,
    at: datetime,
    seen_held_minor: int | None = None,
) -> SealedLimit:
    """Enter the least that the Freelancer, or the most that the Client, would see go to the Freelancer.

    If the other side's limit is there the two are compared at once: they match and the Dispute is
    settled at the midpoint, rounded down to the smallest unit; or they do not, and both are spent.
    Else it waits. The state of what is returned says which. Locks the Job. Raises the Refusal of
    may_enter, StalePage, WrongAmount.
    """
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_enter(dispute, by=by, at=at))
        held_minor = dispute.escrow.held_minor
        if seen_held_minor is not None and seen_held_minor != held_minor:
            raise StalePage(HELD_CHANGED)
        currency = dispute.job.currency
        refuse_if(refuse_share(limit_minor, held_minor=held_minor, currency=currency))
        mine = SealedLimit.objects.create(
            dispute=dispute, by=by, limit_minor=limit_minor, entered_at=at
        )
        theirs = (
            SealedLimit.objects.filter(dispute=dispute, state=SealedLimit.State.WAITING)
            .exclude(by=by)
            .first()
        )
        if theirs is None:
            activity.record(dispute.job, SEALED_ENTERED, by=by, at=at, **moves.facts_of(dispute))
        else:
            _compare(dispute, mine, theirs, by=by, at=at)
    return mine


def _compare(
    dispute: Dispute, mine: SealedLimit, theirs: SealedLimit, *, by: Person, at: datetime
) -> None:
    limits = {one.by_id: one.limit_minor for one in (mine, theirs)}
    most_minor, least_minor = limits[dispute.job.client_id], limits[dispute.job.freelancer_id or 0]
    assert most_minor is not None and least_minor is not None
    if least_minor > most_minor:
        states.move([mine, theirs], "spend")
        activity.record(dispute.job, SEALED_NO_MATCH, by=by, at=at, **moves.facts_of(dispute))
        return
    states.move([mine, theirs], "match")
    settling.settle(
        dispute,
        to_freelancer_minor=(least_minor + most_minor) // 2,
        kind=DISPUTE_SETTLED,
        by=by,
        at=at,
        rule=RULE,
    )


def may_take_back(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """Whoever changes his mind takes his waiting limit back; the entry stays counted."""
    if refusal := refuse_outside(dispute, by=by):
        return refusal
    waiting = SealedLimit.objects.filter(dispute=dispute, by=by, state=SealedLimit.State.WAITING)
    if not waiting.exists():
        return WrongState("You have no limit waiting in this Dispute.")
    return None


def take_back(dispute_id: int, *, by: Person, at: datetime) -> SealedLimit:
    """Erase one's own waiting limit. Locks the Job. Raises the Refusal of may_take_back."""
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_take_back(dispute, by=by, at=at))
        mine = SealedLimit.objects.get(dispute=dispute, by=by, state=SealedLimit.State.WAITING)
        states.move([mine], "take_back")
        activity.record(dispute.job, SEALED_TAKEN_BACK, by=by, at=at, **moves.facts_of(dispute))
    return mine
