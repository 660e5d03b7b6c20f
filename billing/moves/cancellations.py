"""A request to cancel a Job ends without an answer, or is carried out (R8.3).

Who may ask and answer is in ``services.cancellations``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from billing.models import Cancellation, Escrow
from billing.moves import disputes, endings, reasons, removals, splits, stops
from billing.moves.endings import Ending
from billing.moves.splits import Split
from billing.notices import CANCELLATION_LAPSED, CANCELLATION_STALE, REMOVED
from escrow_site.lib import states
from jobs.models import Activity, Job, Person
from jobs.notices import Kind
from jobs.services.activity import Entry

ENDED_BY: dict[str, Kind] = {"lapse": CANCELLATION_LAPSED, "become_stale": CANCELLATION_STALE}


def end_all(ended: Sequence[tuple[Job, datetime]], verb: str) -> list[Entry]:
    """End the open requests of locked Jobs, each at its own instant: ``lapse`` or ``become_stale``.

    One line of history for each Job, in their order. Every Job has an open request.
    """
    if not ended:
        return []
    keys = [job.pk for job, _ in ended]
    rows = Cancellation.objects.filter(job__in=keys).open().select_related("requested_by")
    open_ones = {row.job_id: row for row in rows}
    states.move_each(((open_ones[job.pk], {"at": at}) for job, at in ended), verb)
    Job.objects.filter(pk__in=keys).update(open_cancellation_until=None)
    for job, _ in ended:
        job.open_cancellation_until = None
    return [_ended(job, open_ones[job.pk], verb, at=at) for job, at in ended]


def end_if_overtaken(job: Job, *, at: datetime) -> list[Entry]:
    """End the open request of a locked Job when what is held is no longer what it divides (R8.3).

    To be called after every move of held money. Costs nothing while no request is open.
    """
    if job.open_cancellation_until is None:
        return []
    cancellation = Cancellation.objects.open().prefetch_related("shares").get(job=job)
    return end_all([(job, at)], "become_stale") if is_overtaken(cancellation) else []


def is_overtaken(cancellation: Cancellation) -> bool:
    """Whether other amounts are held than those that the request divides."""
    held = Escrow.objects.filter(job=cancellation.job_id, state=Escrow.State.FUNDED)
    now = {escrow.pk: escrow.held_minor for escrow in held}
    return now != {share.escrow_id: share.held_minor for share in cancellation.shares.all()}


def carry_out(
    job: Job, divided: Sequence[Split], *, by: Person, at: datetime, reason: str
) -> tuple[list[Entry], Entry]:
    """End a locked Job as cancelled: divide what is held, stop what is under way, remove the rest.

    Disputes and Release Requests end with the split of their Milestone. Returns the lines of history
    about all this, which tell nobody, and the one of the end, which names the Closing Statement (R11.2).
    """
    money = [
        entry.quiet()
        for split in divided
        for entry in disputes.end(split.escrow, by=by, at=at, reason=reason)
    ]
    money += splits.carry_out(divided, by=by, at=at, reason=reason)
    money += stops.stop_all(job, by=by, at=at, reason=reason)
    money += _remove_unfunded(job, by=by, at=at)
    (end,) = endings.cancel_all([Ending(job=job, by=by, at=at, reason=reason)])
    return money, end


def _remove_unfunded(job: Job, *, by: Person, at: datetime) -> list[Entry]:
    unfunded = list(Escrow.objects.of(job).filter(state=Escrow.State.UNFUNDED))
    removals.remove(unfunded, at=at)
    return [
        Entry(
            job=job,
            kind=REMOVED,
            by=by,
            at=at,
            reason=reasons.NEVER_FUNDED_OF_CANCELLED,
            facts={"escrow": escrow.title, "number": escrow.number},
        )
        for escrow in unfunded
    ]


def _ended(job: Job, cancellation: Cancellation, verb: str, *, at: datetime) -> Entry:
    lapsed = verb == "lapse"
    facts: dict[str, Any] = {
        "cancellation": cancellation.pk,
        "requester": str(cancellation.requested_by),
        "due_at": cancellation.lapses_at,
    }
    return Entry(
        job=job,
        kind=ENDED_BY[verb],
        by=None,
        at=at,
        actor_kind=Activity.Actor.TIMER if lapsed else "",
        reason=reasons.cancellation_lapsed(job, cancellation) if lapsed else reasons.OVERTAKEN,
        facts=facts,
    )
