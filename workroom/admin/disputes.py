"""Disputes at the support desk: found by anything a caller says, told and mediated on one page (R9.3)."""

import re
from typing import Any

from django.contrib import admin
from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.models import Decision, Dispute, DisputeStatement, Evidence
from billing.selectors.spoken import job_of_paper
from billing.services import mediation
from billing.services.offers import refuse_share
from escrow_site.lib import money, timing
from escrow_site.lib.admin import currency_filter, in_utc, presence_filter
from escrow_site.lib.refusals import Refusal, refuse_if
from jobs.admin.desk import DeskPages, agent_of
from jobs.models import Job
from jobs.reauthentication import reauthentication_required
from workroom.admin.jobs import job_meant
from workroom.forms.mediation import AskForm, CheckForm, DecideForm, SendBackForm
from workroom.selectors.cases import figures_of
from workroom.selectors.story import story_of

State = Dispute.State
DISPUTE_NUMBER = re.compile(r"dispute\s*#?\s*(\d{1,18})", re.IGNORECASE)
# What waits for support comes first; of a stage, what has waited longest or is due first.
STAGES = {State.DECIDED: 0, State.MEDIATION: 1, State.OPEN: 2}


@admin.register(Dispute)
class DisputeAdmin(DeskPages):
    """By stage and deadline: what waits for support stands on top."""

    job_path = "job"
    currency_of = "job.currency"
    page_verb, act_verbs = "case", ("ask", "decide", "confirm", "send_back", "withdraw")
    page_related = ("escrow", "job__client", "job__freelancer", "job__policy")
    list_display = (
        "id", "case", "escrow", "job", "state", "waits", "asks", "asked_minor", "held", "opened_by", "opened_at",
    )  # fmt: skip
    list_filter = (
        "state",
        "asks",
        currency_filter("job__currency"),
        presence_filter("answered_at", "answer", there="Answered", missing="Not answered"),
        ("answer_due_at", admin.DateFieldListFilter),
        ("opened_at", admin.DateFieldListFilter),
    )
    list_select_related = ("escrow", "job", "opened_by")
    search_fields = (
        "escrow__title", "job__title", "job__client__name", "job__client__email", "job__freelancer__name",
        "job__freelancer__email", "reason",
    )  # fmt: skip
    search_help_text = (
        "Number (“dispute 3”), Milestone, Job (title, or “job 7”), a party’s name or e-mail address, PF-000088, "
        "INV-12-0007, a card’s last four digits, words that were said, a file’s name or SHA-256"
    )
    fields = (
        "case", "job", "escrow", "request", "state", "waits", "opened_by", "opened_at", "reason", "asks",
        "asked_minor", "held", "answer_due_at", "answered_at", "escalated_at", "escalated_by", "ended_at",
        "ended_reason",
    )  # fmt: skip

    # --- What is shown ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        """Each with since or until when it waits; what is over waits for nothing."""
        return super().get_queryset(request).annotate(waits_at=_waits_at())

    def get_ordering(self, request: HttpRequest) -> Any:
        """Needs nothing but the rows: Django orders other models' choices of Disputes by it, too."""
        whens = [When(state=state, then=Value(rank)) for state, rank in STAGES.items()]
        rank = Case(*whens, default=Value(len(STAGES)), output_field=IntegerField())
        soonest = _waits_at().asc(nulls_last=True)
        return (rank.asc(), soonest, F("ended_at").desc(nulls_last=True), "pk")

    @admin.display(description="case")
    def case(self, dispute: Dispute) -> SafeString:
        return format_html('<a href="{}">Case</a>', self.page_url(dispute))

    @admin.display(description="waits for", ordering="waits_at")
    def waits(self, dispute: Any) -> SafeString | str:
        words = {
            State.DECIDED: "a second agent, since ",
            State.MEDIATION: "support, since ",
            State.OPEN: "the parties, answered ",
        }.get(dispute.state)
        if words is None:
            return format_html("nobody: it ended {}", in_utc(dispute.ended_at))
        if dispute.state == State.OPEN and dispute.answered_at is None:
            words = "an answer until "
        return format_html("{}{}", words, in_utc(dispute.waits_at))

    @admin.display(description="held")
    def held(self, dispute: Dispute) -> str:
        return money.display(dispute.escrow.held_minor, dispute.job.currency)

    # --- What a caller says ---

    def named(self, term: str) -> Q | None:
        if match := DISPUTE_NUMBER.fullmatch(term):
            return Q(pk=int(match[1]))
        paper = job_of_paper(term)
        return super().named(term) if paper is None else _of_jobs(paper)

    def may_mean(self, term: str) -> Q:
        """Besides its number: what belongs to its Job, what was said in it, and its files."""
        said = DisputeStatement.objects.filter(text__icontains=term)
        shown = Evidence.objects.filter(Q(file__name__icontains=term) | Q(file__sha256=term))
        return (
            super().may_mean(term)
            | _of_jobs(job_meant(term))
            | Q(pk__in=said.values("dispute"))
            | Q(pk__in=shown.values("dispute"))
        )

    # --- The case ---

    def case_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Everything about the Dispute and its Job on one page, with what the agent can do now."""
        return self.page(request, self.row_of(request, row_id))

    def ask_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Ask both sides for more."""
        dispute = self.row_of(request, row_id)
        form = AskForm(request.POST)

        def ask() -> str:
            text = form.cleaned_data["text"]
            mediation.ask(dispute.pk, text=text, by=agent_of(request), at=timing.now())
            return f"Asked both sides: {text}"

        return self.act(request, dispute, form, ask, done="Both sides are asked.", name="ask_form")

    def decide_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Show what the split comes to; with the amounts seen, decide it."""
        dispute = self.row_of(request, row_id)
        form = DecideForm(request.POST, currency=dispute.job.currency)
        if form.is_valid() and form.cleaned_data["seen_held_minor"] is None:
            return self._preview(request, dispute, form)

        def decide() -> str:
            decision = mediation.decide(
                dispute.pk,
                to_freelancer_minor=form.cleaned_data["to_freelancer"],
                reasons=form.cleaned_data["reasons"],
                by=agent_of(request),
                at=timing.now(),
                seen_held_minor=form.cleaned_data["seen_held_minor"],
            )
            return f"Decided: {_split(decision, dispute.job)}. Reasons: {decision.reasons}"

        done = "Decided. No money moves before a second agent has confirmed it."
        return self.act(request, dispute, form, decide, done=done, name="decide_form")

    @method_decorator(reauthentication_required("Confirm a decision"))
    def confirm_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Confirm another agent's decision: the money is split."""
        dispute = self.row_of(request, row_id)
        form = CheckForm(request.POST)

        def confirm() -> str:
            decision = _decision_or_404(dispute, form)
            decision = mediation.confirm(decision.pk, by=agent_of(request), at=timing.now())
            return f"Confirmed: {_split(decision, dispute.job)}"

        done = "Confirmed. The money is split, and both sides are told."
        return self.act(request, dispute, form, confirm, done=done, name="confirm_form")

    def send_back_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Send another agent's decision back."""
        dispute = self.row_of(request, row_id)
        form = SendBackForm(request.POST)

        def send_back() -> str:
            decision = _decision_or_404(dispute, form)
            answer = form.cleaned_data["answer"]
            mediation.send_back(decision.pk, answer=answer, by=agent_of(request), at=timing.now())
            return f"Sent the decision back: {answer}"

        done = "Sent back: the Dispute is to be decided anew."
        return self.act(request, dispute, form, send_back, done=done, name="send_back_form")

    def withdraw_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Take one's own decision back."""
        dispute = self.row_of(request, row_id)
        form = CheckForm(request.POST)

        def withdraw() -> str:
            decision = _decision_or_404(dispute, form)
            mediation.withdraw(decision.pk, by=agent_of(request), at=timing.now())
            return "Withdrew the decision"

        done = "Withdrawn: the Dispute is to be decided anew."
        return self.act(request, dispute, form, withdraw, done=done, name="confirm_form")

    def _preview(self, request: HttpRequest, dispute: Dispute, form: DecideForm) -> HttpResponse:
        share_minor, at = form.cleaned_data["to_freelancer"], timing.now()
        held_minor, currency = dispute.escrow.held_minor, dispute.job.currency
        try:
            refuse_if(mediation.may_decide(dispute, by=agent_of(request), at=at))
            refuse_if(refuse_share(share_minor, held_minor=held_minor, currency=currency))
        except Refusal as refusal:
            form.add_error(None, refusal.message)
            return self.page(request, dispute, decide_form=form)
        context = {
            "original": dispute,
            "dispute": dispute,
            "figures": figures_of(dispute, to_freelancer_minor=share_minor),
            "share": form.data["to_freelancer"],
            "reasons": form.cleaned_data["reasons"],
        }
        return self.render_page(request, "decide", context, title=_title(dispute))

    def page(self, request: HttpRequest, row: Dispute, **forms: Form) -> HttpResponse:
        by, at = agent_of(request), timing.now()
        story = story_of(row.job)
        dispute = next(one for one in story.disputes if one.pk == row.pk)
        proposed = _proposed(dispute)
        context: dict[str, Any] = {
            "original": dispute,
            "dispute": dispute,
            "story": story,
            "proposed": proposed,
            "figures": proposed
            and figures_of(dispute, to_freelancer_minor=proposed.to_freelancer_minor),
            "why_not_ask": mediation.may_ask(dispute, by=by, at=at),
            "why_not_decide": mediation.may_decide(dispute, by=by, at=at),
            "why_not_check": proposed and mediation.may_check(proposed, by=by, at=at),
            "why_not_confirm": proposed and mediation.may_confirm(proposed, by=by, at=at),
            "why_not_withdraw": proposed and mediation.may_withdraw(proposed, by=by, at=at),
            "ask_form": AskForm(),
            "decide_form": DecideForm(currency=dispute.job.currency),
            "confirm_form": CheckForm(),
            "send_back_form": SendBackForm(),
            **forms,
        }
        return self.render_page(request, "case", context, title=_title(dispute))


