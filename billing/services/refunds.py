"""Money on its way back to the card that it came from (R3.5, R8.1).

The ledger has moved to the payment's ``refunding`` account when a Refund is made; the gateway
follows after the commit. Held money goes back by ``moves.refunds``; who may refund what, and why, is
decided elsewhere.
"""

from datetime import datetime

from billing import gateways, ledger
from billing.chargeback_notices import REFUND_COVERS_CHARGEBACK
from billing.gateways.base import Answer, GatewayError, Kind, RefundOrder, Status
from billing.models import Chargeback, Escrow, Payment, Refund, Transfer
from billing.moves import chargebacks, reasons
from billing.notices import REFUND_REFUSED
from billing.services import catching_up
from escrow_site.lib import states
from jobs.models import Job
from jobs.services import activity

COVERS = "The card takes no money back, and the Client’s bank has taken the payment back already."


def start(
    payment: Payment, *, amount_minor: int, reason: str, at: datetime, escrow: Escrow | None = None
) -> Refund:
    """Write the intent to send part of a payment back, in minor units.

    In the transaction of its cause, which also posts the amount to ``ledger.refunding(payment)``.
    The caller calls ``carry_out`` after the commit; the reconcile task does it otherwise.
    """
    return Refund.objects.create(
        payment=payment, escrow=escrow, amount_minor=amount_minor, reason=reason, started_at=at
    )


def carry_out(refund: Refund, *, at: datetime) -> None:
    """Tell the gateway to send the money back and record its answer; never inside a transaction.

    An answer that does not come leaves the Refund under way. Does nothing twice.
    """
    payment = refund.payment
    order = RefundOrder(
        idempotency_key=refund.idempotency_key,
        charge_reference=payment.gateway_reference,
        amount_minor=refund.amount_minor,
        currency=payment.currency,
    )
    try:
        answer = gateways.get(payment.gateway).refund(order)
    except GatewayError:
        return
    record_answer(refund.pk, answer, at=at)


def ask(refund: Refund, *, at: datetime) -> None:
    """Ask the gateway what became of a Refund under way; send it again if it never arrived."""
    answer = gateways.get(refund.payment.gateway).look_up(
        Kind.REFUND, idempotency_key=refund.idempotency_key, reference=refund.gateway_reference
    )
    if answer.status == Status.NOT_FOUND:
        carry_out(refund, at=at)
    else:
        record_answer(refund.pk, answer, at=at)


def find(gateway: str, answer: Answer) -> Refund | None:
    """The Refund that an answer is about."""
    return Refund.objects.filter(
        payment__gateway=gateway, idempotency_key=answer.idempotency_key
    ).first()


def record_answer(refund_id: int, answer: Answer, *, at: datetime) -> None:
    """Enter the gateway's answer, once: the money has arrived, or its source refuses it for good.

    What is refused goes to the payer's available balance (R8.1), but not what his bank has taken back
    already (R8.4): while a chargeback of the payment is open a refusal waits, and is asked about again;
    after a lost one it covers first what the platform bears of that. Locks the Job.
    """
    if answer.status not in (Status.SUCCEEDED, Status.FAILED):
        return
    job_id = Refund.objects.values_list("payment__job_id", flat=True).get(pk=refund_id)
    with catching_up.locked_job(job_id, at=at, durable=True) as job:
        refund = Refund.objects.select_related("payment__payer", "payment__method").get(
            pk=refund_id
        )
        if refund.state != Refund.State.STARTED:
            return
        if answer.status == Status.SUCCEEDED:
            _succeed(refund, answer, at=at)
        elif not Chargeback.objects.filter(payment=refund.payment).open().exists():
            _refuse(job, refund, at=at)


def _succeed(refund: Refund, answer: Answer, *, at: datetime) -> None:
    payment = refund.payment
    states.move([refund], "succeed", at=at, gateway_reference=answer.reference)
    ledger.post(
        [
            ledger.Posting(
                debit=ledger.refunding(payment),
                credit=ledger.cash(payment.gateway, payment.currency),
                amount_minor=refund.amount_minor,
                code=Transfer.Code.REFUND_PAID,
                reference=f"refund:{refund.pk}:paid",
                at=at,
            )
        ]
    )


def _refuse(job: Job, refund: Refund, *, at: datetime) -> None:
    states.move([refund], "fail", at=at)
    left_minor = refund.amount_minor
    if found := chargebacks.uncovered(refund.payment):
        chargeback, uncovered_minor = found
        covered_minor = min(left_minor, uncovered_minor)
        left_minor -= covered_minor
        covering = chargebacks.cover(chargeback, refund, amount_minor=covered_minor, at=at)
        ledger.post([covering])
        activity.record(
            job, REFUND_COVERS_CHARGEBACK, by=None, at=at, reason=COVERS, amount_minor=covered_minor,
            payment=refund.payment_id,
        )  # fmt: skip
    if left_minor:
        _credit_payer(job, refund, amount_minor=left_minor, at=at)


def _credit_payer(job: Job, refund: Refund, *, amount_minor: int, at: datetime) -> None:
    payment = refund.payment
    ledger.post(
        [
            ledger.Posting(
                debit=ledger.refunding(payment),
                credit=ledger.available(payment.payer, payment.currency),
                amount_minor=amount_minor,
                code=Transfer.Code.REFUND_REFUSED,
                reference=f"refund:{refund.pk}:refused",
                at=at,
            )
        ]
    )
    activity.record(
        job,
        REFUND_REFUSED,
        by=None,
        at=at,
        reason=reasons.refund_refused(refund),
        amount_minor=amount_minor,
        payer=str(payment.payer),
        card=str(payment.method),
        payment=payment.pk,
    )
