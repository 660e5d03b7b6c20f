"""The form of a new card. Shape only; whether the bank takes it is known to the service."""

import calendar
import re
from datetime import date
from typing import Any

from django import forms


class ExpiryField(forms.CharField):
    """Reads ``MM / YY`` or ``MM/YYYY`` into the last day of that month."""

    widget = forms.TextInput(attrs={"autocomplete": "cc-exp", "inputmode": "numeric", "size": "8"})

    def clean(self, value: Any) -> Any:
        text = super().clean(value)
        found = re.fullmatch(r"(\d{1,2})\s*[/.\-]?\s*(\d{4}|\d{2})", text, flags=re.ASCII)
        month, year = (int(found[1]), int(found[2])) if found else (0, 0)
        year += 2000 if year < 100 else 0
        if not 1 <= month <= 12 or not 2000 <= year <= 2099:
            raise forms.ValidationError("Enter month and year as on the card, for example 04 / 28.")
        return date(year, month, calendar.monthrange(year, month)[1])


class CardForm(forms.Form):
    """What is printed on a card."""

    number = forms.CharField(
        label="Card number",
        max_length=30,
        widget=forms.TextInput(attrs={"autocomplete": "cc-number", "inputmode": "numeric"}),
        help_text="It goes to the payment provider and is not kept here.",
    )
    expires_on = ExpiryField(
        label="Expires", max_length=12, help_text="Month and year as on the card, such as 04 / 28."
    )

    def clean_number(self) -> str:
        number = re.sub(r"[\s-]", "", self.cleaned_data["number"])
        if not re.fullmatch(r"[0-9]+", number):
            raise forms.ValidationError("A card number has digits only.")
        if not 12 <= len(number) <= 19:
            raise forms.ValidationError("A card number has 12 to 19 digits.")
        return number
