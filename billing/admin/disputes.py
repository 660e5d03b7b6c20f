"""What was said, shown, offered and decided in Disputes; the Dispute itself has its case (workroom.admin).

An agent who is a party of the Job sees none of it: what is decided and not confirmed is for neither
side to know (R9.3). What a limit under seal was, nobody sees (R9.6).
"""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import Decision, DisputeStatement, Evidence, Offer, SealedLimit
from escrow_site.lib.admin import ReadOnlyAdmin, link
from jobs.admin.desk import of_own_jobs

PARTIES: tuple[str, ...] = (
    "dispute__escrow__title", "dispute__job__title", "dispute__job__client__name",
    "dispute__job__client__email", "dispute__job__freelancer__name", "dispute__job__freelancer__email",
)  # fmt: skip
WHERE = "Milestone, Job (title, or “job 7”), party (name or e-mail address)"


class PartOfDisputeAdmin(ReadOnlyAdmin):
    """Rows that hang on a Dispute."""

    job_path = "dispute__job"
    currency_of = "dispute.job.currency"
    list_select_related: ClassVar[tuple[str, ...]] = ("dispute__escrow", "dispute__job", "by")
    search_fields: ClassVar[tuple[str, ...]] = PARTIES

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Not those of a Job that the reader is a party of."""
        rows = super().get_queryset(request).select_related("dispute__escrow", "dispute__job")
        return rows.exclude(of_own_jobs(request, self.job_path))

    @admin.display(description="Job", ordering="dispute__job")
    def job(self, row: Any) -> SafeString | str:
        return link(row.dispute.job)


@admin.register(DisputeStatement)
class DisputeStatementAdmin(PartOfDisputeAdmin):
    """What the parties said, and what support asked."""

    list_display = ("id", "dispute", "job", "by", "made_at", "text")
    search_fields = (*PARTIES, "text")
    search_help_text = f"{WHERE}, or words of the statement"


@admin.register(Evidence)
class EvidenceAdmin(PartOfDisputeAdmin):
    """Files that were laid before the other side; the bytes come from the product's own page."""

    list_display = ("id", "file", "dispute", "job", "by", "added_at", "sha256", "download")
    list_select_related = ("dispute__escrow", "dispute__job", "by", "file")
    search_fields = (*PARTIES, "file__name", "file__sha256")
    search_help_text = f"{WHERE}, file name, or SHA-256"
    fields = ("dispute", "job", "file", "by", "added_at", "sha256", "download")

    @admin.display(description="SHA-256")
    def sha256(self, evidence: Evidence) -> SafeString:
        return format_html('<span class="code">{}</span>', evidence.file.sha256)

    @admin.display(description="download")
    def download(self, evidence: Evidence) -> SafeString:
        url = reverse("jobs:file", args=[evidence.file.key])
        return format_html('<a href="{}">Download</a>', url)


@admin.register(Offer)
class OfferAdmin(PartOfDisputeAdmin):
    """Splits that one side would have accepted."""

    list_display = (
        "id", "dispute", "job", "by", "state", "held_minor", "to_freelancer_minor", "made_at", "ended_at",
    )  # fmt: skip
    list_filter = ("state",)
    search_help_text = WHERE


@admin.register(Decision)
class DecisionAdmin(PartOfDisputeAdmin):
    """What agents decided; it counts once a second one has confirmed it."""

    list_display = (
        "id", "dispute", "job", "state", "held_minor", "to_freelancer_minor", "decided_by", "decided_at",
        "checked_by", "checked_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("dispute__escrow", "dispute__job", "decided_by", "checked_by")
    search_fields = (
        *PARTIES, "decided_by__name", "decided_by__email", "checked_by__name", "checked_by__email",
        "reasons", "answer",
    )  # fmt: skip
    search_help_text = f"{WHERE}, agent (name or e-mail address), or words of the reasons"


@admin.register(SealedLimit)
class SealedLimitAdmin(PartOfDisputeAdmin):
    """That a limit was entered; the limit itself is for nobody to see."""

    hidden = ("limit_minor",)
    list_display = ("id", "dispute", "job", "by", "state", "entered_at")
    list_filter = ("state",)
    search_help_text = WHERE
