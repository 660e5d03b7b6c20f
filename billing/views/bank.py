"""The page of the simulated bank, where the holder of a card confirms that it is his.

With a real provider this page is elsewhere. It tells the provider's books, which send a signed event.
"""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing.gateways import simulated
from billing.gateways.base import Kind
from billing.gateways.simulated import Challenge, SimulatedGateway
from billing.models import Payment, PaymentMethod
from billing.services import gateway_events
from escrow_site.lib import timing
from jobs.models import Person


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def bank_challenge(request: HttpRequest, reference: str) -> HttpResponse:
    """The bank's question to the holder of a card; nobody else can open it."""
    challenge = simulated.find_challenge(reference)
    if challenge is None:
        raise Http404
    method = _method_or_404(request, challenge)
    back = _way_back(request, challenge)
    if request.method == "POST" and request.POST.get("answer") in ("authenticate", "refuse"):
        _answer(request, challenge, authenticated=request.POST["answer"] == "authenticate")
        request.session.pop("after_the_bank", None)
        return HttpResponseRedirect(back)
    context = {"challenge": challenge, "method": method, "back": back}
    return render(request, "billing/bank/challenge.html", context)


def _method_or_404(request: HttpRequest, challenge: Challenge) -> PaymentMethod:
    assert isinstance(request.user, Person)
    method = PaymentMethod.objects.filter(
        person=request.user,
        gateway=SimulatedGateway.name,
        gateway_reference=challenge.card_reference,
    ).first()
    if method is None:
        raise Http404
    return method


def _way_back(request: HttpRequest, challenge: Challenge) -> str:
    """To the payment, or to where the card was needed; only ever on this site."""
    if challenge.kind == Kind.CARD:
        return request.session.get("after_the_bank") or reverse("billing:cards")
    assert isinstance(request.user, Person)
    payment = Payment.objects.filter(
        payer=request.user,
        gateway=SimulatedGateway.name,
        gateway_reference=challenge.reference,
    ).first()
    if payment is None:
        return reverse("billing:cards")
    return reverse("billing:payment", args=[payment.pk])


def _answer(request: HttpRequest, challenge: Challenge, *, authenticated: bool) -> None:
    """Enter the answer at the bank, and let its event in by the door that all events use.

    It is worked off here as well, so that the page one comes back to is right with the broker down.
    """
    event = simulated.answer_challenge(challenge, authenticated=authenticated)
    if event is None:
        messages.info(request, "The bank had its answer already: nothing was changed.")
        return
    stored = gateway_events.receive(
        SimulatedGateway.name, payload=event.payload, headers=event.headers
    )
    gateway_events.work_off_one(stored.pk, at=timing.now())
    if challenge.kind == Kind.CARD and authenticated:
        messages.success(request, "Your bank has confirmed the card: it is authenticated.")
    elif challenge.kind == Kind.CARD:
        messages.error(request, "The card is not authenticated. You can try again at any time.")
