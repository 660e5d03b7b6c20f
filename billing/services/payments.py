"""Payments: money from the Client into Milestones (R3).

``start`` writes the intent, ``carry_out`` calls the gateway, ``record_answer`` enters what it says.
Cards are in ``cards``, money that goes back in ``refunds``, Funding Requests in ``funding``.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from billing import gateways, ledger
from billing.gateways.base import Answer, ChargeOrder, GatewayError, Kind, Status
from billing.models import Allocation, Escrow, Payment, PaymentMethod
from billing.services import arrivals, cards, catching_up, refunds
from billing.services.cards import BankSilent
from billing.services.funding import refuse_hourly, refuse_unless_running
from escrow_site.lib import money, statements, states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from jobs.services.accounts import refuse_locked

# The agreed Escrows in the order of the Terms, each with the payment that is there for it already,
# and the card that is to pay, locked so that it cannot be removed meanwhile.
AGREED = """
SELECT {escrow}, {method}, allocation.payment_id
  FROM billing_escrow AS escrow
  JOIN billing_paymentmethod AS method ON method.id = %s
  LEFT JOIN billing_allocation AS allocation
    ON allocation.escrow_id = escrow.id AND allocation.live
 WHERE escrow.job_id = %s AND escrow.state <> 'removed'
 ORDER BY escrow.position, escrow.number FOR NO KEY UPDATE OF method
"""
# A payment with its parts in the order of the Terms, and whether its gateway has a cash account.
PAID = """
SELECT {payment}, {method}, {allocation}, {escrow}, cash.id
  FROM billing_payment AS payment
  JOIN billing_paymentmethod AS method ON method.id = payment.method_id
  JOIN billing_allocation AS allocation ON allocation.payment_id = payment.id
  JOIN billing_escrow AS escrow ON escrow.id = allocation.escrow_id
  LEFT JOIN billing_account AS cash
    ON cash.kind = 'cash' AND cash.currency = payment.currency AND cash.gateway = payment.gateway
 WHERE payment.id = %s
 ORDER BY escrow.position, escrow.id
