"""What the Balance page shows: available balances, what moved them, payouts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet, Sum

from billing.models import Account, Payout, Transfer
from escrow_site.lib import money
from jobs.models import Person

MOVEMENTS_SHOWN = 15


@dataclass(frozen=True, kw_only=True)
class Balance:
    """A person's money in one currency, in minor units."""

    currency: str
    available_minor: int
    paying_out_minor: int


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One change of an available balance, in plain words; ``amount`` has its sign."""

    at: datetime
    words: str
    job_id: int | None
    job: str
    amount: str
    came_in: bool


def balances(person: Person) -> list[Balance]:
    """The person's balances, one per currency in which there ever was one."""
    rows = (
        Account.objects.filter(
            Q(kind=Account.Kind.AVAILABLE, person=person)
            | Q(kind=Account.Kind.PAYING_OUT, payout__person=person)
        )
        .values("currency")
        .annotate(
            available_minor=Sum("balance_minor", filter=Q(kind=Account.Kind.AVAILABLE), default=0),
            paying_out_minor=Sum(
                "balance_minor", filter=Q(kind=Account.Kind.PAYING_OUT), default=0
            ),
        )
        .order_by("currency")
    )
    return [
        Balance(
            currency=row["currency"],
            available_minor=int(row["available_minor"]),
            paying_out_minor=int(row["paying_out_minor"]),
        )
        for row in rows
    ]


def movements(person: Person) -> list[Movement]:
    """The newest changes of the person's available balances."""
    own = Account.objects.filter(kind=Account.Kind.AVAILABLE, person=person)
    keys = set(own.values_list("pk", flat=True))
    transfers = (
        Transfer.objects.filter(Q(debit_account__in=keys) | Q(credit_account__in=keys))
        .select_related(
            "debit_account__escrow__job",
            "debit_account__payment__job",
            "debit_account__payout",
            "credit_account__payout",
            "credit_account__payment__job",
        )
        .order_by("-happened_at", "-pk")
    )
    return [
        _movement(transfer, came_in=transfer.credit_account_id in keys)
        for transfer in transfers[:MOVEMENTS_SHOWN]
    ]


def payouts(person: Person) -> QuerySet[Payout]:
    """The person's payouts, newest first."""
    return Payout.objects.filter(person=person).order_by("-started_at", "-pk")


def currencies_to_pay_out(found: Sequence[Balance]) -> list[Balance]:
    """Those in which there is something to pay out."""
    return [balance for balance in found if balance.available_minor > 0]


def _movement(transfer: Transfer, *, came_in: bool) -> Movement:
    source = transfer.debit_account
    escrow, payment = source.escrow, source.payment or transfer.credit_account.payment
    job = escrow.job if escrow else payment.job if payment else None
    sign = "+" if came_in else "−"
    return Movement(
        at=transfer.happened_at,
        words=_words(transfer),
        job_id=job.pk if job else None,
        job=job.title if job else "",
        amount=f"{sign}{money.display(transfer.amount_minor, source.currency)}",
        came_in=came_in,
    )


def _words(transfer: Transfer) -> str:
    source, target = transfer.debit_account, transfer.credit_account
    match transfer.code:
        case Transfer.Code.RELEASE if source.escrow:
            return f"Released to you: {source.escrow}"
        case Transfer.Code.PAYOUT if target.payout:
            return f"Payout to the account ending in {target.payout.last_four}"
        case Transfer.Code.PAYOUT_RETURNED if source.payout:
            return f"Payout to the account ending in {source.payout.last_four} came back"
        case Transfer.Code.CREDIT:
            return "Refunded by you, after its release"
        case Transfer.Code.REFUND_REFUSED:
            return "Refund that your card did not take"
        case _:
            return transfer.get_code_display()
