"""Release: money goes from a Milestone's Escrow to the Freelancer, whole or in part (R5.1 to R5.3).

The button passes one part, a timer may pass hundreds: ``moves.releases.carry_out`` is the one way in
which money is released. Release Requests are in ``release_requests``.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from billing.models import Escrow, ProForma, ReleaseRequest
from billing.moves import cancellations, disputes, dormancy
from billing.moves import releases as moves
from billing.moves.releases import Part, Released
from billing.selectors import frozen
from billing.services import catching_up, closing
from billing.services.amounts import refuse_amount
from billing.services.funding import refuse_hourly
from escrow_site.lib import statements
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry

NOTHING_HELD = "All that was held was released, and nothing else is held."
RELEASED_BY_CLIENT = "Released by the Client."
WOKEN_BY_CLIENT = "The Client released money."
PART_RELEASED_BY_CLIENT = "A part of the Milestone released by the Client."
CHANGED_MEANWHILE = (
    "The amounts have changed since you opened this page. Look at them again before you release."
)
HELD = """
SELECT {escrow}, {request}, {pro_forma}
  FROM billing_escrow AS escrow
  LEFT JOIN billing_releaserequest AS request
    ON request.escrow_id = escrow.id AND request.state IN ('open', 'overdue', 'disputed')
  LEFT JOIN billing_proforma AS pro_forma ON pro_forma.request_id = request.id
 WHERE escrow.job_id = %s AND escrow.number = ANY (ARRAY(SELECT unnest(%s::numeric[])))
 ORDER BY escrow.position, escrow.number
