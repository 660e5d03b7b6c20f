"""The answers to requests that no page of ours could answer, in plain words: turned away before, or failed."""

import sys

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from structlog.contextvars import get_contextvars

TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)
# The database is away, restarting or too busy: nobody's fault, and over in a moment.
PASSING = (OperationalError, InterfaceError)
TRY_AGAIN_SECONDS = 5


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """413 for a request with more in it than any form of ours sends, else 400."""
    if isinstance(exception, TOO_MUCH):
        return too_large(request)
    return not_understood(request)


def not_understood(request: HttpRequest) -> HttpResponse:
    return render(request, "400.html", status=400)


def too_large(request: HttpRequest) -> HttpResponse:
    return render(request, "413.html", status=413)


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 when the database was away, be it for the page itself or for what stands around it."""
    if not isinstance(sys.exc_info()[1], PASSING):
        known = {"request_id": get_contextvars().get("request_id")}
        return HttpResponse(render_to_string("500.html", known), status=500)
    answer = HttpResponse(render_to_string("503.html"), status=503)
    answer.headers["Retry-After"] = str(TRY_AGAIN_SECONDS)
    return answer
