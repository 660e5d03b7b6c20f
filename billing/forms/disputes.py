"""Forms of a Dispute: shape only; the rules are in ``services.disputes``, ``offers`` and ``sealed``."""

import re
from typing import Any

from django import forms
from django.conf import settings

from billing.forms.releases import PartForm
from billing.models import Dispute
from billing.services.disputes import WORDS_AT_MOST
from escrow_site.lib.forms import FilesField, FilesInput, MoneyField
from jobs.services.files import ACCEPTED, ACCEPTED_EXTENSIONS

NOTHING = re.compile(r"0+\.?0*|\.0+")


class ShareField(MoneyField):
    """An amount of which nothing, too, can be offered."""

    def clean(self, value: Any) -> Any:
        if isinstance(value, str) and NOTHING.fullmatch(value.strip()) and len(value) <= 30:
            return 0
        return super().clean(value)


class EvidenceForm(forms.Form):
    """Files for the other side and support to see."""

    evidence = FilesField(
        required=False,
        label="Evidence",
        widget=FilesInput(attrs={"accept": ACCEPTED_EXTENSIONS}),
    )

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["evidence"].help_text = (
            f"At most {settings.FILES_AT_MOST} files of {settings.FILES_LARGEST_BYTES >> 20} MB: "
            f"{ACCEPTED}. Both sides and support can download them; nobody can remove them."
        )


class FilesForm(EvidenceForm):
    """Files and nothing else, so there must be one."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["evidence"].required = True

    def clean_evidence(self) -> Any:
        if not self.cleaned_data["evidence"]:
            raise forms.ValidationError("Choose a file.")
        return self.cleaned_data["evidence"]


class WordsForm(EvidenceForm):
    """An answer or a statement, and what proves it."""

    text = forms.CharField(
        max_length=WORDS_AT_MOST,
        label="What do you say?",
        help_text="The other side and support read it. It cannot be changed afterwards.",
        error_messages={"required": "Write what you have to say."},
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    field_order = ("text", "evidence")


class OpenForm(EvidenceForm, PartForm):
    """What is disputed, and what is asked for."""

    asks = forms.ChoiceField(
        choices=Dispute.Asks.choices,
        label="What do you ask for?",
        error_messages={"required": "Choose whether you ask for a release or for a refund."},
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        max_length=WORDS_AT_MOST,
        label="Why?",
        help_text="The other side and support read it. It cannot be changed afterwards.",
        error_messages={"required": "Write why you dispute it."},
        widget=forms.Textarea(attrs={"rows": 8}),
    )
    field_order = ("asks", "amount", "reason", "evidence")

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.fields["amount"].label = "How much of it?"


class OfferForm(PartForm):
    """How much of what is held goes to the Freelancer."""

    amount = ShareField(
        label="To the Freelancer",
        help_text="Before fees, from nothing to all that is held. The rest goes back to the Client.",
        error_messages={"required": "Enter how much goes to the Freelancer; 0 is possible."},
    )


class SealedForm(PartForm):
    """What one side would accept, hidden from everybody."""

    amount = ShareField(label="Your limit", error_messages={"required": "Enter your limit."})

    def __init__(self, *arguments: Any, is_client: bool, **options: Any) -> None:
        super().__init__(*arguments, **options)
        amount = self.fields["amount"]
        amount.label = (
            "The most that may go to the Freelancer"
            if is_client
            else "The least that you would accept"
        )
        amount.help_text = (
            "Before fees, from nothing to all that is held."
            if is_client
            else "Before fees, from nothing to all that is held; your fees are taken from it."
        )


class WithdrawForm(forms.Form):
    """Why a Dispute is taken back, if its opener wants to say."""

    reason = forms.CharField(
        label="Reason",
        help_text="The other side reads it.",
        max_length=WORDS_AT_MOST,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
