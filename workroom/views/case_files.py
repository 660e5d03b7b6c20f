"""The case file of a Job, to be downloaded by its parties and support."""

from http import HTTPStatus

from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from jobs.services import attempts
from workroom.services import case_files


@require_safe
@login_required
def case_file(request: HttpRequest, job_id: int) -> HttpResponseBase:
    """All there is to the Job in one ZIP archive; to a stranger there is no such Job (R1.4)."""
    assert isinstance(request.user, Person)
    if attempts.is_reached(attempts.CASE_FILES, request.user.pk, at=timing.real_now()):
        return render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    try:
        made = case_files.make(job_id, by=request.user, at=timing.now())
    except (Job.DoesNotExist, Refusal) as refusal:
        raise Http404("There is no such Job.") from refusal
    attempts.note(attempts.CASE_FILES, request.user.pk, at=timing.real_now())
    return FileResponse(
        made.content,
        as_attachment=True,
        filename=made.name,
        content_type="application/zip",
    )
