"""allauth's forms in the words of the product; named in ACCOUNT_FORMS.

Apart from people.py, which allauth reads while these forms are still being made.
"""

from typing import Any

from allauth.account import forms as allauth_forms
from django import forms

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


class AddEmailForm(WordedForm, allauth_forms.AddEmailForm):
    """One more address."""


class ChangePasswordForm(WordedForm, allauth_forms.ChangePasswordForm):
    """Another password instead of the present one."""


class SetPasswordForm(WordedForm, allauth_forms.SetPasswordForm):
    """A password where there was none."""


class ResetPasswordForm(WordedForm, allauth_forms.ResetPasswordForm):
    """Asks for the mail with the link to a new password."""


class ResetPasswordKeyForm(WordedForm, allauth_forms.ResetPasswordKeyForm):
    """The new password, behind that link."""


class ReauthenticateForm(WordedForm, allauth_forms.ReauthenticateForm):
    """Asks for the password again before something delicate."""
