"""Release: money goes from a Milestone's Escrow to the Freelancer (R5.1, R5.2).

The button passes one part, a timer may pass hundreds: ``moves.releases.carry_out`` is the one way in
which money is released. Release Requests are in ``release_requests``.
"""

from collections.abc import Iterable
from datetime import datetime

from billing.models import Escrow, ProForma, ReleaseRequest
from billing.moves import dormancy
from billing.moves import releases as moves
from billing.moves.releases import Part, Released
from billing.services import catching_up, closing
from billing.services.funding import refuse_hourly
from escrow_site.lib import statements
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked

RELEASED_BY_CLIENT = "Released by the Client."
HELD = """
SELECT {escrow}, {request}, {pro_forma}
  FROM billing_escrow AS escrow
  LEFT JOIN billing_releaserequest AS request
    ON request.escrow_id = escrow.id AND request.state IN ('open', 'overdue', 'disputed')
  LEFT JOIN billing_proforma AS pro_forma ON pro_forma.request_id = request.id
 WHERE escrow.job_id = %s AND escrow.number = ANY (ARRAY(SELECT unnest(%s::bigint[])))
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
    return None


def release(
    job_id: int,
    *,
    numbers: Iterable[int],
    by: Person,
    at: datetime,
    seen_minor: int | None = None,
) -> list[Released]:
    """Release all that is held of the Job's Escrows with these numbers, all or none.

    Immediate and final. ``seen_minor`` is the gross sum that the person agreed to. Locks the Job.
    Raises the Refusal of may_release, StalePage when another sum is held by now.
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
            for escrow, request in _read(job, set(numbers))
        ]
        if not parts:
            raise WrongState("Choose a Milestone to release.")
        for part in parts:
            refuse_if(may_release(part.escrow, by=by, at=at))
        if seen_minor is not None and seen_minor != sum(part.gross_minor for part in parts):
            raise StalePage(
                "The amounts have changed since you opened this page. Look at them again before "
                "you release."
            )
        released = moves.carry_out(parts, by=by)
        _record(job, parts, released, by=by, at=at)
    return released


def _record(
    job: Job, parts: list[Part], released: list[Released], *, by: Person, at: datetime
) -> None:
    """The history of the releases, and what follows: the Job completes or wakes up (R10.4, R11.1)."""
    entries = [moves.entry(part, one, by=by) for part, one in zip(parts, released, strict=True)]
    if released[0].leaves_job_finished:
        entries += closing.complete_if_finished(job, at=at)
    entries += dormancy.reactivate(job, by=by, at=at, reason="The Client released money.")
    activity.record_all(entries)


def _read(job: Job, numbers: set[int]) -> list[tuple[Escrow, ReleaseRequest | None]]:
    """The chosen Escrows of a locked Job, each with its unanswered request and pro-forma."""
    rows = statements.read(
        HELD, job.pk, list(numbers), escrow=Escrow, request=ReleaseRequest, pro_forma=ProForma
    )
    for escrow, request, pro_forma in rows:
        escrow.job = job
        if request is not None:
            request.job, request.escrow, request.pro_forma = job, escrow, pro_forma
    return [(escrow, request) for escrow, request, _ in rows]
