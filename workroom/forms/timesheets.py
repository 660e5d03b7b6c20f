"""The form of a timesheet: shape only; the rules are in ``services.timesheets``."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django import forms
from django.http import QueryDict

from escrow_site.lib import hours
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from workroom.models import Timesheet
from workroom.services import timesheets
from workroom.services.timesheets import Entry, WrongHours

NOT_WHOLE = "The timesheet did not arrive whole. Please check the hours and send it again."


class HoursField(forms.CharField):
    """Reads ``7:30`` or ``7.5`` into minutes; empty is 0."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=10, required=False, **options)

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        if not text:
            return 0
        try:
            return hours.parse(text)
        except hours.BadHours as refusal:
            raise forms.ValidationError(refusal.message, code="bad_hours") from refusal

    def prepare_value(self, value: Any) -> Any:
        return hours.display(value) if isinstance(value, int) else value


class DayForm(forms.Form):
    """The time of one day."""

    hours = HoursField()
    note = forms.CharField(max_length=300, required=False)


class TimesheetForm(forms.Form):
    """What is said about the week as a whole."""

    comments = forms.CharField(
        max_length=5000, required=False, label="Comments", widget=forms.Textarea(attrs={"rows": 3})
    )


class WeekForm(forms.Form):
    """Which week: any day of it."""

    week = forms.DateField(
        label="Week of",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        error_messages={"invalid": "Enter a date such as 2026-03-09."},
    )


@dataclass
class Day:
    """One day on the page."""

    on: date
    form: DayForm
    has_begun: bool

    @property
    def entry(self) -> Entry:
        """What the service is asked to write."""
        typed = self.form.cleaned_data
        return Entry(worked_on=self.on, minutes=typed["hours"], note=typed["note"])


@dataclass
class Sheet:
    """The page of a timesheet that is being written."""

    form: TimesheetForm
    days: list[Day]
    week_starts_on: date
    earlier: Timesheet | None

    @property
    def week_ends_on(self) -> date:
        return self.week_starts_on + timedelta(days=6)

    def is_valid(self) -> bool:
        """Whether everything is in shape; every day is looked at, so that all errors show."""
        if not self.is_whole:
            self.form.add_error(None, NOT_WHOLE)
        return all([self.form.is_valid(), *(day.form.is_valid() for day in self.days)])

    @property
    def is_whole(self) -> bool:
        """Whether the hours of each day that has begun were sent, be they empty.

        A week that arrives cut off would else replace what was sent before with nothing.
        """
        begun = [day.form for day in self.days if day.has_begun]
        return all(form.add_prefix("hours") in form.data for form in begun)

    @property
    def has_errors(self) -> bool:
        return bool(self.form.errors or any(day.form.errors for day in self.days))

    def show(self, refusal: Refusal) -> None:
        """Put what the service said where it belongs."""
        problems: Mapping[date, str] = refusal.problems if isinstance(refusal, WrongHours) else {}
        for day in self.days:
            if day.on in problems:
                day.form.add_error("hours", problems[day.on])
        if not problems:
            self.form.add_error(None, refusal.message)


def open_sheet(
    job: Job, week_starts_on: date, *, by: Person, at: datetime, data: QueryDict | None = None
) -> Sheet:
    """The timesheet of a week as it is to be shown: as typed, or as the last sending has it."""
    earlier = timesheets.newest_sending(job, week_starts_on)
    worked = {entry.worked_on: entry for entry in earlier.entries.all()} if earlier else {}
    today = at.astimezone(by.zone).date()
    days = []
    for number in range(7):
        on = week_starts_on + timedelta(days=number)
        form = DayForm(data, prefix=f"d{number}")
        if entry := worked.get(on):
            form.initial = {"hours": entry.minutes, "note": entry.note}
        days.append(Day(on, form, has_begun=on <= today))
    whole = TimesheetForm(data, initial={"comments": earlier.comments if earlier else ""})
    return Sheet(form=whole, days=days, week_starts_on=week_starts_on, earlier=earlier)
