"""What an answer about a payment does: Pending, Funded, unfunded again, or sent back (R3.2 to R3.5).

``payments.record_answer`` is the one caller: it has locked the Job and read the payment, its parts in
the order of the Terms, and their Escrows under it. Money that is wanted is entered by ``arrivals.sql``.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from billing import ledger
from billing.gateways.base import Answer, Status
from billing.models import (
    Allocation,
    Escrow,
    Payment,
    PaymentMethod,
    Refund,
    Transfer,
)
from billing.moves import cancellations, reasons
from billing.moves.reasons import Unwanted
from billing.notices import (
    AUTHENTICATION_FAILED,
    FUNDED,
    MONEY_RETURNED,
    PAYMENT_CANCELLED,
    PAYMENT_FAILED,
    PAYMENT_PENDING,
    PAYMENT_STOPPED,
)
from billing.services import refunds
from escrow_site.lib import statements, states
from escrow_site.lib.display import quoted
from escrow_site.lib.timing import DAY
from jobs.models import Person
from jobs.notices import Kind
from jobs.services import activity

SENT_BACK_STATES = (Payment.State.FAILED, Payment.State.CANCELLED, Payment.State.LAPSED)


def enter(
    payment: Payment,
    allocations: Sequence[Allocation],
    answer: Answer,
    *,
    by: Person | None,
    at: datetime,
) -> Refund | None:
    """Enter an answer; returns the Refund to carry out after the commit, if money is not wanted.

    What a state has no use for any more changes nothing.
    """
    _remember_authentication(payment, answer, at=at)
    if answer.status == Status.SUCCEEDED and _is_wanted(payment, allocations):
        _become_funded(payment, allocations, answer, at=at)
        return None
    _remember_reference(payment, answer)
    match answer.status:
        case Status.SUCCEEDED:
            return _refuse_money(payment, allocations, at=at)
        case Status.REQUIRES_AUTHENTICATION if payment.state == Payment.State.STARTED:
            _become_pending(payment, allocations, at=at)
        case Status.FAILED if payment.is_under_way:
            failure = answer.failure or "The bank refused the payment."
            _fail(payment, allocations, failure=failure, at=at)
        case Status.CANCELLED if payment.is_under_way:
            _cancel(payment, allocations, by=by, at=at)
    return None


def _remember_reference(payment: Payment, answer: Answer) -> None:
    if answer.reference and not payment.gateway_reference:
        Payment.objects.filter(pk=payment.pk).update(gateway_reference=answer.reference)
        payment.gateway_reference = answer.reference


def _remember_authentication(payment: Payment, answer: Answer, *, at: datetime) -> None:
    """A card that passed its bank's check for a payment is authenticated from then on (R3.3)."""
    if answer.card_authenticated and not payment.method.is_authenticated:
        PaymentMethod.objects.filter(pk=payment.method_id, authenticated_at__isnull=True).update(
            authenticated_at=at
        )
        payment.method.authenticated_at = at


def _refuse_money(
    payment: Payment, allocations: Sequence[Allocation], *, at: datetime
) -> Refund | None:
    """Money that is not wanted goes back, once; an answer that comes again changes nothing."""
    why = reasons.unwanted(payment, allocations)
    if payment.is_under_way:
        _give_up(payment, allocations)
        states.move([payment], "fail", at=at, failure=str(why))
    if payment.state in SENT_BACK_STATES:
        return _send_back(payment, allocations, why=why, at=at)
    return None


def _is_wanted(payment: Payment, allocations: Sequence[Allocation]) -> bool:
    return (
        payment.is_under_way
        and payment.job.is_running
        and all(
            allocation.live
            and allocation.escrow.state in (Escrow.State.UNFUNDED, Escrow.State.PENDING)
            and allocation.escrow.amount_minor == allocation.amount_minor
            for allocation in allocations
        )
    )


def _become_funded(
    payment: Payment, allocations: Sequence[Allocation], answer: Answer, *, at: datetime
) -> None:
    was_pending = payment.state == Payment.State.AUTHENTICATING
    written = statements.run(
        statements.beside(__file__),
        statements.as_json([_arrived(payment, answer, at=at)]),
        statements.as_json(map(_funded, allocations)),
    )
    count = len(allocations)
    if written != [{"payments": 1, "escrows": count, "transfers": count}]:
        raise states.LostRace(f"{payment}: {written} of 1 payment for {count} Escrows")
    reason = reasons.funded(was_pending=was_pending)
    _record(payment, allocations, FUNDED, by=payment.payer, reason=reason, at=at)
    activity.record_all(cancellations.end_if_overtaken(payment.job, at=at))


