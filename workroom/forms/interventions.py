"""Forms of the interventions at the support desk: shape only; what is allowed is the services' to say."""

from datetime import UTC, datetime
from typing import Any

from django import forms

from billing.models import Escrow, Intervention
from billing.services import disputes
from billing.services.interventions import HOW_AT_MOST
from escrow_site.lib import display, money
from escrow_site.lib.forms import MoneyField
from jobs.forms.desk import WordsField
from jobs.models import Job
from jobs.services import words

NOBODY = "nobody"
FORMAT = "%Y-%m-%dT%H:%M"


class InUtcField(forms.DateTimeField):
    """An instant, written in UTC whatever the reader's own time zone is."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format=FORMAT)
    input_formats = [FORMAT, "%Y-%m-%d %H:%M"]

    def to_python(self, value: Any) -> datetime | None:
        if not isinstance(value, str) or not value.strip():
            return None
        for known in self.input_formats:
            try:
                return datetime.strptime(value.strip(), known).replace(tzinfo=UTC)
            except ValueError:
                continue
        raise forms.ValidationError("Write it as 2026-04-30 18:00.")


class ProposeForm(forms.Form):
    """What was asked for, by whom and how; ``previewed`` once the amounts were shown."""

    number = forms.TypedChoiceField(label="Milestone", coerce=int)
    amount = MoneyField(error_messages={"required": "Enter an amount."})
    until = InUtcField(
        label="New instant, in UTC", error_messages={"required": "Enter date and time."}
    )
    asked_by = forms.ChoiceField(
        label="Who asked for it",
        error_messages={"required": "Choose who asked for it."},
    )
    asked_how = forms.CharField(
        label="When and how",
        required=False,
        max_length=HOW_AT_MOST,
        help_text="For example “by phone on 3 March, then by mail from the account’s address”. Both sides read it.",
    )
    reason = WordsField(
        label="Reason",
        max_length=words.REASON_AT_MOST,
        help_text="Both sides read it as soon as a second agent has confirmed.",
        error_messages={"required": "Write the reason."},
    )
    seen_minor = forms.IntegerField(required=False, widget=forms.HiddenInput)
    previewed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, *arguments: Any, job: Job, kind: str, escrows: list[Escrow], **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.job, self.kind = job, kind
        self._choose_milestone(escrows)
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)
        amount.currency = job.currency
        amount.label = f"Amount, in {job.currency}"
        if kind not in Intervention.MONEY:
            del self.fields["amount"]
        if kind not in Intervention.CLOCKS:
            del self.fields["until"]
        elif job.policy is not None:
            days = job.policy.release_days
            self.fields[
                "until"
            ].help_text = f"After it is due now, and at most {days} days from now."
        self.fields["asked_by"].choices = [  # type: ignore[attr-defined]
            ("", "–"),
            *((str(party.pk), f"{party} ({role})") for role, party in self._parties(kind)),
            (NOBODY, "Nobody: an error of ours is reversed"),
        ]

    def _choose_milestone(self, escrows: list[Escrow]) -> None:
        if not escrows:
            del self.fields["number"]
            return
        choices = [(escrow.number, self._about(escrow)) for escrow in escrows]
        self.fields["number"].choices = choices  # type: ignore[attr-defined]

    def _about(self, escrow: Escrow) -> str:
        """What an agent goes by: when it is due now, or what there is of it."""
        if due_at := self._due_at(escrow):
            return f"{escrow} (due {display.utc(due_at)})"
        if self.kind == Intervention.Kind.REFUND_RELEASED:
            kept_minor = escrow.kept_minor
            return f"{escrow} ({money.display(kept_minor, self.job.currency)} released)"
        return f"{escrow} ({money.display(escrow.held_minor, self.job.currency)} held)"

    def _due_at(self, escrow: Escrow) -> datetime | None:
        if self.kind == Intervention.Kind.EXTEND_ANSWER:
            return escrow.answer_due_at
        request = disputes.unanswered_request(escrow)
        is_about_it = self.kind in (Intervention.Kind.EXTEND_RELEASE, Intervention.Kind.VOID)
        return request.auto_release_at if request and is_about_it else None

    def _parties(self, kind: str) -> list[tuple[str, Any]]:
        """The side that could do it itself; of a Dispute that may be either."""
        client, freelancer = ("Client", self.job.client), ("Freelancer", self.job.freelancer)
        if kind == Intervention.Kind.RELEASE:
            return [client]
        if kind in (Intervention.Kind.EXTEND_ANSWER, Intervention.Kind.REACTIVATE):
            return [client, freelancer]
        return [freelancer]

    def wish(self) -> dict[str, Any]:
        """The form's data as the service takes it."""
        data = self.cleaned_data
        is_error = data["asked_by"] == NOBODY
        parties = {
            str(party.pk): party for party in (self.job.client, self.job.freelancer) if party
        }
        return {
            "number": data.get("number"),
            "amount_minor": data.get("amount"),
            "until": data.get("until"),
            "asked_by": None if is_error else parties.get(data["asked_by"]),
            "asked_how": "" if is_error else data["asked_how"].strip(),
        }

    @property
    def basis(self) -> str:
        is_error = self.cleaned_data["asked_by"] == NOBODY
        basis = Intervention.Basis
        return basis.PLATFORM_ERROR if is_error else basis.PARTY_REQUEST

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        asked_by = data.get("asked_by")
        if asked_by and asked_by != NOBODY and not (data.get("asked_how") or "").strip():
            self.add_error("asked_how", "Write when and how the party asked.")
        return data
