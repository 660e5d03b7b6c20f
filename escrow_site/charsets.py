"""Refuse a request whose Content-Type names a charset that no browser sends here.

Django reads the query and the form with whatever codec of Python that name finds: ``rot13`` or ``zlib`` are no
charsets, and it fails while it makes the request, before any middleware. So this stands around the application.
Pages are UTF-8 and browsers answer in it; programs may send its subsets.
"""

import codecs
from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.utils.http import parse_header_parameters

from escrow_site import headers as strict

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

READ = {"utf-8", "ascii", "iso8859-1"}
REFUSAL = b"Nothing was changed: please send the text as UTF-8.\n"


class CharsetGuard:
    """The application behind a check of the charset."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        if is_read(environ.get("CONTENT_TYPE", "")):
            return self.application(environ, start_response)
        headers = [
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Length", str(len(REFUSAL))),
            ("Content-Security-Policy", strict.DOWNLOAD_POLICY),
            ("Cache-Control", strict.NOT_KEPT),
            *strict.EVERYWHERE.items(),
        ]
        start_response("400 Bad Request", headers)
        return [REFUSAL]


def is_read(content_type: str) -> bool:
    """Whether it names no charset, or one that is read here, in any of its spellings."""
    try:
        _, given = parse_header_parameters(content_type)
        return codecs.lookup(given.get("charset", "utf-8")).name in READ
    except (LookupError, ValueError):
        return False
