"""The release page: every amount is shown before the click, and the click is final (R5.1)."""

from dataclasses import dataclass

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from billing.forms.releases import ReleaseForm
from billing.models import Escrow, ReleaseRequest
from billing.services import releases
from billing.services.amounts import NOTHING, Amounts, quote
from billing.services.funding import refuse_hourly
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal, StalePage
from jobs.models import Job, Person


@dataclass(frozen=True)
class Offer:
    """One Milestone on the release page: what its release would come to."""

    escrow: Escrow
    amounts: Amounts
    request: ReleaseRequest | None


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
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
