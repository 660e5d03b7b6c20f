"""Forms of releases and of voiding: shape only; what may be released is the service's to say."""

from collections.abc import Iterable
from typing import Any

from django import forms

from billing.models import Escrow


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
        """What is no amount was not seen on the page: nothing, which no sum is equal to."""
        text = self.cleaned_data["seen_minor"]
        return int(text) if text.isdecimal() and len(text) < 20 else 0


class VoidForm(forms.Form):
    """Why a request is taken back, if the Freelancer wants to say."""

    reason = forms.CharField(
        label="Reason",
        help_text="The Client reads it.",
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
