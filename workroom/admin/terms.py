"""Terms and Milestones at the support desk: every version, for ever (R2.6)."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from escrow_site.lib.admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    currency_filter,
    link,
    list_url,
    lists,
)
from workroom.models import Milestone, Terms


class MilestoneInline(ReadOnlyInline):
    model = Milestone
    currency_of = "terms.job.currency"
    fields = ("number", "title", "description", "due_on", "amount_minor", "escrow")
    ordering = ("position", "number")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Milestone]:
        return super().get_queryset(request).select_related("terms__job", "escrow")


@admin.register(Terms)
class TermsAdmin(ReadOnlyAdmin):
    """One numbered version of what is, was or might have been agreed."""

    job_path = "job"
    inlines = (MilestoneInline,)
    list_display = (
        "id", "job", "version", "state", "proposed_by", "proposed_at", "lapses_at", "answered_at",
    )  # fmt: skip
    list_filter = ("state",)
    list_select_related = ("job", "proposed_by")
    search_fields = (
        "job__title",
        "proposed_by__name",
        "proposed_by__email",
        "scope",
        "message",
        "answer",
    )
    search_help_text = "Job (title, or “job 7”), who proposed (name or e-mail address), words of the scope or message"
    fields = (
        "job", "version", "state", "proposed_by", "proposed_at", "lapses_at", "answered_at", "starts_on", "ends_on",
        "scope", "message", "answer",
    )  # fmt: skip


@admin.register(Milestone)
class MilestoneAdmin(ReadOnlyAdmin):
    """A Milestone as one version words it; its money is in its Escrow."""

    job_path = "terms__job"
    currency_of = "terms.job.currency"
    list_display = (
        "id",
        "title",
        "job",
        "terms_version",
        "number",
        "due_on",
        "amount_minor",
        "escrow",
    )
    list_display_links = ("id", "title")
    list_filter = ("terms__state", currency_filter("terms__job__currency"))
    list_select_related = ("terms__job", "escrow")
    search_fields = ("title", "description", "terms__job__title")
    search_help_text = "Milestone, or Job (title, or “job 7”)"
    fields = (
        "terms", "number", "position", "title", "description", "due_on", "amount_minor", "escrow", "related",
    )  # fmt: skip

    @admin.display(description="Job", ordering="terms__job")
    def job(self, milestone: Milestone) -> SafeString | str:
        return link(milestone.terms.job)

    @admin.display(description="Terms", ordering="terms")
    def terms_version(self, milestone: Milestone) -> SafeString | str:
        return link(milestone.terms, f"Version {milestone.terms.version}")

    @admin.display(description="lists")
    def related(self, milestone: Milestone) -> SafeString:
        url = list_url("workroom_milestone", escrow__id__exact=milestone.escrow_id or 0)
        return lists(("The same Milestone in all versions", url))
