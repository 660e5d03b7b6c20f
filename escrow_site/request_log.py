"""For every request one id, one line in the log, and one measurement; for a machine's question the id alone.

The id stands in every line that is written on the way, in the lines of the tasks that the request hands over, and in
the answer (`X-Request-ID`): whoever reports a failure can name it. A line names the view and the numbers of the rows
that it is about; neither the address, which may hold a secret link or somebody's words, nor where the caller is.
"""

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from escrow_site import health, metrics

logger = logging.getLogger(__name__)

HEADER = "X-Request-ID"
# No row has a longer one; Python refuses to read the longest.
NUMBER = re.compile(r"[0-9]{1,18}")
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
# What a proxy of ours may give: an id and nothing that reads like words.
GIVEN = re.compile(r"[0-9a-fA-F-]{16,64}")


class RequestLogMiddleware:
    """The outermost: whoever answers, the answer has its id and its line."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        request_id = id_of(request)
        began = time.perf_counter()
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        try:
            response = self.get_response(request)
            note(request, response.status_code, time.perf_counter() - began)
        finally:
            structlog.contextvars.clear_contextvars()
        response.headers[HEADER] = request_id
        return response


def id_of(request: HttpRequest) -> str:
    """A new one, or the one that a trusted proxy has given to the request already."""
    given = request.headers.get(HEADER, "") if settings.TRUSTED_PROXY_COUNT else ""
    return given if GIVEN.fullmatch(given) else str(uuid.uuid4())


def note(request: HttpRequest, status: int, seconds: float) -> None:
    """The line and the measurement; of a machine's question only the line, and only if it tells something."""
    is_for_machines = request.path in health.ADDRESSES
    if not is_for_machines:
        metrics.note_request(view_of(request), status, seconds)
    if not is_for_machines or status >= 400:
        log(request, status, seconds)


def log(request: HttpRequest, status: int, seconds: float) -> None:
    about: dict[str, Any] = {
        "method": request.method if request.method in METHODS else "other",
        "view": view_of(request),
        "ids": ids_of(request),
        "code": status,
        "seconds": round(seconds, 3),
        # Only if the page asked who it is: this line must not cost a query.
        "user_id": getattr(getattr(request, "_cached_user", None), "pk", None),
    }
    level = logging.INFO
    if status >= 400:
        level = logging.WARNING if status < 500 else logging.ERROR
    logger.log(level, "request", extra=about)


def view_of(request: HttpRequest) -> str:
    """The name of the address; empty when there is nothing there."""
    match = request.resolver_match
    return match.view_name or "" if match else ""


def ids_of(request: HttpRequest) -> dict[str, int]:
    """The numbers in the address, by the names that the address gives them."""
    match = request.resolver_match
    given = match.kwargs if match else {}
    return {name: int(value) for name, value in given.items() if NUMBER.fullmatch(str(value))}
