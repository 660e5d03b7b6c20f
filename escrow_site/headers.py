"""The headers that keep browsers strict, on every answer whatever made it: one table, kept by one middleware.

What a page may load is here as well: its own style sheets, scripts and pictures, and nothing inline, so no nonce is
needed. HSTS and the redirect to HTTPS are Django's own `SecurityMiddleware`. No view weakens any of it.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

PAGE_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "base-uri 'none'",
    ]
)
# What somebody uploaded: should a browser show it all the same, it runs nothing and belongs to no site.
DOWNLOAD_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; sandbox"

# Passkeys are the one thing of these that our pages use.
PERMISSIONS = ", ".join(
    [
        *(
            f"{feature}=()"
            for feature in (
                "accelerometer", "autoplay", "browsing-topics", "camera", "display-capture",
                "encrypted-media", "fullscreen", "geolocation", "gyroscope", "magnetometer",
                "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock",
                "serial", "usb", "xr-spatial-tracking",
            )
        ),
        "publickey-credentials-create=(self)",
        "publickey-credentials-get=(self)",
    ]
)  # fmt: skip

EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS,
    # Links of invitations, calendars and resets are secrets: no other site is told from where one comes. Not
    # `no-referrer`, with which browsers withhold the Origin that the CSRF check of our own forms asks for.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
NOT_KEPT = "private, no-store"

GetResponse = Callable[[HttpRequest], HttpResponseBase]


class HeadersMiddleware:
    """Outside all that answers, so that errors, redirects and what other middleware answers have them too."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        for name, value in strict_headers(response).items():
            response.headers[name] = value
        return response


def strict_headers(response: HttpResponseBase) -> dict[str, str]:
    """All of them for one answer."""
    headers = dict(EVERYWHERE)
    if not _is_page_of_the_debugger(response):
        headers["Content-Security-Policy"] = _policy(response)
    # Only static files are public; whatever a view makes is for one reader, and gone from a shared machine.
    if "public" not in response.headers.get("Cache-Control", ""):
        headers["Cache-Control"] = NOT_KEPT
    return headers


def _policy(response: HttpResponseBase) -> str:
    is_download = response.headers.get("Content-Disposition", "").startswith("attachment")
    return DOWNLOAD_POLICY if is_download else PAGE_POLICY


def _is_page_of_the_debugger(response: HttpResponseBase) -> bool:
    """Django's own page of an error has its style inline; DEBUG is never on where others can reach the site."""
    return settings.DEBUG and response.status_code in (404, 500)
