"""Forms of the award. They check shape only."""

from django import forms

from workroom.services.awards import LONGEST_ADDRESS, LONGEST_REASON


class AwardForm(forms.Form):
    """Whom the Job is awarded to; ``seen`` is the draft Terms that the page showed."""

    email = forms.EmailField(
        label="Freelancer's e-mail address",
        max_length=LONGEST_ADDRESS,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "ana@example.com"}),
        help_text="Without an account at this address we send an invitation.",
    )
    seen = forms.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput
    )


class ReasonForm(forms.Form):
    """Why an award ends."""

    reason = forms.CharField(
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="The other side reads it.",
    )
