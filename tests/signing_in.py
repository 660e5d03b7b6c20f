"""Signing in without the pages: as if the password had been given just now, and by staff the second factor too."""

import time
from typing import Any

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY as WHOSE,
)
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as SHOWN
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value
from django.test import Client

from jobs.models import Person

# Of every second factor in the tests.
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
HOUR = 3600
# Tests travel in time: what they sign in by force stays fresh wherever they go.
FOR_EVER = -10 * 365 * 24 * HOUR

_force_login = Client.force_login


def sign_in(client: Client, person: Person) -> None:
    """Signed in a moment ago; a support agent has a second factor afterwards."""
    if person.is_staff:
        give_second_factor(person)
    _force_login(client, person)
    remember(client, person, seconds_ago=FOR_EVER)


def sign_in_long_ago(client: Client, person: Person) -> None:
    """Signed in, but so long ago that money asks who it is."""
    _force_login(client, person)
    remember(client, person, seconds_ago=HOUR)


def remember(client: Client, person: Person, *, seconds_ago: int) -> None:
    """Writes into the session when the password was given."""
    session = client.session
    session[SHOWN] = [{"method": "password", "at": time.time() - seconds_ago}]
    session[WHOSE] = str(person.pk)
    session.save()


def give_second_factor(person: Person) -> None:
    """An authenticator app, as in `SECRET`; once is enough."""
    if not Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).exists():
        TOTP.activate(person, SECRET)


def code_now(*, secret: str = SECRET) -> str:
    """What an app with that secret shows."""
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def forced(client: Client, user: Person, backend: Any = None) -> None:
    """What `client.force_login` does in all tests (tests/conftest.py)."""
    sign_in(client, user)
