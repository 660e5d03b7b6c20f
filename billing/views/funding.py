"""Pages of funding: choosing what to fund and with which card; requesting funding."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from billing.forms.payments import FundForm
from billing.models import Payment, PaymentMethod
from billing.selectors.funding import FundPage, fund_page
from billing.services import cards, funding, payments
from billing.services.payments import AlreadyUnderWay
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.web import attempt
from jobs.models import Job, Person


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def fund(request: HttpRequest, job_id: int) -> HttpResponse:
    """The amounts and cards; POST charges the card for the Milestones that the page showed."""
    assert isinstance(request.user, Person)
    at = timing.now()
    job = _job_or_404(request.user, job_id)
    if refusal := payments.refuse_payer(job, by=request.user):
        messages.error(request, refusal.message)
        return redirect("workroom:job_billing", job.pk)
    numbers = _chosen_numbers(request)
    page = fund_page(job, numbers=numbers)
    form = _form(request, page, at=at)
    if request.method == "POST" and form.is_valid():
        try:
            return _charge(request, job, form, at=at)
        except AlreadyUnderWay as refusal:
            messages.error(request, refusal.message)
            return redirect("billing:payment", refusal.payment_id)
        except Refusal as refusal:
            form.add_error(None, refusal.message)
            page = fund_page(job, numbers=numbers)
    return render(request, "billing/payments/fund.html", _context(job, page, form))


def _job_or_404(person: Person, job_id: int) -> Job:
    """To a stranger the Job does not exist (R1.4)."""
    seen = Job.objects.seen_by(person).select_related("client", "freelancer", "policy")
    return get_object_or_404(seen, pk=job_id)


def _chosen_numbers(request: HttpRequest) -> list[str] | None:
    """The Milestones that the address or the form names; None when nobody has chosen yet."""
    asked = request.POST if request.method == "POST" else request.GET
    has_chosen = request.method == "POST" or "escrow" in asked or "choose" in asked
    return asked.getlist("escrow") if has_chosen else None


def _form(request: HttpRequest, page: FundPage, *, at: datetime) -> FundForm:
    assert isinstance(request.user, Person)
    methods = [
        method
        for method in PaymentMethod.objects.filter(
            person=request.user, removed_at__isnull=True, gateway=settings.GATEWAY
        ).order_by("-pk")
        if not cards.is_expired(method, at=at)
    ]
    return FundForm(
        request.POST if request.method == "POST" else None,
        numbers=[choice.escrow.number for choice in page.choices],
        methods=methods,
        at=at,
        is_first_funding=page.is_first_funding,
        initial={"card": _offered(methods, page)},
    )


def _offered(methods: list[PaymentMethod], page: FundPage) -> int | None:
    """The newest card that can do it; none when the person has to think."""
    able = (method for method in methods if method.is_authenticated or page.is_first_funding)
    return next((method.pk for method in able), None)


def _charge(request: HttpRequest, job: Job, form: FundForm, *, at: datetime) -> HttpResponse:
    assert isinstance(request.user, Person)
    payment = payments.fund(
        job.pk,
        numbers=form.cleaned_data["escrow"],
        method=form.chosen_card,
        by=request.user,
        at=at,
        seen_minor=form.cleaned_data["seen_minor"],
    )
    if payment.state == Payment.State.AUTHENTICATING:
        return redirect("billing:authenticate_payment", payment.pk)
    return redirect("billing:payment", payment.pk)


def _context(job: Job, page: FundPage, form: FundForm) -> dict[str, Any]:
    numbers = [escrow.number for escrow in page.chosen]
    query = urlencode({"escrow": numbers}, doseq=True)
    return {
        "job": job,
        "page": page,
        "form": form,
        "numbers": numbers,
        # Where adding or authenticating a card comes back to, with the same choice.
        "here": f"{reverse('billing:fund', args=[job.pk])}?{query}",
    }


@require_POST
@login_required
def request_funding(request: HttpRequest, job_id: int) -> HttpResponse:
    """The Freelancer's Request Fund button (R3.1)."""
    assert isinstance(request.user, Person)
    person = request.user
    job = _job_or_404(person, job_id)
    number = request.POST.get("escrow", "")
    if not (number.isascii() and number.isdecimal() and len(number) <= 9):
        messages.error(request, "This Milestone is not part of the agreed Terms.")
    else:
        attempt(
            request,
            lambda: funding.request_funding(job.pk, number=int(number), by=person, at=timing.now()),
            done=f"Funding is requested. {job.client} has been told.",
        )
    return redirect("workroom:job_billing", job.pk)
