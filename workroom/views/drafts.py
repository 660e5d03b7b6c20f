"""Pages of a Job before its award: new, edit, discard."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.web import attempt
from jobs.models import Job, Person
from workroom import pages
from workroom.forms import drafts as forms
from workroom.forms.terms import ProposalForms, typed
from workroom.models import Terms
from workroom.proposals import JobDetails, TermsInput
from workroom.services import drafts

STEPS = ("Describe the Job", "Award it")
Save = Callable[[JobDetails, TermsInput], Job]


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_job(request: HttpRequest) -> HttpResponse:
    """Draft a Job as its Client."""
    person = request.user
    assert isinstance(person, Person)
    if request.method == "POST":
        return _save(
            request,
            lambda details, terms: drafts.start_draft_once(
                by=person, details=details, terms=terms, at=timing.now()
            ),
        )
    form = forms.JobForm()
    return _show(request, form, ProposalForms(job=form.job()))


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def draft(request: HttpRequest, job_id: int) -> HttpResponse:
    """Go on with a draft."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    if request.method == "POST":
        return _save(
            request,
            lambda details, terms: drafts.save_draft(
                job, by=person, details=details, terms=terms, at=timing.now()
            ),
            job=job,
        )
    if refusal := drafts.may_edit_draft(job, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("workroom:job", job.pk)
    form = forms.JobForm(initial=forms.values_of(job))
    terms = TermsInput.of(draft_terms(job))
    return _show(request, form, ProposalForms(job=form.job(), terms=terms), job=job)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def discard_draft(request: HttpRequest, job_id: int) -> HttpResponse:
    """Throw a draft away, after a question."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    if refusal := drafts.may_edit_draft(job, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect("workroom:job", job.pk)
    if request.method == "POST":
        discarded = attempt(
            request,
            lambda: drafts.discard_draft(job, by=person, at=timing.now()),
            done=f"The draft “{job}” is discarded.",
        )
        return redirect("workroom:my_jobs") if discarded else redirect("workroom:job", job.pk)
    return render(request, "workroom/drafts/discard.html", {"job": job})


def draft_terms(job: Job) -> Terms:
    """The draft Terms with their Milestones."""
    return get_object_or_404(
        Terms.objects.of(job).filter(state=Terms.State.DRAFT).prefetch_related("milestones")
    )


def _save(request: HttpRequest, save: Save, *, job: Job | None = None) -> HttpResponse:
    """Save what was typed, or show it again with what is wrong; one more row when that was asked."""
    form = forms.JobForm(request.POST)
    if "add_row" in request.POST:
        unread = forms.JobForm(initial=typed(forms.JobForm, request.POST))
        rows = ProposalForms.with_another_row(request.POST, job=form.job())
        return _show(request, unread, rows, job=job)
    readable = form.is_valid()
    proposal = ProposalForms(request.POST, job=form.job())
    if not (proposal.is_valid() and readable):
        return _show(request, form, proposal, job=job)
    try:
        saved = save(form.details(), proposal.terms_input())
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return _show(request, form, proposal, job=job)
    if request.POST.get("then") == "award":
        return redirect("workroom:award", saved.pk)
    messages.success(request, "The draft is saved. Nobody but you can see it.")
    return redirect("workroom:draft", saved.pk)


def _show(
    request: HttpRequest, form: forms.JobForm, proposal: ProposalForms, *, job: Job | None = None
) -> HttpResponse:
    assert isinstance(request.user, Person)
    refusal = job and drafts.may_edit_draft(job, by=request.user, at=timing.now())
    context = {
        "job": job,
        "may_save": refusal is None,
        "form": form,
        "proposal": proposal,
        "steps": STEPS,
        "currency": form.chosen_currency,
        "total_minor": proposal.total_minor(),
    }
    return render(request, "workroom/drafts/edit.html", context)
