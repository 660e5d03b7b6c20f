"""How much one request may bring; the rules of one file and of one sending are in `jobs.services.files`.

Text is bounded by Django (DATA_UPLOAD_MAX_*), the request's line and headers by the web server (`web_server`), what
uploads take of the disk by `escrow_site.lib.uploads`. Here is the one bound that is left: how long we read at all.
"""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from escrow_site.errors import not_understood, too_large


class BodyLimitMiddleware:
    """Refuses by the announced length, before a byte is read; nobody can send more than he announced."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        announced = request.META.get("CONTENT_LENGTH") or "0"
        # Web servers refuse a length that is no number themselves; Django would stumble over it.
        if not re.fullmatch("[0-9]{1,18}", announced):
            return not_understood(request)
        if int(announced) > _most(request):
            return too_large(request)
        return self.get_response(request)


def _most(request: HttpRequest) -> int:
    if request.content_type == "multipart/form-data":
        return int(settings.REQUEST_LARGEST_BYTES)
    return int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
