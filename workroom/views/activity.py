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
    page = Paginator(history.of_job(job), LINES_PER_PAGE).get_page(request.GET.get("page"))
    context = {
        **pages.job_context(request, job, tab="workroom:activity"),
        "page": page,
        "entries": history.lines(page.object_list, job, request.user),
    }
    return render(request, "workroom/activity.html", context)
