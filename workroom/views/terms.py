"""Pages of the Terms: what holds, what is proposed, every version beside another, and the answers."""

from datetime import datetime

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from billing.services.escrow_changes import Lock
from escrow_site.lib import money, timing
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.web import attempt
from jobs import reauthentication
from jobs.models import Job, Person
from workroom import pages
from workroom.forms.terms import AcceptForm, AnswerForm, ProposalForms, VersionForm
from workroom.models import Terms
from workroom.proposals import TermsInput
from workroom.selectors import changes
from workroom.selectors import terms as reading
from workroom.services import terms as service

TAB = "workroom:terms"


@require_safe
@login_required
def terms(request: HttpRequest, job_id: int) -> HttpResponse:
    """The version that stands, what can be done with it, and all versions."""
    assert isinstance(request.user, Person)
    job = pages.job_or_404(request, job_id)
    if job.state == Job.State.DRAFT:
        return redirect("workroom:draft", job.pk)
    at = timing.now()
    shown = reading.shown_on_tab(job, request.user, at=at)
    if shown is None:
        raise Http404
    standing = shown.standing
    context = {
        **pages.job_context(request, job, tab=TAB),
        "versions": shown.versions,
        "standing": standing,
        "agreed": shown.agreed,
        "milestones": reading.milestones_of(standing),
        "comparison": reading.compare(shown.before, standing, job=job),
        "effect": _effect(job, standing, reader=request.user, at=at),
        "past_dates": []
        if standing.state != Terms.State.PROPOSED
        else reading.past_dates(standing, reading.milestones_of(standing), at=at),
        "is_own": standing.proposed_by_id == request.user.pk,
        "has_lapsed": standing.has_lapsed(at=at),
        "lapsed": [one.pk for one in shown.versions if one.has_lapsed(at=at)],
        "may_accept": service.may_accept(standing, by=request.user, at=at) is None,
        "may_withdraw": service.may_withdraw(standing, by=request.user, at=at) is None,
        "may_propose": service.may_propose(job, by=request.user, at=at) is None,
    }
    return render(request, "workroom/terms/terms.html", context)


def _effect(job: Job, shown: Terms, *, reader: Person, at: datetime) -> changes.Effect | None:
    """What accepting an open change of a running Job does to whose money; None for any other."""
    is_open = shown.state == Terms.State.PROPOSED and not shown.has_lapsed(at=at)
    if not (job.is_running and is_open):
        return None
    plan = changes.plan(job, reading.milestones_of(shown))
    return changes.effect(plan, version=shown.version, reader=reader)


