"""Pages of the available balance and of payouts (R5.4)."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from billing.forms.payouts import PayoutForm
from billing.models import Payout
from billing.models.payment import new_idempotency_key
from billing.selectors import balances as selectors
from billing.selectors.balances import Balance
from billing.services import payouts
from billing.services.payouts import AskedAlready, BadDestination, NotEnoughAvailable
from escrow_site.lib import money, timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Person
from jobs.reauthentication import reauthentication_required

A_PAGE = 25


@require_safe
@login_required
@never_cache
def balance(request: HttpRequest) -> HttpResponse:
    assert isinstance(request.user, Person)
    found = selectors.balances(request.user)
    page = Paginator(selectors.payouts(request.user), A_PAGE).get_page(request.GET.get("page"))
    context = {
        "balances": found,
        "can_pay_out": bool(selectors.currencies_to_pay_out(found)),
        "movements": selectors.movements(request.user),
        "page": page,
    }
    return render(request, "billing/payouts/balance.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@reauthentication_required("Pay out")
def pay_out(request: HttpRequest) -> HttpResponse:
    """How much, and where to; POST reserves the amount and sends it."""
    assert isinstance(request.user, Person)
    found = selectors.currencies_to_pay_out(selectors.balances(request.user))
    chosen = _chosen(request, found)
    if request.method == "POST":
        form = PayoutForm(request.POST, balances=found)
        if form.is_valid():
            try:
                _tell(request, _pay_out(request.user, form))
                return redirect("billing:balance")
            except AskedAlready as refusal:
                messages.info(request, refusal.message)
                return redirect("billing:balance")
            except Refusal as refusal:
                form.add_error(_field_of(refusal), refusal.message)
        elif _was_sent_before(request.user, request.POST.get("idempotency_key", "")):
            messages.info(request, "You have asked for this payout already: it is made once.")
            return redirect("billing:balance")
    else:
        if chosen is None:
            messages.info(request, "There is nothing to pay out.")
            return redirect("billing:balance")
        form = PayoutForm(
            balances=found,
            initial={
                "idempotency_key": new_idempotency_key(),
                "currency": chosen.currency,
                "amount": chosen.available_minor,
            },
        )
    context = {"form": form, "chosen": chosen, "balances": found}
    return render(request, "billing/payouts/pay_out.html", context)


def _chosen(request: HttpRequest, found: list[Balance]) -> Balance | None:
    """The balance that the page is about: the one asked for, else the first."""
    asked = request.POST if request.method == "POST" else request.GET
    named = (balance for balance in found if balance.currency == asked.get("currency"))
    return next(named, found[0] if found else None)


def _pay_out(person: Person, form: PayoutForm) -> Payout:
    values = form.cleaned_data
    return payouts.pay_out(
        person,
        currency=values["currency"],
        amount_minor=values["amount"],
        destination=values["destination"],
        idempotency_key=values["idempotency_key"],
        at=timing.now(),
    )


def _was_sent_before(person: Person, key: str) -> bool:
    """The second click of one that took all: there is no balance left to choose from any more."""
    if len(key) > 64 or "\0" in key:
        return False
    return Payout.objects.filter(person=person, idempotency_key=key).exists()


def _field_of(refusal: Refusal) -> str | None:
    if isinstance(refusal, BadDestination):
        return "destination"
    if isinstance(refusal, NotEnoughAvailable):
        return "amount"
    return None


def _tell(request: HttpRequest, payout: Payout) -> None:
    amount = money.display(payout.amount_minor, payout.currency)
    if payout.state == Payout.State.PAID:
        messages.success(request, f"The bank has confirmed it: {amount} is paid out.")
    elif payout.state == Payout.State.FAILED:
        messages.error(request, f"{payout.failure} {amount} is back on your available balance.")
    else:
        messages.info(request, f"{amount} is on its way. The bank has not confirmed it yet.")
