"""Form fields for money and for files. Forms check shape only; the rules are in the services."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile

from escrow_site.lib import money


class MoneyField(forms.CharField):
    """Reads an amount in a currency into minor units (int); empty is None.

    The currency may be set after construction, by a form that learns it from its Job.
    """

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})

    def __init__(
        self, *, currency: str = "USD", most_minor: int = money.LARGEST_AMOUNT_MINOR, **options: Any
    ) -> None:
        super().__init__(max_length=30, **options)
        self.currency = currency
        self.most_minor = most_minor

    def clean(self, value: Any) -> Any:
        # Not to_python: its result goes through the validators of a text.
        text = super().clean(value)
        if not text:
            return None
        try:
            return money.parse(text, self.currency, most_minor=self.most_minor)
        except money.BadAmount as refusal:
            raise forms.ValidationError(refusal.message, code="bad_amount") from refusal

    def prepare_value(self, value: Any) -> Any:
        return money.editable(value, self.currency) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class FilesInput(forms.FileInput):
    """Chooses several files at once."""

    allow_multiple_selected = True


class FilesField(forms.FileField):
    """Several uploads; whether they are accepted is for ``jobs.services.files`` to say."""

    widget = FilesInput

    def clean(self, data: Any, initial: Any = None) -> list[UploadedFile]:
        return [upload for upload in data or [] if upload]
