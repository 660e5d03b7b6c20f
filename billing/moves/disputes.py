"""A Dispute freezes its Milestone's money, and ends: rows of a locked Job (R9).

How what is held is then split is in ``splits``; who may do what is in ``services``.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from billing.dispute_notices import DISPUTE_ENDED
from billing.models import Decision, Dispute, Escrow, Offer, ReleaseRequest, SealedLimit
from escrow_site.lib import states
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from jobs.services.activity import Entry
from jobs.services.columns import set_columns


def facts_of(dispute: Dispute, **more: Any) -> dict[str, Any]:
    """What every line about a Dispute says; amounts in minor units. ``due_at``: an answer is due."""
    escrow = dispute.escrow
    due = {"due_at": escrow.answer_due_at} if escrow.answer_due_at else {}
    is_with_support = dispute.state in (Dispute.State.MEDIATION, Dispute.State.DECIDED)
    return {
        "dispute": dispute.pk,
        "escrow": escrow.title,
        "number": escrow.number,
        **due,
        **({"is_with_support": True} if is_with_support else {}),
        **more,
    }


# --- It begins ---


def freeze(dispute: Dispute) -> None:
    """Stop every timer of the Milestone's money, and start the one for the answer (R9.1, R9.2)."""
    _set_on_escrow(
        dispute.escrow,
        disputed_at=dispute.opened_at,
        disputed_by_id=dispute.opened_by_id,
        answer_due_at=dispute.answer_due_at,
    )
    if dispute.request is not None:
        states.move([dispute.request], "dispute", at=dispute.opened_at)
    dispute.job.note_due(dispute.answer_due_at)


def note_answer(dispute: Dispute, *, at: datetime) -> None:
    """The other side is silent no more: nothing brings the Dispute to support by itself (R9.3)."""
    dispute.answered_at = at
    Dispute.objects.filter(pk=dispute.pk).update(answered_at=at)
    _set_on_escrow(dispute.escrow, answer_due_at=None)


def extend_answer(dispute: Dispute, *, until: datetime) -> None:
    """Give the other side until then to answer (R9.7)."""
    dispute.answer_due_at = until
    Dispute.objects.filter(pk=dispute.pk).update(answer_due_at=until)
    _set_on_escrow(dispute.escrow, answer_due_at=until)
    dispute.job.note_due(until)


def escalate(disputes: Sequence[tuple[Dispute, datetime]], *, by: Person | None) -> None:
    """Hand Disputes to support, each at its instant; ``by`` is None for the timers."""
    by_id = by.pk if by else None
    states.move_each(((one, {"at": at, "by_id": by_id}) for one, at in disputes), "escalate")
    Escrow.objects.filter(pk__in=[one.escrow_id for one, _ in disputes]).update(answer_due_at=None)
    for one, _ in disputes:
        one.escrow.answer_due_at = None


def _set_on_escrow(escrow: Escrow, **columns: Any) -> None:
    for name, value in columns.items():
        setattr(escrow, name, value)
    Escrow.objects.filter(pk=escrow.pk).update(**columns)


# --- It ends ---


def end(escrow: Escrow, *, by: Person, at: datetime, reason: str) -> list[Entry]:
    """End the open Dispute about an Escrow of a locked Job, as all its money is about to go: released
    whole by the Client, refunded whole by the Freelancer, or divided by a cancellation (R9.5, R8.3).

    To be called before the money moves. Its request stays disputed for the caller to end. Returns
    what the caller is to record; nothing when there is no open Dispute.
    """
    if escrow.disputed_at is None:
        return []
    dispute = Dispute.objects.open().get(escrow=escrow)
    dispute.job, dispute.escrow = escrow.job, escrow
    settle(dispute, at=at, reason=reason)
    facts = facts_of(dispute, amount_minor=escrow.held_minor)
    return [Entry(job=escrow.job, kind=DISPUTE_ENDED, by=by, at=at, reason=reason, facts=facts)]


def settle(dispute: Dispute, *, at: datetime, reason: str) -> None:
    """Close a Dispute whose money goes now; the caller moves it, and ends the request."""
    _close(dispute, "settle", at=at, reason=reason)


def withdraw(dispute: Dispute, *, at: datetime, reason: str) -> None:
    """Close a Dispute whose money stays held; its request's clock runs again (R9.4), unless a
    chargeback still stops it.
    """
    _close(dispute, "withdraw", at=at, reason=reason)
    if dispute.request is not None and not dispute.escrow.is_frozen:
        resume(dispute.job, dispute.request, at=at)


def _close(dispute: Dispute, verb: str, *, at: datetime, reason: str) -> None:
    states.move([dispute], verb, at=at, reason=reason)
    still_open = Offer.objects.filter(dispute=dispute, state=Offer.State.OPEN)
    states.move(list(still_open), "lapse", at=at)
    unconfirmed = Decision.objects.filter(dispute=dispute, state=Decision.State.PROPOSED)
    states.move(list(unconfirmed), "overtake")
    waiting = SealedLimit.objects.filter(dispute=dispute, state=SealedLimit.State.WAITING)
    states.move(list(waiting), "lapse")
    _set_on_escrow(dispute.escrow, disputed_at=None, disputed_by_id=None, answer_due_at=None)
    set_columns(dispute.job, dispute_ended_at=at)
    note_overdue_dormancy(dispute.job, at=at)


def note_overdue_dormancy(job: Job, *, at: datetime) -> None:
    """What fell due by R10 while the money was frozen is due now."""
    if job.dormant_at is not None and job.dormant_at <= at:
        job.note_due(at)


def time_left(job: Job, request: ReleaseRequest) -> timedelta:
    """What the clock of a disputed request goes on with: what was left, but once at least seven days."""
    assert job.policy is not None and request.clock_stopped_at is not None
    left = request.auto_release_at - request.clock_stopped_at
    if request.minimum_granted_at is None:
        return max(left, job.policy.dispute_days_left_at_least * DAY)
    return left


def resume(job: Job, request: ReleaseRequest, *, at: datetime) -> None:
    """The clock goes on with the time that was left, but once per request with at least seven days."""
    policy = job.policy
    assert policy is not None and request.clock_stopped_at is not None
    left = time_left(job, request)
    if left > request.auto_release_at - request.clock_stopped_at:
        request.minimum_granted_at = at
        ReleaseRequest.objects.filter(pk=request.pk).update(minimum_granted_at=at)
    due_at = at + left
    if request.overdue_at <= request.clock_stopped_at:
        states.move([request], "resume_overdue", at=at, due_at=due_at)
    else:
        overdue_at = due_at - policy.overdue_days_before_due * DAY
        states.move([request], "resume", at=at, due_at=due_at, overdue_at=overdue_at)
        job.note_due(overdue_at)
    for days in policy.warning_days_before_due:
        if due_at - days * DAY > at:
            job.note_due(due_at - days * DAY)
    job.note_due(due_at)
