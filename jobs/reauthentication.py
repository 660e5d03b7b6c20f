"""Asking again who it is, before money leaves or an account changes hands.

The password or a second factor, given within ACCOUNT_REAUTHENTICATION_TIMEOUT seconds, counts; so does signing in.
What was typed is kept in the session meanwhile and carried out afterwards, so it costs nobody his words.
"""

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import reauthentication
from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.internal import httpkit
from django.contrib import messages
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def reauthentication_required(view: View) -> View:
    """Let only somebody carry out a POST of this view who has just shown who he is. Reading it asks nothing."""

    @functools.wraps(view)
    def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and is_due(request):
            return ask(request)
        return view(request, *args, **kwargs)

    return cast(View, ask_first)


def reauthentication_required_to_read(view: View) -> View:
    """Ask already before the page is shown; what is typed there is a secret, and never kept meanwhile."""

    @functools.wraps(view)
    def ask_first(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if is_due(request):
            return ask(request, keep=False)
        return view(request, *args, **kwargs)

    return cast(View, ask_first)


def is_due(request: HttpRequest) -> bool:
    """Whether this browser has to show again who is sitting there."""
    return request.user.is_authenticated and reauthentication.is_reauthentication_required(
        request, app="escrow"
    )


def ask(request: HttpRequest, *, keep: bool = True) -> HttpResponse:
    """To the page that asks; from there back, and what was typed is carried out.

    allauth finds what was suspended by its bare path; what stood behind the question mark is kept with it.
    """
    methods = get_adapter().get_reauthentication_methods(request.user)
    url = methods[0]["url"] if methods else reverse("account_login")
    back = request.get_full_path()
    if request.method == "POST" and keep and not request.FILES:
        state = {"request": httpkit.serialize_request(request)}
        request.session[reauthentication.STATE_SESSION_KEY] = state
        back = request.path
    elif request.method == "POST":  # files do not fit into a session, secrets do not belong there
        messages.info(request, "Show that it is you, then fill in the form once more.")
    return HttpResponseRedirect(f"{url}?{urlencode({REDIRECT_FIELD_NAME: back})}")


def last_shown(request: HttpRequest) -> float:
    """The timestamp of the last password or second factor of this browser; 0 if there is none.

    A reset by mail is neither.
    """
    records = get_authentication_records(request, request.user)
    shown = [record["at"] for record in records if record["method"] in {"password", "mfa"}]
    return float(max(shown, default=0))
