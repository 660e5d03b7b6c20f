"""The desk on a host of its own, where ADMIN_HOST names one: neither host answers what is the other's.

`reverse()` gives the same paths everywhere; only what a request finds differs. Without ADMIN_HOST nothing happens here.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase

from escrow_site.lib import hosts
from jobs.models import Person
from workroom import seeing

# Signing in and one's own account, on both hosts: cookies belong to one of them.
ACCOUNT_PREFIXES = ("account_", "mfa_", "usersessions_")
# What pages of the desk link to: papers and files, which an agent reads with the cookie of the desk.
READ_AT_THE_DESK = {
    "jobs:file",
    "workroom:case_file",
    "billing:document",
    "billing:document_pdf",
    "billing:pro_forma",
    "billing:pro_forma_pdf",
    "billing:statement",
    "billing:statement_pdf",
}


class DeskHostMiddleware:
    """After `SecurityMiddleware`; before `CommonMiddleware`, which must not know either what is hidden."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not hosts.has_desk(request) and _is_under_the_desk(request.path_info):
            # As if there were no such address: the same 404 as for any other, with or without its last slash.
            request.urlconf = "escrow_site.urls_without_desk"
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> HttpResponse | None:
        """What is not of the desk is on the site: reading is led there, anything else finds nothing.

        On the site an agent is a person like any other, who reads what is his own: a session that was stolen where
        everybody comes shows nobody's papers.
        """
        if not hosts.has_desk(request) and isinstance(request.user, Person):
            request.user.is_at_the_desk = False
        if not hosts.is_desk_host(request):
            return None
        match = request.resolver_match
        assert match is not None
        if "admin" in match.app_names or _is_shared(match.view_name):
            return None
        if seeing.is_seen_here(request, match.view_name):
            return None
        if match.view_name == "jobs:home":
            return HttpResponseRedirect(hosts.desk_url())
        if request.method not in ("GET", "HEAD"):
            raise Http404
        return HttpResponseRedirect(settings.SITE_URL + request.get_full_path())


def _is_under_the_desk(path: str) -> bool:
    return f"{path}/".startswith(f"/{settings.ADMIN_PATH}")


def _is_shared(view_name: str) -> bool:
    return view_name in READ_AT_THE_DESK or view_name.startswith(ACCOUNT_PREFIXES)
