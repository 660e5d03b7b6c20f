"""The codes of the demo's support agents, for local mode, where nobody has their telephones. No address elsewhere.

In real time, whatever the product's clock says: so do the codes go that a real telephone shows.
"""

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from escrow_site.lib import timing
from workroom.demo.people import SECRET

PERIOD = 30


@never_cache
@require_safe
def index(request: HttpRequest) -> HttpResponse:
    """Only of those who have the demo's own secret: nobody's real second factor is shown."""
    period, gone = divmod(int(timing.real_now().timestamp()), PERIOD)
    apps = Authenticator.objects.filter(type=Authenticator.Type.TOTP).select_related("user")
    people = [app.user for app in apps.order_by("pk") if decrypt(app.data["secret"]) == SECRET]
    context = {
        "people": people,
        "code": format_hotp_value(hotp_value(SECRET, period)),
        "seconds_left": PERIOD - gone,
    }
    return render(request, "local/codes.html", context)
