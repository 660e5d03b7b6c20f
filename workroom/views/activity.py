"""The whole history of a Job."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs.models import Person
from jobs.selectors import history
from workroom import pages

LINES_PER_PAGE = 50


@require_safe
@login_required
def activity(request: HttpRequest, job_id: int) -> HttpResponse:
    """All that happened, newest first."""
    assert isinstance(request.user, Person)
    job = pages.job_or_404(request, job_id)
    all_pages = Paginator(range(history.count_of_job(job)), LINES_PER_PAGE)
    page = all_pages.get_page(request.GET.get("page"))
    shown = history.of_job(job, limit=LINES_PER_PAGE, offset=(page.number - 1) * LINES_PER_PAGE)
    context = {
        **pages.job_context(request, job, tab="workroom:activity"),
        "page": page,
        "entries": history.lines(shown, job, request.user),
    }
    return render(request, "workroom/activity.html", context)
