"""A charset that is none is a refusal, not an error."""

from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.core.handlers.wsgi import WSGIHandler

from escrow_site.charsets import CharsetGuard

application = CharsetGuard(WSGIHandler())
FORM = "application/x-www-form-urlencoded"


def answer(content_type: str) -> str:
    """The status of a request for /healthz with a query that must be decoded."""
    environ: dict[str, Any] = {
        "PATH_INFO": "/healthz",
        "QUERY_STRING": "a=%FF",
        "CONTENT_TYPE": content_type,
    }
    setup_testing_defaults(environ)
    said: list[str] = []

    def start_response(status: str, *_: object) -> Any:
        said.append(status)

    list(application(environ, start_response))
    return said[0]


@pytest.mark.parametrize(
    "content_type",
    [
        f"{FORM}; charset={charset}"
        for charset in (
            "unicode_escape", "rot13", "hex", "zlib", "idna", "undefined", "utf-16", "utf-8-sig",
            "none", "\xfc", "",
        )
    ] + [f"{FORM}; charset*=nothing''utf%2D8"],
)  # fmt: skip
def test_a_charset_that_is_not_read_is_refused(content_type: str) -> None:
    assert answer(content_type) == "400 Bad Request"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("charset", ["utf-8", "UTF8", '"utf-8"', "us-ascii", "ISO-8859-1"])
def test_the_usual_charsets_are_read(charset: str) -> None:
    assert answer(f"{FORM}; charset={charset}") == "200 OK"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("content_type", ["", FORM, "multipart/form-data; boundary=a"])
def test_no_charset_is_fine(content_type: str) -> None:
    assert answer(content_type) == "200 OK"
