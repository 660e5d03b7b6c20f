"""allauth's forms in the words of the product; named in ACCOUNT_FORMS.

Apart from people.py, which allauth reads while these forms are still being made.
"""

from typing import Any

from allauth.account import forms as allauth_forms
from allauth.account.adapter import get_adapter
from django import forms
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest

from escrow_site.lib import timing
from jobs.services import accounts

LABELS = {
    "login": "E-mail address",
    "email": "E-mail address",
    "remember": "Stay signed in",
    "password": "Password",
    "oldpassword": "Current password",
    "password1": "New password",
    "password2": "New password, once more",
}


class WordedForm(forms.Form):
    """Gives the fields our labels. Placeholders would only say the label again."""

    labels = LABELS

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name, field in self.fields.items():
            field.label = self.labels.get(name, field.label)
            if name in self.labels:
                field.widget.attrs.pop("placeholder", None)


class LoginForm(WordedForm, allauth_forms.LoginForm):
    """Sign in."""


class SignupForm(WordedForm, allauth_forms.SignupForm):
    """Sign up, with the fields of jobs.forms.people.SignUpForm."""

    labels = {**LABELS, "password1": "Password"}

    def try_save(self, request: HttpRequest) -> Any:
        """Hash the password for a known address as well: how long it takes must not tell who has an account."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        return super().try_save(request)


class AddEmailForm(WordedForm, allauth_forms.AddEmailForm):
    """One more address."""


class ChangePasswordForm(WordedForm, allauth_forms.ChangePasswordForm):
    """Another password instead of the present one, which is counted like any other guess."""

    def clean_oldpassword(self) -> str:
        password = str(self.cleaned_data["oldpassword"])
        try:
            knows = accounts.knows_password(self.user, password, at=timing.real_now())
        except accounts.TooManyWrong as refusal:
            raise get_adapter().validation_error("too_many_login_attempts") from refusal
        if not knows:
            raise get_adapter().validation_error("enter_current_password")
        return password


class SetPasswordForm(WordedForm, allauth_forms.SetPasswordForm):
    """A password where there was none."""


class ResetPasswordForm(WordedForm, allauth_forms.ResetPasswordForm):
    """Asks for the mail with the link to a new password."""


class ResetPasswordKeyForm(WordedForm, allauth_forms.ResetPasswordKeyForm):
    """The new password, behind that link."""


class ReauthenticateForm(WordedForm, allauth_forms.ReauthenticateForm):
    """Asks for the password again before something delicate."""
