"""Pages of timesheets: the list, one timesheet, and the one that is being written (R1.3)."""

from datetime import date, datetime, timedelta

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from escrow_site.lib import money, timing
from escrow_site.lib.display import day
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.timing import week_start
from jobs.models import Job, Person
from workroom import pages
from workroom.forms.timesheets import Sheet, WeekForm, open_sheet
from workroom.models import TimesheetEntry
from workroom.selectors import timesheets as reading
from workroom.services import timesheets
from workroom.services.reports import current_week

ROWS_PER_PAGE = 25


@require_safe
@login_required
def timesheet_list(request: HttpRequest, job_id: int) -> HttpResponse:
    """All sendings, the newest week first."""
    assert isinstance(request.user, Person)
    job = pages.job_or_404(request, job_id)
    page = Paginator(reading.sendings(job), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    refusal = timesheets.may_submit_timesheet(job, by=request.user, at=timing.now())
    context = {
        **pages.job_context(request, job, tab="workroom:timesheets"),
        "page": page,
        "may_create": refusal is None,
        "not_created": refusal,
    }
    return render(request, "workroom/timesheets/list.html", context)


@require_safe
@login_required
def timesheet(request: HttpRequest, job_id: int, timesheet_id: int) -> HttpResponse:
    """One sending, as both sides read it."""
    assert isinstance(request.user, Person)
    row = get_object_or_404(reading.seen_timesheets(request.user), pk=timesheet_id, job_id=job_id)
    entries = {entry.worked_on: entry for entry in row.entries.all()}
    minutes = sum(entry.minutes for entry in entries.values())
    context = {
        **pages.job_context(request, row.job, tab="workroom:timesheets"),
        "timesheet": row,
        "days": _days(row.week_starts_on, entries),
        "minutes": minutes,
        "comes_to_minor": _comes_to(row.job, minutes),
        "other_sendings": reading.other_sendings(row),
    }
    return render(request, "workroom/timesheets/timesheet.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create_timesheet(request: HttpRequest, job_id: int) -> HttpResponse:
    """The hours of a week (``week``: any day of it): shown to be filled in, and sent."""
    assert isinstance(request.user, Person)
    job = pages.job_or_404(request, job_id)
    at = timing.now()
    if request.method == "POST":
        return _send(request, job, at=at)
    if refusal := timesheets.may_submit_timesheet(job, by=request.user, at=at):
        messages.error(request, refusal.message)
        return redirect("workroom:timesheets", job.pk)
    week, week_form = _week(request.GET, job, by=request.user, at=at)
    sheet = open_sheet(job, week, by=request.user, at=at)
    return _show(request, job, sheet, week_form)


def _send(request: HttpRequest, job: Job, *, at: datetime) -> HttpResponse:
    """Send the timesheet, or show it again with what is wrong."""
    assert isinstance(request.user, Person)
    week, week_form = _week(request.POST, job, by=request.user, at=at)
    sheet = open_sheet(job, week, by=request.user, at=at, data=request.POST)
    if week_form.errors or not sheet.is_valid():
        return _show(request, job, sheet, week_form)
    try:
        sent = timesheets.submit_timesheet(
            job,
            by=request.user,
            week_starts_on=week,
            entries=[one.entry for one in sheet.days],
            comments=sheet.form.cleaned_data["comments"],
            at=at,
        )
    except Refusal as refusal:
        sheet.show(refusal)
        return _show(request, job, sheet, week_form)
    messages.success(
        request,
        f"The timesheet for the week of {day(sent.week_starts_on)} was sent to {job.client}.",
    )
    return redirect("workroom:timesheet", job.pk, sent.pk)


def _week(data: QueryDict, job: Job, *, by: Person, at: datetime) -> tuple[date, WeekForm]:
    """The Monday of the week asked for; this week, and an error, if it cannot be that one."""
    this_week = current_week(by, at=at)
    form = WeekForm(data if "week" in data else {"week": this_week})
    if not form.is_valid():
        return this_week, form
    week = week_start(form.cleaned_data["week"])
    if refusal := timesheets.may_submit_week(job, week, by=by, at=at):
        form.add_error("week", refusal.message)
        return this_week, form
    return week, form


def _show(request: HttpRequest, job: Job, sheet: Sheet, week_form: WeekForm) -> HttpResponse:
    context = {
        **pages.job_context(request, job, tab="workroom:timesheets"),
        "sheet": sheet,
        "form": sheet.form,
        "week_form": week_form,
    }
    return render(request, "workroom/timesheets/create.html", context)


def _days(
    week_starts_on: date, entries: dict[date, TimesheetEntry]
) -> list[tuple[date, TimesheetEntry | None]]:
    """The seven days, with what was worked on each."""
    days = [week_starts_on + timedelta(days=number) for number in range(7)]
    return [(on, entries.get(on)) for on in days]


def _comes_to(job: Job, minutes: int) -> int | None:
    """Rate times hours of an hourly Job, for information only: a timesheet is never money (R1.3)."""
    if job.hourly_rate_minor is None:
        return None
    return money.for_time(job.hourly_rate_minor, minutes)
