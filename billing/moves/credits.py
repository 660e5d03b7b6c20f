"""Released money goes back to its source, from the Freelancer's available balance (R8.2).

He gives the gross less the service fee that comes back; the platform gives that fee. The gateway
follows after the commit (``services.refunds``).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from django.db.models import Sum
from django.db.models.functions import Coalesce

from billing import ledger
from billing.models import Account, Document, Escrow, Payment, Refund, Transfer
from billing.moves.refunds import wake_reconciling
from billing.services import documents
from billing.services.amounts import NOTHING, Amounts, quote_credit
from escrow_site.lib import statements, states
from escrow_site.lib.transactions import once_after_commit
from jobs.models import Job, Person

NEXT_NUMBERS = """
INSERT INTO billing_documentseries AS counter (issuer_id, last_number) VALUES (%s, %s)
ON CONFLICT (issuer_id) DO UPDATE SET last_number = counter.last_number + EXCLUDED.last_number
RETURNING last_number
"""


@dataclass(frozen=True, kw_only=True)
class Credit:
    """What of the money released from a locked Job's Escrow goes back, in minor units, and why."""

    job: Job
    escrow: Escrow
    amount_minor: int
    by: Person
    at: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class Credited:
    """What it came to (net: what the Freelancer gave), and the credit notes that it made."""

    refund_id: int
    amounts: Amounts
    documents: list[Document]


def give_back(credit: Credit) -> Credited:
    """Refund released money: ledger, credit notes and sums of the Escrow together.

    One credit note for each invoice or receipt that is corrected, the newest first. Records no
    history. Raises LostRace when the Escrow is not as it was read or its payment is not there any
    more, IntegrityError when the Freelancer's available balance is not enough.
    """
    payment = source_of(credit.escrow)
    if payment is None:
        raise states.LostRace(f"{credit.escrow}: there is no payment that it could go back to")
    slices = list(_slices(credit))
    amounts = sum((part for _, part in slices), start=NOTHING)
    assert amounts.gross_minor == credit.amount_minor, credit
    _change_escrow(credit, amounts)
    refund = Refund.objects.create(
        payment=payment,
        escrow=credit.escrow,
        of_released=True,
        amount_minor=credit.amount_minor,
        reason=credit.reason,
        refunded_by=credit.by,
        started_at=credit.at,
    )
    notes = _issue_credit_notes(credit, refund, slices)
    _post(credit, refund, amounts)
    once_after_commit(wake_reconciling)
    return Credited(refund_id=refund.pk, amounts=amounts, documents=notes)


def source_of(escrow: Escrow) -> Payment | None:
    """The payment that the Escrow was funded by, while money can go back to it."""
    return Payment.objects.filter(
        allocations__escrow=escrow, allocations__live=True, state=Payment.State.SUCCEEDED
    ).first()


def _slices(credit: Credit) -> Iterator[tuple[Document, Amounts]]:
    """What is taken back of which invoice or receipt; the fees of the slices add up (R5.2)."""
    job, escrow = credit.job, credit.escrow
    assert job.policy is not None
    # Read and changed in memory only, slice by slice.
    left_of_escrow = Escrow(
        released_minor=escrow.released_minor,
        credited_minor=escrow.credited_minor,
        service_fee_minor=escrow.service_fee_minor,
    )
    left_minor = credit.amount_minor
    issued = (
        Document.objects.filter(escrow=escrow)
        .exclude(kind=Document.Kind.CREDIT_NOTE)
        .annotate(taken_back_minor=Coalesce(Sum("corrected_by__gross_minor"), 0))
        .order_by("-pk")
    )
    for document in issued:
        gross_minor = min(left_minor, document.gross_minor - document.taken_back_minor)
        if gross_minor == 0:
            continue
        part = quote_credit(left_of_escrow, policy=job.policy, gross_minor=gross_minor)
        left_of_escrow.credited_minor += gross_minor
        left_of_escrow.service_fee_minor -= part.service_fee_minor
        left_minor -= gross_minor
        yield document, part


def _change_escrow(credit: Credit, amounts: Amounts) -> None:
    escrow = credit.escrow
    credited_before, fee_before = escrow.credited_minor, escrow.service_fee_minor
    escrow.credited_minor += amounts.gross_minor
    escrow.service_fee_minor -= amounts.service_fee_minor
    written = Escrow.objects.filter(
        pk=escrow.pk, credited_minor=credited_before, service_fee_minor=fee_before
    ).update(credited_minor=escrow.credited_minor, service_fee_minor=escrow.service_fee_minor)
    if not written:
        raise states.LostRace(f"{escrow}: what was refunded of it has changed")


def _issue_credit_notes(
    credit: Credit, refund: Refund, slices: Sequence[tuple[Document, Amounts]]
) -> list[Document]:
    job = credit.job
    ((last_number,),) = statements.read(NEXT_NUMBERS, job.freelancer_id, len(slices))
    return Document.objects.bulk_create(
        Document(
            kind=Document.Kind.CREDIT_NOTE,
            issuer_id=corrected.issuer_id,
            number=number,
            job=job,
            escrow=credit.escrow,
            corrects=corrected,
            refund=refund,
            currency=job.currency,
            gross_minor=part.gross_minor,
            service_fee_minor=part.service_fee_minor,
            processing_fee_minor=part.processing_fee_minor,
            net_minor=part.net_minor,
            issued_at=credit.at,
            parties=documents.parties(job),
        )
        for number, (corrected, part) in enumerate(slices, last_number - len(slices) + 1)
    )


def _post(credit: Credit, refund: Refund, amounts: Amounts) -> None:
    assert credit.job.freelancer is not None
    currency = credit.job.currency
    posting = ledger.Posting(
        debit=ledger.available(credit.job.freelancer, currency),
        credit=ledger.refunding(refund.payment),
        amount_minor=amounts.net_minor,
        code=Transfer.Code.CREDIT,
        reference=f"refund:{refund.pk}:credit",
        at=credit.at,
    )
    fee = replace(
        posting,
        debit=ledger.platform_account(Account.Kind.SERVICE_FEES, currency),
        amount_minor=amounts.service_fee_minor,
        code=Transfer.Code.CREDIT_FEE,
        reference=f"refund:{refund.pk}:credit_fee",
    )
    ledger.post([posting, fee])
