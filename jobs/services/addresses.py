"""Another primary e-mail address: the present one has to agree, as whoever holds it can reset the password.

The new one has been confirmed by its own link before. Everything here is in real time.
"""

from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.core import signing
from django.db import transaction

from escrow_site.lib.refusals import Refusal, WrongState
from jobs.models import Person
from jobs.models.address_change import AddressChange

SALT = "jobs.address_change"
VALID_FOR = timedelta(hours=24)


class DeadLink(Refusal):
    """The link was used before, is too old, or was replaced by a newer one."""

    def __init__(self) -> None:
        super().__init__("This link was used before, is older than a day, or a newer one was sent.")


def ask(person: Person, *, email: str, at: datetime) -> tuple[AddressChange, str]:
    """Note what is wanted and make the token for the present address's mail; an older wish ends.

    Raises WrongState for an address that is not the person's, not confirmed, or the primary one.
    """
    with transaction.atomic():
        person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        wanted = EmailAddress.objects.filter(user=person, email=email).first()
        if wanted is None or not wanted.verified:
            raise WrongState("Confirm the address first; then it can be your primary one.")
        if wanted.primary:
            raise WrongState("This is your primary address already.")
        AddressChange.objects.filter(person=person, done_at=None).delete()
        change = AddressChange.objects.create(
            person=person, from_email=person.email, to_email=wanted.email, asked_at=at
        )
    return change, signing.dumps(change.pk, salt=SALT)


def read(token: str, *, at: datetime) -> AddressChange:
    """The open wish that a link is about. Raises DeadLink."""
    try:
        key = signing.loads(token, salt=SALT, max_age=VALID_FOR)
    except signing.BadSignature as error:
        raise DeadLink() from error
    found = AddressChange.objects.filter(pk=key, done_at=None, asked_at__gt=at - VALID_FOR)
    change = found.select_related("person").first()
    if change is None or change.person.email != change.from_email or not change.person.is_active:
        raise DeadLink()
    return change


@transaction.atomic
def agree(token: str, *, at: datetime) -> AddressChange:
    """Make the wanted address the primary one, once. Locks the person. Raises DeadLink."""
    person_id = read(token, at=at).person_id
    Person.objects.select_for_update(no_key=True).get(pk=person_id)
    change = read(token, at=at)
    wanted = EmailAddress.objects.filter(
        user=change.person, email=change.to_email, verified=True
    ).first()
    if wanted is None:
        raise DeadLink()
    wanted.user = change.person
    wanted.set_as_primary()
    change.done_at = at
    change.save(update_fields=["done_at"])
    return change


def waiting(person: Person, *, at: datetime) -> AddressChange | None:
    """The change that waits for the present address."""
    found = AddressChange.objects.filter(
        person=person, done_at=None, from_email=person.email, asked_at__gt=at - VALID_FOR
    )
    return found.first()
