"""allauth's forms of second factors in the words of the product; named in MFA_FORMS."""

from datetime import datetime
from typing import Any

from allauth.account.adapter import get_adapter as get_account_adapter
from allauth.core.internal.cryptokit import normalize_user_code
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms as base
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp
from allauth.mfa.webauthn import forms as webauthn
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.urls import reverse

from escrow_site.lib import timing
from jobs.services import attempts

LONGEST_CODE = 20
LONGEST_NAME = 80


class CodeForm(forms.Form):
    """One field for a code; wrong ones are counted in the database too."""

    user: Any
    help_text = "Six digits from your authenticator app, or one of your recovery codes."

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["code"]
        field.label, field.help_text = "Code", self.help_text
        field.validators.append(MaxLengthValidator(LONGEST_CODE))
        field.widget.attrs.pop("placeholder", None)
        field.widget.attrs |= {"inputmode": "numeric", "autofocus": True, "maxlength": LONGEST_CODE}

    def clean_code(self) -> str:
        at = timing.real_now()
        if attempts.is_reached(attempts.WRONG_CODES, self.user.pk, at=at):
            raise get_account_adapter().validation_error("too_many_login_attempts")
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            self._use(code, at=at)
        except ValidationError:
            attempts.note(attempts.WRONG_CODES, self.user.pk, at=at)
            raise
        return code

    def _use(self, code: str, *, at: datetime) -> None:
        """allauth forgets a used code after 30 seconds, and with the cache; ours holds as long as the code."""
        used = f"{self.user.pk} {normalize_user_code(code)}"
        if not attempts.take(attempts.USED_CODES, used, at=at):
            raise get_adapter().validation_error("incorrect_code")


class AuthenticateForm(CodeForm, base.AuthenticateForm):
    """The second factor at sign-in."""

    def save(self) -> None:
        super().save()
        _tell_of_recovery_code(self.authenticator, purpose="to sign in")


class ReauthenticateForm(CodeForm, base.ReauthenticateForm):
    """The second factor before something delicate."""

    def save(self) -> None:
        super().save()
        purpose = "to confirm that it is you, while somebody was signed in"
        _tell_of_recovery_code(self.authenticator, purpose=purpose)


class ActivateTOTPForm(CodeForm, totp.ActivateTOTPForm):
    """The first code of a new authenticator app."""

    help_text = "Six digits."


class AddWebAuthnForm(webauthn.AddWebAuthnForm):
    """A passkey, or a security key that can less."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["name"].label = "Name"
        self.fields["name"].help_text = "For yourself, such as “Blue telephone”."
        _bound(self.fields["name"])
        alone = self.fields["passwordless"]
        alone.label, alone.initial = "It signs me in by itself", True
        alone.help_text = (
            "Untick this for a security key without PIN or fingerprint: it is then asked for after the "
            "password."
        )


class EditWebAuthnForm(webauthn.EditWebAuthnForm):
    """Another name for a passkey."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _bound(self.fields["name"])


def _tell_of_recovery_code(used: Authenticator, *, purpose: str) -> None:
    """Whoever has stolen one stays unseen otherwise; its owner also learns when to make new ones."""
    if used.type != Authenticator.Type.RECOVERY_CODES:
        return
    used.refresh_from_db()  # allauth marks the code on a copy of its own
    facts = {
        "purpose": purpose,
        "left": len(used.wrap().get_unused_codes()),
        "security_url": settings.SITE_URL + reverse("jobs:security"),
    }
    get_account_adapter().send_notification_mail("mfa/email/recovery_code_used", used.user, facts)


def _bound(field: forms.Field) -> None:
    """allauth keeps names of any length."""
    field.validators.append(MaxLengthValidator(LONGEST_NAME))
    field.widget.attrs["maxlength"] = LONGEST_NAME
