"""Forms of releases, of refunds and of what ends a request: shape only; the rest is the service's to say."""

from collections.abc import Iterable
from typing import Any

from django import forms

from billing.models import Escrow
from billing.services.refunding import REASON_AT_MOST
from billing.services.release_requests import COMMENT_AT_MOST
from escrow_site.lib.forms import MoneyField


class ReleaseForm(forms.Form):
    """Which Milestones of a Job, by number, and the sum that the person saw before the click."""

    escrow = forms.TypedMultipleChoiceField(
        coerce=int,
        error_messages={
            "required": "Choose a Milestone to release.",
            "invalid_choice": "This Milestone is not part of the agreed Terms.",
            "invalid_list": "Choose a Milestone to release.",
        },
    )
    seen_minor = forms.CharField(required=False)

    def __init__(self, *arguments: Any, escrows: Iterable[Escrow], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.escrows = list(escrows)
        field = self.fields["escrow"]
        assert isinstance(field, forms.TypedMultipleChoiceField)
        field.choices = [(escrow.number, escrow.title) for escrow in self.escrows]

    @property
    def chosen(self) -> list[Escrow]:
        """The Milestones that were chosen, in the order of the Terms."""
        numbers = set(self.cleaned_data["escrow"])
        return [escrow for escrow in self.escrows if escrow.number in numbers]

    def clean_seen_minor(self) -> int:
        return _minor(self.cleaned_data["seen_minor"])


def _minor(text: str) -> int:
    """What is no amount was not seen on the page: nothing, which no sum is equal to."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


class PartForm(forms.Form):
    """How much of one Milestone's money, and what there was of it when the person chose."""

    amount = MoneyField(label="Amount", error_messages={"required": "Enter an amount."})
    seen_minor = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, currency: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)
        amount.currency = currency

    def clean_seen_minor(self) -> int:
        return _minor(self.cleaned_data["seen_minor"])


class RefundForm(PartForm):
    """How much goes back, and why, if the Freelancer wants to say."""

    reason = forms.CharField(
        label="Reason",
        help_text="The Client reads it, and it stands on the documents.",
        max_length=REASON_AT_MOST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class ChangesForm(forms.Form):
    """What is to be changed."""

    comment = forms.CharField(
        label="What is to be changed?",
        help_text="The Freelancer reads it, and it stays with the request.",
        max_length=COMMENT_AT_MOST,
        error_messages={"required": "Say what is to be changed: the Freelancer reads it."},
        widget=forms.Textarea(attrs={"rows": 6}),
    )


class VoidForm(forms.Form):
    """Why a request is taken back, if the Freelancer wants to say."""

    reason = forms.CharField(
        label="Reason",
        help_text="The Client reads it.",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
