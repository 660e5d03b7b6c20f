"""Timesheets (R1.3): a record, never money."""

from datetime import date, timedelta

from django.db import models
from django.db.models import Q

from jobs.models import Job, Person


class Timesheet(models.Model):
    """One sending of the hours of one week (Monday to Sunday in the Freelancer's time zone)."""

    job = models.ForeignKey(Job, models.PROTECT, related_name="timesheets")
    freelancer = models.ForeignKey(Person, models.PROTECT, related_name="+")
    week_starts_on = models.DateField()
    sending = models.PositiveIntegerField(default=1)
    current = models.BooleanField(default=True)
    sent_at = models.DateTimeField()
    comments = models.TextField(max_length=5000, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["job", "week_starts_on"],
                condition=Q(current=True),
                name="timesheet_one_current_per_week",
            ),
            models.UniqueConstraint(
                fields=["job", "week_starts_on", "sending"], name="timesheet_sending_in_week"
            ),
        )

    def __str__(self) -> str:
        return f"Timesheet for the week of {self.week_starts_on}"

    @property
    def week_ends_on(self) -> date:
        """The Sunday."""
        return self.week_starts_on + timedelta(days=6)


class TimesheetEntry(models.Model):
    """The time of one day, in minutes."""

    timesheet = models.ForeignKey(Timesheet, models.PROTECT, related_name="entries")
    worked_on = models.DateField()
    minutes = models.PositiveSmallIntegerField()
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name_plural = "timesheet entries"
        constraints = (
            models.UniqueConstraint(
                fields=["timesheet", "worked_on"], name="timesheet_entry_once_per_day"
            ),
            models.CheckConstraint(
                condition=Q(minutes__gt=0, minutes__lte=24 * 60), name="timesheet_entry_minutes"
            ),
        )

    def __str__(self) -> str:
        return f"{self.worked_on}: {self.minutes} min"
