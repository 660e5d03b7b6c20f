"""Release: money goes from a Milestone's Escrow to the Freelancer (R5.1, R5.2).

The button passes one part, a timer may pass hundreds: ``carry_out`` is the one way in which money
is released. Release Requests are in ``release_requests``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from billing.models import Document, Escrow, ProForma, ReleaseRequest
from billing.notices import RELEASED
from billing.services import catching_up, closing, documents
from billing.services.amounts import Amounts, quote
from billing.services.funding import refuse_hourly
from escrow_site.lib import statements, states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry

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


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is to be released of one Escrow of a locked Job, at which instant and why."""

    job: Job
    escrow: Escrow
    request: ReleaseRequest | None
    gross_minor: int
    at: datetime
    reason: str

    @property
    def pro_forma(self) -> ProForma | None:
        return self.request.pro_forma if self.request else None


@dataclass(frozen=True, kw_only=True)
class Released:
    """What a release came to, and the document that it made."""

    release_id: int
    document_id: int
    document: str
    amounts: Amounts


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
    with transaction.atomic():
        job = catching_up.lock_job(job_id, at=at)
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
        return carry_out(parts, by=by)


def carry_out(parts: list[Part], *, by: Person | None) -> list[Released]:
    """Release the parts of locked Jobs: states, ledger, documents, history and notices together.

    At most one part per Escrow. ``by`` is None for the timers. Raises LostRace when a row is not in
    the state it was read in, django_fsm.TransitionNotAllowed when it may not be released.
    """
    rows = [_row(place, part, by=by) for place, part in enumerate(parts)]
    written = statements.run(statements.beside(__file__), statements.as_json(rows))
    if len(written) != len(parts):
        raise states.LostRace(f"{len(written)} of {len(parts)} releases could be carried out")
    released = [_released(row, result) for row, result in zip(rows, written, strict=True)]
    activity.record_all(
        _entry(part, result, by=by) for part, result in zip(parts, released, strict=True)
    )
    for job_id in {
        row["job_id"] for row, result in zip(rows, written, strict=True) if result["last_of_job"]
    }:
        last = max((part for part in parts if part.job.pk == job_id), key=lambda part: part.at)
        closing.complete_if_finished(last.job, at=last.at)
    return released


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


def _row(place: int, part: Part, *, by: Person | None) -> dict[str, Any]:
    """Make the moves in memory and say what ``releases.sql`` is to write."""
    job, escrow, request, pro_forma = part.job, part.escrow, part.request, part.pro_forma
    assert job.policy is not None
    amounts = quote(escrow, policy=job.policy, gross_minor=part.gross_minor)
    request_state_before = request.state if request else None
    is_last = part.gross_minor == escrow.held_minor
    if is_last:
        escrow.release_rest()
        if request and pro_forma:
            request.release(at=part.at, reason=part.reason)
            pro_forma.become_final()
    return {
        "place": place,
        "job_id": job.pk,
        "escrow_id": escrow.pk,
        "request_id": request.pk if request else None,
        "pro_forma_id": pro_forma.pk if pro_forma else None,
        "released_by_id": by.pk if by else None,
        "payee_id": job.freelancer_id,
        "currency": job.currency,
        "gross_minor": amounts.gross_minor,
        "service_fee_minor": amounts.service_fee_minor,
        "processing_fee_minor": amounts.processing_fee_minor,
        "net_minor": amounts.net_minor,
        "happened_at": part.at,
        "reason": part.reason,
        "parties": documents.parties(job),
        "escrow_state": escrow.state,
        "request_state_before": request_state_before,
        "request_state": request.state if request else None,
        "request_ended_at": request.ended_at if request else None,
        "pro_forma_state": pro_forma.state if pro_forma else None,
    }


def _released(row: dict[str, Any], written: dict[str, Any]) -> Released:
    kind = Document.Kind.FINAL_INVOICE if row["pro_forma_id"] else Document.Kind.RECEIPT
    return Released(
        release_id=written["release_id"],
        document_id=written["document_id"],
        document=Document.name_of(kind, row["payee_id"], written["number"]),
        amounts=Amounts(
            gross_minor=row["gross_minor"],
            service_fee_minor=row["service_fee_minor"],
            processing_fee_minor=row["processing_fee_minor"],
        ),
    )


def _entry(part: Part, released: Released, *, by: Person | None) -> Entry:
    return Entry(
        job=part.job,
        kind=RELEASED,
        by=by,
        at=part.at,
        reason=part.reason,
        facts={
            "escrow": part.escrow.title,
            "number": part.escrow.number,
            "amount_minor": released.amounts.gross_minor,
            "service_fee_minor": released.amounts.service_fee_minor,
            "processing_fee_minor": released.amounts.processing_fee_minor,
            "net_minor": released.amounts.net_minor,
            "document": released.document,
            "document_id": released.document_id,
        },
    )
