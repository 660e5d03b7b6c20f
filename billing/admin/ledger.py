"""The ledger at the support desk: Escrows, accounts, transfers. A mistake is reversed by a service, never edited."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing import ledger
from billing.models import Account, Document, Escrow, Transfer
from billing.selectors.ledger_lines import (
    OWNERS,
    account_ids_of,
    account_name,
    transfers_of_accounts,
    with_owners,
)
from billing.selectors.spoken import document_called
from escrow_site.lib import money
from escrow_site.lib.admin import (
    JOB_NUMBER,
    ReadOnlyAdmin,
    currency_filter,
    link,
    list_url,
    lists,
)
from jobs.admin.people import belongs_to

NUMBER = re.compile(r"[0-9]{1,18}")


@admin.register(Escrow)
class EscrowAdmin(ReadOnlyAdmin):
    """A Milestone's money. Its price and wording in each version of the Terms are in the workroom."""

    job_path = "job"
    currency_of = "job.currency"
    list_display = (
        "title", "job", "number", "state", "amount_minor", "held_minor", "released_minor", "refunded_minor", "due_on",
    )  # fmt: skip
    list_filter = ("state", currency_filter("job__currency"))
    list_select_related = ("job",)
    search_fields = (
        "title", "job__title", "job__client__name", "job__client__email", "job__freelancer__name",
        "job__freelancer__email",
    )  # fmt: skip
    search_help_text = "Milestone, Job (title, or “job 7”), or party (name or e-mail address)"
    fields = (
        "job", "number", "position", "title", "due_on", "state", "amount_minor", "held_minor", "funded_minor",
        "released_minor", "refunded_minor", "credited_minor", "service_fee_minor", "processing_fee_minor",
        "times_returned", "account_balance", "related",
    )  # fmt: skip

    @admin.display(description="its account in the ledger")
    def account_balance(self, escrow: Escrow) -> SafeString | str:
        text = money.display(escrow.account.balance_minor, escrow.account.currency)
        return link(escrow.account, text)

    @admin.display(description="lists")
    def related(self, escrow: Escrow) -> SafeString:
        key = escrow.pk
        return lists(
            ("Transfers", list_url("billing_transfer", account=escrow.account.pk)),
            ("Funding Requests", list_url("billing_fundingrequest", escrow__id__exact=key)),
            ("Parts of payments", list_url("billing_allocation", escrow__id__exact=key)),
            ("Refunds", list_url("billing_refund", escrow__id__exact=key)),
            ("Release Requests", list_url("billing_releaserequest", escrow__id__exact=key)),
            ("Releases", list_url("billing_release", escrow__id__exact=key)),
            ("Documents", list_url("billing_document", escrow__id__exact=key)),
            ("In the Terms", list_url("workroom_milestone", escrow__id__exact=key)),
            ("In Status Reports", list_url("workroom_reportline", escrow__id__exact=key)),
        )

    def may_mean(self, term: str) -> Q:
        return (
            super().may_mean(term)
            | belongs_to(term, "job__client")
            | belongs_to(term, "job__freelancer")
        )


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Where money lies. The platform's own accounts keep no running balance (docs/money.md)."""

    list_display = ("id", "name", "kind", "currency", "balance", "owner")
    list_filter = ("kind", currency_filter("currency"))
    list_select_related = OWNERS
    search_fields = ("person__name", "person__email", "escrow__title", "escrow__job__title")
    search_help_text = (
        "Person (name or e-mail address), Milestone, Job’s title, or number of the account"
    )
    fields = ("name", "kind", "currency", "gateway", "owner", "balance", "added_up", "related")

    @admin.display(description="account")
    def name(self, account: Account) -> str:
        return account_name(account)

    @admin.display(description="balance", ordering="balance_minor")
    def balance(self, account: Account) -> str:
        if account.kind not in Account.GUARDED:
            return "not kept"
        return money.display(account.balance_minor, account.currency)

    @admin.display(description="its transfers, added up")
    def added_up(self, account: Account) -> str:
        """Of an account that every release touches this would read the whole ledger: the audit does."""
        if account.kind not in Account.GUARDED:
            return "by the nightly audit"
        summed_minor = ledger.summed_balance(account)
        text = money.display(summed_minor, account.currency)
        return (
            text if summed_minor == account.balance_minor else f"{text}: DIFFERS from the balance"
        )

    @admin.display(description="belongs to")
    def owner(self, account: Account) -> SafeString | str:
        return (
            link(account.person or account.escrow or account.payment or account.payout)
            or "The platform"
        )

    @admin.display(description="lists")
    def related(self, account: Account) -> SafeString:
        return lists(("Transfers", list_url("billing_transfer", account=account.pk)))

    def may_mean(self, term: str) -> Q:
        return super().may_mean(term) | belongs_to(term, "person")


class TouchingFilter(admin.SimpleListFilter):
    """Transfers from or to something; shown only while it is used, by the links that lead here."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        value = self.value()
        is_number = bool(value) and NUMBER.fullmatch(value or "")
        return [(value or "", f"{self.title} {value}")] if is_number else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Transfer]) -> QuerySet[Transfer]:
        value = self.value()
        return queryset.filter(self.touching(int(value))) if value else queryset

    def touching(self, key: int) -> Q:
        raise NotImplementedError


class AccountFilter(TouchingFilter):
    title = "account"
    parameter_name = "account"

    def touching(self, key: int) -> Q:
        return transfers_of_accounts([key])


class JobFilter(TouchingFilter):
    title = "Job"
    parameter_name = "job"

    def touching(self, key: int) -> Q:
        return transfers_of_accounts(account_ids_of(key))


@admin.register(Transfer)
class TransferAdmin(ReadOnlyAdmin):
    """Every movement of money, newest first, in words."""

    currency_of = "debit_account.currency"
    list_display = ("id", "happened_at", "code", "amount_minor", "source", "target", "reference")
    list_filter = (
        AccountFilter, JobFilter, "code", currency_filter("debit_account__currency"),
        ("happened_at", admin.DateFieldListFilter),
    )  # fmt: skip
    list_select_related = with_owners("debit_account", "credit_account")
    search_fields = ("reference",)
    search_help_text = (
        "Reference (release:88), invoice or receipt (INV-12-0007), “job 7”, person (e-mail address)"
    )
    fields = (
        "happened_at", "recorded_at", "code", "amount_minor", "source", "target", "reference", "reverses",
    )  # fmt: skip

    @admin.display(description="from", ordering="debit_account")
    def source(self, transfer: Transfer) -> SafeString | str:
        return link(transfer.debit_account, account_name(transfer.debit_account))

    @admin.display(description="to", ordering="credit_account")
    def target(self, transfer: Transfer) -> SafeString | str:
        return link(transfer.credit_account, account_name(transfer.credit_account))

    def named(self, term: str) -> Q | None:
        if match := JOB_NUMBER.fullmatch(term):
            return transfers_of_accounts(account_ids_of(int(match[1])))
        document = document_called(term)
        if document is not None:
            releases = Document.objects.filter(document).values_list("release", flat=True)
            found = Q(pk__in=[])
            for release in releases:
                found |= Q(reference__startswith=f"release:{release}:")
            return found
        return super().named(term)

    def may_mean(self, term: str) -> Q:
        found = super().may_mean(term)
        if "@" in term:
            accounts = Account.objects.filter(
                Q(person__email__iexact=term) | belongs_to(term, "person")
            )
            found |= transfers_of_accounts(list(accounts.values_list("pk", flat=True)))
        return found