@require_safe
@login_required
def terms_version(request: HttpRequest, job_id: int, version: int) -> HttpResponse:
    """One version whole, and beside another: the one its reader knows unless ``with`` names one."""
    job = pages.job_or_404(request, job_id)
    assert isinstance(request.user, Person)
    beside = request.GET.get("with", "")
    shown, other, versions = _pair_or_404(job, version, reader=request.user, beside=beside)
    context = {
        **pages.job_context(request, job, tab=TAB),
        "shown": shown,
        "milestones": reading.milestones_of(shown),
        "others": [one for one in versions if one.version != shown.version],
        "comparison": reading.compare(other, shown, job=job),
    }
    return render(request, "workroom/terms/version.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def propose_terms(request: HttpRequest, job_id: int) -> HttpResponse:
    """Send changed Terms; the form begins with the version that stands."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    if request.method == "POST":
        return _propose(request, job, person)
    at = timing.now()
    if refusal := service.may_propose(job, by=person, at=at):
        messages.error(request, refusal.message)
        return redirect(TAB, job.pk)
    standing = reading.standing_version(job, at=at)
    assert standing is not None
    seen = VersionForm(initial={"answering": standing.version})
    values = TermsInput.of(standing)
    proposal = ProposalForms(
        job=job,
        terms=TermsInput(
            scope=values.scope,
            starts_on=values.starts_on,
            ends_on=values.ends_on,
            milestones=values.milestones,
        ),
        with_milestones=job.kind == Job.Kind.FIXED_PRICE,
        locks=_locks(job),
    )
    return _show_proposal(request, job, seen, proposal)


def _locks(job: Job) -> dict[int, Lock]:
    """What of a running Job cannot be changed now: said before somebody types."""
    return changes.locks(job) if job.is_running else {}


def _propose(request: HttpRequest, job: Job, person: Person) -> HttpResponse:
    with_milestones = job.kind == Job.Kind.FIXED_PRICE
    seen = VersionForm(request.POST)
    if "add_row" in request.POST and with_milestones:
        unread = VersionForm(initial={"answering": request.POST.get("answering", "")})
        proposal = ProposalForms.with_another_row(request.POST, job=job, locks=_locks(job))
        return _show_proposal(request, job, unread, proposal)
    proposal = ProposalForms(
        request.POST, job=job, with_milestones=with_milestones, locks=_locks(job)
    )
    if not (seen.is_valid() & proposal.is_valid()):
        return _show_proposal(request, job, seen, proposal)
    # Of a running Job the other side's acceptance moves money at once: he who proposes says yes beforehand.
    if job.is_running and reauthentication.is_due(request):
        return reauthentication.ask(request, act="Propose changed Terms")
    try:
        new = service.propose(
            job,
            by=person,
            terms=proposal.terms_input(),
            answering=seen.cleaned_data["answering"],
            at=timing.now(),
        )
    except Refusal as refusal:
        for message in refusal.messages:
            proposal.terms.add_error(None, message)
        return _show_proposal(request, job, seen, proposal)
    messages.success(request, f"Terms {new.version} are sent.")
    return redirect(TAB, job.pk)


def _show_proposal(
    request: HttpRequest, job: Job, seen: VersionForm, proposal: ProposalForms
) -> HttpResponse:
    assert isinstance(request.user, Person)
    context = {
        **pages.job_context(request, job, tab=TAB),
        "seen": seen,
        "proposal": proposal,
        "total_minor": proposal.total_minor(),
        "may_send": service.may_propose(job, by=request.user, at=timing.now()) is None,
    }
    return render(request, "workroom/terms/propose.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def accept_terms(request: HttpRequest, job_id: int, version: int) -> HttpResponse:
    """What accepting does to the money, then accept."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    if request.method == "POST":
        # Changed Terms may send money back; the first ones move none.
        if job.is_running and reauthentication.is_due(request):
            return reauthentication.ask(request, act="Accept changed Terms")
        return _accept(request, job, version, by=person)
    at = timing.now()
    shown, before, _ = _pair_or_404(job, version, reader=person)
    if refusal := service.may_accept(shown, by=person, at=at):
        messages.error(request, refusal.message)
        return redirect(TAB, job.pk)
    effect = _effect(job, shown, reader=person, at=at)
    if effect and effect.refusals:
        return redirect(TAB, job.pk)  # which says why it does not fit
    seen = {"seen_refund_minor": effect.plan.refund_minor} if effect else {}
    context = {
        **pages.job_context(request, job, tab=TAB),
        "shown": shown,
        "milestones": reading.milestones_of(shown),
        "comparison": reading.compare(before, shown, job=job),
        "effect": effect,
        "seen": AcceptForm(initial=seen),
        "past_dates": reading.past_dates(shown, reading.milestones_of(shown), at=at),
    }
    return render(request, "workroom/terms/accept.html", context)


def _accept(request: HttpRequest, job: Job, version: int, *, by: Person) -> HttpResponse:
    form = AcceptForm(request.POST)
    # Who does not say what he saw going back has seen nothing.
    seen_minor = (form.cleaned_data["seen_refund_minor"] if form.is_valid() else None) or 0
    done = f"Terms {version} are agreed. The Job is active."
    if job.is_running:
        done = f"Terms {version} are in force." + _said_back(job, seen_minor, by=by)
    accepted = attempt(
        request,
        lambda: service.accept(
            job, by=by, version=version, at=timing.now(), seen_refund_minor=seen_minor
        ),
        done=done,
    )
    return redirect("workroom:job" if accepted else TAB, job.pk)


def _said_back(job: Job, refund_minor: int, *, by: Person) -> str:
    if not refund_minor:
        return ""
    payer = "you" if by.pk == job.client_id else job.client
    return f" {money.display(refund_minor, job.currency)} goes back to {payer}."


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def decline_terms(request: HttpRequest, job_id: int, version: int) -> HttpResponse:
    """Say no to one proposal, with a reason."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    shown, _, _ = _pair_or_404(job, version, reader=person)
    refusal = service.may_answer(shown, by=person, at=timing.now())
    form = AnswerForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if form.is_valid() and _decline(form, job, version, by=person):
            messages.success(request, f"You have declined Terms {version}.")
            return redirect(TAB, job.pk)
    elif refusal:
        messages.error(request, refusal.message)
        return redirect(TAB, job.pk)
    context = {
        **pages.job_context(request, job, tab=TAB),
        "shown": shown,
        "form": form,
        "may_send": refusal is None,
    }
    return render(request, "workroom/terms/decline.html", context)


def _decline(form: AnswerForm, job: Job, version: int, *, by: Person) -> bool:
    """Decline; a refusal goes onto the form, so that the answer stays typed (R13)."""
    answer = form.cleaned_data["answer"]
    try:
        service.decline(job, by=by, version=version, answer=answer, at=timing.now())
    except Refusal as refusal:
        form.add_error(None, refusal.message)
        return False
    return True


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def withdraw_terms(request: HttpRequest, job_id: int, version: int) -> HttpResponse:
    """Take one's own proposal back, after a question."""
    person = request.user
    assert isinstance(person, Person)
    job = pages.job_or_404(request, job_id)
    shown, _, _ = _pair_or_404(job, version, reader=person)
    if request.method == "POST":
        attempt(
            request,
            lambda: service.withdraw(job, by=person, version=version, at=timing.now()),
            done=f"Terms {version} are withdrawn.",
        )
        return redirect(TAB, job.pk)
    if refusal := service.may_withdraw(shown, by=person, at=timing.now()):
        messages.error(request, refusal.message)
        return redirect(TAB, job.pk)
    context = {**pages.job_context(request, job, tab=TAB), "shown": shown}
    return render(request, "workroom/terms/withdraw.html", context)


def _pair_or_404(
    job: Job, version: int, *, reader: Person, beside: str = ""
) -> tuple[Terms, Terms | None, list[Terms]]:
    try:
        return reading.pair(job, version, reader=reader, beside=beside)
    except Terms.DoesNotExist as error:
        raise Http404 from error
