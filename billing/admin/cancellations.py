"""Requests to cancel a Job at the support desk."""

from django.contrib import admin
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from billing.models import Cancellation, CancellationShare
from escrow_site.lib import money
from escrow_site.lib.admin import ReadOnlyAdmin, currency_filter


@admin.register(Cancellation)
class CancellationAdmin(ReadOnlyAdmin):
    """Who asked, how the money was to be divided, and how it ended."""

    job_path = "job"
    list_display = (
        "id", "job", "requested_by", "state", "requested_at", "lapses_at", "answered_by", "ended_at",
    )  # fmt: skip
    list_filter = ("state", currency_filter("job__currency"))
    list_select_related = ("job", "requested_by", "answered_by")
    search_fields = (
        "job__title", "job__client__name", "job__client__email", "job__freelancer__name",
        "job__freelancer__email",
    )  # fmt: skip
    search_help_text = "Job (title, or “job 7”), or party (name or e-mail address)"
    fields = (
        "job", "requested_by", "requested_at", "reason", "division", "lapses_at", "state", "answered_by", "ended_at",
        "answer",
    )  # fmt: skip

    @admin.display(description="division")
    def division(self, cancellation: Cancellation) -> SafeString | str:
        currency = cancellation.job.currency
        shares = cancellation.shares.select_related("escrow").order_by("escrow__position")
        lines = [
            (
                share.escrow.title,
                money.display(share.held_minor, currency),
                money.display(share.to_freelancer_minor, currency),
                money.display(share.to_client_minor, currency),
            )
            for share in shares
        ]
        if not lines:
            return "Nothing was held."
        return format_html_join(
            "", "<div>“{}”: of {} held {} to the Freelancer, {} back to the Client</div>", lines
        )


@admin.register(CancellationShare)
class CancellationShareAdmin(ReadOnlyAdmin):
    """How what one Milestone held was to be divided."""

    job_path = "cancellation__job"
    currency_of = "cancellation.job.currency"
    list_display = ("id", "cancellation", "escrow", "held_minor", "to_freelancer_minor")
    list_select_related = ("cancellation__job", "escrow")
    search_fields = ("escrow__title", "cancellation__job__title")
    search_help_text = "Milestone, or Job (title, or “job 7”)"
    fields = ("cancellation", "escrow", "held_minor", "to_freelancer_minor")
