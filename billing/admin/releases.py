"""Release Requests and Releases at the support desk."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from billing.models import ProForma, Release, ReleaseRequest
from billing.selectors.spoken import pro_forma_called, release_of_paper
from escrow_site.lib.admin import ReadOnlyAdmin, currency_filter, link, list_url, lists

PARTIES = (
    "escrow__title", "job__title", "job__client__name", "job__client__email", "job__freelancer__name",
    "job__freelancer__email",
)  # fmt: skip


@admin.register(ReleaseRequest)
class ReleaseRequestAdmin(ReadOnlyAdmin):
    """Requests with their clocks: Overdue, and when silence releases."""

    job_path = "job"
    list_display = (
        "id", "job", "escrow", "requested_by", "state", "requested_at", "overdue_at", "auto_release_at", "ended_at",
    )  # fmt: skip
    list_filter = ("state", currency_filter("job__currency"))
    list_select_related = ("job", "escrow", "requested_by")
    search_fields = PARTIES
    search_help_text = "Pro-forma (PF-000088), Milestone, Job (title, or “job 7”), or party (name or e-mail address)"
    fields = (
        "job", "escrow", "requested_by", "requested_at", "comments", "state", "overdue_at", "auto_release_at",
        "ended_at", "ended_reason", "noticed_until", "clock_stopped_at", "minimum_granted_at", "paper", "related",
    )  # fmt: skip

    @admin.display(description="pro-forma invoice")
    def paper(self, request: ReleaseRequest) -> SafeString | str:
        return link(request.pro_forma)

    @admin.display(description="lists")
    def related(self, request: ReleaseRequest) -> SafeString:
        return lists(("Releases", list_url("billing_release", request__id__exact=request.pk)))

    def named(self, term: str) -> Q | None:
        pro_forma = pro_forma_called(term)
        if pro_forma is not None:
            return Q(pro_forma__in=ProForma.objects.filter(pro_forma))
        return super().named(term)


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    """What went to the Freelancer; gross is net and fees."""

    job_path = "job"
    currency_of = "job.currency"
    list_display = (
        "id", "job", "escrow", "gross_minor", "service_fee_minor", "processing_fee_minor", "net_minor", "happened_at",
        "released_by", "paper",
    )  # fmt: skip
    list_filter = (currency_filter("job__currency"), ("happened_at", admin.DateFieldListFilter))
    list_select_related = ("job", "escrow", "released_by", "document")
    search_fields = PARTIES
    search_help_text = "Invoice or receipt (INV-12-0007), pro-forma (PF-000088), Milestone, Job (title, “job 7”), party"
    fields = (
        "job", "escrow", "request", "released_by", "happened_at", "reason", "gross_minor", "service_fee_minor",
        "processing_fee_minor", "net_minor", "paper", "related",
    )  # fmt: skip

    @admin.display(description="document")
    def paper(self, release: Release) -> SafeString | str:
        return link(getattr(release, "document", None))

    @admin.display(description="lists")
    def related(self, release: Release) -> SafeString:
        url = list_url("billing_transfer", q=f"release:{release.pk}:")
        return lists(("Transfers", url))

    def named(self, term: str) -> Q | None:
        paper = release_of_paper(term)
        return super().named(term) if paper is None else paper
