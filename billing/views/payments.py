"""Pages of one payment: what happened and what happens next; authenticating and cancelling it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from billing.models import Allocation, Escrow, Payment
from billing.selectors import payments as reading
from billing.services import payments
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person


@require_safe
@login_required
@never_cache
def payment(request: HttpRequest, payment_id: int) -> HttpResponse:
    """What became of a payment; the Freelancer is led to the Job's Billing & Invoices."""
    assert isinstance(request.user, Person)
    seen = Payment.objects.filter(job__in=Job.objects.seen_by(request.user))
    found = get_object_or_404(
        seen.select_related("job__client", "job__freelancer", "method"), pk=payment_id
    )
    if found.payer_id != request.user.pk:
        return redirect("workroom:job_billing", found.job_id)
    told = {"story": reading.story(found, viewer=request.user)}
    return render(request, "billing/payments/payment.html", _context(found) | told)


def _context(found: Payment) -> dict[str, object]:
    allocations = list(
        Allocation.objects.filter(payment=found)
        .select_related("escrow")
        .order_by("escrow__position", "escrow_id")
    )
    return {
        "payment": found,
        "job": found.job,
        "allocations": allocations,
        "escrows": [allocation.escrow for allocation in allocations],
        "can_fund_again": found.job.is_running
        and all(allocation.escrow.state == Escrow.State.UNFUNDED for allocation in allocations),
        "nothing_was_funded": not Escrow.objects.filter(job=found.job, funded_minor__gt=0).exists(),
        "is_held": all(one.escrow.state == Escrow.State.FUNDED for one in allocations),
        "chargeback": found.chargebacks.order_by("pk").last(),
        "refunds": reading.refunds_of(found),
        "refund": found.refunds.first() if found.state == Payment.State.RETURNED else None,
    }


def _own_or_404(request: HttpRequest, payment_id: int) -> Payment:
    """To anybody but the payer there is nothing to do about a payment."""
    assert isinstance(request.user, Person)
    own = Payment.objects.filter(payer=request.user).select_related("job", "method")
    return get_object_or_404(own, pk=payment_id)


@require_safe
@login_required
@never_cache
def authenticate_payment(request: HttpRequest, payment_id: int) -> HttpResponse:
    """On to the bank's page, as the gateway names it now."""
    found = _own_or_404(request, payment_id)
    try:
        url = payments.authentication_url(found, at=timing.now())
    except Refusal as refusal:
        messages.error(request, refusal.message)
        url = ""
    if url:
        return HttpResponseRedirect(url)
    return redirect("billing:payment", found.pk)


@require_POST
@login_required
def check_payment(request: HttpRequest, payment_id: int) -> HttpResponse:
    """Ask the bank now, without waiting for the worker that asks every minute."""
    found = _own_or_404(request, payment_id)
    if found.is_under_way:
        try:
            found = payments.ask(found, at=timing.now())
        except Refusal as refusal:
            messages.error(request, refusal.message)
        else:
            if found.state == Payment.State.STARTED:
                messages.info(request, "The bank has not answered yet.")
    return redirect("billing:payment", found.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def cancel_payment(request: HttpRequest, payment_id: int) -> HttpResponse:
    """What cancelling does; POST cancels, unless the bank was faster."""
    assert isinstance(request.user, Person)
    found = _own_or_404(request, payment_id)
    at = timing.now()
    if request.method != "POST":
        if refusal := payments.may_cancel(found, by=request.user, at=at):
            messages.error(request, refusal.message)
            return redirect("billing:payment", found.pk)
        context = _context(found)
        return render(request, "billing/payments/cancel.html", context)
    try:
        found = payments.cancel(found, by=request.user, at=at)
    except Refusal as refusal:
        messages.error(request, refusal.message)
    else:
        if found.state == Payment.State.SUCCEEDED:
            messages.warning(request, "The bank was faster: the payment has succeeded.")
    return redirect("billing:payment", found.pk)
