"""Payouts: a person's available balance on its way to his bank (R5.4).

The amount is reserved in the ledger when the Payout is made; what fails returns.
"""

import re
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError, transaction

from billing import gateways, ledger
from billing.gateways.base import Answer, GatewayError, Kind, PayoutOrder, Status
from billing.models import Account, Payout, Transfer
from billing.services import payout_mails
from escrow_site.lib import money, states
from escrow_site.lib.refusals import Refusal, WrongState, refuse_if
from jobs.models import Person
from jobs.services.accounts import refuse_locked

ACCOUNT_NUMBER = re.compile(r"[A-Z0-9]{6,34}")
IDEMPOTENCY_KEY = re.compile(r"[A-Za-z0-9_-]{20,64}")


class BadDestination(Refusal):
    """What was typed is no bank account."""


class NotEnoughAvailable(Refusal):
    """The available balance is smaller than the amount."""


class AskedAlready(Refusal):
    """The same form was sent before: its Payout is there, and no second one is made."""


def clean_destination(text: str) -> str:
    """A bank account as the gateway takes it: letters and digits; raises BadDestination."""
    destination = re.sub(r"[\s.-]", "", text).upper()
    if not ACCOUNT_NUMBER.fullmatch(destination):
        raise BadDestination(
            "Enter an IBAN or an account number: 6 to 34 letters and digits, spaces allowed."
        )
    return destination


def pay_out(
    person: Person,
    *,
    currency: str,
    amount_minor: int,
    destination: str,
    at: datetime,
    idempotency_key: str | None = None,
) -> Payout:
    """Pay out part or all of the person's available balance, in minor units.

    Reserved at once, sent after the commit. ``idempotency_key`` comes with the form, so that a second
    click makes no second Payout. Locks the person and his available account. Raises Refusal.
    """
    payout = start(
        person,
        currency=currency,
        amount_minor=amount_minor,
        destination=destination,
        at=at,
        idempotency_key=idempotency_key,
    )
    return carry_out(payout, at=at)


def start(
    person: Person,
    *,
    currency: str,
    amount_minor: int,
    destination: str,
    at: datetime,
    idempotency_key: str | None = None,
) -> Payout:
    """Write the intent and reserve the amount, and commit both. As ``pay_out``."""
    if amount_minor <= 0:
        raise money.BadAmount("Enter an amount above zero.")
    destination = clean_destination(destination)
    keys = {} if idempotency_key is None else {"idempotency_key": _checked(idempotency_key)}
    with transaction.atomic(durable=True):
        # As he is now: he may have been locked since the page asked.
        person = Person.objects.select_for_update(no_key=True).get(pk=person.pk)
        refuse_if(refuse_locked(person))
        account = (
            Account.objects.select_for_update(no_key=True)
            .filter(kind=Account.Kind.AVAILABLE, person=person, currency=currency)
            .first()
        )
        _refuse_second(person, keys)
        available_minor = account.balance_minor if account else 0
        if account is None or amount_minor > available_minor:
            raise NotEnoughAvailable(
                f"{money.display(amount_minor, currency)} is more than your available balance of "
                f"{money.display(available_minor, currency)}."
            )
        payout = _make(
            person,
            currency=currency,
            amount_minor=amount_minor,
            destination=destination,
            gateway=settings.GATEWAY,
            started_at=at,
            **keys,
        )
        _post(payout, account, Transfer.Code.PAYOUT, step="reserve", at=at)
        payout_mails.tell_asked(payout)
    return payout


def _checked(idempotency_key: str) -> str:
    if not IDEMPOTENCY_KEY.fullmatch(idempotency_key):
        raise WrongState("This page was out of date. Please check the amount and try again.")
    return idempotency_key


def _refuse_second(person: Person, keys: dict[str, str]) -> None:
    earlier = Payout.objects.filter(person=person, **keys).first() if keys else None
    if earlier is not None:
        amount = money.display(earlier.amount_minor, earlier.currency)
        raise AskedAlready(f"You have asked for this payout of {amount} already: it is made once.")


def _make(person: Person, **values: object) -> Payout:
    try:
        with transaction.atomic():
            return Payout.objects.create(person=person, **values)
    except IntegrityError as error:
        # Somebody else's key, or a race in another currency: the unique column is the last guard.
        raise AskedAlready("This payout has been asked for already.") from error


def carry_out(payout: Payout, *, at: datetime) -> Payout:
    """Tell the gateway to pay and record its answer; never inside a transaction.

    Without an answer the Payout stays on its way, and the reconcile task asks. Does nothing twice.
    """
    order = PayoutOrder(
        idempotency_key=payout.idempotency_key,
        destination=payout.destination,
        amount_minor=payout.amount_minor,
        currency=payout.currency,
    )
    try:
        answer = gateways.get(payout.gateway).pay_out(order)
    except GatewayError:
        return payout
    return record_answer(payout.pk, answer, at=at)


def ask(payout: Payout, *, at: datetime) -> Payout:
    """Ask the gateway what became of a Payout on its way; send it again if it never arrived.

    A locked account is paid nothing out (R1.5): what never arrived waits until it is unlocked.
    """
    answer = gateways.get(payout.gateway).look_up(
        Kind.PAYOUT, idempotency_key=payout.idempotency_key, reference=payout.gateway_reference
    )
    if answer.status == Status.NOT_FOUND:
        return payout if refuse_locked(payout.person) else carry_out(payout, at=at)
    return record_answer(payout.pk, answer, at=at)


def find(gateway: str, answer: Answer) -> Payout | None:
    """The Payout that an answer is about."""
    return Payout.objects.filter(gateway=gateway, idempotency_key=answer.idempotency_key).first()


def record_answer(payout_id: int, answer: Answer, *, at: datetime) -> Payout:
    """Enter the gateway's answer, once: paid, or failed and back on the available balance.

    Locks the Payout.
    """
    with transaction.atomic(durable=True):
        payout = (
            Payout.objects.select_for_update(no_key=True, of=("self",))
            .select_related("person")
            .get(pk=payout_id)
        )
        if payout.state != Payout.State.STARTED:
            return payout
        if answer.status == Status.SUCCEEDED:
            states.move([payout], "confirm", at=at, gateway_reference=answer.reference)
            cash = ledger.cash(payout.gateway, payout.currency)
            _post(payout, cash, Transfer.Code.PAYOUT_PAID, step="paid", at=at)
        elif answer.status == Status.FAILED:
            failure = answer.failure or "The bank refused the payout."
            states.move([payout], "fail", at=at, failure=failure[:300])
            available = ledger.available(payout.person, payout.currency)
            _post(payout, available, Transfer.Code.PAYOUT_RETURNED, step="returned", at=at)
            payout_mails.tell_failed(payout, at=at)
    return payout


def _post(payout: Payout, other: Account, code: Transfer.Code, *, step: str, at: datetime) -> None:
    """Move the whole Payout: into its own account when it is reserved, out of it otherwise."""
    own = ledger.paying_out(payout)
    debit, credit = (other, own) if code == Transfer.Code.PAYOUT else (own, other)
    ledger.post(
        [
            ledger.Posting(
                debit=debit,
                credit=credit,
                amount_minor=payout.amount_minor,
                code=code,
                reference=f"payout:{payout.pk}:{step}",
                at=at,
            )
        ]
    )
