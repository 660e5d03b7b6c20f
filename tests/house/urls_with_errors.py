"""The addresses of the site, and some that go wrong in the ways that a page may."""

from allauth.core import ratelimit
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path

from escrow_site import urls
from escrow_site.urls import handler400, handler500

__all__ = ["handler400", "handler500", "urlpatterns"]


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a mistake in the code")


def denied(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied


def odd(request: HttpRequest) -> HttpResponse:
    raise SuspiciousOperation


def too_often(request: HttpRequest) -> HttpResponse:
    return ratelimit.respond_429(request)


def away(request: HttpRequest) -> HttpResponse:
    raise OperationalError("the database is away")


def lax(request: HttpRequest) -> HttpResponse:
    """A view that would weaken what holds for all."""
    loose = {
        "Content-Security-Policy": "default-src *",
        "Referrer-Policy": "unsafe-url",
        "X-Frame-Options": "SAMEORIGIN",
        "Cache-Control": "max-age=600",
    }
    return HttpResponse("<p>hello</p>", headers=loose)


urlpatterns: list[URLPattern | URLResolver] = [
    *urls.urlpatterns,
    path("errors/500/", broken),
    path("errors/403/", denied),
    path("errors/400/", odd),
    path("errors/429/", too_often),
    path("errors/503/", away),
    path("lax/", lax),
]
