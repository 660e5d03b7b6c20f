"""The form of a payout. Shape only; what is available is known to the service."""

from collections.abc import Sequence
from typing import Any

from django import forms

from billing.selectors.balances import Balance
from escrow_site.lib.forms import MoneyField


class PayoutForm(forms.Form):
    """How much of which balance, and where to; the key makes a second click harmless."""

    currency = forms.ChoiceField(
        widget=forms.HiddenInput,
        error_messages=dict.fromkeys(
            ("required", "invalid_choice"),
            "There is nothing available in this currency. Please start from your balance.",
        ),
    )
    amount = MoneyField(label="Amount", help_text="All that is available, or a part of it.")
    destination = forms.CharField(
        label="Bank account",
        max_length=60,
        help_text="IBAN or account number, as your bank writes it.",
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    idempotency_key = forms.CharField(
        max_length=64,
        widget=forms.HiddenInput,
        error_messages={"required": "This page was out of date. Please try again."},
    )

    def __init__(self, *args: Any, balances: Sequence[Balance], **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["currency"].choices = [  # type: ignore[attr-defined]
            (balance.currency, balance.currency) for balance in balances
        ]
        currency = str(self.data.get("currency") or self.initial.get("currency") or "")
        amount = self.fields["amount"]
        assert isinstance(amount, MoneyField)
        if currency in {balance.currency for balance in balances}:
            amount.currency = currency
