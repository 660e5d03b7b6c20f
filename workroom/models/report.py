"""Status Reports (R4)."""

from datetime import date, timedelta

from django.db import models
from django.db.models import Q

from billing.models import Escrow
from jobs.models import Job, Person, StoredFile


class StatusReport(models.Model):
    """One sending of the report of one week; the newest sending of a week is the current one.

    ``week_starts_on`` is a Monday in the Freelancer's time zone, fixed when the report is sent.
    """

    job = models.ForeignKey(Job, models.PROTECT, related_name="status_reports")
    freelancer = models.ForeignKey(Person, models.PROTECT, related_name="+")
    week_starts_on = models.DateField()
    time_zone = models.CharField(max_length=64)
    sending = models.PositiveIntegerField(default=1)
    current = models.BooleanField(default=True)
    sent_at = models.DateTimeField()
    comments = models.TextField(max_length=5000, blank=True)
    plan = models.TextField("plan for next week", max_length=5000, blank=True)

    class Meta:
        verbose_name = "Status Report"
        verbose_name_plural = "Status Reports"
        constraints = (
            models.UniqueConstraint(
                fields=["job", "week_starts_on"],
                condition=Q(current=True),
                name="report_one_current_per_week",
            ),
            models.UniqueConstraint(
                fields=["job", "week_starts_on", "sending"], name="report_sending_in_week"
            ),
        )
        indexes = (models.Index(fields=["job", "-id"], name="report_of_job"),)

    def __str__(self) -> str:
        return f"Status Report for the week of {self.week_starts_on}"

    @property
    def week_ends_on(self) -> date:
        """The Sunday."""
        return self.week_starts_on + timedelta(days=6)


class ReportLine(models.Model):
    """How far one Milestone is, and whether this report bills it."""

    report = models.ForeignKey(StatusReport, models.PROTECT, related_name="lines")
    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="report_lines")
    percent = models.PositiveSmallIntegerField()
    comment = models.CharField(max_length=500, blank=True)
    billed_minor = models.BigIntegerField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["report", "escrow"], name="report_line_once"),
            models.CheckConstraint(condition=Q(percent__lte=100), name="report_line_percent"),
            models.CheckConstraint(
                condition=Q(billed_minor__isnull=True) | Q(percent=100, billed_minor__gt=0),
                name="report_line_billed_when_complete",
            ),
        )

    def __str__(self) -> str:
        return f"{self.escrow}: {self.percent} %"


class ReportAttachment(models.Model):
    """A file sent with a report."""

    report = models.ForeignKey(StatusReport, models.PROTECT, related_name="attachments")
    file = models.ForeignKey(StoredFile, models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return str(self.file)
