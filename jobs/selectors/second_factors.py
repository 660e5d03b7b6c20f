"""Who has a second factor: an authenticator app or a passkey. Recovery codes alone are none."""

from allauth.mfa.models import Authenticator

from jobs.models import Person

REAL = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


def has_one(person: Person) -> bool:
    return Authenticator.objects.filter(user_id=person.pk, type__in=REAL).exists()


def may_lose(authenticator: Authenticator) -> bool:
    """A support agent keeps at least one; everybody else may do without."""
    person = authenticator.user
    if not person.is_staff or authenticator.type not in REAL:
        return True
    others = Authenticator.objects.filter(user_id=person.pk, type__in=REAL)
    return others.exclude(pk=authenticator.pk).exists()