def _waits_at() -> Case:
    decided = Decision.objects.filter(dispute=OuterRef("pk"), state=Decision.State.PROPOSED)
    return Case(
        When(state=State.DECIDED, then=Subquery(decided.values("decided_at"))),
        When(state=State.MEDIATION, then=F("escalated_at")),
        When(state=State.OPEN, answered_at__isnull=True, then=F("answer_due_at")),
        When(state=State.OPEN, then=F("answered_at")),
    )


def _title(dispute: Dispute) -> str:
    return f"Dispute {dispute.pk}: {dispute.escrow}"


def _of_jobs(condition: Q) -> Q:
    return Q(job__in=Job.objects.filter(condition))


def _proposed(dispute: Dispute) -> Decision | None:
    decisions = (one for one in dispute.decisions.all() if one.state == Decision.State.PROPOSED)
    return next(decisions, None)


def _decision_or_404(dispute: Dispute, form: Form) -> Decision:
    """The decision that was on the page, if it is one of this Dispute."""
    decision = Decision.objects.filter(dispute=dispute, pk=form.cleaned_data["decision"]).first()
    if decision is None:
        raise Http404("There is no such decision.")
    return decision


def _split(decision: Decision, job: Job) -> str:
    to_freelancer = money.display(decision.to_freelancer_minor, job.currency)
    to_client = money.display(decision.to_client_minor, job.currency)
    return f"{to_freelancer} to the Freelancer, {to_client} back to the Client"
