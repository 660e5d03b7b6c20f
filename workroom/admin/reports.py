"""Status Reports and timesheets at the support desk: each sending is kept."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from escrow_site.lib import hours
from escrow_site.lib.admin import ReadOnlyAdmin, ReadOnlyInline, link
from workroom.models import (
    ReportAttachment,
    ReportLine,
    StatusReport,
    Timesheet,
    TimesheetEntry,
)

PARTIES = (
    "job__title", "freelancer__name", "freelancer__email", "job__client__name", "job__client__email",
)  # fmt: skip


class LineInline(ReadOnlyInline):
    model = ReportLine
    currency_of = "escrow.job.currency"
    fields = ("escrow", "percent", "comment", "billed_minor")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportLine]:
        return super().get_queryset(request).select_related("escrow__job", "report")


class AttachmentInline(ReadOnlyInline):
    model = ReportAttachment
    fields = ("file",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReportAttachment]:
        return super().get_queryset(request).select_related("file")


@admin.register(StatusReport)
class StatusReportAdmin(ReadOnlyAdmin):
    """One sending of a week's report; the newest of the week is the current one."""

    job_path = "job"
    inlines = (LineInline, AttachmentInline)
    list_display = ("id", "job", "freelancer", "week_starts_on", "sending", "current", "sent_at")
    list_filter = ("current", ("sent_at", admin.DateFieldListFilter))
    list_select_related = ("job", "freelancer")
    search_fields = (*PARTIES, "comments", "plan")
    search_help_text = (
        "Job (title, or “job 7”), party (name or e-mail address), or words of the report"
    )


class ProgressFilter(admin.SimpleListFilter):
    title = "progress"
    parameter_name = "progress"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [("billed", "Billed"), ("complete", "At 100 %"), ("under_way", "Below 100 %")]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[ReportLine]
    ) -> QuerySet[ReportLine]:
        conditions: dict[str, dict[str, Any]] = {
            "billed": {"billed_minor__isnull": False},
            "complete": {"percent": 100},
            "under_way": {"percent__lt": 100},
        }
        return queryset.filter(**conditions.get(self.value() or "", {}))


@admin.register(ReportLine)
class ReportLineAdmin(ReadOnlyAdmin):
    """How far a Milestone was said to be, and whether it was billed with it."""

    job_path = "report__job"
    currency_of = "escrow.job.currency"
    list_display = ("id", "escrow", "report", "percent", "comment", "billed_minor")
    list_filter = (ProgressFilter,)
    list_select_related = ("escrow__job", "report")
    search_fields = ("escrow__title", "escrow__job__title", "comment")
    search_help_text = "Milestone, Job (title, or “job 7”), or words of the comment"


@admin.register(ReportAttachment)
class ReportAttachmentAdmin(ReadOnlyAdmin):
    """Which file went with which report."""

    job_path = "report__job"
    list_display = ("id", "file", "report", "job")
    list_select_related = ("file", "report__job")
    search_fields = ("file__name", "report__job__title")
    search_help_text = "File name, or Job (title, or “job 7”)"

    @admin.display(description="Job", ordering="report__job")
    def job(self, attachment: ReportAttachment) -> SafeString | str:
        return link(attachment.report.job)


class EntryInline(ReadOnlyInline):
    model = TimesheetEntry
    fields = ("worked_on", "time", "note")
    ordering = ("worked_on",)

    @admin.display(description="hours")
    def time(self, entry: TimesheetEntry) -> str:
        return hours.display(entry.minutes)


@admin.register(Timesheet)
class TimesheetAdmin(ReadOnlyAdmin):
    """One sending of a week's hours: a record, never money."""

    job_path = "job"
    inlines = (EntryInline,)
    list_display = ("id", "job", "freelancer", "week_starts_on", "sending", "current", "sent_at")
    list_filter = ("current", ("sent_at", admin.DateFieldListFilter))
    list_select_related = ("job", "freelancer")
    search_fields = (*PARTIES, "comments")
    search_help_text = (
        "Job (title, or “job 7”), party (name or e-mail address), or words of the comments"
    )


@admin.register(TimesheetEntry)
class TimesheetEntryAdmin(ReadOnlyAdmin):
    """The time of one day."""

    job_path = "timesheet__job"
    list_display = ("id", "job", "timesheet", "worked_on", "time", "note")
    list_select_related = ("timesheet__job",)
    search_fields = ("timesheet__job__title", "note")
    search_help_text = "Job (title, or “job 7”), or words of the note"
    fields = ("timesheet", "worked_on", "time", "note")

    @admin.display(description="hours", ordering="minutes")
    def time(self, entry: TimesheetEntry) -> str:
        return hours.display(entry.minutes)

    @admin.display(description="Job", ordering="timesheet__job")
    def job(self, entry: TimesheetEntry) -> SafeString | str:
        return link(entry.timesheet.job)
