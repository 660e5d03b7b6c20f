"""What the frame of every page shows about its reader."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from jobs.models import Person
from jobs.selectors.notices import count_unread


def notices(request: HttpRequest) -> dict[str, object]:
    """``unread_notices``, counted only by a page that shows it."""

    def count() -> int | str:
        person = getattr(request, "user", None)
        return count_unread(person) if isinstance(person, Person) else 0

    return {"unread_notices": SimpleLazyObject(count)}