"""


def may_release(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """The Client releases a Funded Milestone, with or without a request (R5.1, R3.4)."""
    job = escrow.job
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) != "client":
        return WrongParty("Only the Client can release the money of a Milestone.")
    if refusal := refuse_hourly(job):
        return refusal
    if escrow.state == Escrow.State.PENDING:
        return WrongState(
            f"The money for “{escrow}” is Pending: it can be released once the payment has been "
            "authenticated."
        )
    if escrow.state == Escrow.State.UNFUNDED:
        return WrongState(f"“{escrow}” is not funded, so there is nothing to release.")
    if escrow.state != Escrow.State.FUNDED:
        return WrongState(f"“{escrow}” is {escrow.get_state_display().lower()} already.")
    if not job.is_running:
        return WrongState(f"This Job is {job.get_state_display().lower()}.")
    return frozen.refuse_charged_back(escrow)


def release(
    job_id: int,
    *,
    numbers: Iterable[int],
    by: Person,
    at: datetime,
    seen_minor: int | None = None,
) -> list[Released]:
    """Release all that is held of the Job's Escrows with these numbers, all or none.

    Immediate and final; it ends their Disputes. ``seen_minor`` is the gross sum that the person
    agreed to. Locks the Job. Raises the Refusal of may_release, StalePage when another sum is held
    by now.
    """
    with catching_up.locked_job(job_id, at=at) as job:
        parts = [
            Part(
                job=job,
                escrow=escrow,
                request=request,
                gross_minor=escrow.held_minor,
                at=at,
                reason=RELEASED_BY_CLIENT,
            )
            for escrow, request in read(job, set(numbers))
        ]
        if not parts:
            raise WrongState("Choose a Milestone to release.")
        for part in parts:
            refuse_if(may_release(part.escrow, by=by, at=at))
        if seen_minor is not None and seen_minor != sum(part.gross_minor for part in parts):
            raise StalePage(CHANGED_MEANWHILE)
        released, entries = carry_out(job, parts, by=by, at=at, woken=WOKEN_BY_CLIENT)
        activity.record_all(entries)
    return released


def may_release_part(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """As may_release, and never while the Milestone is disputed (R5.3, R9.1)."""
    return may_release(escrow, by=by, at=at) or frozen.refuse_disputed(escrow)


def may_release_amount(
    escrow: Escrow,
    *,
    amount_minor: int,
    by: Person,
    at: datetime,
    seen_held_minor: int | None = None,
) -> Refusal | None:
    """As may_release for all that is held, as may_release_part for less of it.

    ``seen_held_minor`` is what was held when the person chose, None when it was read just now.
    """
    held_minor = escrow.held_minor
    guard = may_release if amount_minor == held_minor else may_release_part
    if refusal := guard(escrow, by=by, at=at):
        return refusal
    if seen_held_minor not in (None, held_minor):
        return StalePage(CHANGED_MEANWHILE)
    return refuse_amount(amount_minor, most_minor=held_minor, currency=escrow.job.currency)


def release_part(
    job_id: int,
    *,
    number: int,
    amount_minor: int,
    by: Person,
    at: datetime,
    seen_held_minor: int,
) -> Released:
    """Release a part of what the Escrow with this number holds, in minor units (R5.3).

    The rest stays held, an open request stands for it with its clock unchanged, and its pro-forma
    stays open. All that is held is a whole release. ``seen_held_minor`` is what was held when the
    person chose. Locks the Job. Raises the Refusal of may_release_amount.
    """
    with catching_up.locked_job(job_id, at=at) as job:
        chosen = read(job, {number})
        if not chosen:
            raise WrongState("Choose a Milestone to release.")
        ((escrow, request),) = chosen
        refuse_if(
            may_release_amount(
                escrow, amount_minor=amount_minor, by=by, at=at, seen_held_minor=seen_held_minor
            )
        )
        is_whole = amount_minor == escrow.held_minor
        part = Part(
            job=job,
            escrow=escrow,
            request=request,
            gross_minor=amount_minor,
            at=at,
            reason=RELEASED_BY_CLIENT if is_whole else PART_RELEASED_BY_CLIENT,
        )
        (released,), entries = carry_out(job, [part], by=by, at=at, woken=WOKEN_BY_CLIENT)
        activity.record_all(entries)
    return released


def carry_out(
    job: Job, parts: list[Part], *, by: Person, at: datetime, woken: str
) -> tuple[list[Released], list[Entry]]:
    """Release, and say what follows: the Milestone's Dispute ends (R9.5), the Job completes or wakes
    up (R10.4, R11.1). Decides nothing: who may is the callers' to know. Returns what is to be recorded.

    ``woken`` is why a dormant Job is active again; empty when the release is no act of the Client's,
    which wakes it only when nothing else is held.
    """
    left_minor = [part.escrow.held_minor - part.gross_minor for part in parts]
    entries = [
        ended
        for part, left in zip(parts, left_minor, strict=True)
        if not left
        for ended in disputes.end(part.escrow, by=by, at=at, reason=part.reason)
    ]
    released = moves.carry_out(parts, by=by)
    for part, one, left in zip(parts, released, left_minor, strict=True):
        facts: dict[str, Any] = {"held_minor": left} if left else {}
        if left and part.request:
            facts |= {"request": part.request.pk, "stands_until_at": part.request.auto_release_at}
        entries.append(moves.entry(part, one, by=by, **facts))
    entries += cancellations.end_if_overtaken(job, at=at)
    if released[0].leaves_job_finished:
        entries += closing.complete_if_finished(job, at=at)
    if woken or not Escrow.objects.filter(job=job, state=Escrow.State.FUNDED).exists():
        entries += dormancy.reactivate(job, by=by, at=at, reason=woken or NOTHING_HELD)
    return released, entries


def read(job: Job, numbers: set[int]) -> list[tuple[Escrow, ReleaseRequest | None]]:
    """The chosen Escrows of a locked Job, each with its unanswered request and pro-forma."""
    rows = statements.read(
        HELD, job.pk, list(numbers), escrow=Escrow, request=ReleaseRequest, pro_forma=ProForma
    )
    for escrow, request, pro_forma in rows:
        escrow.job = job
        if request is not None:
            request.job, request.escrow, request.pro_forma = job, escrow, pro_forma
    return [(escrow, request) for escrow, request, _ in rows]
