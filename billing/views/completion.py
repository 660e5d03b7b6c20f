"""Completing a Job whose end is open (R11.1): what it means, then the click."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from billing.models import Escrow
from billing.services import closing
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def complete_job(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET says what completion means, POST completes."""
    assert isinstance(request.user, Person)
    rows = Job.objects.seen_by(request.user).select_related("client", "freelancer", "policy")
    job = get_object_or_404(rows, pk=job_id)
    if request.method == "POST":
        return _complete(request, job)
    if refusal := closing.may_complete(job, by=request.user, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("workroom:job_billing", job.pk)
    context = {
        "job": job,
        "other_party": job.other_party(request.user),
        "unfunded": Escrow.objects.of(job).filter(state=Escrow.State.UNFUNDED),
    }
    return render(request, "billing/statements/complete_job.html", context)


def _complete(request: HttpRequest, job: Job) -> HttpResponse:
    assert isinstance(request.user, Person)
    try:
        closing.complete(job.pk, by=request.user, at=timing.now())
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        messages.success(request, "The Job is completed. Both of you have the Closing Statement.")
    return redirect("workroom:job_billing", job.pk)
