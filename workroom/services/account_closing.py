"""Closing an account for good (R1.5): with nothing open and nothing held, its personal data goes.

What two people did together stays as it is read by the other side: Jobs, Terms, reports, history, and the
issued documents and the ledger, as the law wants them kept.
"""

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import Q

from billing.models import PaymentMethod
from escrow_site.lib.refusals import Refusal, WrongState, refuse_if
from jobs.models import AddressChange, Invitation, Job, Notification, Person
from workroom.selectors.obstacles import obstacles


class StillNeeded(Refusal):
    """Something of this account is open or held."""


def may_close(person: Person, *, at: datetime) -> Refusal | None:
    """With no open Job, no money under way and no balance; the page lists every reason."""
    if person.closed_at is not None:
        return WrongState("This account is closed already.")
    found = obstacles(person)
    return StillNeeded(found[0].words) if found else None


@transaction.atomic
def close(person: Person, *, at: datetime) -> Person:
    """Close the account and remove what says whose it was. Locks the person: new Jobs wait for it.

    Raises Refusal when may_close refuses.
    """
    person = Person.objects.select_for_update().get(pk=person.pk)
    refuse_if(may_close(person, at=at))
    nobody = f"closed-{person.pk}@closed.invalid"
    _forget_addresses(person, nobody)
    _end_sign_in(person)
    cards = PaymentMethod.objects.filter(person=person)
    cards.filter(removed_at=None).update(removed_at=at)
    cards.update(brand="Card", last_four="", authenticated_at=None)
    Notification.objects.filter(person=person).delete()
    person.groups.clear()
    person.user_permissions.clear()
    _become_nobody(person, nobody, at=at)
    return person


def _forget_addresses(person: Person, nobody: str) -> None:
    """On his Jobs, and on those that were offered to an address of his and over before he had an account.

    Only what he has confirmed is his: who merely claims another one's address forgets nothing of it.
    """
    confirmed = EmailAddress.objects.filter(user=person, verified=True)
    own = [address.lower() for address in confirmed.values_list("email", flat=True)]
    never_his = Q(freelancer=None, freelancer_email__in=own, ended_at__isnull=False)
    named = Job.objects.filter(Q(freelancer=person) | never_his)
    jobs = list(named.values_list("pk", flat=True))
    Notification.objects.filter(activity__job__in=jobs, person=None).delete()
    Invitation.objects.filter(job__in=jobs).update(email=nobody)
    Job.objects.filter(pk__in=jobs).update(freelancer_email=nobody)
    AddressChange.objects.filter(person=person).delete()
    EmailAddress.objects.filter(user=person).delete()


def _end_sign_in(person: Person) -> None:
    """Sessions end at once; those that nobody has written down end with the password."""
    for session in UserSession.objects.filter(user=person):
        session.end()
    Authenticator.objects.filter(user=person).delete()


def _become_nobody(person: Person, nobody: str, *, at: datetime) -> None:
    person.email, person.name = nobody, f"Closed account {person.pk}"
    person.billing_address = person.tax_id = person.calendar_token = ""
    person.calendar_opened_at = None
    person.time_zone, person.language = "UTC", "en"
    person.is_active = False
    person.last_login = None
    person.closed_at = at
    person.set_unusable_password()
    person.save()
