"""Invoices, receipts, credit notes, pro-formas and Closing Statements at the support desk."""

from django.contrib import admin
from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import ClosingStatement, Document, DocumentSeries, ProForma
from billing.selectors.spoken import (
    amount_said,
    document_called,
    pro_forma_called,
    statement_called,
)
from escrow_site.lib.admin import ReadOnlyAdmin, currency_filter, link


@admin.register(ProForma)
class ProFormaAdmin(ReadOnlyAdmin):
    """The invoice that a Release Request makes; no tax document."""

    job_path = "request__job"
    currency_of = "request.job.currency"
    list_display = (
        "name", "state", "job", "request", "amount_minor", "net_minor", "issued_at",
    )  # fmt: skip
    list_filter = ("state", currency_filter("request__job__currency"))
    list_select_related = ("request__job", "request__escrow")
    search_fields = (
        "request__escrow__title", "request__job__title", "request__job__freelancer__name",
        "request__job__freelancer__email", "request__job__client__name", "request__job__client__email",
    )  # fmt: skip
    search_help_text = (
        "Number (PF-000088), Milestone, Job (title, or “job 7”), or party (name or e-mail address)"
    )
    fields = (
        "name", "state", "job", "request", "amount_minor", "service_fee_minor", "processing_fee_minor", "net_minor",
        "issued_at", "parties", "paper",
    )  # fmt: skip

    @admin.display(description="Job", ordering="request__job")
    def job(self, pro_forma: ProForma) -> SafeString | str:
        return link(pro_forma.request.job)

    @admin.display(description="as the parties see it")
    def paper(self, pro_forma: ProForma) -> SafeString:
        return _open("billing:pro_forma", pro_forma.pk)

    def named(self, term: str) -> Q | None:
        pro_forma = pro_forma_called(term)
        return super().named(term) if pro_forma is None else pro_forma


@admin.register(Document)
class DocumentAdmin(ReadOnlyAdmin):
    """Final invoices, receipts and credit notes, as they were issued."""

    job_path = "job"
    date_hierarchy = "issued_at"
    list_display = (
        "name", "kind", "issuer", "job", "escrow", "gross_minor", "service_fee_minor", "net_minor", "issued_at",
    )  # fmt: skip
    list_filter = ("kind", currency_filter("currency"), ("issued_at", admin.DateFieldListFilter))
    list_select_related = ("issuer", "job", "escrow")
    search_fields = (
        "issuer__name", "issuer__email", "job__title", "job__client__name", "job__client__email", "escrow__title",
    )  # fmt: skip
    search_help_text = (
        "Number (INV-12-0007), party (name or e-mail address), Job (title, or “job 7”), Milestone, or exact amount, "
        "whole or net ($140.00)"
    )
    fields = (
        "name", "kind", "issuer", "number", "job", "escrow", "release", "pro_forma", "corrects", "refund", "currency",
        "gross_minor", "service_fee_minor", "processing_fee_minor", "net_minor", "issued_at", "parties", "paper",
    )  # fmt: skip

    @admin.display(description="as the parties see it")
    def paper(self, document: Document) -> SafeString:
        return _open("billing:document", document.pk)

    def named(self, term: str) -> Q | None:
        document = document_called(term)
        return super().named(term) if document is None else document

    def may_mean(self, term: str) -> Q:
        gross, net = amount_said(term, "gross_minor"), amount_said(term, "net_minor")
        return super().may_mean(term) | (gross or Q(pk__in=[])) | (net or Q(pk__in=[]))


@admin.register(DocumentSeries)
class DocumentSeriesAdmin(ReadOnlyAdmin):
    """How far each issuer's series has come."""

    list_display = ("issuer", "last_number")
    list_select_related = ("issuer",)
    search_fields = ("issuer__name", "issuer__email")
    search_help_text = "Issuer (name or e-mail address)"


@admin.register(ClosingStatement)
class ClosingStatementAdmin(ReadOnlyAdmin):
    """What both got at the end of a Job; for information only."""

    job_path = "job"
    list_display = ("name", "job", "issued_at", "replaces")
    list_select_related = ("job", "replaces")
    search_fields = (
        "job__title", "job__client__name", "job__client__email", "job__freelancer__name", "job__freelancer__email",
    )  # fmt: skip
    search_help_text = "Number (CS-7-1), Job (title, or “job 7”), or party (name or e-mail address)"
    fields = (
        "name",
        "job",
        "number",
        "replaces",
        "issued_at",
        "parties",
        "lines",
        "totals",
        "paper",
    )

    @admin.display(description="as the parties see it")
    def paper(self, statement: ClosingStatement) -> SafeString:
        return _open("billing:statement", statement.pk)

    def named(self, term: str) -> Q | None:
        statement = statement_called(term)
        return super().named(term) if statement is None else statement


def _open(name: str, key: int) -> SafeString:
    return format_html('<a href="{}">Open</a>', reverse(name, args=[key]))
