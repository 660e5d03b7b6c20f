"""What every request of a signed-in person is wrapped in."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from jobs.models import Person

GetResponse = Callable[[HttpRequest], HttpResponse]


class TimeZoneMiddleware:
    """Shows every instant in the reader's own time zone (R6.1); in UTC to who is not signed in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, Person):
            return self.get_response(request)
        with timezone.override(request.user.zone):
            return self.get_response(request)
