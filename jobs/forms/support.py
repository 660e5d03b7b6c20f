"""What support edits by hand: what a person says about himself, and the numbers of the Policy.

Everything else that support does goes through the services that the parties use.
"""

from typing import Any

from django import forms
from django.contrib.auth.models import Group

from jobs.forms.people import LANGUAGES, NameField, TimeZoneField
from jobs.models import Person, Policy
from jobs.services import policies

LABELS = {"groups": "Roles", "is_superuser": "May do everything"}
HELP = {
    "is_staff": "Opens the door alone; what there is to see and do comes with the roles.",
    "groups": "What a support agent may see and do.",
    "is_superuser": "All that every role may, and to decide who else may. For as few people as possible.",
}


class PersonForm(forms.ModelForm):
    """The profile, and (for superusers) what the person may do at the desk.

    ``is_own``: superusers who edit themselves can't lock themselves out.
    """

    is_own = False

    name = NameField(label="Name")
    time_zone = TimeZoneField(label="Time zone")
    language = forms.ChoiceField(label="Language", choices=LANGUAGES)
    billing_address = forms.CharField(
        label="Billing address",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4, "cols": 50}),
        help_text="Documents that were issued before keep what stood there on their day.",
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        label=LABELS["groups"],
        help_text=HELP["groups"],
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Person
        fields = (
            "name", "time_zone", "language", "billing_address", "tax_id", "is_staff", "groups",
            "is_superuser",
        )  # fmt: skip
        labels = LABELS
        help_texts = HELP

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in ("time_zone", "language"):
            field = self.fields.get(name)
            value = getattr(self.instance, name)
            if isinstance(field, forms.ChoiceField) and not field.valid_value(value):
                field.choices = [(value, value), *list(field.choices)]  # type: ignore[arg-type]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        for name in ("is_staff", "is_superuser"):
            if self.is_own and name in self.fields and not self.cleaned_data.get(name):
                self.add_error(name, "You can’t take this from yourself.")
        return cleaned


class PolicyForm(forms.ModelForm):
    """The numbers of a version as the beginning of a new one.

    ``newest_seen`` is the version that was newest when the page was drawn: of two people who change
    the numbers at the same time, the second is told instead of undoing what the first did.
    """

    newest_seen = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Policy
        fields = policies.NUMBERS
        labels = {
            "release_days": "Silence releases after (days)",
            "overdue_days_before_due": "Overdue (days before that)",
            "warning_days_before_due": "Warnings (days before that)",
            "returns_at_most": "Changes may be requested (times per Milestone)",
            "service_fee_basis_points": "Service fee",
            "processing_fee_basis_points": "Processing fee",
            "return_fee_basis_points": "Fee on what goes back",
            "proposal_days": "A proposal lapses after (days)",
            "authentication_days": "A pending payment lapses after (days)",
            "authentication_reminder_days": "Reminders of it (days before that)",
            "cancellation_days": "A cancellation request lapses after (days)",
            "largest_amount": "Largest amount",
            "dispute_answer_business_days": "A Dispute is answered within (business days)",
            "dispute_days_left_at_least": "After a Dispute a clock has at least (days)",
            "holidays": "Holidays (2026-12-25, …)",
            "dormant_days": "A Job is Dormant after (days)",
            "dormant_freelancer_days": "The Freelancer is told of it after (days)",
            "dormant_settlement_days": "It is settled after (days)",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.initial["newest_seen"] = Policy.objects.current().version

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        newest = policies.lock_newest()
        if self.cleaned_data.get("newest_seen") != newest.version:
            # Shown again, the page knows which one is newest now.
            name = self.add_prefix("newest_seen")
            self.data = {**dict(self.data.items()), name: str(newest.version)}
            raise forms.ValidationError(
                f"Policy {newest.version} was made while this page was open. "
                "Compare it with what stands here, then save again."
            )
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.errors:
            return
        for name, message in policies.problems(self.instance).items():
            self.add_error(name, message)
        if not self.errors and not policies.differs(self.instance, Policy.objects.current()):
            self.add_error(None, "These are the numbers of the newest version: nothing to save.")
