"""Pages of the award: give a draft to a Freelancer, withdraw the award, decline the Job."""

from collections.abc import Callable
from dataclasses import dataclass

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
    if request.method == "POST":
        return _award(request, job, person)
    if refusal := awards.may_award(job, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("workroom:job", job.pk)
    terms = draft_terms(job)
    if unready := awards.refuse_unready(job, TermsInput.of(terms)):
        messages.error(request, unready.message)
        return redirect("workroom:draft", job.pk)
    return _show_award(request, job, AwardForm(), terms)


def _award(request: HttpRequest, job: Job, person: Person) -> HttpResponse:
    """Award it, or show the page again with the address that was typed."""
    form = AwardForm(request.POST)
    if not form.is_valid():
        return _show_again(request, job, person, form)
    email, seen = form.cleaned_data["email"], form.cleaned_data["seen"]
    try:
        awarded = awards.award(job, by=person, email=email, seen=seen, at=timing.now())
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return _show_again(request, job, person, form)
    messages.success(request, _done(awarded))
    return redirect("workroom:job", job.pk)


def _show_again(request: HttpRequest, job: Job, person: Person, form: AwardForm) -> HttpResponse:
    """Without the draft and the button once there is nothing to be awarded any more."""
    job = pages.job_or_404(request, job.pk)
    if unfit := awards.may_award(job, by=person, at=timing.now()):
        if not form.non_field_errors():
            form.add_error(None, unfit.message)
        return _show_award(request, job, form, None)
    return _show_award(request, job, form, draft_terms(job))


def _show_award(
    request: HttpRequest, job: Job, form: AwardForm, terms: Terms | None
) -> HttpResponse:
    context = {"job": job, "form": form, "steps": STEPS, **(_offered(terms) if terms else {})}
    return render(request, "workroom/awards/award.html", context)


def _offered(terms: Terms) -> dict[str, object]:
    """What the page says about a draft that can be awarded."""
    policy = Policy.objects.current()
    milestones = reading.milestones_of(terms)
    return {
        "terms": terms,
        "milestones": milestones,
        "past_dates": reading.past_dates(terms, milestones, at=timing.now()),
        "amounts": reading.amounts(terms, policy=policy),
        "policy": policy,
    }


def _done(job: Job) -> str:
    if job.freelancer:
        return f"The Job is awarded to {job.freelancer}, who has been told."
    return f"The Job is awarded. We have invited {job.freelancer_email} to open an account."


@dataclass(frozen=True, kw_only=True)
class Ending:
    """A way in which an award ends without agreement: who may, what is done, what is said."""

    may: Callable[..., Refusal | None]
    end: Callable[..., Job]
    template: str
    done: str


WITHDRAW = Ending(
    may=awards.may_withdraw_award,
    end=awards.withdraw_award,
    template="workroom/awards/withdraw.html",
    done="The award is withdrawn.",
)
DECLINE = Ending(
    may=awards.may_decline_award,
    end=awards.decline_award,
    template="workroom/awards/decline.html",
    done="You have declined this Job.",
)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def withdraw_award(request: HttpRequest, job_id: int) -> HttpResponse:
    """The Client takes the award back, after a question."""
    return _end_award(request, job_id, WITHDRAW)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def decline_award(request: HttpRequest, job_id: int) -> HttpResponse:
    """The Freelancer turns the whole Job down, after a question."""
    return _end_award(request, job_id, DECLINE)


def _end_award(request: HttpRequest, job_id: int, ending: Ending) -> HttpResponse:
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    unfit = ending.may(job, by=person, at=timing.now())
    if unfit and request.method != "POST":
        messages.error(request, unfit.message)
        return redirect("workroom:job", job.pk)
    form = ReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            ending.end(job, by=person, reason=form.cleaned_data["reason"], at=timing.now())
        except Refusal as refusal:
            unfit = refusal
            form.add_error(None, refusal.message)
        else:
            messages.success(request, ending.done)
            return redirect("workroom:job", job.pk)
    context = {
        **pages.job_context(request, job, tab="workroom:terms"),
        "form": form,
        "may_send": unfit is None,
    }
    return render(request, ending.template, context)
