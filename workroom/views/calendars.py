"""The calendar that a secret link leads to, for programs that know no cookies."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone, translation
from django.views.decorators.http import require_safe

from escrow_site.lib import timing
from jobs.models import Person
from workroom import calendars
from workroom.selectors import forecasts


@require_safe
def calendar(request: HttpRequest, token: str) -> HttpResponse:
    """What will happen on all Jobs of the link's owner; 404 once it is revoked or he is locked."""
    owner = get_object_or_404(Person, calendar_token=token, is_active=True)
    at = timing.now()
    with translation.override(owner.language), timezone.override(owner.zone):
        body = calendars.write(forecasts.of_calendar(owner, at=at), at=at)
    response = HttpResponse(body, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="escrow.ics"'
    response["X-Robots-Tag"] = "noindex"
    return response
