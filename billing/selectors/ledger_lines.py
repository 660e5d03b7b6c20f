"""The ledger in words: what an account is, and a Job's transfers in order with what each left behind.

The figures of a page about one person's balance are in ``balances``.
"""

from dataclasses import dataclass

from django.db.models import Q

from billing.models import Account, Escrow, Transfer
from jobs.models import Job

OWNERS = ("escrow", "person", "payment", "payout")


def with_owners(*paths: str) -> list[str]:
    """What ``select_related`` needs so that the accounts at these paths can be named."""
    return [f"{path}__{owner}" for path in paths for owner in OWNERS]


def account_name(account: Account) -> str:
    """Where money lies, as a person would say it; reads the account's owner."""
    kind = account.kind
    if kind == Account.Kind.ESCROW:
        return f"Escrow of “{account.escrow}”"
    if kind == Account.Kind.AVAILABLE:
        return f"Available balance of {account.person}"
    if kind == Account.Kind.REFUNDING:
        return f"Refund of Payment {account.payment_id} on its way"
    if kind == Account.Kind.PAYING_OUT:
        return f"Payout {account.payout_id} on its way"
    if kind == Account.Kind.CASH:
        return f"Cash at the gateway “{account.gateway}”"
    return account.get_kind_display()


@dataclass(frozen=True, kw_only=True)
class Left:
    """What lay on one of the Job's own accounts after a transfer, in minor units."""

    account: str
    balance_minor: int


@dataclass(frozen=True, kw_only=True)
class LedgerLine:
    """One transfer in plain words; ``left`` has a balance for each of the Job's accounts it touched."""

    transfer: Transfer
    source: str
    target: str
    left: list[Left]


@dataclass(frozen=True, kw_only=True)
class JobLedger:
    """All transfers of a Job; ``differences`` names accounts whose kept balance is not their sum."""

    lines: list[LedgerLine]
    differences: list[str]


def transfers_of_accounts(account_ids: list[int]) -> Q:
    """Transfers that touch any of these accounts, by two index scans."""
    return Q(debit_account__in=account_ids) | Q(credit_account__in=account_ids)


def account_ids_of(job_id: int) -> list[int]:
    """The accounts that are a Job's own: its Escrows, and what is on its way back from its payments."""
    owned = Q(escrow__in=Escrow.objects.filter(job_id=job_id)) | Q(payment__job_id=job_id)
    return list(Account.objects.filter(owned).values_list("pk", flat=True))


def ledger_of(job: Job) -> JobLedger:
    """The Job's transfers in the order in which they were posted, in two statements."""
    own = {
        account.pk: account
        for account in Account.objects.filter(Q(escrow__job=job) | Q(payment__job=job))
        .select_related("escrow")
        .order_by("pk")
    }
    transfers = (
        Transfer.objects.filter(transfers_of_accounts(list(own)))
        .select_related(*with_owners("debit_account", "credit_account"), "reverses")
        .order_by("pk")
    )
    sums = dict.fromkeys(own, 0)
    kept = {key: account.balance_minor for key, account in own.items()}
    lines = []
    for transfer in transfers:
        lines.append(_line(transfer, own, sums))
        # As the same statement saw them: money may have moved since the accounts were read.
        for account in (transfer.debit_account, transfer.credit_account):
            kept[account.pk] = account.balance_minor
    differences = [account_name(own[key]) for key in own if sums[key] != kept[key]]
    return JobLedger(lines=lines, differences=differences)


def _line(transfer: Transfer, own: dict[int, Account], balances: dict[int, int]) -> LedgerLine:
    left = []
    for key, amount_minor in (
        (transfer.debit_account_id, -transfer.amount_minor),
        (transfer.credit_account_id, transfer.amount_minor),
    ):
        if key in own:
            balances[key] += amount_minor
            left.append(Left(account=account_name(own[key]), balance_minor=balances[key]))
    return LedgerLine(
        transfer=transfer,
        source=account_name(transfer.debit_account),
        target=account_name(transfer.credit_account),
        left=left,
    )
