"""Forms of the mediation at the support desk: shape only; what is allowed is the service's to say."""

import re
from typing import Any

from django import forms

from billing.services.disputes import WORDS_AT_MOST
from escrow_site.lib.forms import MoneyField
from jobs.forms import desk
from jobs.forms.desk import WordsField

NOTHING = re.compile(r"\s*0+(\.0*)?\s*")


class ShareField(MoneyField):
    """An amount that may also be nothing: all of it goes to the other side."""

    def clean(self, value: Any) -> Any:
        if isinstance(value, str) and NOTHING.fullmatch(value):
            return 0
        return super().clean(value)


class AskForm(forms.Form):
    """What both sides are asked."""

    text = WordsField(
        label="What do you want to know?",
        max_length=WORDS_AT_MOST,
        help_text="Both sides are told, and read it among the statements.",
        error_messages={"required": "Write what you want to know."},
    )


class DecideForm(forms.Form):
    """How much goes to the Freelancer, and why; ``seen_held_minor`` once the amounts were shown."""

    to_freelancer = ShareField(
        label="To the Freelancer, before fees",
        help_text="0 sends all of it back to the Client.",
        error_messages={"required": "Enter the Freelancer’s share; 0 for nothing."},
    )
    reasons = WordsField(
        label="Reasons",
        max_length=WORDS_AT_MOST,
        help_text="Both sides read them as soon as a second agent has confirmed the decision.",
        error_messages={"required": "Write your reasons."},
    )
    seen_held_minor = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *arguments: Any, currency: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        share = self.fields["to_freelancer"]
        assert isinstance(share, MoneyField)
        share.currency = currency


class CheckForm(forms.Form):
    """Which decision a second agent has read."""

    decision = forms.IntegerField(widget=forms.HiddenInput)


class SendBackForm(desk.SendBackForm, CheckForm):
    """Which decision goes back, and why."""