"""


class CardNotAuthenticated(Refusal):
    """The card may fund the first Milestone only, until its bank has confirmed it (R3.3)."""


class AlreadyUnderWay(Refusal):
    """A payment for this Milestone is there already; ``payment_id`` names it (R3.5)."""

    def __init__(self, message: str, *, payment_id: int) -> None:
        super().__init__(message)
        self.payment_id = payment_id


def may_fund(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """The Client funds an unfunded Milestone of a running fixed-price Job (R3.1).

    Whether a payment is under way that the bank has not answered yet is for ``start`` to see.
    """
    job = escrow.job
    if refusal := refuse_payer(job, by=by):
        return refusal
    if escrow.state == Escrow.State.PENDING:
        return WrongState(f"A payment for “{escrow}” is Pending already.")
    if escrow.state != Escrow.State.UNFUNDED:
        return WrongState(
            f"“{escrow}” is {escrow.get_state_display().lower()}: it cannot be funded."
        )
    return None


def refuse_payer(job: Job, *, by: Person) -> Refusal | None:
    """Money comes from the Client of a running fixed-price Job."""
    if refusal := refuse_hourly(job):
        return refusal
    if job.role_of(by) != "client":
        return WrongParty("Only the Client can fund a Milestone.")
    return refuse_locked(by) or refuse_unless_running(job)


# --- Funding ---


def fund(
    job_id: int,
    *,
    numbers: Iterable[int],
    method: PaymentMethod,
    by: Person,
    at: datetime,
    seen_minor: int | None = None,
) -> Payment:
    """Fund the Job's Milestones with these numbers by one charge, all or none (R3.1).

    ``start`` and ``carry_out`` in one. Returns the Payment as the gateway's answer left it: it may
    have succeeded, failed, be waiting for authentication, or for an answer.
    """
    payment = start(job_id, numbers=numbers, method=method, by=by, at=at, seen_minor=seen_minor)
    return carry_out(payment, at=at)


def start(
    job_id: int,
    *,
    numbers: Iterable[int],
    method: PaymentMethod,
    by: Person,
    at: datetime,
    seen_minor: int | None = None,
) -> Payment:
    """Write the intent to charge a card for whole Milestones, and commit it.

    ``seen_minor`` is the total that the person agreed to. Locks the Job, then the card. Raises
    Refusal: may_fund, AlreadyUnderWay, StalePage, CardNotAuthenticated, an unusable card.
    """
    with catching_up.locked_job(job_id, at=at, durable=True) as job:
        refuse_if(refuse_payer(job, by=by))
        rows = statements.read(AGREED, method.pk, job.pk, escrow=Escrow, method=PaymentMethod)
        agreed: list[Escrow] = [escrow for escrow, _, _ in rows]
        under_way = {escrow.pk: payment_id for escrow, _, payment_id in rows if payment_id}
        chosen = _choose(job, agreed, set(numbers), under_way=under_way, by=by, at=at)
        total_minor = sum(escrow.amount_minor for escrow in chosen)
        if seen_minor is not None and seen_minor != total_minor:
            raise StalePage(
                f"The price has changed: it is {money.display(total_minor, job.currency)} now. "
                "Please check the amounts and fund again."
            )
        method = rows[0][1]
        refuse_if(cards.refuse_unless_usable(method, by=by, at=at))
        refuse_if(_refuse_unauthenticated(method, chosen, agreed))
        return _write_intent(job, chosen, method, total_minor=total_minor, at=at)


def _choose(
    job: Job,
    agreed: Sequence[Escrow],
    numbers: set[int],
    *,
    under_way: Mapping[int, int],
    by: Person,
    at: datetime,
) -> list[Escrow]:
    """The Escrows with these numbers, in the order of the Terms; refuses if one cannot be funded.

    ``under_way`` are the ids of payments that are there already, by the ids of their Escrows.
    """
    chosen = [escrow for escrow in agreed if escrow.number in numbers]
    if not numbers:
        raise WrongState("Choose at least one Milestone to fund.")
    if len(chosen) != len(numbers):
        raise WrongState("A Milestone that you chose is not part of the agreed Terms.")
    for escrow in chosen:
        escrow.job = job
        refusal = may_fund(escrow, by=by, at=at)
        if escrow.pk in under_way:
            message = refusal.message if refusal else f"A payment for “{escrow}” is under way."
            raise AlreadyUnderWay(message, payment_id=under_way[escrow.pk])
        refuse_if(refusal)
    return chosen


def is_first_funding(chosen: Sequence[Escrow], agreed: Sequence[Escrow]) -> bool:
    """Whether the first agreed Milestone, and it alone, is to be funded on an unfunded Job (R3.3)."""
    return (
        len(chosen) == 1
        and chosen[0].pk == agreed[0].pk
        and all(escrow.funded_minor == 0 for escrow in agreed)
    )


def _refuse_unauthenticated(
    method: PaymentMethod, chosen: Sequence[Escrow], agreed: Sequence[Escrow]
) -> Refusal | None:
    if method.is_authenticated or is_first_funding(chosen, agreed):
        return None
    return CardNotAuthenticated(
        f"{method} is not authenticated. Such a card can fund the first Milestone only, while nothing "
        "on the Job was ever Funded. Authenticate the card at your bank (Manage ▸ Cards ▸ "
        "Authenticate), or choose another one."
    )


def _write_intent(
    job: Job, chosen: Sequence[Escrow], method: PaymentMethod, *, total_minor: int, at: datetime
) -> Payment:
    assert job.policy is not None
    payment = Payment(
        job=job,
        payer=job.client,
        method=method,
        gateway=method.gateway,
        amount_minor=total_minor,
        currency=job.currency,
        started_at=at,
        lapses_at=at + job.policy.authentication_days * DAY,
    )
    parts = [{"escrow_id": escrow.pk, "amount_minor": escrow.amount_minor} for escrow in chosen]
    [written] = statements.run(
        statements.beside(__file__),
        statements.as_json([states.snapshot(payment)]),
        statements.as_json(parts),
    )
    payment.pk = written["id"]
    payment._state.adding = False
    return payment


# --- What the gateway does and says ---


def carry_out(payment: Payment, *, at: datetime) -> Payment:
    """Tell the gateway to charge and record its answer; never inside a transaction.

    Without an answer the payment stays under way, and the reconcile task asks. Does nothing twice.
    """
    try:
        answer = gateways.get(payment.gateway).start_charge(_order(payment))
    except GatewayError:
        return payment
    return record_answer(payment, answer, at=at)


def ask(payment: Payment, *, at: datetime) -> Payment:
    """Ask the gateway what became of a payment under way; send it again if it never arrived.

    Raises BankSilent.
    """
    gateway = gateways.get(payment.gateway)
    try:
        answer = gateway.look_up(
            Kind.CHARGE,
            idempotency_key=payment.idempotency_key,
            reference=payment.gateway_reference,
        )
    except GatewayError as error:
        raise BankSilent("The bank has not answered yet.") from error
    if answer.status == Status.NOT_FOUND:
        return carry_out(payment, at=at)
    if answer.status == Status.REQUIRES_AUTHENTICATION and payment.gateway_reference:
        return payment  # Pending, as before: no need to lock its Job
    return record_answer(payment, answer, at=at)


def authentication_url(payment: Payment, *, at: datetime) -> str:
    """Where the payer authenticates a Pending payment now; "" if there is nothing to authenticate.

    Raises BankSilent.
    """
    if payment.state != Payment.State.AUTHENTICATING:
        return ""
    try:
        answer = gateways.get(payment.gateway).look_up(
            Kind.CHARGE,
            idempotency_key=payment.idempotency_key,
            reference=payment.gateway_reference,
        )
    except GatewayError as error:
        raise BankSilent("The bank did not answer. Please try again.") from error
    if not answer.authentication_url:
        record_answer(payment, answer, at=at)
    return answer.authentication_url


def find(gateway: str, answer: Answer) -> Payment | None:
    """The payment that an answer is about."""
    payments = Payment.objects.filter(gateway=gateway)
    return payments.filter(idempotency_key=answer.idempotency_key).first()


def record_answer(
    payment: Payment, answer: Answer, *, at: datetime, by: Person | None = None
) -> Payment:
    """Enter the gateway's answer about a payment, in a transaction of its own; the payment after it.

    ``by`` is the person whom a cancellation comes from. An answer that comes twice, late or in the
    wrong order does nothing twice (R3.5). Money that is no longer wanted is on its way back when
    this returns. Locks the Job.
    """
    with catching_up.locked_job(payment.job_id, at=at, durable=True) as job:
        payment, allocations = _read(job, payment.pk)
        refund = arrivals.enter(payment, allocations, answer, by=by, at=at)
    if refund is not None:
        refunds.carry_out(refund, at=at)
    return payment


def _read(job: Job, payment_id: int) -> tuple[Payment, list[Allocation]]:
    """A payment of a locked Job with its card, and its parts with their Escrows."""
    rows = statements.read(
        PAID,
        payment_id,
        payment=Payment,
        method=PaymentMethod,
        allocation=Allocation,
        escrow=Escrow,
    )
    payment, method, _, _, cash_id = rows[0]
    payment.job, payment.method = job, method
    if payment.payer_id == job.client_id:
        payment.payer = job.client
    if cash_id is None:  # the first payment through this gateway in this currency
        ledger.cash(payment.gateway, payment.currency)
    for _, _, allocation, escrow, _ in rows:
        escrow.job, allocation.payment, allocation.escrow = job, payment, escrow
    return payment, [allocation for _, _, allocation, _, _ in rows]


# --- Cancelling ---


def may_cancel(payment: Payment, *, by: Person, at: datetime) -> Refusal | None:
    """The Client cancels his payment while it is Pending or the bank has not answered (R3.4)."""
    if payment.payer_id != by.pk:
        return WrongParty("Only the Client who pays can cancel a payment.")
    if not payment.is_under_way:
        return WrongState(
            f"This payment has {_OUTCOMES[payment.state]}: there is nothing to cancel."
        )
    return refuse_locked(by)


_OUTCOMES = {
    Payment.State.SUCCEEDED: "succeeded",
    Payment.State.FAILED: "failed",
    Payment.State.CANCELLED: "been cancelled",
    Payment.State.LAPSED: "lapsed",
    Payment.State.RETURNED: "been sent back",
    Payment.State.REFUNDED: "been refunded",
    Payment.State.CHARGED_BACK: "been charged back",
}


def cancel(payment: Payment, *, by: Person, at: datetime) -> Payment:
    """Cancel a payment under way at the gateway, then here; never inside a transaction.

    Returns it as it is then: the bank may have been faster, and the Milestones are Funded. Raises the
    Refusal of may_cancel, and BankSilent.
    """
    with catching_up.locked_job(payment.job_id, at=at, durable=True):
        payment = Payment.objects.select_related("method").get(pk=payment.pk)
        refuse_if(may_cancel(payment, by=by, at=at))
    try:
        answer = gateways.get(payment.gateway).cancel_charge(_order(payment))
    except GatewayError as error:
        raise BankSilent(
            "The bank did not answer, so the payment was not cancelled. Please try again."
        ) from error
    return record_answer(payment, answer, at=at, by=by)


def stop(payment: Payment, *, at: datetime) -> None:
    """Tell the gateway that a payment which has ended here is not wanted; never inside a transaction.

    Was the bank faster, its money goes back (R3.5). Without a final answer the intent stays, and the
    reconcile task tells it again. Raises BankSilent.
    """
    try:
        answer = gateways.get(payment.gateway).cancel_charge(_order(payment))
    except GatewayError as error:
        raise BankSilent("The bank did not answer.") from error
    record_answer(payment, answer, at=at)
    if answer.status in (Status.SUCCEEDED, Status.FAILED, Status.CANCELLED):
        Payment.objects.filter(pk=payment.pk).update(stop_wanted_at=None)


def _order(payment: Payment) -> ChargeOrder:
    return ChargeOrder(
        idempotency_key=payment.idempotency_key,
        card_reference=payment.method.gateway_reference,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
    )
