"""The ledger: accounts and the one way to post transfers (see docs/money.md).

Balances are kept by the database. Nothing here decides whether money may move.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from billing.models import Account, Escrow, Payment, Payout, Transfer
from escrow_site.lib import timing
from jobs.models import Person


@dataclass(frozen=True, kw_only=True)
class Posting:
    """One amount from one account (debit) to another (credit); ``reference`` names it for ever."""

    debit: Account
    credit: Account
    amount_minor: int
    code: Transfer.Code
    reference: str
    at: datetime


def post(postings: Iterable[Posting]) -> None:
    """Post transfers in one INSERT; zero amounts are left out.

    To be called once per transaction: two inserts in opposite account order can deadlock. Raises
    IntegrityError when a guarded account would fall below zero, currencies differ, or a reference
    was posted before.
    """
    recorded_at = timing.real_now()
    Transfer.objects.bulk_create(
        Transfer(
            debit_account=posting.debit,
            credit_account=posting.credit,
            amount_minor=posting.amount_minor,
            code=posting.code,
            reference=posting.reference,
            happened_at=posting.at,
            recorded_at=recorded_at,
        )
        for posting in postings
        if posting.amount_minor
    )


def platform_account(kind: str, currency: str, *, gateway: str = "") -> Account:
    """The platform's own account of a kind; made by ensure_reference_data()."""
    return Account.objects.get(kind=kind, currency=currency, gateway=gateway)


def cash(gateway: str, currency: str) -> Account:
    """Money that lies at a gateway."""
    return Account.objects.get_or_create(kind="cash", currency=currency, gateway=gateway)[0]


def available(person: Person, currency: str) -> Account:
    """The available balance of a person in a currency; opened when first asked for."""
    return Account.objects.get_or_create(kind="available", person=person, currency=currency)[0]


def open_escrow_accounts(escrows: Iterable[Escrow], *, currency: str) -> None:
    """Give each Escrow its account."""
    Account.objects.bulk_create(
        Account(kind="escrow", currency=currency, escrow=escrow) for escrow in escrows
    )


def refunding(payment: Payment) -> Account:
    """Money of a Payment that is on its way back to its source."""
    return Account.objects.get_or_create(
        kind="refunding", payment=payment, currency=payment.currency
    )[0]


def paying_out(payout: Payout) -> Account:
    """Money of a Payout that is on its way to the payee."""
    return Account.objects.get_or_create(
        kind="paying_out", payout=payout, currency=payout.currency
    )[0]


def summed_balance(account: Account) -> int:
    """Credits less debits, added up from the transfers themselves."""
    return Transfer.objects.filter(Q(credit_account=account) | Q(debit_account=account)).aggregate(
        balance=Coalesce(Sum("amount_minor", filter=Q(credit_account=account)), 0)
        - Coalesce(Sum(F("amount_minor"), filter=Q(debit_account=account)), 0)
    )["balance"]
