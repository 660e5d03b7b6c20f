"""The buttons of the bar that moves the local clock. Its address exists in local mode only."""

from datetime import timedelta

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.html import format_html_join
from django.views.decorators.http import require_POST

from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.web import is_on_this_site
from jobs.models import Job, Person
from workroom.selectors.clock import Advanced, seen_by, told
from workroom.services import clock

DAYS = {"1-day": 1, "15-days": 15}
NEXT_EVENT = "next-event"


@require_POST
def advance_clock(request: HttpRequest) -> HttpResponse:
    """Move the clock, say what happened, and go back to the page; signed in or not."""
    step = request.POST.get("step")
    if not timing.is_movable() or step not in (*DAYS, NEXT_EVENT):
        raise Http404
    viewer = request.user if isinstance(request.user, Person) else None
    try:
        advanced = _advance(step, viewer)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        jobs = seen_by(viewer) if viewer else Job.objects.none()
        lines = told(advanced, jobs=jobs, viewer=viewer)
        messages.info(request, format_html_join("", '<span class="line">{}</span> ', zip(lines)))
    return HttpResponseRedirect(_way_back(request))


def _advance(step: str, viewer: Person | None) -> Advanced:
    if step == NEXT_EVENT:
        return clock.advance_to_next_event(viewer=viewer)
    return clock.advance(by=timedelta(days=DAYS[step]))


def _way_back(request: HttpRequest) -> str:
    """The page that was open, if it is one of this site."""
    page = request.POST.get("next", "")
    return page if is_on_this_site(page) else "/"
