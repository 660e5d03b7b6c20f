"""What the frame of every page shows about the product's clock."""

from datetime import UTC, timedelta
from urllib.parse import urlsplit

from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from escrow_site.lib import display, timing
from jobs.models import Person
from workroom.selectors.clock import elapsed


def clock_bar(request: HttpRequest) -> dict[str, object]:
    """``clock_bar``: the time that the pages go by, to be moved from there; None outside local mode."""
    return {"clock_bar": SimpleLazyObject(lambda: _bar(request)) if timing.is_movable() else None}


def _bar(request: HttpRequest) -> dict[str, object]:
    ahead = timing.offset()
    own, utc = _times(getattr(request, "user", None))
    return {
        "own": own,
        "utc": utc,
        "ahead": elapsed(ahead) if ahead > timedelta(0) else "",
        "page": _page(request),
    }


def _times(person: object) -> tuple[str, str]:
    """The time in the person's zone, if that says more, and in UTC, without the day if it is the same."""
    now = timing.now()
    with timezone.override(UTC):
        utc_day, utc_time = display.day_and_time(now)
    own_day, own_time = display.day_and_time(now)
    if not isinstance(person, Person) or own_time == utc_time:
        return "", f"{utc_day}, {utc_time}"
    return f"{own_day}, {own_time}", utc_time if own_day == utc_day else f"{utc_day}, {utc_time}"


def _page(request: HttpRequest) -> str:
    """Where to come back to. The answer to a form that was sent can't be asked for again: then it is
    the page that the form stood on.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    parts = urlsplit(request.headers.get("Referer", ""))
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
