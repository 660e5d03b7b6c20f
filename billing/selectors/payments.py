"""What became of a payment, as its payer reads it: who, what, when, why."""

from django.db.models import QuerySet, Sum

from billing.models import Payment, Refund, Transfer
from jobs.models import Person
from jobs.selectors import history
from jobs.selectors.history import HistoryLine


def story(payment: Payment, *, viewer: Person) -> list[HistoryLine]:
    """The lines of the Job's history that are about the payment, newest first."""
    about = history.for_parties(payment.job).filter(facts__payment=payment.pk)
    newest_first = about.select_related("actor").order_by("-happened_at", "-pk")
    return history.lines(newest_first, payment.job, viewer)


def with_payer_minor(payment: Payment) -> int:
    """What of it was put on its payer's available balance, as its card takes no money back; in minor units."""
    refused = Transfer.objects.filter(
        debit_account__payment=payment, code=Transfer.Code.REFUND_REFUSED
    )
    return refused.aggregate(total=Sum("amount_minor"))["total"] or 0


def refunds_of(payment: Payment) -> QuerySet[Refund]:
    """What went back of what had been held, oldest first, with who sent it back (R8.1)."""
    refunds = payment.refunds.filter(escrow__isnull=False)
    return refunds.select_related("escrow", "refunded_by").order_by("pk")
