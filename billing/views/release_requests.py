"""View of a Release Request; voiding it (R7.1) and asking for changes (R7.3): Manage ▸ Billing ▸ View."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from billing.forms.releases import ChangesForm, VoidForm
from billing.models import ReleaseRequest
from billing.selectors import release_requests as reading
from billing.services import disputes, release_requests, releases
from billing.services.amounts import quote
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Person


@require_safe
@login_required
def release_request(request: HttpRequest, request_id: int) -> HttpResponse:
    """What is asked for, its clock, and what each side can do."""
    assert isinstance(request.user, Person)
    at = timing.now()
    row = _request_or_404(request, request_id)
    job = row.job
    assert job.policy is not None
    release_refusal = releases.may_release(row.escrow, by=request.user, at=at)
    context = {
        "row": row,
        "job": job,
        "role": job.role_of(request.user),
        "pro_forma": row.pro_forma,
        "documents": row.pro_forma.documents.all(),
        "amounts": quote(row.escrow, policy=job.policy) if row.is_unanswered else row.pro_forma,
        "ended_by": reading.ended_by(row),
        "moments": reading.moments_of([row], job, viewer=request.user, at=at),
        "may_release": row.is_unanswered and release_refusal is None,
        "may_release_part": row.is_unanswered
        and releases.may_release_part(row.escrow, by=request.user, at=at) is None,
        "may_request_changes": release_requests.may_request_changes(row, by=request.user, at=at)
        is None,
        "returns_left": release_requests.returns_left(row),
        "may_void": release_requests.may_void(row, by=request.user, at=at) is None,
        "may_dispute": row.is_unanswered
        and disputes.may_open(row.escrow, by=request.user, at=at) is None,
        "disputes": row.disputes.order_by("-pk"),
    }
    return render(request, "billing/release_requests/release_request.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def void(request: HttpRequest, request_id: int) -> HttpResponse:
    """GET says what voiding means, POST voids."""
    assert isinstance(request.user, Person)
    row = _request_or_404(request, request_id)
    unfit = release_requests.may_void(row, by=request.user, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("billing:release_request", row.pk)
    form = VoidForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _void(form, row, by=request.user):
        messages.success(
            request,
            f"Voided. The money stays held for “{row.escrow}”, and {row.job.client} has been told.",
        )
        return redirect("billing:release_request", row.pk)
    context = {"row": row, "job": row.job, "form": form, "may_send": unfit is None}
    return render(request, "billing/release_requests/void.html", context)


def _void(form: VoidForm, row: ReleaseRequest, *, by: Person) -> bool:
    """Void; a refusal goes onto the form, so that the reason stays typed (R13)."""
    try:
        release_requests.void(row.pk, by=by, at=timing.now(), reason=form.cleaned_data["reason"])
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def request_changes(request: HttpRequest, request_id: int) -> HttpResponse:
    """GET says what asking for changes means, POST sends the request back."""
    assert isinstance(request.user, Person)
    row = _request_or_404(request, request_id)
    unfit = release_requests.may_request_changes(row, by=request.user, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("billing:release_request", row.pk)
    form = ChangesForm(request.POST if request.method == "POST" else None)
    if form.is_valid() and _request_changes(form, row, by=request.user):
        messages.success(
            request,
            f"Sent back. The money stays held for “{row.escrow}”, and {row.job.freelancer} has been told.",
        )
        return redirect("billing:release_request", row.pk)
    context = {
        "row": row,
        "job": row.job,
        "form": form,
        "may_send": unfit is None,
        "left_afterwards": release_requests.returns_left(row) - 1,
    }
    return render(request, "billing/release_requests/request_changes.html", context)


def _request_changes(form: ChangesForm, row: ReleaseRequest, *, by: Person) -> bool:
    """Send back; a refusal goes onto the form, so that the comment stays typed (R13)."""
    try:
        release_requests.request_changes(
            row.pk, comment=form.cleaned_data["comment"], by=by, at=timing.now()
        )
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return False
    return True


def _request_or_404(request: HttpRequest, request_id: int) -> ReleaseRequest:
    """To a stranger the request does not exist (R1.4)."""
    assert isinstance(request.user, Person)
    row = get_object_or_404(reading.requests_seen_by(request.user), pk=request_id)
    row.escrow.job = row.job
    return row
