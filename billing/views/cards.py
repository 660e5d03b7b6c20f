"""Pages of the cards on file: list, adding, authenticating, removing."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from billing import gateways
from billing.forms.cards import CardForm
from billing.gateways.base import CardRefused
from billing.models import PaymentMethod
from billing.services import cards as services
from billing.services.cards import BadCard, CardExpired
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.web import is_on_this_site
from jobs.models import Person


@require_safe
@login_required
@never_cache
def cards(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, Person)
    at = timing.now()
    methods = PaymentMethod.objects.filter(person=request.user, removed_at__isnull=True)
    rows = [
        {
            "method": method,
            "is_expired": services.is_expired(method, at=at),
            "can_authenticate": services.may_authenticate(method, by=request.user, at=at) is None,
        }
        for method in methods.order_by("-pk")
    ]
    return render(request, "billing/cards/cards.html", {"rows": rows})


@sensitive_post_parameters("number")
@sensitive_variables("form")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def add_card(request: HttpRequest) -> HttpResponse:
    """The form of a new card; afterwards back to where it was needed (``next``)."""
    assert isinstance(request.user, Person)
    back = way_back(request)
    form = CardForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            method = services.add_card(by=request.user, at=timing.now(), **form.cleaned_data)
        except Refusal as refusal:
            form.add_error(_field_of(refusal), refusal.message)
        else:
            messages.success(request, f"{method} is on your list.")
            return HttpResponseRedirect(back or reverse("billing:cards"))
    context = {
        "form": form,
        "back": back,
        "test_cards": gateways.current().test_cards,
        "site_name": settings.SITE_NAME,
    }
    return render(request, "billing/cards/add.html", context)


def _field_of(refusal: Refusal) -> str | None:
    if isinstance(refusal, BadCard | CardRefused):
        return "number"
    return "expires_on" if isinstance(refusal, CardExpired) else None


def way_back(request: HttpRequest) -> str:
    """The address on this site that the person came from and wants to return to; "" if none."""
    address = request.POST.get("next") or request.GET.get("next") or ""
    return address if is_on_this_site(address) and len(address) <= 500 else ""


def _own_or_404(request: HttpRequest, method_id: int) -> PaymentMethod:
    assert isinstance(request.user, Person)
    return get_object_or_404(PaymentMethod, pk=method_id, person=request.user)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def authenticate_card(request: HttpRequest, method_id: int) -> HttpResponse:
    """What authenticating means; POST leads to the bank's page."""
    assert isinstance(request.user, Person)
    method = _own_or_404(request, method_id)
    at = timing.now()
    try:
        if refusal := services.may_authenticate(method, by=request.user, at=at):
            raise refusal
        if request.method == "POST":
            url = services.start_authentication(method, by=request.user, at=at)
            request.session["after_the_bank"] = way_back(request)
            return HttpResponseRedirect(url or reverse("billing:cards"))
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return HttpResponseRedirect(way_back(request) or reverse("billing:cards"))
    context = {"method": method, "back": way_back(request)}
    return render(request, "billing/cards/authenticate.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def remove_card(request: HttpRequest, method_id: int) -> HttpResponse:
    """What removing means; POST removes."""
    assert isinstance(request.user, Person)
    method = _own_or_404(request, method_id)
    at = timing.now()
    try:
        if request.method == "POST":
            services.remove_card(method, by=request.user, at=at)
            messages.success(request, f"{method} is removed.")
            return redirect("billing:cards")
        if refusal := services.may_remove(method, by=request.user, at=at):
            raise refusal
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("billing:cards")
    return render(request, "billing/cards/remove.html", {"method": method})
