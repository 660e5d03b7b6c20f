"""What our second factors do differently from allauth's: named in the settings, called by allauth.

Secrets are stored encrypted, and a support agent keeps at least one second factor for ever.
"""

import base64
import hashlib

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, MultiFernet
from django.conf import settings

from jobs.models import Person
from jobs.selectors import second_factors


class SecondFactorAdapter(DefaultMFAAdapter):
    """Named in the settings; allauth calls it."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": (
            "Support agents need a second factor. Add another one first, then remove this one."
        ),
        "incorrect_code": (
            "This code is not correct. Check what you typed; a code of the app counts once, and a new one "
            "comes every 30 seconds."
        ),
    }

    def get_totp_issuer(self) -> str:
        return settings.SITE_NAME

    def build_totp_svg(self, url: str) -> str:
        """Drawn into the page itself: images from elsewhere, data addresses too, are forbidden there."""
        svg = super().build_totp_svg(url)
        drawing = svg[svg.index("<svg") :]
        return drawing.replace("<svg ", '<svg role="img" aria-label="Square to scan" ', 1)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": settings.SITE_NAME}

    def get_public_key_credential_user_entity(self, user: Person) -> dict[str, object]:
        return {
            "id": user_pk_to_url_str(user).encode(),
            "display_name": user.name,
            "name": user.email,
        }

    def generate_authenticator_name(self, user: Person, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return "Passkey" if number == 1 else f"Passkey {number}"

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        return second_factors.may_lose(authenticator)

    def encrypt(self, text: str) -> str:
        """A copy of the database alone gives nobody a code."""
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> MultiFernet:
    """The newest key writes; the older ones, named in SECRET_KEY_FALLBACKS, still read."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([Fernet(_key(secret)) for secret in secrets])


def _key(secret: str) -> bytes:
    digest = hashlib.blake2b(secret.encode(), digest_size=32, person=b"second factors").digest()
    return base64.urlsafe_b64encode(digest)
