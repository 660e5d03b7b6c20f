"""Asking again who it is, before money leaves or an account changes hands.

The password or a second factor, given within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds, counts; so does signing in.
What was typed is kept in the session meanwhile and carried out afterwards, so it costs nobody his words. The
pages that ask say what waits, and let it be dropped: else whoever finds an open browser could have a payout
wait for its owner's next password. It waits ten minutes, and for the page that showed it.
"""

import functools
import re
import secrets
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import reauthentication
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.utils import get_next_redirect_url
from allauth.core.internal import httpkit
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

from escrow_site.lib import timing
from escrow_site.lib.web import is_on_this_site

View = TypeVar("View", bound=Callable[..., HttpResponseBase])

WAITS_SECONDS = 10 * 60
DROPPED = "This was dropped. Nothing was done."
TOO_OLD = (
    "What you had asked for waited too long, or was replaced. It was dropped, and nothing was done."
)
ONCE_MORE = "Show that it is you, then fill in the form once more."
# What of a form is said on the page that asks; the rest stays unsaid.
SAID = {
    "escrow": "Milestone",
    "amount": "Amount",
    "currency": "Currency",
    "destination": "To",
    "reason": "Reason",
    "seen_outcome": "Outcome",
}
SHARE = re.compile(r"share-(\d+)")
SAID_AT_MOST = 200


def reauthentication_required(act: str) -> Callable[[View], View]:
    """Let only somebody carry out a POST of this view who has just shown who he is. Reading it asks nothing.

    ``act`` says in plain words what the POST does, for the page that asks.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if request.method == "POST" and is_due(request):
                return ask(request, act=act)
            return view(request, *args, **kwargs)

        return cast(View, ask_first)

    return decorate


def reauthentication_required_to_read(view: View) -> View:
    """Ask already before the page is shown; what is typed there is a secret, and never kept meanwhile."""

    @functools.wraps(view)
    def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_due(request):
            return ask(request)
        return view(request, *args, **kwargs)

    return cast(View, ask_first)


def is_due(request: HttpRequest) -> bool:
    """Whether this browser has to show again who is sitting there."""
    return request.user.is_authenticated and reauthentication.is_reauthentication_required(
        request, app="escrow"
    )


def ask(request: HttpRequest, *, act: str = "") -> HttpResponse:
    """To the page that asks; from there back. With an ``act`` what was typed is carried out then.

    allauth finds what was suspended by its bare path; what stood behind the question mark is kept with it.
    """
    methods = get_adapter().get_reauthentication_methods(request.user)
    url = methods[0]["url"] if methods else reverse("account_login")
    request.session.pop(reauthentication.STATE_SESSION_KEY, None)
    query = {REDIRECT_FIELD_NAME: request.get_full_path()}
    if request.method == "POST" and act and not request.FILES:
        waiting = _suspended(request, act)
        request.session[reauthentication.STATE_SESSION_KEY] = waiting
        query = {REDIRECT_FIELD_NAME: request.path, "waiting": waiting["token"]}
    elif request.method == "POST":  # files do not fit into a session, secrets do not belong there
        messages.info(request, ONCE_MORE)
    return HttpResponseRedirect(f"{url}?{urlencode(query)}")


def _suspended(request: HttpRequest, act: str) -> dict[str, Any]:
    """What lies in the session meanwhile; ``said`` is read by the page, ``token`` binds what is done to it."""
    return {
        "request": httpkit.serialize_request(request),
        "path": request.path,
        "act": act,
        "said": _said(request),
        "back": _came_from(request),
        "at": timing.real_now().timestamp(),
        "token": secrets.token_urlsafe(16),
    }


def _came_from(request: HttpRequest) -> str:
    """The page of the form, to go back to if nothing is done."""
    address = urlsplit(request.headers.get("Referer", ""))
    page = f"{address.path}?{address.query}" if address.query else address.path
    return page if address.netloc == request.get_host() and is_on_this_site(page) else "/"


def _said(request: HttpRequest) -> list[dict[str, str]]:
    said = []
    if request.resolver_match and (job_id := request.resolver_match.kwargs.get("job_id")):
        said.append({"label": "Job", "value": str(job_id)})
    for name, label in [*SAID.items(), *_shares(request)]:
        if value := ", ".join(request.POST.getlist(name)).strip():
            said.append({"label": label, "value": value[:SAID_AT_MOST]})
    return said


def _shares(request: HttpRequest) -> list[tuple[str, str]]:
    found = (SHARE.fullmatch(name) for name in request.POST)
    return [(one[0], f"The Freelancer’s of Milestone {one[1]}") for one in found if one]


def telling_what_waits(view: View) -> View:
    """For the pages that ask: only what they say is carried out, only soon, and only if it is not dropped."""

    @functools.wraps(view)
    def tell(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        waiting = request.session.get(reauthentication.STATE_SESSION_KEY)
        if waiting is None:
            return view(request, *args, **kwargs)
        if "act" not in waiting:  # allauth's own pages keep it without a word and an age
            _drop(request, ONCE_MORE)
        elif waiting["path"] != get_next_redirect_url(request):
            request.session.pop(reauthentication.STATE_SESSION_KEY)
        elif request.method == "POST" and "drop" in request.POST:
            return _drop(request, DROPPED, to=waiting["back"])
        elif _is_over(request, waiting):
            return _drop(request, TOO_OLD, to=waiting["back"])
        return view(request, *args, **kwargs)

    return cast(View, tell)


def _is_over(request: HttpRequest, waiting: dict[str, Any]) -> bool:
    """Another one may have taken its place since the page was shown: then it is not what its reader confirms."""
    if timing.real_now().timestamp() - waiting["at"] > WAITS_SECONDS:
        return True
    shown = request.POST.get("waiting") or request.GET.get("waiting")
    return request.method == "POST" and shown != waiting["token"]


def _drop(request: HttpRequest, said: str, *, to: str = "/") -> HttpResponse:
    request.session.pop(reauthentication.STATE_SESSION_KEY)
    messages.info(request, said)
    return HttpResponseRedirect(to)


def last_shown(request: HttpRequest) -> float:
    """The timestamp of the last password or second factor of this browser; 0 if there is none.

    A reset by mail is neither.
    """
    records = get_authentication_records(request, request.user)
    shown = [record["at"] for record in records if record["method"] in {"password", "mfa"}]
    return float(max(shown, default=0))
