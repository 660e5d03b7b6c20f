"""The last form of an account."""

from typing import Any

from django import forms

from jobs.models import Person


class CloseForm(forms.Form):
    """The address is typed, as nobody does that by mistake."""

    email = forms.CharField(
        label="Your e-mail address",
        help_text="Type it to say that you mean it.",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, person: Person, **options: Any) -> None:
        super().__init__(*args, **options)
        self.person = person

    def clean_email(self) -> str:
        typed = str(self.cleaned_data["email"]).strip().lower()
        if typed != self.person.email.lower():
            raise forms.ValidationError(
                f"This is not the address of your account, {self.person.email}."
            )
        return typed
