"""Forms about how a chargeback ended, at the support desk: shape only."""

from django import forms

from billing.models import Chargeback
from jobs.forms.desk import WordsField
from jobs.services import words


class RecordForm(forms.Form):
    """The bank's last word, and how we know it."""

    outcome = forms.ChoiceField(
        label="What the bank has decided",
        choices=Chargeback.Outcome.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose whether the chargeback was won or lost."},
    )
    reason = WordsField(
        label="How the bank has told us",
        max_length=words.REASON_AT_MOST,
        help_text="Letter, case number, date. Both sides read it once it is confirmed.",
        error_messages={"required": "Write how the bank has told us."},
    )


class ConfirmForm(forms.Form):
    """What a second agent has read."""

    seen_outcome = forms.CharField(widget=forms.HiddenInput, max_length=10)
