"""History, notices, invitations and files at the support desk: to be read, never written."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escrow_site.lib.admin import ReadOnlyAdmin, link, list_url, lists, presence_filter
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.timing import real_now
from jobs.admin.desk import agent_of, of_own_jobs
from jobs.admin.people import belongs_to
from jobs.models import Activity, Invitation, Notification, StoredFile
from jobs.notices import KINDS, names_for_support
from jobs.selectors.history import describe
from jobs.services import resending


class KindFilter(admin.SimpleListFilter):
    """The kinds of the one table of them; the history itself is not asked."""

    title = "what happened"
    parameter_name = "kind"
    template = "admin/folded_filter.html"  # the list is long

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, name.replace("_", " ").capitalize()) for name in sorted(KINDS)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Activity]) -> QuerySet[Activity]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Activity)
class ActivityAdmin(ReadOnlyAdmin):
    """Every line of every Job's history, newest first. One Job's own is on its story page."""

    job_path = "job"
    list_display = ("happened_at", "job", "sentence", "reason", "actor_kind", "recorded_at")
    list_filter = ("actor_kind", KindFilter, ("happened_at", admin.DateFieldListFilter))
    list_select_related = ("job", "actor")
    search_fields = ("job__title", "actor__name", "actor__email", "reason")
    search_help_text = (
        "Job (title, or “job 7”), who did it (name or e-mail address), words of the reason"
    )
    fields = (
        "sentence", "job", "kind", "actor_kind", "actor", "happened_at", "recorded_at", "reason",
        "facts", "related",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Activity]:
        """Of the reader's own Jobs what every party reads: not what support alone is to know."""
        kept = of_own_jobs(request, "job") & Q(kind__in=names_for_support())
        return super().get_queryset(request).exclude(kept)

    @admin.display(description="what")
    def sentence(self, activity: Activity) -> str:
        return describe(activity, None)["sentence"]

    @admin.display(description="lists")
    def related(self, activity: Activity) -> SafeString:
        return lists(
            ("Notices of it", list_url("jobs_notification", activity__id__exact=activity.pk))
        )


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Who was told what, and whether the mail went out."""

    job_path = "activity__job"
    list_display = (
        "id", "reader", "about", "job", "state", "sent_at", "read_at", "attempts", "failure",
    )  # fmt: skip
    list_filter = ("state", presence_filter("read_at", "read", there="Read", missing="Not read"))
    list_select_related = ("activity__job", "activity__actor", "person")
    search_fields = ("person__name", "person__email", "address", "activity__job__title")
    search_help_text = "Reader (name or e-mail address), or Job (title, or “job 7”)"
    fields = (
        "reader", "about", "activity", "job", "state", "read_at", "sent_at", "attempts",
        "next_attempt_at", "lease_until", "failure",
    )  # fmt: skip
    actions = ("send_again",)

    def has_send_again_permission(self, request: HttpRequest) -> bool:
        return agent_of(request).has_perm(resending.PERMISSION)

    @admin.action(description="Send again", permissions=["send_again"])
    def send_again(self, request: HttpRequest, notices: QuerySet[Notification]) -> None:
        """Queue those of the chosen ones that failed; say of each other one why it is not."""
        queued = 0
        for notice_id in notices.order_by("pk").values_list("pk", flat=True):
            try:
                notice = resending.send_again(notice_id, by=agent_of(request), at=real_now())
            except Refusal as refusal:
                messages.error(request, refusal.message)
            else:
                self.log_change(request, notice, "Sent again.")
                queued += 1
        if queued:
            which = "1 notice is" if queued == 1 else f"{queued} notices are"
            messages.success(request, f"{which} queued and will be sent within a few minutes.")

    @admin.display(description="to", ordering="person")
    def reader(self, notice: Notification) -> SafeString | str:
        return link(notice.person) or notice.address

    @admin.display(description="about")
    def about(self, notice: Notification) -> str:
        return describe(notice.activity, None)["sentence"]

    @admin.display(description="Job")
    def job(self, notice: Notification) -> SafeString | str:
        return link(notice.activity.job)

    def may_mean(self, term: str) -> Q:
        return super().may_mean(term) | belongs_to(term, "person")


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was invited to which Job. The link itself is for the invited person alone."""

    job_path = "job"
    hidden = ("token",)
    list_display = ("email", "job", "invited_at", "accepted_at")
    list_filter = (
        presence_filter("accepted_at", "answer", there="Accepted", missing="Not accepted"),
    )
    list_select_related = ("job",)
    search_fields = ("email", "job__title")
    search_help_text = "E-mail address, or Job (title, or “job 7”)"


@admin.register(StoredFile)
class StoredFileAdmin(ReadOnlyAdmin):
    """Attachments; the bytes come from the product's own page, which notes who may have them."""

    job_path = "job"
    list_display = (
        "name",
        "job",
        "uploaded_by",
        "uploaded_at",
        "size_bytes",
        "content_type",
        "download",
    )
    list_select_related = ("job", "uploaded_by")
    search_fields = ("name", "job__title", "uploaded_by__name", "uploaded_by__email", "sha256")
    search_help_text = (
        "File name, uploader (name or e-mail address), SHA-256, or Job (title, or “job 7”)"
    )
    fields = (
        "name", "job", "uploaded_by", "uploaded_at", "size_bytes", "content_type", "sha256", "download",
    )  # fmt: skip

    @admin.display(description="file")
    def download(self, file: StoredFile) -> SafeString:
        return format_html('<a href="{}">Download</a>', reverse("jobs:file", args=[file.key]))
