"""The release page: every amount is shown before the click, and the click is final (R5.1)."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from billing.forms.releases import PartForm, ReleaseForm
from billing.models import Escrow, ReleaseRequest
from billing.services import releases
from billing.services.amounts import NOTHING, Amounts, quote, refuse_amount
from billing.services.funding import refuse_hourly
from billing.views import parts
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal, StalePage
from jobs.models import Job, Person
from jobs.reauthentication import reauthentication_required


@dataclass(frozen=True)
class Offer:
    """One Milestone on the release page: what its release would come to."""

    escrow: Escrow
    amounts: Amounts
    request: ReleaseRequest | None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required("Release")
def release(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET shows what the chosen Milestones come to, POST releases them, all or none."""
    assert isinstance(request.user, Person)
    rows = Job.objects.seen_by(request.user).select_related("client", "freelancer", "policy")
    job = get_object_or_404(rows, pk=job_id)
    form = ReleaseForm(
        request.POST if request.method == "POST" else request.GET, escrows=_escrows(job)
    )
    if refusal := _refusal(form, job, by=request.user):
        messages.error(request, refusal)
        return redirect("workroom:job_billing", job.pk)
    offers = [_offer(escrow, job) for escrow in form.chosen]
    if request.method == "POST":
        return _release(request, job, form, offers)
    return _show(request, job, offers)


def _escrows(job: Job) -> list[Escrow]:
    """The Job's Milestones, ready for the guard."""
    escrows = list(Escrow.objects.of(job).agreed().prefetch_related("release_requests__pro_forma"))
    for escrow in escrows:
        escrow.job = job
    return escrows


def _refusal(form: ReleaseForm, job: Job, *, by: Person) -> str | None:
    """Why this person cannot release what was chosen, or None."""
    if hourly := refuse_hourly(job):
        return hourly.message
    if not form.is_valid():
        return next(str(error) for errors in form.errors.values() for error in errors)
    at = timing.now()
    refusals = (releases.may_release(escrow, by=by, at=at) for escrow in form.chosen)
    return next((refusal.message for refusal in refusals if refusal), None)


def _offer(escrow: Escrow, job: Job) -> Offer:
    assert job.policy is not None
    unanswered = [row for row in escrow.release_requests.all() if row.is_unanswered]
    return Offer(escrow, quote(escrow, policy=job.policy), unanswered[0] if unanswered else None)


def _show(request: HttpRequest, job: Job, offers: list[Offer]) -> HttpResponse:
    total = sum((offer.amounts for offer in offers), start=NOTHING)
    chosen = {offer.escrow.pk for offer in offers}
    others_unfinished = any(
        escrow.pk not in chosen for escrow in Escrow.objects.filter(job=job).unfinished()
    )
    proposal_is_open = (
        job.open_proposal_until is not None and job.open_proposal_until > timing.now()
    )
    context = {
        "job": job,
        "offers": offers,
        "total": total,
        "requested": [offer for offer in offers if offer.request],
        "unrequested": [offer for offer in offers if not offer.request],
        "may_release_part": len(offers) == 1
        and releases.may_release_part(offers[0].escrow, by=job.client, at=timing.now()) is None,
        "completes_job": not (others_unfinished or job.open_ended or proposal_is_open),
    }
    return render(request, "billing/releases/release.html", context)


def _release(
    request: HttpRequest, job: Job, form: ReleaseForm, offers: list[Offer]
) -> HttpResponse:
    """Release, unless what the person saw is not what there is any more (R13)."""
    assert isinstance(request.user, Person)
    try:
        released = releases.release(
            job.pk,
            numbers=[offer.escrow.number for offer in offers],
            by=request.user,
            at=timing.now(),
            seen_minor=form.cleaned_data["seen_minor"],
        )
    except StalePage as refusal:
        messages.error(request, refusal.message)
        return _show(request, job, offers)
    except Refusal as refusal:
        messages.error(request, refusal.message)
        return redirect("workroom:job_billing", job.pk)
    names = ", ".join(one.document for one in released)
    messages.success(
        request, f"Released. {job.freelancer} has been told. Made for both of you: {names}."
    )
    if len(released) == 1:
        return redirect("billing:document", released[0].document_id)
    return redirect("workroom:job_billing", job.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@reauthentication_required("Release a part")
def release_part(request: HttpRequest, job_id: int) -> HttpResponse:
    """GET asks how much and shows what it comes to, POST releases it (R5.3)."""
    assert isinstance(request.user, Person)
    chosen = parts.chosen(request, job_id)
    job, escrow = chosen.job, chosen.escrow
    if escrow is None:
        messages.error(request, "Choose a Milestone to release.")
        return redirect("workroom:job_billing", job.pk)
    if refusal := releases.may_release_part(escrow, by=request.user, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("workroom:job_billing", job.pk)
    form = parts.part_form(request, PartForm, job=job, initial_minor=None)
    amount_minor = parts.amount_of(form, initial_minor=None)
    if amount_minor is not None:
        refused = refuse_amount(amount_minor, most_minor=escrow.held_minor, currency=job.currency)
        if refused:
            form.add_error("amount", refused.message)
        elif request.method == "POST" and form.is_valid():
            try:
                return _part_released(request, escrow, form)
            except Refusal as refusal:
                form.add_error(None, refusal.message)
                escrow.refresh_from_db()
                escrow.job = job
    return _show_part(request, chosen, form, amount_minor)


def _part_released(request: HttpRequest, escrow: Escrow, form: PartForm) -> HttpResponse:
    assert isinstance(request.user, Person)
    released = releases.release_part(
        escrow.job_id,
        number=escrow.number,
        amount_minor=form.cleaned_data["amount"],
        by=request.user,
        at=timing.now(),
        seen_held_minor=form.cleaned_data["seen_minor"],
    )
    messages.success(
        request,
        f"Released. {escrow.job.freelancer} has been told. Made for both of you: {released.document}.",
    )
    return redirect("billing:document", released.document_id)


def _show_part(
    request: HttpRequest, chosen: parts.Chosen, form: PartForm, amount_minor: int | None
) -> HttpResponse:
    job, escrow = chosen.job, chosen.escrow
    assert escrow is not None and job.policy is not None
    fits = amount_minor is not None and 0 < amount_minor <= escrow.held_minor
    context = {
        "job": job,
        "escrow": escrow,
        "open_request": chosen.request,
        "form": form,
        "amounts": quote(escrow, policy=job.policy, gross_minor=amount_minor) if fits else None,
        "amount_text": parts.as_typed(amount_minor, job),
        "left_minor": escrow.held_minor - amount_minor if fits and amount_minor else 0,
    }
    return render(request, "billing/releases/release_part.html", context)
