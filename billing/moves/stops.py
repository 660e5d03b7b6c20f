"""Payments under way end here at once, because their Job does; the gateway follows (R8.3, R3.5).

The intent to stop a payment is kept with its row (``stop_wanted_at``) until the provider has been
told (``services.payments.stop``). Money that arrives all the same goes back as not wanted.
"""

from datetime import datetime

from billing.models import Allocation, Escrow, Payment
from billing.moves.refunds import wake_reconciling
from billing.notices import PAYMENT_CANCELLED, PAYMENT_STOPPED
from escrow_site.lib import states
from escrow_site.lib.display import quoted
from escrow_site.lib.transactions import once_after_commit
from jobs.models import Job, Person
from jobs.services.activity import Entry


def stop_all(job: Job, *, by: Person, at: datetime, reason: str) -> list[Entry]:
    """Cancel every payment under way of a locked Job; its Milestones are unfunded again (R3.2).

    The lines of history tell nobody: the caller's line does. The reconcile task tells the providers
    after the commit.
    """
    payments = list(
        Payment.objects.filter(job=job).under_way().select_related("method").order_by("pk")
    )
    if not payments:
        return []
    were_pending = {
        payment.pk for payment in payments if payment.state == Payment.State.AUTHENTICATING
    }
    states.move(payments, "cancel", at=at)
    Payment.objects.filter(pk__in=[payment.pk for payment in payments]).update(stop_wanted_at=at)
    live = Allocation.objects.filter(payment__in=payments, live=True)
    allocations = list(live.select_related("escrow").order_by("escrow__position", "escrow_id"))
    escrows = [allocation.escrow for allocation in allocations]
    states.move([one for one in escrows if one.state == Escrow.State.PENDING], "fall_back")
    live.update(live=False)
    once_after_commit(wake_reconciling)
    return [
        _entry(
            job,
            payment,
            [one.escrow for one in allocations if one.payment_id == payment.pk],
            was_pending=payment.pk in were_pending,
            by=by,
            at=at,
            reason=reason,
        )
        for payment in payments
    ]


def _entry(
    job: Job,
    payment: Payment,
    escrows: list[Escrow],
    *,
    was_pending: bool,
    by: Person,
    at: datetime,
    reason: str,
) -> Entry:
    return Entry(
        job=job,
        kind=PAYMENT_CANCELLED if was_pending else PAYMENT_STOPPED,
        by=by,
        at=at,
        reason=reason,
        facts={
            "escrow": ", ".join(escrow.title for escrow in escrows),
            "milestones": quoted(escrow.title for escrow in escrows),
            "number": escrows[0].number if escrows else None,
            "numbers": [escrow.number for escrow in escrows],
            "amount_minor": payment.amount_minor,
            "payment": payment.pk,
            "card": str(payment.method),
        },
    ).quiet()
