"""Interventions at the support desk: proposed on a Job's story, checked by a second agent (R9.7)."""

import re
from datetime import UTC
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_http_methods

from billing.models import Intervention
from billing.selectors.spoken import job_of_paper
from billing.services import acts, interventions
from billing.services.wishes import wish_about
from escrow_site.lib import display, money, timing
from escrow_site.lib.admin import currency_filter
from escrow_site.lib.refusals import Refusal, refuse_if
from jobs.admin.desk import DeskPages, agent_of
from jobs.forms.desk import SendBackForm
from jobs.models import Job
from jobs.reauthentication import reauthentication_required
from workroom.admin.jobs import job_meant
from workroom.forms.interventions import ProposeForm
from workroom.selectors.cases import is_kept_from
from workroom.selectors.interventions import figures_done, figures_of, openings_on

State = Intervention.State
INTERVENTION_NUMBER = re.compile(r"intervention\s*#?\s*(\d{1,18})", re.IGNORECASE)


@admin.register(Intervention)
class InterventionAdmin(DeskPages):
    """The queue: what waits for a second agent stands on top, longest waiting first."""

    job_path = "job"
    currency_of = "job.currency"
    page_verb, act_verbs = "check", ("confirm", "send_back", "withdraw")
    list_display = (
        "id", "look", "kind", "job", "escrow", "amount_minor", "until", "state", "asked_by",
        "proposed_by", "proposed_at", "checked_by",
    )  # fmt: skip
    list_filter = (
        "state", "kind", "basis", currency_filter("job__currency"),
        ("proposed_at", admin.DateFieldListFilter),
    )  # fmt: skip
    list_select_related = ("job", "escrow", "asked_by", "proposed_by", "checked_by")
    search_fields = (
        "job__title", "job__client__name", "job__client__email", "job__freelancer__name",
        "job__freelancer__email", "escrow__title", "proposed_by__name", "proposed_by__email",
        "checked_by__name", "checked_by__email", "reason", "asked_how", "answer",
    )  # fmt: skip
    search_help_text = (
        "Number, Milestone, Job (title, or “job 7”), party or agent (name or e-mail address), INV-12-0007, "
        "words of the reason"
    )
    fields = (
        "look", "job", "kind", "escrow", "request", "dispute", "amount_minor", "until", "seen_held_minor", "basis",
        "asked_by", "asked_how", "reason", "proposed_by", "proposed_at", "state", "checked_by", "checked_at",
        "answer",
    )  # fmt: skip

    # --- What is shown ---

    def get_ordering(self, request: HttpRequest) -> Any:
        rank = Case(
            When(state=State.PROPOSED, then=Value(0)),
            default=Value(1),
            output_field=IntegerField(),
        )
        waiting = Case(When(state=State.PROPOSED, then=F("proposed_at")))
        return (rank.asc(), waiting.asc(nulls_last=True), "-pk")

    @admin.display(description="check")
    def look(self, one: Intervention) -> SafeString:
        words = "Check" if one.state == State.PROPOSED else "Read"
        return format_html('<a href="{}">{}</a>', self.page_url(one), words)

    # --- What a caller says ---

    def named(self, term: str) -> Q | None:
        if match := INTERVENTION_NUMBER.fullmatch(term):
            return Q(pk=int(match[1]))
        paper = job_of_paper(term)
        return super().named(term) if paper is None else _of_jobs(paper)

    def may_mean(self, term: str) -> Q:
        return super().may_mean(term) | _of_jobs(job_meant(term))

    # --- Addresses ---

    def get_urls(self) -> list[URLPattern]:
        propose = self.admin_site.admin_view(
            require_http_methods(["GET", "HEAD", "POST"])(self.propose_view)
        )
        name = "billing_intervention_propose"
        return [path("propose/<int:job_id>/<slug:kind>/", propose, name=name), *super().get_urls()]

    # --- Proposing ---

    def propose_view(self, request: HttpRequest, job_id: int, kind: str) -> HttpResponse:
        """GET asks; POST shows what it comes to, and with the amounts seen proposes it."""
        job = self._job(request, job_id)
        by, at = agent_of(request), timing.now()
        opening = next((one for one in openings_on(job, by=by, at=at) if one.kind == kind), None)
        if opening is None:
            return self._not_possible(request, job, kind)
        about: dict[str, Any] = {"job": job, "kind": kind, "escrows": opening.escrows}
        form = ProposeForm(request.POST or None, **about)
        if form.is_valid():
            try:
                with timezone.override(UTC):
                    if form.cleaned_data["previewed"]:
                        return self._propose(request, job, kind, form)
                    return self._preview(request, job, kind, form)
            except Refusal as refusal:
                form.add_error(None, refusal.message)
        context = {"job": job, "form": form, "kind": _label(kind)}
        return self.render_page(request, "propose", context, title=_title(job))

    def _job(self, request: HttpRequest, job_id: int) -> Job:
        rows = Job.objects.select_related("client", "freelancer", "policy")
        job = get_object_or_404(rows, pk=job_id)
        by = agent_of(request)
        if is_kept_from(job, reader=by) or not by.has_perm(interventions.PERMISSION):
            raise PermissionDenied
        return job

    def _not_possible(self, request: HttpRequest, job: Job, kind: str) -> HttpResponse:
        """What the button was for has passed; the story says what there is now."""
        if kind not in Intervention.Kind.values:
            raise Http404("There is no such intervention.")
        refusal = interventions.may_propose(job, by=agent_of(request), at=timing.now())
        why = refusal.message if refusal else "This is not possible on this Job any more."
        messages.error(request, why)
        return redirect("admin:jobs_job_story", job.pk)

    def _preview(
        self, request: HttpRequest, job: Job, kind: str, form: ProposeForm
    ) -> HttpResponse:
        at = timing.now()
        wish = wish_about(job, kind=kind, **form.wish())
        refuse_if(acts.may_carry_out(wish, at=at))
        context = {
            "job": job,
            "form": form,
            "kind": _label(kind),
            "wish": wish,
            "figures": figures_of(wish, at=at),
            "reason": form.cleaned_data["reason"],
            "sent": [
                (name, form.data.get(name, ""))
                for name in form.fields
                if name not in ("seen_minor", "previewed")
            ],
        }
        return self.render_page(request, "preview", context, title=_title(job))

    def _propose(
        self, request: HttpRequest, job: Job, kind: str, form: ProposeForm
    ) -> HttpResponse:
        made = interventions.propose(
            job.pk,
            kind=kind,
            basis=form.basis,
            reason=form.cleaned_data["reason"],
            by=agent_of(request),
            at=timing.now(),
            seen_minor=form.cleaned_data["seen_minor"],
            **form.wish(),
        )
        self.log_addition(request, made, f"Proposed: {_in_words(made)}")
        self._log_on_job(request, made, f"Proposed: {_in_words(made)}")
        text = "Proposed. Nothing is done before a second agent has confirmed it."
        messages.success(request, text)
        return redirect(self.page_url(made))

    # --- Checking ---

    def read(self, row_id: int) -> Intervention:
        return interventions.read(row_id)

    def check_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """What is proposed, what it comes to now, and what this agent can do with it."""
        return self.page(request, self.row_of(request, row_id))

    @method_decorator(reauthentication_required("Confirm an intervention"))
    def confirm_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Confirm another agent's proposal: it is done."""
        row = self.row_of(request, row_id)

        def confirm() -> str:
            made = interventions.confirm(row.pk, by=agent_of(request), at=timing.now())
            return f"Confirmed: {_in_words(made)}"

        done = "Confirmed. It is done, and both sides are told."
        return self.act(request, row, Form(request.POST), confirm, done=done, name="form")

    def send_back_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Send another agent's proposal back."""
        row, form = self.row_of(request, row_id), SendBackForm(request.POST)

        def send_back() -> str:
            answer = form.cleaned_data["answer"]
            interventions.send_back(row.pk, answer=answer, by=agent_of(request), at=timing.now())
            return f"Sent the proposal back: {answer}"

        done = "Sent back. Nothing was done."
        return self.act(request, row, form, send_back, done=done, name="send_back_form")

    def withdraw_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Take one's own proposal back."""
        row = self.row_of(request, row_id)

        def withdraw() -> str:
            interventions.withdraw(row.pk, by=agent_of(request), at=timing.now())
            return "Withdrew the proposal"

        done = "Withdrawn. Nothing was done."
        return self.act(request, row, Form(request.POST), withdraw, done=done, name="form")

    def log_act(self, request: HttpRequest, row: Intervention, log: str) -> None:
        super().log_act(request, row, log)
        self._log_on_job(request, row, log)

    def _log_on_job(self, request: HttpRequest, row: Intervention, log: str) -> None:
        """Whoever looks up the Job's own log finds it there, too."""
        self.log_change(request, row.job, f"{row}: {log}")

    def page(self, request: HttpRequest, row: Intervention, **forms: Form) -> HttpResponse:
        by, at = agent_of(request), timing.now()
        is_waiting = row.state == State.PROPOSED
        overtaken = interventions.why_overtaken(row) if is_waiting else None
        with timezone.override(UTC):
            context: dict[str, Any] = {
                "original": row,
                "one": row,
                "job": row.job,
                "act": row.act,
                # What is overtaken comes to nothing that anybody gets.
                "figures": figures_of(row, at=at)
                if is_waiting and not overtaken
                else figures_done(row),
                "why_overtaken": overtaken,
                "why_not_confirm": interventions.may_confirm(row, by=by, at=at),
                "why_not_check": interventions.may_check(row, by=by, at=at),
                "why_not_withdraw": interventions.may_withdraw(row, by=by, at=at),
                "send_back_form": SendBackForm(),
                **forms,
            }
        return self.render_page(request, "check", context, title=_title(row.job))


def _title(job: Job) -> str:
    return f"Job {job.pk}: {job}"


def _of_jobs(condition: Q) -> Q:
    return Q(job__in=Job.objects.filter(condition))


def _label(kind: str) -> str:
    return str(Intervention.Kind(kind).label)


def _in_words(one: Intervention) -> str:
    """For the log: what, how much or until when, and at whose request."""
    how_much = ""
    if one.amount_minor is not None:
        how_much = f", {money.display(one.amount_minor, one.job.currency)}"
    if one.until is not None:
        how_much = f", until {display.utc(one.until)}"
    return f"{one.act}{how_much}, {one.on_whose_behalf}"
