"""Cards, payments, refunds and payouts at the support desk."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from billing.models import (
    Allocation,
    Chargeback,
    FundingRequest,
    Payment,
    PaymentMethod,
    Payout,
    Refund,
)
from billing.selectors.spoken import amount_said
from escrow_site.lib.admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    currency_filter,
    list_url,
    lists,
    presence_filter,
)
from jobs.admin.desk import of_own_jobs
from jobs.admin.people import belongs_to


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    """Cards as the gateway knows them; their numbers are not here."""

    list_display = (
        "__str__", "person", "expires_on", "added_at", "authenticated_at", "removed_at", "gateway_reference",
    )  # fmt: skip
    list_filter = (
        presence_filter(
            "authenticated_at", "bank", there="Authenticated", missing="Not authenticated"
        ),
        presence_filter("removed_at", "removed", there="Removed", missing="On file"),
    )
    list_select_related = ("person",)
    search_fields = ("last_four", "brand", "gateway_reference", "person__name", "person__email")
    search_help_text = (
        "Last four digits, holder (name or e-mail address), or the gateway’s reference"
    )
    fields = (
        "person", "brand", "last_four", "expires_on", "added_at", "authenticated_at", "removed_at", "gateway",
        "gateway_reference", "related",
    )  # fmt: skip

    @admin.display(description="lists")
    def related(self, method: PaymentMethod) -> SafeString:
        return lists(("Payments", list_url("billing_payment", method__id__exact=method.pk)))

    def may_mean(self, term: str) -> Q:
        return super().may_mean(term) | belongs_to(term, "person")


class AllocationInline(ReadOnlyInline):
    model = Allocation
    currency_of = "payment.currency"
    fields = ("escrow", "amount_minor", "live")
    verbose_name_plural = "What it is for"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allocation]:
        return super().get_queryset(request).select_related("escrow", "payment")


class RefundInline(ReadOnlyInline):
    model = Refund
    currency_of = "payment.currency"
    fields = (
        "escrow", "amount_minor", "of_released", "state", "reason", "started_at", "ended_at",
    )  # fmt: skip
    verbose_name_plural = "What went back"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("escrow", "payment")


class ChargebackInline(ReadOnlyInline):
    model = Chargeback
    currency_of = "payment.currency"
    fields = ("amount_minor", "state", "outcome", "opened_at", "ended_at")
    verbose_name_plural = "Chargebacks"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chargeback]:
        """Not those of a Job that the reader is a party of, as in their own list."""
        rows = super().get_queryset(request).select_related("payment")
        return rows.exclude(of_own_jobs(request, "payment__job"))


class ChargebackFilter(admin.SimpleListFilter):
    """Payments that their bank wants back now, and those of which it is decided."""

    title = "chargeback"
    parameter_name = "chargeback"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", "Open: frozen"), *Chargeback.Outcome.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "open":
            return queryset.filter(pk__in=Chargeback.objects.open().values("payment"))
        ended = Chargeback.objects.filter(state=self.value())
        return queryset.filter(pk__in=ended.values("payment")) if self.value() else queryset


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    """One charge, for one or several Milestones of a Job."""

    job_path = "job"
    inlines = (AllocationInline, RefundInline, ChargebackInline)
    date_hierarchy = "started_at"
    list_display = (
        "id", "job", "payer", "method", "amount_minor", "state", "started_at", "succeeded_at", "gateway_reference",
    )  # fmt: skip
    list_filter = (
        "state", ChargebackFilter, currency_filter("currency"), ("started_at", admin.DateFieldListFilter),
    )  # fmt: skip
    list_select_related = ("job", "payer", "method")
    search_fields = (
        "job__title", "payer__name", "payer__email", "method__last_four", "gateway_reference", "idempotency_key",
    )  # fmt: skip
    search_help_text = (
        "Job (title, “job 7”), payer (name, address), last four digits, exact amount ($140.00), gateway’s reference, "
        "number"
    )
    fields = (
        "job", "payer", "method", "amount_minor", "currency", "state", "failure", "started_at", "lapses_at",
        "succeeded_at", "ended_at", "gateway", "gateway_reference", "idempotency_key", "related",
    )  # fmt: skip

    @admin.display(description="lists")
    def related(self, payment: Payment) -> SafeString:
        return lists(
            ("Money on its way back", list_url("billing_account", payment__id__exact=payment.pk)),
            ("Transfers of its Job", list_url("billing_transfer", job=payment.job_id)),
        )

    def may_mean(self, term: str) -> Q:
        found = super().may_mean(term) | belongs_to(term, "payer")
        return found | (amount_said(term, "amount_minor") or Q(pk__in=[]))


@admin.register(Allocation)
class AllocationAdmin(ReadOnlyAdmin):
    """Which part of a payment is for which Milestone."""

    job_path = "payment__job"
    currency_of = "payment.currency"
    list_display = ("id", "payment", "escrow", "amount_minor", "live")
    list_filter = ("live", currency_filter("payment__currency"))
    list_select_related = ("payment", "escrow")
    search_fields = ("escrow__title", "payment__job__title", "payment__gateway_reference")
    search_help_text = (
        "Milestone, Job (title, or “job 7”), or the payment’s reference at the gateway"
    )


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    """Money on its way back to a card."""

    job_path = "payment__job"
    currency_of = "payment.currency"
    list_display = (
        "id", "payment", "escrow", "amount_minor", "state", "reason", "started_at", "ended_at", "gateway_reference",
    )  # fmt: skip
    list_filter = ("state", "of_released", currency_filter("payment__currency"))
    list_select_related = ("payment", "escrow")
    search_fields = (
        "payment__job__title", "payment__payer__name", "payment__payer__email", "payment__method__last_four",
        "gateway_reference", "idempotency_key", "reason",
    )  # fmt: skip
    search_help_text = (
        "Job (title, “job 7”), payer (name, address), last four digits, gateway’s reference, reason"
    )

    def may_mean(self, term: str) -> Q:
        return super().may_mean(term) | belongs_to(term, "payment__payer")


@admin.register(FundingRequest)
class FundingRequestAdmin(ReadOnlyAdmin):
    """What the Client was asked to fund; without a person the system asked."""

    job_path = "escrow__job"
    list_display = ("id", "escrow", "requested_by", "requested_at", "closed_at")
    list_filter = (presence_filter("closed_at", "standing", there="Closed", missing="Open"),)
    list_select_related = ("escrow", "requested_by")
    search_fields = (
        "escrow__title",
        "escrow__job__title",
        "requested_by__name",
        "requested_by__email",
    )
    search_help_text = "Milestone, Job (title, or “job 7”), or who asked (name or e-mail address)"


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    """Available balance on its way to a bank."""

    date_hierarchy = "started_at"
    list_display = (
        "id", "person", "amount_minor", "destination", "state", "started_at", "ended_at", "failure",
        "gateway_reference",
    )  # fmt: skip
    list_filter = (
        "state", currency_filter("currency"), ("started_at", admin.DateFieldListFilter),
    )  # fmt: skip
    list_select_related = ("person",)
    search_fields = (
        "destination", "person__name", "person__email", "gateway_reference", "idempotency_key", "failure",
    )  # fmt: skip
    search_help_text = (
        "Bank account, person (name or e-mail address), gateway’s reference, or number"
    )
    fields = (
        "person", "amount_minor", "currency", "destination", "state", "failure", "started_at", "ended_at", "gateway",
        "gateway_reference", "idempotency_key", "related",
    )  # fmt: skip

    @admin.display(description="lists")
    def related(self, payout: Payout) -> SafeString:
        return lists(
            ("Its account", list_url("billing_account", payout__id__exact=payout.pk)),
            (
                "All payouts of this person",
                list_url("billing_payout", person__id__exact=payout.person_id),
            ),
        )

    def may_mean(self, term: str) -> Q:
        """A bank account is said in groups of four."""
        found = super().may_mean(term) | belongs_to(term, "person")
        joined = term.replace(" ", "").replace("-", "")
        return found | Q(destination__icontains=joined) if len(joined) >= 4 else found
