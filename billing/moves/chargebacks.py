"""A chargeback freezes what its payment is held for, and ends: rows of a locked Job (R8.4).

Who says how it ended is in ``services.chargebacks``.
"""

from collections.abc import Sequence
from datetime import datetime

from django.db.models import QuerySet, Sum

from billing import ledger
from billing.models import Chargeback, Escrow, Payment, Refund, ReleaseRequest, Transfer
from billing.moves import disputes
from escrow_site.lib import states
from jobs.models import Job
from jobs.services.columns import set_columns


def escrows_of(payment: Payment) -> list[Escrow]:
    """What the payment is there for, in the order of the Terms; each with its ``job``."""
    escrows = list(
        Escrow.objects.of(payment.job).filter(allocations__payment=payment, allocations__live=True)
    )
    for escrow in escrows:
        escrow.job = payment.job
    return escrows


def freeze(escrows: Sequence[Escrow], *, at: datetime) -> None:
    """Stop every timer of the money; a clock that a Dispute has stopped already stays stopped."""
    _set_charged_back(escrows, at)
    running = _requests_of(escrows).filter(
        state__in=[ReleaseRequest.State.OPEN, ReleaseRequest.State.OVERDUE]
    )
    states.move(list(running), "dispute", at=at)


def thaw(job: Job, escrows: Sequence[Escrow], *, at: datetime) -> None:
    """End the freeze, and let the clocks run again as after a Dispute (R9.4)."""
    end_freeze(job, escrows, at=at)
    resume(job, escrows, at=at)


def resume(job: Job, escrows: Sequence[Escrow], *, at: datetime) -> None:
    """Let the clocks run again, save those that a Dispute still stops."""
    undisputed = [escrow for escrow in escrows if escrow.disputed_at is None]
    stopped = _requests_of(undisputed).filter(state=ReleaseRequest.State.DISPUTED)
    for request in stopped:
        request.job = job
        disputes.resume(job, request, at=at)


def end_freeze(job: Job, escrows: Sequence[Escrow], *, at: datetime) -> None:
    """The money is free again: what fell due on its Job by R10 meanwhile is due now, as after a Dispute.

    Its requests stay as they are. Where nothing was held nothing stood still, and no clock changes.
    """
    _set_charged_back(escrows, None)
    if any(escrow.held_minor for escrow in escrows):
        set_columns(job, dispute_ended_at=at)
        disputes.note_overdue_dormancy(job, at=at)


def pay(chargeback: Chargeback, refund_ids: Sequence[int], *, at: datetime) -> None:
    """The bank has what it took: what had been held covers its part, the platform bears the rest.

    The Refunds are those of the Escrows that the payment was held for; they have reached the card by
    this, and no provider is asked to send them. The payment is over when nothing is held of it.
    """
    payment = chargeback.payment
    refunds = list(Refund.objects.filter(pk__in=refund_ids))
    states.move(refunds, "succeed", at=at, gateway_reference=chargeback.gateway_reference)
    is_held = any(escrow.held_minor for escrow in escrows_of(payment))
    if payment.state == Payment.State.SUCCEEDED and not is_held:
        states.move([payment], "charge_back", at=at)
    account = ledger.platform_account("chargebacks", payment.currency)
    given = [
        cover(chargeback, refund, amount_minor=refund.amount_minor, at=at) for refund in refunds
    ]
    taken = ledger.Posting(
        debit=account,
        credit=ledger.cash(payment.gateway, payment.currency),
        amount_minor=chargeback.amount_minor,
        code=Transfer.Code.CHARGEBACK,
        reference=f"chargeback:{chargeback.pk}:taken",
        at=at,
    )
    ledger.post([*given, taken])


def uncovered(payment: Payment) -> tuple[Chargeback, int] | None:
    """A lost chargeback of which the platform bears a part, and how much; in minor units."""
    for chargeback in Chargeback.objects.filter(payment=payment, state=Chargeback.State.LOST):
        covered = Transfer.objects.filter(reference__startswith=_covers(chargeback))
        covered_minor = covered.aggregate(total=Sum("amount_minor"))["total"] or 0
        if covered_minor < chargeback.amount_minor:
            return chargeback, chargeback.amount_minor - covered_minor
    return None


def cover(
    chargeback: Chargeback, refund: Refund, *, amount_minor: int, at: datetime
) -> ledger.Posting:
    """Money that was on its way to the card is what the bank has taken."""
    payment = chargeback.payment
    return ledger.Posting(
        debit=ledger.refunding(payment),
        credit=ledger.platform_account("chargebacks", payment.currency),
        amount_minor=amount_minor,
        code=Transfer.Code.CHARGEBACK,
        reference=f"{_covers(chargeback)}{refund.pk}",
        at=at,
    )


def _covers(chargeback: Chargeback) -> str:
    return f"chargeback:{chargeback.pk}:refund:"


def _requests_of(escrows: Sequence[Escrow]) -> QuerySet[ReleaseRequest]:
    return ReleaseRequest.objects.filter(escrow__in=escrows)


def _set_charged_back(escrows: Sequence[Escrow], at: datetime | None) -> None:
    for escrow in escrows:
        escrow.charged_back_at = at
    Escrow.objects.filter(pk__in=[escrow.pk for escrow in escrows]).update(charged_back_at=at)
