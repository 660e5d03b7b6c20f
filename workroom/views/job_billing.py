"""A Job's Billing & Invoices tab: the money of its Milestones, its documents, its end."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from billing.models import ClosingStatement
from billing.selectors.billing_list import Wanted, entries
from escrow_site.lib import timing
from jobs.models import Job, Person
from workroom import pages
from workroom.selectors import forecasts, milestone_money, overview, turns
from workroom.selectors.billing import Row, rows, statement_rows

PAPERS_SHOWN = 20


@require_safe
@login_required
def job_billing(request: HttpRequest, job_id: int) -> HttpResponse:
    """What is held, released and asked for, and what the reader can do about it."""
    assert isinstance(request.user, Person)
    at = timing.now()
    job = pages.job_or_404(request, job_id)
    if job.state == Job.State.DRAFT:
        return redirect("workroom:draft", job.pk)
    escrows = overview.money_of(job) if job.activated_at else []
    milestones = milestone_money.milestones(job, escrows, viewer=request.user, at=at)
    papers = _papers(job, request.user) if escrows else []
    statements = _statements(job) if job.has_ended and job.activated_at else []
    context = {
        **pages.job_context(request, job, tab="workroom:job_billing"),
        "milestones": milestones,
        "fund_all": milestone_money.together(job, milestones, label="Fund", name="billing:fund"),
        "release_all": milestone_money.together(
            job,
            [line for line in milestones if line.is_requested],
            label="Release",
            name="billing:release",
        ),
        "totals": milestone_money.totals(escrows),
        "nothing_was_ever_funded": bool(escrows) and turns.nothing_was_ever_funded(job, escrows),
        "pending": [escrow for escrow in escrows if escrow.state == "pending"],
        "moments": forecasts.of_tab(job, escrows=escrows, viewer=request.user, at=at),
        "papers": [*statements, *papers],
        "has_more_papers": len(papers) == PAPERS_SHOWN,
        "completes_by_hand": job.is_running and (job.open_ended or job.kind == Job.Kind.HOURLY),
        "completable": milestone_money.nothing_is_under_way(escrows),
        "url_to_dispute": milestone_money.url_to_dispute(job, escrows, viewer=request.user, at=at),
    }
    return render(request, "workroom/job_billing.html", context)


def _papers(job: Job, reader: Person) -> list[Row]:
    """The newest Release Requests and documents of the Job."""
    return rows(entries(reader, Wanted(job_id=job.pk), limit=PAPERS_SHOWN))


def _statements(job: Job) -> list[Row]:
    return statement_rows(ClosingStatement.objects.filter(job=job).order_by("-number"))
