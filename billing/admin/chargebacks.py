"""Chargebacks at the support desk: found, and their end recorded by one agent and confirmed by another."""

from typing import Any

from django.contrib import admin
from django.db.models import F, Q
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString

from billing.forms.chargebacks import ConfirmForm, RecordForm
from billing.models import Chargeback
from billing.moves.chargebacks import escrows_of
from billing.selectors import payments
from billing.services import chargebacks
from escrow_site.lib import timing
from escrow_site.lib.admin import currency_filter
from jobs.admin.desk import DeskPages, agent_of
from jobs.admin.people import belongs_to
from jobs.forms.desk import SendBackForm
from jobs.reauthentication import reauthentication_required


@admin.register(Chargeback)
class ChargebackAdmin(DeskPages):
    """Open ones stand on top: until they end, money is frozen."""

    change_form_template = "admin/billing/chargeback/change_form.html"
    job_path = "payment__job"
    currency_of = "payment.currency"
    page_verb, act_verbs = "end", ("record", "confirm", "send_back", "take_back")
    page_related = (
        "payment__job__client", "payment__job__freelancer", "payment__job__policy", "payment__method",
        "recorded_by", "confirmed_by",
    )  # fmt: skip
    list_display = (
        "id", "end", "payment", "amount_minor", "state", "opened_at", "recorded_by", "confirmed_by", "ended_at",
    )  # fmt: skip
    list_filter = ("state", "outcome", currency_filter("payment__currency"))
    list_select_related = ("payment", "recorded_by", "confirmed_by")
    search_fields = (
        "gateway_reference", "reason", "payment__job__title", "payment__payer__name", "payment__payer__email",
        "payment__method__last_four", "payment__gateway_reference",
    )  # fmt: skip
    search_help_text = "Job (title, “job 7”), payer (name, address), last four digits, the bank’s reference, number"
    fields = (
        "end", "payment", "amount_minor", "gateway_reference", "state", "opened_at", "outcome", "reason", "recorded_by",
        "recorded_at", "answer", "confirmed_by", "ended_at",
    )  # fmt: skip

    @admin.display(description="how it ends")
    def end(self, chargeback: Chargeback) -> SafeString:
        return format_html('<a href="{}">How it ends</a>', self.page_url(chargeback))

    def get_ordering(self, request: HttpRequest) -> Any:
        """What is open has no end yet, and comes first."""
        return (F("ended_at").desc(nulls_first=True), "-opened_at")

    def may_mean(self, term: str) -> Q:
        return super().may_mean(term) | belongs_to(term, "payment__payer")

    # --- How it ends ---

    def end_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """What is frozen, what each end does, and what the agent can say now."""
        return self.page(request, self.row_of(request, row_id))

    def record_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Record the bank's last word."""
        row, form = self.row_of(request, row_id), RecordForm(request.POST)

        def record() -> str:
            said = form.cleaned_data
            chargebacks.record(row.pk, **said, by=agent_of(request), at=timing.now())
            return f"Recorded as {said['outcome']}: {said['reason']}"

        done = "Recorded. Nothing moves before a second agent has confirmed it."
        return self.act(request, row, form, record, done=done, name="record_form")

    @method_decorator(reauthentication_required("Confirm how a chargeback ended"))
    def confirm_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Confirm what another agent recorded: it ends so."""
        row, form = self.row_of(request, row_id), ConfirmForm(request.POST)

        def confirm() -> str:
            outcome, by = form.cleaned_data["seen_outcome"], agent_of(request)
            chargebacks.confirm(row.pk, seen_outcome=outcome, by=by, at=timing.now())
            return f"Confirmed as {outcome}"

        done = "Confirmed. Both sides are told."
        return self.act(request, row, form, confirm, done=done, name="confirm_form")

    def send_back_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Have it recorded anew."""
        row, form = self.row_of(request, row_id), SendBackForm(request.POST)

        def send_back() -> str:
            answer = form.cleaned_data["answer"]
            chargebacks.send_back(row.pk, answer=answer, by=agent_of(request), at=timing.now())
            return f"Sent back: {answer}"

        done = "Sent back: it is to be recorded anew."
        return self.act(request, row, form, send_back, done=done, name="send_back_form")

    def take_back_view(self, request: HttpRequest, row_id: int) -> HttpResponse:
        """Take one's own record back."""
        row = self.row_of(request, row_id)

        def take_back() -> str:
            chargebacks.take_back(row.pk, by=agent_of(request), at=timing.now())
            return "Took the record back"

        done = "Taken back: it is to be recorded anew."
        return self.act(request, row, Form(request.POST), take_back, done=done, name="form")

    def page(self, request: HttpRequest, row: Chargeback, **forms: Form) -> HttpResponse:
        by, at = agent_of(request), timing.now()
        escrows = escrows_of(row.payment)
        context: dict[str, Any] = {
            "original": row,
            "chargeback": row,
            "payment": row.payment,
            "job": row.payment.job,
            "escrows": escrows,
            "held_minor": sum(escrow.held_minor for escrow in escrows),
            "with_payer_minor": payments.with_payer_minor(row.payment),
            "why_not_record": chargebacks.may_record(row, by=by, at=at),
            "why_not_confirm": chargebacks.may_confirm(row, by=by, at=at),
            "why_not_take_back": chargebacks.may_take_back(row, by=by, at=at),
            "record_form": RecordForm(),
            "confirm_form": ConfirmForm(),
            "send_back_form": SendBackForm(),
            **forms,
        }
        return self.render_page(request, "end", context, title=f"{row}: payment {row.payment_id}")
