"""Taking one's data along, and closing the account."""

from http import HTTPStatus

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Person
from jobs.reauthentication import reauthentication_required
from jobs.services import attempts
from workroom.forms.account_closing import CloseForm
from workroom.selectors.obstacles import obstacles
from workroom.services import account_closing, account_export


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required("Close your account")
def close_account(request: HttpRequest) -> HttpResponse:
    """GET says what is in the way and what goes, POST closes for good."""
    person = request.user
    assert isinstance(person, Person)
    form = CloseForm(request.POST if request.method == "POST" else None, person=person)
    if request.method == "POST" and form.is_valid():
        try:
            _close(request, person)
        except Refusal as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "Your account is closed. Thank you for having been here.")
            return redirect("account_login")
    context = {"form": form, "obstacles": obstacles(person)}
    return render(request, "workroom/account/close.html", context)


def _close(request: HttpRequest, person: Person) -> None:
    """The farewell is written while the address is still known, and goes out if it comes to that."""
    with transaction.atomic():
        get_adapter().send_notification_mail("account/email/account_closed", person)
        account_closing.close(person, at=timing.now())
    logout(request)


@never_cache
@require_POST
@login_required
@reauthentication_required("Export your data")
def export_account(request: HttpRequest) -> HttpResponseBase:
    """The archive, a few times an hour at most: it costs the server something."""
    person = request.user
    assert isinstance(person, Person)
    if not attempts.take(attempts.EXPORTS, person.pk, at=timing.real_now()):
        return render(request, "429.html", status=HTTPStatus.TOO_MANY_REQUESTS)
    made = account_export.make(person, at=timing.now())
    return FileResponse(
        made.content, as_attachment=True, filename=made.name, content_type="application/zip"
    )