def _arrived(payment: Payment, answer: Answer, *, at: datetime) -> dict[str, Any]:
    """Make the move in memory and say what ``arrivals.sql`` is to write."""
    state_before = payment.state
    payment.succeed(at=at)
    payment.gateway_reference = payment.gateway_reference or answer.reference
    return {
        "payment_id": payment.pk,
        "gateway": payment.gateway,
        "gateway_reference": payment.gateway_reference,
        "currency": payment.currency,
        "state_before": state_before,
        "state": payment.state,
        "succeeded_at": payment.succeeded_at,
    }


def _funded(allocation: Allocation) -> dict[str, Any]:
    """The same for a part and its Escrow."""
    escrow = allocation.escrow
    state_before = escrow.state
    escrow.fund()
    return {
        "escrow_id": escrow.pk,
        "amount_minor": allocation.amount_minor,
        "state_before": state_before,
        "state": escrow.state,
        "funded_minor": escrow.funded_minor,
    }


def _become_pending(payment: Payment, allocations: Sequence[Allocation], *, at: datetime) -> None:
    """From when the bank asks its holder has the days of R3.4, however late it asks."""
    policy = payment.job.policy
    assert policy is not None
    lapses_at = at + policy.authentication_days * DAY
    states.move([payment], "await_authentication", lapses_at=lapses_at)
    for days in (0, *policy.authentication_reminder_days):
        payment.job.note_due(lapses_at - days * DAY)
    states.move([allocation.escrow for allocation in allocations], "await_authentication")
    _record(
        payment, allocations, PAYMENT_PENDING, by=payment.payer, reason=reasons.PENDING, at=at,
        due_at=payment.lapses_at,
    )  # fmt: skip


def _fail(
    payment: Payment, allocations: Sequence[Allocation], *, failure: str, at: datetime
) -> None:
    was_pending = payment.state == Payment.State.AUTHENTICATING
    states.move([payment], "fail", at=at, failure=failure[: reasons.LONGEST_REASON])
    _give_up(payment, allocations)
    kind = AUTHENTICATION_FAILED if was_pending else PAYMENT_FAILED
    reason = reasons.failed(was_pending=was_pending)
    _record(payment, allocations, kind, by=payment.payer, reason=reason, at=at, failure=failure)


def _cancel(
    payment: Payment, allocations: Sequence[Allocation], *, by: Person | None, at: datetime
) -> None:
    was_pending = payment.state == Payment.State.AUTHENTICATING
    states.move([payment], "cancel", at=at)
    _give_up(payment, allocations)
    kind = PAYMENT_CANCELLED if was_pending else PAYMENT_STOPPED
    reason = reasons.cancelled(was_pending=was_pending, by=by)
    _record(payment, allocations, kind, by=by, reason=reason, at=at)


def _give_up(payment: Payment, allocations: Sequence[Allocation]) -> None:
    """The payment no longer stands for its Milestones: they are unfunded again (R3.2)."""
    pending = [
        allocation.escrow
        for allocation in allocations
        if allocation.live and allocation.escrow.state == Escrow.State.PENDING
    ]
    states.move(pending, "fall_back")
    Allocation.objects.filter(payment=payment, live=True).update(live=False)


def _send_back(
    payment: Payment, allocations: Sequence[Allocation], *, why: Unwanted, at: datetime
) -> Refund:
    """Money that arrived where it is no longer wanted goes back to its source at once (R3.5)."""
    states.move([payment], "send_back")
    refund = refunds.start(payment, amount_minor=payment.amount_minor, reason=str(why), at=at)
    ledger.post(
        [
            ledger.Posting(
                debit=ledger.cash(payment.gateway, payment.currency),
                credit=ledger.refunding(payment),
                amount_minor=payment.amount_minor,
                code=Transfer.Code.UNWANTED,
                reference=f"payment:{payment.pk}:unwanted",
                at=at,
            )
        ]
    )
    _record(
        payment, allocations, MONEY_RETURNED, by=None, reason=str(why), at=at,
        cause=why.cause, ended_at=why.since,
    )  # fmt: skip
    return refund


def _record(
    payment: Payment,
    allocations: Sequence[Allocation],
    kind: Kind,
    *,
    by: Person | None,
    reason: str,
    at: datetime,
    **facts: Any,
) -> None:
    """One line of history for the whole payment, whatever the number of its Milestones."""
    escrows = [allocation.escrow for allocation in allocations]
    activity.record(
        payment.job,
        kind,
        by=by,
        at=at,
        reason=reason,
        escrow=", ".join(escrow.title for escrow in escrows),
        milestones=quoted(escrow.title for escrow in escrows),
        number=escrows[0].number,
        numbers=[escrow.number for escrow in escrows],
        amount_minor=payment.amount_minor,
        payment=payment.pk,
        card=str(payment.method),
        **facts,
    )
