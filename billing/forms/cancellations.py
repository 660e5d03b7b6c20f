"""Forms of a cancellation: shape only; what may be divided, and how, is the service's to say."""

from collections.abc import Sequence
from typing import Any

from django import forms

from billing.models import Escrow
from billing.services.cancellations import LONGEST_TEXT
from escrow_site.lib import money
from escrow_site.lib.forms import MoneyField

NO_REASON = "Say why the Job is to be cancelled: the other side reads it."


class ShareField(MoneyField):
    """An amount that may be nothing: nothing typed, or zero."""

    def clean(self, value: Any) -> Any:
        text = str(value or "").strip()
        if text and not text.strip("0.,") and any(sign == "0" for sign in text):
            return 0
        return super().clean(value) or 0


class CancellationForm(forms.Form):
    """Why, and for each held Milestone how much of it goes to the Freelancer."""

    reason = forms.CharField(
        label="Reason",
        help_text="The other side reads it.",
        max_length=LONGEST_TEXT,
        error_messages={"required": NO_REASON},
        widget=forms.Textarea(attrs={"rows": 4}),
    )

    def __init__(
        self, *arguments: Any, escrows: Sequence[Escrow], currency: str, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self.escrows = escrows
        for escrow in escrows:
            held = money.display(escrow.held_minor, currency)
            self.fields[self.name_of(escrow)] = ShareField(
                currency=currency,
                required=False,
                label=f"“{escrow.title}”: to the Freelancer",
                help_text=f"Of the {held} that are held. What you leave goes back to the Client.",
                initial=0,
            )
        self.order_fields([*map(self.name_of, escrows), "reason"])

    @staticmethod
    def name_of(escrow: Escrow) -> str:
        return f"share-{escrow.number}"

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for escrow in self.escrows:
            name = self.name_of(escrow)
            if values.get(name, 0) > escrow.held_minor:
                self.add_error(name, "This is more than is held for the Milestone.")
        return values

    @property
    def shares(self) -> dict[int, int]:
        """By the numbers of the Milestones, in minor units."""
        return {escrow.number: self.cleaned_data[self.name_of(escrow)] for escrow in self.escrows}

    def seen(self) -> dict[int, int]:
        """What was held when the amounts were shown; what is no amount was not seen."""
        prefix = "seen-"
        return {
            _number(name.removeprefix(prefix)): _number(str(value))
            for name, value in self.data.items()
            if name.startswith(prefix)
        }


class DeclineForm(forms.Form):
    """Why not, if the person wants to say."""

    answer = forms.CharField(
        label="Your answer",
        help_text="The other side reads it.",
        max_length=LONGEST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else -1
