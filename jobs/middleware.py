"""What every request of a signed-in person is wrapped in."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from escrow_site.lib import timing
from jobs.models import Person
from jobs.reauthentication import last_shown
from jobs.selectors import second_factors

STAFF_SESSION_SECONDS = 12 * 3600
GetResponse = Callable[[HttpRequest], HttpResponse]
# Where a support agent without a second factor may go: to make one, to sign out, and on his own machine anywhere.
WITHOUT_SECOND_FACTOR = ("account_", "mfa_", "usersessions_", "local_", "jobs:security")
# Where he wanted to go before that, in his session.
WANTED = "wanted_before_second_factor"


class TimeZoneMiddleware:
    """Shows every instant in the reader's own time zone (R6.1); in UTC to who is not signed in."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not isinstance(request.user, Person):
            return self.get_response(request)
        with timezone.override(request.user.zone):
            return self.get_response(request)


class SecondFactorMiddleware:
    """A support agent sees other people's money: without a second factor he sees nothing but how to get one.

    He signs in once a working day, whatever he ticked and whenever he became an agent.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, options: Any
    ) -> HttpResponse | None:
        person = request.user
        if not isinstance(person, Person) or not person.is_staff:
            return None
        if timing.real_now().timestamp() - last_shown(request) > STAFF_SESSION_SECONDS:
            return _sign_out(request)
        assert request.resolver_match is not None
        if request.resolver_match.view_name.startswith(WITHOUT_SECOND_FACTOR):
            return None
        if second_factors.has_one(person):
            return None
        if request.method == "GET":
            request.session[WANTED] = request.get_full_path()
        messages.info(request, "Support agents need a second factor. Set one up, then go on.")
        return redirect("jobs:security")


def _sign_out(request: HttpRequest) -> HttpResponse:
    """And back to the page that was wanted; what was sent is lost, as anybody may have sent it."""
    logout(request)
    messages.info(request, "Support agents sign in once a working day. Sign in again, then go on.")
    if request.method == "GET":
        return redirect_to_login(request.get_full_path())
    return redirect("account_login")
