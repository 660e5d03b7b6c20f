"""Pages of the award: give a draft to a Freelancer, withdraw the award, decline the Job."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person, Policy
from workroom import pages
from workroom.forms.awards import AwardForm, ReasonForm
from workroom.models import Terms
from workroom.proposals import TermsInput
from workroom.selectors import terms as reading
from workroom.services import awards
from workroom.views.drafts import STEPS, draft_terms


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def award(request: HttpRequest, job_id: int) -> HttpResponse:
    """The draft as the Freelancer will see it, and whom it is awarded to."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    if refusal := awards.may_award(job, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("workroom:job", job.pk)
    terms = draft_terms(job)
    if unready := awards.refuse_unready(job, TermsInput.of(terms)):
        messages.error(request, unready.message)
        return redirect("workroom:draft", job.pk)
    form = AwardForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            email = form.cleaned_data["email"]
            awarded = awards.award(job, by=person, email=email, at=timing.now())
        except Refusal as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, _done(awarded))
            return redirect("workroom:job", job.pk)
    return _show_award(request, job, terms, form)


def _show_award(request: HttpRequest, job: Job, terms: Terms, form: AwardForm) -> HttpResponse:
    policy = Policy.objects.current()
    context = {
        "job": job,
        "terms": terms,
        "milestones": reading.milestones_of(terms),
        "past_dates": reading.past_dates(terms, reading.milestones_of(terms), at=timing.now()),
        "amounts": reading.amounts(terms, policy=policy),
        "policy": policy,
        "form": form,
        "steps": STEPS,
    }
    return render(request, "workroom/awards/award.html", context)


def _done(job: Job) -> str:
    if job.freelancer:
        return f"The Job is awarded to {job.freelancer}, who has been told."
    return f"The Job is awarded. We have invited {job.freelancer_email} to open an account."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def withdraw_award(request: HttpRequest, job_id: int) -> HttpResponse:
    """The Client takes the award back, after a question."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    unfit = awards.may_withdraw_award(job, by=person, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("workroom:job", job.pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            awards.withdraw_award(job, by=person, reason=reason, at=timing.now())
        except Refusal as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "The award is withdrawn.")
            return redirect("workroom:job", job.pk)
    context = {
        **pages.job_context(request, job, tab="workroom:terms"),
        "form": form,
        "may_send": unfit is None,
    }
    return render(request, "workroom/awards/withdraw.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def decline_award(request: HttpRequest, job_id: int) -> HttpResponse:
    """The Freelancer turns the whole Job down, after a question."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    unfit = awards.may_decline_award(job, by=person, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("workroom:job", job.pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            reason = form.cleaned_data["reason"]
            awards.decline_award(job, by=person, reason=reason, at=timing.now())
        except Refusal as refusal:
            form.add_error(None, refusal.message)
        else:
            messages.success(request, "You have declined this Job.")
            return redirect("workroom:job", job.pk)
    context = {
        **pages.job_context(request, job, tab="workroom:terms"),
        "form": form,
        "may_send": unfit is None,
    }
    return render(request, "workroom/awards/decline.html", context)
