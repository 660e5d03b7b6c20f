"""The Freelancer's pages for sending money back: what is held, or what was released (R8.1, R8.2)."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from billing import ledger
from billing.forms.releases import PartForm, RefundForm
from billing.models import Escrow
from billing.services import refunding
from billing.services.amounts import quote_credit, refuse_amount
from billing.views import parts
from billing.views.parts import Chosen
from escrow_site.lib import money, timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Person
from jobs.reauthentication import reauthentication_required

CHOOSE = "Choose a Milestone to refund."
# How much and why are typed first, in one form; what they come to stands below it, with the click that
# moves the money. The first form is sent too, so that no reason of anybody's stands in an address.
ONLY_SHOW = "show"


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required("Refund what is held")
def refund(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET asks how much of what is held goes back; POST shows what it comes to, then refunds it."""
    assert isinstance(request.user, Person)
    chosen = parts.chosen(request, job_id)
    job, escrow = chosen.job, chosen.escrow
    if escrow is None:
        return _back(request, job_id, CHOOSE)
    if refusal := refunding.may_refund_held(escrow, by=request.user, at=timing.now()):
        return _back(request, job_id, refusal.message)
    frozen = refunding.may_refund_part(escrow, by=request.user, at=timing.now())
    form = parts.part_form(request, RefundForm, job=job, initial_minor=escrow.held_minor)
    amount_minor = parts.amount_of(form, initial_minor=escrow.held_minor if frozen else None)
    if form.is_bound and amount_minor is not None:
        refused = frozen if amount_minor != escrow.held_minor else None
        refused = (
            refuse_amount(amount_minor, most_minor=escrow.held_minor, currency=job.currency)
            or refused
        )
        if refused:
            form.add_error("amount", refused.message)
        elif _is_confirmed(request) and form.is_valid():
            try:
                return _refunded(request, escrow, form)
            except Refusal as refusal:
                form.add_error(None, refusal.message)
                _read_anew(escrow)
    return _show_refund(request, chosen, form, amount_minor, may_choose=frozen is None)


def _refunded(request: HttpRequest, escrow: Escrow, form: PartForm) -> HttpResponse:
    assert isinstance(request.user, Person)
    job, amount_minor = escrow.job, form.cleaned_data["amount"]
    refunding.refund_held(
        job.pk,
        number=escrow.number,
        amount_minor=amount_minor,
        by=request.user,
        at=timing.now(),
        reason=form.cleaned_data["reason"],
        seen_held_minor=form.cleaned_data["seen_minor"],
    )
    amount = money.display(amount_minor, job.currency)
    messages.success(request, f"Refunded. {amount} goes back to {job.client}, who has been told.")
    return redirect("workroom:job_billing", job.pk)


def _show_refund(
    request: HttpRequest,
    chosen: Chosen,
    form: PartForm,
    amount_minor: int | None,
    *,
    may_choose: bool,
) -> HttpResponse:
    escrow = chosen.escrow
    assert escrow is not None and isinstance(request.user, Person)
    may_refund_released = (
        refunding.may_refund_released(escrow, by=request.user, at=timing.now()) is None
    )
    fits = (
        amount_minor is not None
        and "amount" not in form.errors
        and ("reason" not in form.errors or not may_choose)
        and amount_minor <= escrow.held_minor
    )
    context = {
        "job": chosen.job,
        "escrow": escrow,
        "open_request": chosen.request,
        "form": form,
        "amount_minor": amount_minor if fits else None,
        "amount_text": parts.as_typed(amount_minor, chosen.job),
        "left_minor": escrow.held_minor - amount_minor if fits and amount_minor else 0,
        "may_choose": may_choose,
        "may_refund_released": may_refund_released,
    }
    return render(request, "billing/refunds/refund.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required("Refund what was released")
def refund_released(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET asks how much of what was released goes back; POST shows what that takes, then does it."""
    assert isinstance(request.user, Person)
    chosen = parts.chosen(request, job_id)
    job, escrow = chosen.job, chosen.escrow
    if escrow is None:
        return _back(request, job_id, CHOOSE)
    if refusal := refunding.may_refund_released(escrow, by=request.user, at=timing.now()):
        return _back(request, job_id, refusal.message)
    kept_minor = escrow.kept_minor
    form = parts.part_form(request, RefundForm, job=job, initial_minor=kept_minor)
    amount_minor = parts.amount_of(form, initial_minor=None)
    unavailable = None
    if amount_minor is not None:
        refused = refuse_amount(amount_minor, most_minor=kept_minor, currency=job.currency)
        if refused:
            form.add_error("amount", refused.message)
            amount_minor = None
        elif _is_confirmed(request) and form.is_valid():
            try:
                return _released_refunded(request, escrow, form)
            except Refusal as refusal:
                form.add_error(None, refusal.message)
                _read_anew(escrow)
        else:
            unavailable = refunding.refuse_unavailable(
                escrow, by=request.user, amount_minor=amount_minor
            )
    return _show_refund_released(request, escrow, form, amount_minor, unavailable)


def _released_refunded(request: HttpRequest, escrow: Escrow, form: PartForm) -> HttpResponse:
    assert isinstance(request.user, Person)
    job = escrow.job
    credited = refunding.refund_released(
        job.pk,
        number=escrow.number,
        amount_minor=form.cleaned_data["amount"],
        by=request.user,
        at=timing.now(),
        reason=form.cleaned_data["reason"],
        seen_minor=form.cleaned_data["seen_minor"],
    )
    amount = money.display(credited.amounts.gross_minor, job.currency)
    names = ", ".join(note.name for note in credited.documents)
    messages.success(
        request,
        f"Refunded. {amount} goes back to {job.client}, who has been told. Made for both of you: "
        f"{names}.",
    )
    return redirect("billing:document", credited.documents[0].pk)


def _show_refund_released(
    request: HttpRequest,
    escrow: Escrow,
    form: PartForm,
    amount_minor: int | None,
    unavailable: Refusal | None,
) -> HttpResponse:
    assert isinstance(request.user, Person)
    job = escrow.job
    assert job.policy is not None
    kept_minor = escrow.kept_minor
    fits = amount_minor is not None and amount_minor <= kept_minor and "reason" not in form.errors
    context = {
        "job": job,
        "escrow": escrow,
        "form": form,
        "kept_minor": kept_minor,
        "available_minor": ledger.available(request.user, job.currency).balance_minor,
        "amounts": quote_credit(escrow, policy=job.policy, gross_minor=amount_minor)
        if fits and amount_minor
        else None,
        "amount_text": parts.as_typed(amount_minor, job),
        "unavailable": unavailable,
    }
    return render(request, "billing/refunds/refund_released.html", context)


def _is_confirmed(request: HttpRequest) -> bool:
    return request.method == "POST" and request.POST.get("step") != ONLY_SHOW


def _back(request: HttpRequest, job_id: int, message: str) -> HttpResponse:
    messages.error(request, message)
    return redirect("workroom:job_billing", job_id)


def _read_anew(escrow: Escrow) -> None:
    """What is there by now; the amounts on the page are to be true."""
    job = escrow.job
    escrow.refresh_from_db()
    escrow.job = job
