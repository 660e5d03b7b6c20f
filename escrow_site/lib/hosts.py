"""Which host answers what: the site's own, and the desk's where it has one (docs/security.md)."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port


def is_desk_host(request: HttpRequest) -> bool:
    """Whether the request came to a host that the desk has for itself."""
    return bool(settings.ADMIN_HOST) and _host(request) == settings.ADMIN_HOST


def has_desk(request: HttpRequest) -> bool:
    """Whether the desk answers on the host of this request."""
    return not settings.ADMIN_HOST or is_desk_host(request)


def desk_url() -> str:
    """Where the desk begins, from anywhere on the site."""
    path = f"/{settings.ADMIN_PATH}"
    if not settings.ADMIN_HOST:
        return path
    site = urlsplit(settings.SITE_URL)
    port = f":{site.port}" if site.port else ""
    return f"{site.scheme}://{settings.ADMIN_HOST}{port}{path}"


def _host(request: HttpRequest) -> str:
    return split_domain_port(request.get_host())[0]
