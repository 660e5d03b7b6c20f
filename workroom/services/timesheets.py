"""Timesheets: the hours of a week, sent by the Freelancer; a record, never money (R1.3)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from billing.services import catching_up
from escrow_site.lib import hours
from escrow_site.lib.display import day
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from escrow_site.lib.timing import week_start
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from workroom.models import Timesheet, TimesheetEntry
from workroom.notices import TIMESHEET_SUBMITTED

# Nobody means a week before that; who types 0206 for 2026 is told.
EARLIEST_BEFORE_JOB = timedelta(days=366)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """The time worked on one day, in minutes."""

    worked_on: date
    minutes: int
    note: str = ""


class WrongWeek(Refusal):
    """No timesheet can be sent for this week."""


class WrongHours(Refusal):
    """The hours of these days cannot be so; ``problems`` says why, by day."""

    def __init__(self, problems: dict[date, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class NothingWorked(Refusal):
    """A first sending without a single hour, or one that says what was said already."""


def may_submit_timesheet(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer sends timesheets while the Job runs, on Jobs of both kinds (R1.3)."""
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer of this Job can send timesheets.")
    if not job.is_running:
        return WrongState(
            f"This Job is {job.get_state_display().lower()}: "
            "timesheets can be sent while it is active."
        )
    return None


def may_submit_week(job: Job, week_starts_on: date, *, by: Person, at: datetime) -> Refusal | None:
    """Past weeks and the current one, as the Freelancer's time zone has it."""
    if week_starts_on != week_start(week_starts_on):
        return WrongWeek("A week starts on a Monday.")
    if week_starts_on > at.astimezone(by.zone).date():
        return WrongWeek(
            f"The week of {day(week_starts_on)} has not begun yet: "
            "a timesheet can be sent for this week or a past one."
        )
    if week_starts_on < (job.activated_at or job.drafted_at).date() - EARLIEST_BEFORE_JOB:
        return WrongWeek(f"The week of {day(week_starts_on)} is long before this Job.")
    return None


def submit_timesheet(
    job: Job,
    *,
    by: Person,
    week_starts_on: date,
    entries: Iterable[Entry],
    comments: str = "",
    at: datetime,
) -> Timesheet:
    """Send the hours of a week; an older sending of the same week is kept.

    Days without time leave no row. Locks the Job. Raises NothingWorked, WrongHours, WrongParty,
    WrongState, WrongWeek.
    """
    worked = [entry for entry in entries if entry.minutes]
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_submit_timesheet(job, by=by, at=at))
        refuse_if(may_submit_week(job, week_starts_on, by=by, at=at))
        _refuse_hours(week_starts_on, worked, today=at.astimezone(by.zone).date())
        sheet = Timesheet(
            job=job,
            freelancer=by,
            week_starts_on=week_starts_on,
            sent_at=at,
            comments=comments,
        )
        _send(sheet, worked)
        activity.record(
            job,
            TIMESHEET_SUBMITTED,
            by=by,
            at=at,
            timesheet=sheet.pk,
            week_on=week_starts_on,
            sending=sheet.sending,
            hours=hours.display(sum(entry.minutes for entry in worked)),
        )
    return sheet


def newest_sending(job: Job, week_starts_on: date) -> Timesheet | None:
    """The last sending of a week, with its days."""
    return (
        Timesheet.objects.filter(job=job, week_starts_on=week_starts_on)
        .prefetch_related("entries")
        .order_by("-sending")
        .first()
    )


def _refuse_hours(week_starts_on: date, worked: list[Entry], *, today: date) -> None:
    """Each day once, within the week, begun already, and at most 24 hours long."""
    problems = {}
    days = {week_starts_on + timedelta(days=number) for number in range(7)}
    for entry in worked:
        if entry.worked_on not in days:
            problems[entry.worked_on] = f"{day(entry.worked_on)} is not a day of this week."
        elif entry.worked_on > today:
            problems[entry.worked_on] = f"{day(entry.worked_on)} has not begun yet."
        elif not 0 < entry.minutes <= hours.DAY_MINUTES:
            problems[entry.worked_on] = "A day has 24 hours."
        days.discard(entry.worked_on)
    if problems:
        raise WrongHours(problems)


def _send(sheet: Timesheet, worked: list[Entry]) -> None:
    """Write the timesheet as the newest sending of its week."""
    newest = newest_sending(sheet.job, sheet.week_starts_on)
    if newest:
        _refuse_the_same(sheet, worked, newest)
        sheet.sending = newest.sending + 1
        Timesheet.objects.filter(pk=newest.pk).update(current=False)
    elif not worked:
        raise NothingWorked("Enter the hours of at least one day.")
    sheet.save(force_insert=True)
    TimesheetEntry.objects.bulk_create(
        TimesheetEntry(
            timesheet=sheet, worked_on=entry.worked_on, minutes=entry.minutes, note=entry.note
        )
        for entry in worked
    )


def _refuse_the_same(sheet: Timesheet, worked: list[Entry], newest: Timesheet) -> None:
    """A second click sends nothing twice."""
    before = {(entry.worked_on, entry.minutes, entry.note) for entry in newest.entries.all()}
    now = {(entry.worked_on, entry.minutes, entry.note) for entry in worked}
    if before == now and sheet.comments == newest.comments:
        raise NothingWorked(
            "You have sent exactly this timesheet for this week already: nothing was sent again."
        )
