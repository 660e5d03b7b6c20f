"""One page with everything that keeps an account one's own: it leads to the pages that change it."""

from allauth.account import views as allauth_views
from allauth.account.models import EmailAddress
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import views as mfa_views
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn import views as webauthn_views
from allauth.mfa.webauthn.views import RemoveWebAuthnView
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from jobs.middleware import WANTED
from jobs.models import Person
from jobs.reauthentication import reauthentication_required_to_read, telling_what_waits
from jobs.selectors import second_factors


@never_cache
@require_safe
@login_required
def security(request: HttpRequest) -> HttpResponse:
    """Password, second factor, passkeys, recovery codes, sessions, addresses, closing."""
    person = request.user
    assert isinstance(person, Person)
    kept = list(Authenticator.objects.filter(user=person).order_by("pk"))
    has_factor = any(one.type in second_factors.REAL for one in kept)
    context = {
        "app": next((one for one in kept if one.type == Authenticator.Type.TOTP), None),
        "passkeys": [one for one in kept if one.type == Authenticator.Type.WEBAUTHN],
        "codes_left": _codes_left(kept),
        "has_factor": has_factor,
        "sessions": len(UserSession.objects.purge_and_list(person)),
        "addresses": EmailAddress.objects.filter(user=person).order_by("-primary", "email"),
        "wanted": request.session.get(WANTED) if has_factor else None,
    }
    return render(request, "jobs/security.html", context)


def _codes_left(kept: list[Authenticator]) -> int | None:
    """How many recovery codes were not used yet; None where there are none at all."""
    for one in kept:
        if one.type == Authenticator.Type.RECOVERY_CODES:
            return len(one.wrap().get_unused_codes())
    return None


class RemovePasskeyView(RemoveWebAuthnView):
    """allauth asks only for the app whether it may go; an agent's last passkey may not go either."""

    def form_valid(self, form: object) -> HttpResponse:
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return redirect("jobs:security")
        return super().form_valid(form)


remove_passkey = RemovePasskeyView.as_view()

# Asked before the page, as the new password would lie in the session meanwhile.
change_password = reauthentication_required_to_read(allauth_views.password_change)

# The pages that ask who it is, whichever way.
reauthenticate = telling_what_waits(allauth_views.reauthenticate)
reauthenticate_by_code = telling_what_waits(mfa_views.reauthenticate)
reauthenticate_by_passkey = telling_what_waits(webauthn_views.reauthenticate_webauthn)
