"""E-mail addresses: allauth's page, except that the primary one changes only if it agrees."""

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows import manage_email
from allauth.account.internal.flows.reauthentication import raise_if_reauthentication_required
from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Person
from jobs.services import addresses as service


class AddressesView(EmailView):
    """Adding, confirming and removing are allauth's."""

    def get_context_data(self, **context: object) -> dict[str, object]:
        waiting = service.waiting(self.request.user, at=timing.real_now())
        until = waiting.asked_at + service.VALID_FOR if waiting else None
        return {
            **super().get_context_data(**context),
            "waiting": waiting,
            "waiting_until": until,
        }

    def _action_primary(self, request: HttpRequest, *args: object, **options: object) -> None:
        """Ask the present address; nothing changes before it has agreed."""
        assert isinstance(request.user, Person)
        raise_if_reauthentication_required(request, app="allauth.account")
        email = str(request.POST["email"]).lower()
        try:
            change, token = service.ask(request.user, email=email, at=timing.real_now())
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return
        url = settings.SITE_URL + reverse("jobs:agree_to_address", args=[token])
        context = {"change": change, "agree_url": url}
        get_adapter().send_notification_mail(
            "account/email/address_change", request.user, context, email=change.from_email
        )
        text = f"We have sent a link to {change.from_email}. The address changes once it is opened there."
        messages.info(request, text)

    def _action_remove(
        self, request: HttpRequest, *args: object, **options: object
    ) -> HttpResponse | None:
        """allauth tells the primary address; the removed one is told as well."""
        address: EmailAddress | None = self._get_email_address(request)
        if address is None or not manage_email.delete_email(request, address):
            return None
        if address.verified:
            get_adapter().send_notification_mail(
                "account/email/email_deleted",
                request.user,
                {"deleted_email": address.email},
                email=address.email,
            )
        return redirect("account_email")


addresses = AddressesView.as_view()


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def agree_to_address(request: HttpRequest, token: str) -> HttpResponse:
    """Behind the link in the present address's mail; GET shows what it does, POST does it, in any browser."""
    at = timing.real_now()
    try:
        if request.method != "POST":
            change = service.read(token, at=at)
            return render(request, "account/agree_to_address.html", {"change": change})
        change = service.agree(token, at=at)
    except Refusal as refusal:
        context = {"refusal": refusal.message}
        return render(request, "account/agree_to_address.html", context, status=410)
    facts = {"from_email": change.from_email, "to_email": change.to_email}
    for email in (change.from_email, change.to_email):
        get_adapter().send_notification_mail(
            "account/email/email_changed", change.person, facts, email=email
        )
    messages.success(request, f"{change.to_email} is the primary address now.")
    return redirect("account_email" if request.user == change.person else "account_login")
