"""A Job's Disputes tab: those that there are, and the Milestones about which one can be opened (R9.1)."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from billing.selectors import disputes as reading
from billing.services.disputes import may_open
from escrow_site.lib import timing
from jobs.models import Job, Person
from workroom import pages


@require_safe
@login_required
def disputes(request: HttpRequest, job_id: int) -> HttpResponse:
    """Whose turn it is in each, and a button per Milestone that can be disputed."""
    assert isinstance(request.user, Person)
    at = timing.now()
    job = pages.job_or_404(request, job_id)
    if job.state == Job.State.DRAFT:
        return redirect("workroom:draft", job.pk)
    escrows = reading.escrows_of(job) if job.activated_at else []
    context = {
        **pages.job_context(request, job, tab="workroom:disputes"),
        "lines": reading.lines_of(job, viewer=request.user, at=at),
        "disputable": [
            escrow for escrow in escrows if may_open(escrow, by=request.user, at=at) is None
        ],
    }
    return render(request, "workroom/disputes.html", context)
