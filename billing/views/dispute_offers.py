"""Offers in a Dispute, open (R9.2) and under seal (R9.6): every sum is shown before the click."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods

from billing.forms.disputes import OfferForm, SealedForm
from billing.forms.releases import PartForm
from billing.models import Dispute, Offer, SealedLimit
from billing.selectors import disputes as reading
from billing.services import offers, sealed
from billing.services.offers import refuse_share
from billing.views import parts
from billing.views.disputes import dispute_or_404
from escrow_site.lib import money, timing
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.web import attempt
from jobs.models import Person
from jobs.reauthentication import (
    reauthentication_required,
    reauthentication_required_to_read,
)


def _offer_or_404(request: HttpRequest, offer_id: int) -> Offer:
    assert isinstance(request.user, Person)
    offer = get_object_or_404(reading.offers_seen_by(request.user), pk=offer_id)
    offer.dispute.escrow.job = offer.dispute.job
    return offer


# --- Making one ---


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required("Offer a split")
def dispute_offer(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """GET asks for a split and shows what it comes to, POST offers it."""
    assert isinstance(request.user, Person)
    row = dispute_or_404(request, dispute_id)
    unfit = offers.may_offer(row, by=request.user, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("billing:dispute", row.pk)
    form = parts.part_form(request, OfferForm, job=row.job, initial_minor=None)
    amount_minor = parts.amount_of(form, initial_minor=None)
    if unfit:
        form.add_error(None, unfit.message)
    elif amount_minor is not None:
        refused = refuse_share(
            amount_minor, held_minor=row.escrow.held_minor, currency=row.job.currency
        )
        if refused:
            form.add_error("amount", refused.message)
            amount_minor = None
        elif request.method == "POST" and form.is_valid():
            try:
                return _offered(request, row, form)
            except Refusal as refusal:
                form.add_error(None, refusal.message)
                row = dispute_or_404(request, dispute_id)
                unfit = offers.may_offer(row, by=request.user, at=timing.now())
    return _show_offer(request, row, form, amount_minor, may_send=unfit is None)


def _offered(request: HttpRequest, row: Dispute, form: PartForm) -> HttpResponse:
    assert isinstance(request.user, Person)
    offer = offers.make(
        row.pk,
        to_freelancer_minor=form.cleaned_data["amount"],
        by=request.user,
        at=timing.now(),
        seen_held_minor=form.cleaned_data["seen_minor"],
    )
    currency = row.job.currency
    messages.success(
        request,
        f"Offered: {money.display(offer.to_freelancer_minor, currency)} to {row.job.freelancer}, "
        f"{money.display(offer.to_client_minor, currency)} back to {row.job.client}. "
        f"{row.job.other_party(request.user)} has been told, and can accept it.",
    )
    return redirect("billing:dispute", row.pk)


def _show_offer(
    request: HttpRequest,
    row: Dispute,
    form: PartForm,
    amount_minor: int | None,
    *,
    may_send: bool,
) -> HttpResponse:
    assert isinstance(request.user, Person)
    fits = may_send and amount_minor is not None and amount_minor <= row.escrow.held_minor
    context = {
        "row": row,
        "job": row.job,
        "form": form,
        "may_send": may_send,
        "other_party": row.job.other_party(request.user),
        "replaces": row.offers.filter(by=request.user, state=Offer.State.OPEN).first(),
        "split": reading.split(row, amount_minor) if fits and amount_minor is not None else None,
        "amount_text": parts.as_typed(amount_minor, row.job),
    }
    return render(request, "billing/disputes/offer.html", context)


# --- Accepting, taking back ---


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required("Accept an offer")
def accept_offer(request: HttpRequest, offer_id: int) -> HttpResponse:
    """GET shows every sum, POST settles the Dispute by the offer."""
    person = request.user
    assert isinstance(person, Person)
    offer = _offer_or_404(request, offer_id)
    row = offer.dispute
    if request.method == "POST":
        done = "Settled. The money has been divided as offered, and both of you have been told."
        attempt(
            request,
            lambda: offers.accept(offer.pk, by=person, at=timing.now()),
            done=done,
        )
        return redirect("billing:dispute", row.pk)
    if refusal := offers.may_accept(offer, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("billing:dispute", row.pk)
    context = {
        "row": row,
        "job": row.job,
        "offer": offer,
        "split": reading.split(row, offer.to_freelancer_minor),
    }
    return render(request, "billing/disputes/accept.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def withdraw_offer(request: HttpRequest, offer_id: int) -> HttpResponse:
    """GET asks once more, POST takes the offer back."""
    person = request.user
    assert isinstance(person, Person)
    offer = _offer_or_404(request, offer_id)
    row = offer.dispute
    if request.method == "POST":
        attempt(
            request,
            lambda: offers.withdraw(offer.pk, by=person, at=timing.now()),
            done=f"Your offer is withdrawn. {row.job.other_party(person)} has been told.",
        )
        return redirect("billing:dispute", row.pk)
    if refusal := offers.may_withdraw(offer, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("billing:dispute", row.pk)
    context = {"row": row, "job": row.job, "offer": offer}
    return render(request, "billing/disputes/withdraw_offer.html", context)


# --- Under seal ---


@never_cache
@sensitive_post_parameters("amount")
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required_to_read
def sealed_offer(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """GET says what a limit under seal does, POST enters it; it stands in no address and no log."""
    assert isinstance(request.user, Person)
    row = dispute_or_404(request, dispute_id)
    unfit = sealed.may_enter(row, by=request.user, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("billing:dispute", row.pk)
    options: dict[str, Any] = {
        "currency": row.job.currency,
        "is_client": row.job.role_of(request.user) == "client",
    }
    form = (
        SealedForm(request.POST, **options) if request.method == "POST" else SealedForm(**options)
    )
    if form.is_valid():
        try:
            entered = _enter(request, row, form)
        except Refusal as refusal:
            form.add_error(None, refusal.message)
            row = dispute_or_404(request, dispute_id)
            unfit = sealed.may_enter(row, by=request.user, at=timing.now())
        else:
            _tell(request, row, entered)
            return redirect("billing:dispute", row.pk)
    return _show_sealed(request, row, form, may_send=unfit is None)


@sensitive_variables()
def _enter(request: HttpRequest, row: Dispute, form: SealedForm) -> SealedLimit:
    assert isinstance(request.user, Person)
    return sealed.enter(
        row.pk,
        limit_minor=form.cleaned_data["amount"],
        by=request.user,
        at=timing.now(),
        seen_held_minor=form.cleaned_data["seen_minor"],
    )


def _tell(request: HttpRequest, row: Dispute, entered: SealedLimit) -> None:
    assert isinstance(request.user, Person)
    other = row.job.other_party(request.user)
    if entered.state == SealedLimit.State.MATCHED:
        said = "The two limits match: the Dispute is settled at their midpoint. Both of you have been told."
        messages.success(request, said)
    elif entered.state == SealedLimit.State.SPENT:
        said = f"No match. {other} has learnt just that, too; both limits are erased."
        messages.warning(request, said)
    else:
        said = (
            f"Your limit is under seal. {other} has been told that it is there, not what it says."
        )
        messages.success(request, said)


def _show_sealed(
    request: HttpRequest, row: Dispute, form: SealedForm, *, may_send: bool
) -> HttpResponse:
    assert isinstance(request.user, Person)
    activities = reading.history_of(row)
    context = {
        "row": row,
        "job": row.job,
        "form": form,
        "may_send": may_send,
        "other_party": row.job.other_party(request.user),
        "is_client": row.job.role_of(request.user) == "client",
        "sealed": reading.sealed_of(row, activities, viewer=request.user),
    }
    return render(request, "billing/disputes/sealed.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def take_back_sealed(request: HttpRequest, dispute_id: int) -> HttpResponse:
    """GET asks once more, POST erases the reader's waiting limit."""
    person = request.user
    assert isinstance(person, Person)
    row = dispute_or_404(request, dispute_id)
    if request.method == "POST":
        attempt(
            request,
            lambda: sealed.take_back(row.pk, by=person, at=timing.now()),
            done="Your limit is taken back and erased.",
        )
        return redirect("billing:dispute", row.pk)
    if refusal := sealed.may_take_back(row, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("billing:dispute", row.pk)
    return render(request, "billing/disputes/take_back.html", {"row": row, "job": row.job})
