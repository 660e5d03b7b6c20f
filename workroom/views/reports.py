"""Pages of Status Reports: the list, one report, and the one that is being written (R4)."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from billing.selectors.release_requests import moments_of
from escrow_site.lib import timing
from escrow_site.lib.display import day
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from workroom import pages
from workroom.forms.reports import Sheet, open_sheet, ticked
from workroom.models import StatusReport
from workroom.selectors import reports as reading
from workroom.services import reports

ROWS_PER_PAGE = 25


@require_safe
@login_required
def report_list(request: HttpRequest, job_id: int) -> HttpResponse:
    """All sendings, the newest week first."""
    assert isinstance(request.user, Person)
    job = pages.job_or_404(request, job_id)
    page = Paginator(reading.sendings(job), ROWS_PER_PAGE).get_page(request.GET.get("page"))
    refusal = reports.may_submit_report(job, by=request.user, at=timing.now())
    context = {
        **pages.job_context(request, job, tab="workroom:reports"),
        "page": page,
        "may_create": refusal is None,
        "not_created": refusal,
    }
    return render(request, "workroom/reports/list.html", context)


@require_safe
@login_required
def report(request: HttpRequest, job_id: int, report_id: int) -> HttpResponse:
    """One sending, as both sides read it."""
    assert isinstance(request.user, Person)
    row = get_object_or_404(reading.seen_reports(request.user), pk=report_id, job_id=job_id)
    lines = reading.lines_of(row)
    billed = reading.billed_in(row, lines)
    open_requests = [one for one in billed if one.has_clock]
    context = {
        **pages.job_context(request, row.job, tab="workroom:reports"),
        "report": row,
        "lines": lines,
        "billed": billed,
        "billed_minor": sum(line.billed_minor or 0 for line in lines),
        "open_requests": open_requests,
        "open_minor": sum(one.line.escrow.held_minor for one in open_requests),
        "moments": moments_of(
            [one.request for one in open_requests if one.request],
            row.job,
            viewer=request.user,
            at=timing.now(),
        ),
        "attachments": reading.attachments_of(row),
        "other_sendings": reading.other_sendings(row),
    }
    return render(request, "workroom/reports/report.html", context)


@require_safe
@login_required
def report_of_request(request: HttpRequest, job_id: int, request_id: int) -> HttpResponse:
    """To the report that made a Release Request; billing knows of no reports and links here."""
    job = pages.job_or_404(request, job_id)
    row = reading.report_of_request(job, request_id)
    if row is None:
        return redirect("workroom:reports", job.pk)
    return redirect("workroom:report", job.pk, row.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def create_report(request: HttpRequest, job_id: int) -> HttpResponse:
    """This week's report: shown to be filled in, and sent (R4.1 to R4.4)."""
    assert isinstance(request.user, Person)
    job = pages.job_or_404(request, job_id)
    if request.method == "POST":
        return _send(request, job)
    at = timing.now()
    if refusal := reports.may_submit_report(job, by=request.user, at=at):
        messages.error(request, refusal.message)
        return redirect("workroom:reports", job.pk)
    number = _number(request.GET.get("bill"))
    sheet = open_sheet(job, by=request.user, at=at, bill=number)
    if "bill" in request.GET:
        _say_why_not_billed(request, sheet, number)
    return _show(request, job, sheet)


def _send(request: HttpRequest, job: Job) -> HttpResponse:
    """Send the report, or show it again: with what is wrong, or with what would be billed."""
    assert isinstance(request.user, Person)
    at = timing.now()
    sheet = open_sheet(job, by=request.user, at=at, data=request.POST, files=request.FILES)
    if unseen := sheet.rows_that_tick_themselves:
        sheet = open_sheet(
            job, by=request.user, at=at, data=ticked(request.POST, unseen), files=request.FILES
        )
        return _show(request, job, sheet, added=[row.escrow.title for row in unseen])
    if "refresh" in request.POST or not sheet.is_valid():
        return _show(request, job, sheet)
    try:
        sent = reports.submit_report(
            job,
            by=request.user,
            lines=[row.line for row in sheet.rows],
            comments=sheet.form.cleaned_data["comments"],
            plan=sheet.form.cleaned_data["plan"],
            uploads=sheet.form.cleaned_data["attachments"],
            kept_files=sheet.form.cleaned_data.get("kept_files", []),
            at=at,
        )
    except Refusal as refusal:
        job = pages.job_or_404(request, job.pk)
        return _show(request, job, _shown_again(request, job, refusal))
    messages.success(request, _done(job, sent, sheet))
    return redirect("workroom:report", job.pk, sent.pk)


def _shown_again(request: HttpRequest, job: Job, refusal: Refusal) -> Sheet:
    """What was typed, beside what there is by now, with what the service said."""
    assert isinstance(request.user, Person)
    sheet = open_sheet(
        job, by=request.user, at=timing.now(), data=request.POST, files=request.FILES
    )
    sheet.is_valid()
    sheet.show(refusal)
    return sheet


def _show(
    request: HttpRequest, job: Job, sheet: Sheet, *, added: list[str] | None = None
) -> HttpResponse:
    """The report to be filled in; ``added`` are Milestones that went into Billing by themselves."""
    assert job.policy is not None
    context = {
        **pages.job_context(request, job, tab="workroom:reports"),
        "sheet": sheet,
        "form": sheet.form,
        "policy": job.policy,
        "added": added,
        # A browser does not keep chosen files when a page is shown again.
        "lost_files": [upload.name for upload in request.FILES.getlist("attachments")],
        "is_invoice": "bill" in request.GET,
    }
    return render(request, "workroom/reports/create.html", context)


def _say_why_not_billed(request: HttpRequest, sheet: Sheet, number: int | None) -> None:
    row = sheet.row(number) if number is not None else None
    if row is None:
        messages.error(request, "This Milestone is not part of the agreed Terms.")
    elif row.not_billed:
        messages.error(request, row.not_billed.message)


def _done(job: Job, sent: StatusReport, sheet: Sheet) -> str:
    billed = [f"“{row.escrow}”" for row in sheet.rows if row.is_billed]
    done = f"The Status Report for the week of {day(sent.week_starts_on)} was sent to {job.client}."
    if not billed:
        return done
    return f"{done} Release requested: {', '.join(billed)}."


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 10 else None
