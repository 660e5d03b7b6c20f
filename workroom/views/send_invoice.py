"""Manage ▸ Billing ▸ Send Invoice: choose the Job, Next, Request Release (R4.3).

The request itself is made by the Status Report that the button leads to.
"""

from datetime import datetime

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from billing.services import release_requests
from billing.services.funding import refuse_hourly
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal, WrongParty
from jobs.models import Job, Person
from workroom import pages
from workroom.forms.send_invoice import ChooseJobForm
from workroom.selectors import reports as reading
from workroom.services import reports

JOBS_PER_PAGE = 30


@require_safe
@login_required
def send_invoice(request: HttpRequest) -> HttpResponse:
    """Choose one of my running fixed-price Jobs, then Next."""
    assert isinstance(request.user, Person)
    words = request.GET.get("q", "").replace("\x00", "").strip()[:120]
    jobs = reading.billable_jobs(request.user)
    if words:
        jobs = jobs.filter(title__icontains=words)
    page = Paginator(jobs, JOBS_PER_PAGE).get_page(request.GET.get("page"))
    form = ChooseJobForm(request.GET if "next" in request.GET else None, jobs=page.object_list)
    if form.is_bound and form.is_valid():
        return redirect("workroom:send_invoice_job", form.cleaned_data["job"])
    context = {"form": form, "page": page, "words": words}
    return render(request, "workroom/send_invoice/choose_job.html", context)


@require_safe
@login_required
def send_invoice_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """The Milestones of the Job, with Request Release beside those that can be requested."""
    assert isinstance(request.user, Person)
    job = pages.job_or_404(request, job_id)
    at = timing.now()
    rows = [
        (escrow, release_requests.may_request_release(escrow, by=request.user, at=at))
        for escrow in reports.agreed_escrows(job)
    ]
    context = {
        **pages.job_context(request, job, tab=""),
        "rows": rows,
        "refusal": _refusal(job, by=request.user, at=at),
        "may_request_any": any(refusal is None for _, refusal in rows),
    }
    return render(request, "workroom/send_invoice/milestones.html", context)


def _refusal(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """Why nothing on this Job can be requested by this person, whatever the Milestone."""
    if job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer can request a release.")
    return refuse_hourly(job) or reports.may_submit_report(job, by=by, at=at)
