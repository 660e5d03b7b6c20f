"""Money goes from a Milestone's Escrow to the Freelancer: one statement for one part or hundreds (R5.2)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.models import Document, Escrow, ProForma, ReleaseRequest
from billing.notices import RELEASED
from billing.services import documents
from billing.services.amounts import Amounts, quote
from escrow_site.lib import statements, states
from jobs.models import Job, Person
from jobs.services.activity import Entry


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
    leaves_job_finished: bool


def carry_out(parts: list[Part], *, by: Person | None) -> list[Released]:
    """Release the parts of locked Jobs: states, ledger and documents together.

    At most one part per Escrow. ``by`` is None for the timers. Raises LostRace when a row is not in
    the state it was read in, django_fsm.TransitionNotAllowed when it may not be released.
    """
    if not parts:
        return []
    rows = [_row(place, part, by=by) for place, part in enumerate(parts)]
    written = statements.run(statements.beside(__file__), statements.as_json(rows))
    if len(written) != len(parts):
        raise states.LostRace(f"{len(written)} of {len(parts)} releases could be carried out")
    return [_released(row, result) for row, result in zip(rows, written, strict=True)]


def entry(
    part: Part, released: Released, *, by: Person | None, actor_kind: str = "", **facts: Any
) -> Entry:
    """The line of history about a release."""
    return Entry(
        job=part.job,
        kind=RELEASED,
        by=by,
        at=part.at,
        actor_kind=actor_kind,
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
            **facts,
        },
    )


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
        leaves_job_finished=written["last_of_job"],
    )
