"""Cards on file: adding, authenticating on their own, removing (R3.3).

A card's number goes to the gateway and is kept nowhere. Charging a card is in ``payments``.
"""

from datetime import date, datetime

from django.conf import settings
from django.db import transaction

from billing import gateways
from billing.gateways.base import Answer, CardEntry, GatewayError, Status
from billing.models import Payment, PaymentMethod
from escrow_site.lib import statements
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from jobs.models import Person
from jobs.services.accounts import refuse_locked

MOST_CARDS = 20
LOCK = "SELECT {method} FROM billing_paymentmethod AS method WHERE id = %s FOR NO KEY UPDATE"


class BadCard(Refusal):
    """What was typed is no number of a card."""


class CardExpired(Refusal):
    """The card's last month is over."""


class BankSilent(Refusal):
    """The gateway did not answer, so nothing is known to have changed."""


def passes_luhn(number: str) -> bool:
    """Whether the check digit of a card number is right."""
    digits = [int(digit) for digit in reversed(number)]
    doubled = sum(sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + doubled) % 10 == 0


def lock(method: PaymentMethod) -> PaymentMethod:
    """The card as it is once locked."""
    [(locked,)] = statements.read(LOCK, method.pk, method=PaymentMethod)
    assert isinstance(locked, PaymentMethod)
    return locked


def is_expired(method: PaymentMethod, *, at: datetime) -> bool:
    """A card can be used to the end of the month that is printed on it (UTC)."""
    return method.expires_on < at.date()


def add_card(*, by: Person, number: str, expires_on: date, at: datetime) -> PaymentMethod:
    """Put a card into the gateway's vault and on the person's list.

    ``number`` has digits only. Raises BadCard, CardExpired, CardRefused, BankSilent, WrongState (it
    is on the list already, or the list is full).
    """
    if not number.isascii() or not number.isdecimal() or not 12 <= len(number) <= 19:
        raise BadCard("A card number has 12 to 19 digits.")
    if not passes_luhn(number):
        raise BadCard("This is not a card number: please check the digits.")
    if expires_on < at.date():
        raise CardExpired("This card has expired.")
    refuse_if(_refuse_another_card(by, last_four=number[-4:], expires_on=expires_on))
    gateway = gateways.current()
    try:
        saved = gateway.save_card(CardEntry(number=number, expires_on=expires_on))
    except GatewayError as error:
        raise BankSilent("The bank did not answer. The card was not added.") from error
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=by.pk)
        refuse_if(_refuse_another_card(by, last_four=saved.last_four, expires_on=saved.expires_on))
        return PaymentMethod.objects.create(
            person=by,
            gateway=gateway.name,
            gateway_reference=saved.reference,
            brand=saved.brand,
            last_four=saved.last_four,
            expires_on=saved.expires_on,
            added_at=at,
            authenticated_at=at if saved.authenticated else None,
        )


def _refuse_another_card(person: Person, *, last_four: str, expires_on: date) -> Refusal | None:
    """No card twice, as after a double click, and no list without end."""
    if refusal := refuse_locked(person):
        return refusal
    cards = list(PaymentMethod.objects.filter(person=person, removed_at__isnull=True))
    if any((card.last_four, card.expires_on) == (last_four, expires_on) for card in cards):
        return WrongState(f"The card ending in {last_four} is on your list already.")
    if len(cards) >= MOST_CARDS:
        return WrongState(f"You have {MOST_CARDS} cards: remove one first.")
    return None


def may_authenticate(method: PaymentMethod, *, by: Person, at: datetime) -> Refusal | None:
    """The holder authenticates a card that is on his list and not authenticated yet (R3.3)."""
    if refusal := refuse_unless_usable(method, by=by, at=at):
        return refusal
    if method.is_authenticated:
        return WrongState(f"{method} is authenticated already.")
    return None


def start_authentication(method: PaymentMethod, *, by: Person, at: datetime) -> str:
    """Begin the bank's check of a card; the address of the bank's page, or "" if it passed at once.

    Nothing is charged. Raises the Refusal of may_authenticate, and BankSilent.
    """
    refuse_if(may_authenticate(method, by=by, at=at))
    try:
        answer = gateways.get(method.gateway).authenticate_card(method.gateway_reference)
    except GatewayError as error:
        raise BankSilent("The bank did not answer. Please try again.") from error
    record_answer(method.gateway, answer, at=at)
    return answer.authentication_url


def record_answer(gateway: str, answer: Answer, *, at: datetime) -> bool:
    """Enter that the bank has confirmed a card, once; whether we know the card at all."""
    known = PaymentMethod.objects.filter(gateway=gateway, gateway_reference=answer.reference)
    if answer.status == Status.SUCCEEDED:
        known.filter(authenticated_at__isnull=True).update(authenticated_at=at)
    return known.exists()


def may_remove(method: PaymentMethod, *, by: Person, at: datetime) -> Refusal | None:
    """The holder removes a card that no payment is under way with."""
    if method.person_id != by.pk:
        return WrongParty("This is not your card.")
    if method.removed_at is not None:
        return WrongState(f"{method} has been removed already.")
    if Payment.objects.filter(method=method).under_way().exists():
        return WrongState(f"A payment with {method} is under way: wait for it, or cancel it first.")
    return refuse_locked(by)


def remove_card(method: PaymentMethod, *, by: Person, at: datetime) -> None:
    """Take a card off the list; refunds of its payments still go back to it.

    Locks the card. Raises the Refusal of may_remove.
    """
    with transaction.atomic():
        locked = lock(method)
        refuse_if(may_remove(locked, by=by, at=at))
        locked.removed_at = at
        locked.save(update_fields=["removed_at"])


def refuse_unless_usable(method: PaymentMethod, *, by: Person, at: datetime) -> Refusal | None:
    """A card is used by its owner, while it is on his list and has not expired."""
    if method.person_id != by.pk:
        return WrongParty("This is not your card.")
    if method.removed_at is not None:
        return WrongState(f"{method} was removed from your cards: choose another card.")
    if is_expired(method, at=at):
        return WrongState(f"{method} has expired: choose another card.")
    if method.gateway != settings.GATEWAY:
        return WrongState(f"{method} cannot be charged any more: remove it and add it again.")
    return refuse_locked(by)
