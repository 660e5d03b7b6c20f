"""The simulated payment provider: no money moves, everything else is as with a real one.

It keeps books of its own (SimulatedCard, SimulatedCharge), commits them at once, forgets nothing,
and tells the product what happened by signed events. What its cards do is decided by their number.
"""

import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.urls import reverse
from django.utils.crypto import salted_hmac

from billing.gateways.base import (
    Answer,
    BadEvent,
    CardEntry,
    CardRefused,
    ChargeOrder,
    Event,
    GatewayError,
    GatewayTimeout,
    Kind,
    PayoutOrder,
    RefundOrder,
    SavedCard,
    Status,
    TestCard,
)
from billing.models import SimulatedCard, SimulatedCharge

SIGNATURE_HEADER = "X-Simulated-Signature"
BEHAVIOURS = {
    "4242424242424242": "good",
    "4000002760003184": "needs_authentication",
    "4000000000000002": "declined",
    "4000000000009995": "insufficient_funds",
    "4000000000000119": "silent",
    "4000000000005126": "closed",
}
TEST_CARDS = (
    TestCard(number="4242 4242 4242 4242", words="The bank confirms it at once; payments succeed"),
    TestCard(number="4000 0027 6000 3184", words="The bank wants you to authenticate"),
    TestCard(number="4000 0000 0000 0002", words="Payments are declined"),
    TestCard(number="4000 0000 0000 9995", words="There is not enough money on it"),
    TestCard(number="4000 0000 0000 0119", words="The bank answers late: payments wait for it"),
    TestCard(number="4000 0000 0000 5126", words="Payments succeed, refunds are refused"),
)
FAILURES = {
    "declined": "The bank declined the card.",
    "insufficient_funds": "There is not enough money on the card.",
}
REFUSED_BY_HOLDER = "The bank could not confirm that you are the holder of the card."
DESTINATION_CLOSED = "The bank does not know this account."
CARD_CLOSED = "The card was closed: its bank takes no money back."


@dataclass(frozen=True, kw_only=True)
class SignedEvent:
    """An event as it goes over the wire."""

    payload: bytes
    headers: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Challenge:
    """What the bank asks the holder of a card: to confirm a charge, or the card on its own."""

    kind: Kind
    reference: str
    card_reference: str
    is_open: bool
    amount_minor: int = 0
    currency: str = ""


class SimulatedGateway:
    """See ``billing.gateways.base.Gateway`` for what each call promises."""

    name = "simulated"
    test_cards: tuple[TestCard, ...] = TEST_CARDS

    # --- Cards ---

    def save_card(self, entry: CardEntry) -> SavedCard:
        behaviour = BEHAVIOURS.get(entry.number)
        if behaviour is None:
            raise CardRefused(
                "Only the test cards work here: the bank is simulated. Please don’t enter a real card."
            )
        with transaction.atomic(durable=True):
            card = SimulatedCard.objects.create(
                reference=_new_reference("card"),
                behaviour=behaviour,
                authenticated=behaviour != "needs_authentication",
            )
        return SavedCard(
            reference=card.reference,
            brand="Visa",
            last_four=entry.number[-4:],
            expires_on=entry.expires_on,
            authenticated=card.authenticated,
        )

    def authenticate_card(self, card_reference: str) -> Answer:
        with transaction.atomic(durable=True):
            card = SimulatedCard.objects.select_for_update().get(reference=card_reference)
            if not card.authenticated and not card.challenge:
                card.challenge = _new_reference("auth")
                card.save(update_fields=["challenge"])
        return _answer_about_card(card)

    # --- Money ---

    def start_charge(self, order: ChargeOrder) -> Answer:
        card = SimulatedCard.objects.get(reference=order.card_reference)
        charge, is_new = _enter_charge(order, card, _status_of_new_charge(card))
        if is_new and card.behaviour == "silent":
            raise GatewayTimeout(f"No answer about {order.idempotency_key}")
        return _answer(charge)

    def cancel_charge(self, order: ChargeOrder) -> Answer:
        card = SimulatedCard.objects.get(reference=order.card_reference)
        charge, _ = _enter_charge(order, card, Status.CANCELLED)
        with transaction.atomic(durable=True):
            charge = SimulatedCharge.objects.select_for_update().get(pk=charge.pk)
            if charge.status == Status.REQUIRES_AUTHENTICATION:
                charge.status = Status.CANCELLED
                charge.save(update_fields=["status"])
        return _answer(charge)

    def refund(self, order: RefundOrder) -> Answer:
        with transaction.atomic(durable=True):
            # The lock keeps two refunds of one charge from exceeding it together.
            source = SimulatedCharge.objects.select_for_update(of=("self",)).select_related(
                "card"
            ).get(kind=Kind.CHARGE, reference=order.charge_reference)  # fmt: skip
            assert source.card is not None and source.currency == order.currency
            closed = source.card.behaviour == "closed"
            prefix = f"refund_{source.reference}"
            refund, is_new = SimulatedCharge.objects.get_or_create(
                idempotency_key=order.idempotency_key,
                defaults={
                    "reference": _new_reference(prefix),
                    "kind": Kind.REFUND,
                    "card": source.card,
                    "amount_minor": order.amount_minor,
                    "currency": order.currency,
                    "status": Status.FAILED if closed else Status.SUCCEEDED,
                    "failure": CARD_CLOSED if closed else "",
                },
            )
            if _refunded_minor(prefix) > _charged_minor(source):
                raise GatewayError("More would go back than was charged.")
        if is_new and source.card.behaviour == "silent":
            raise GatewayTimeout(f"No answer about {order.idempotency_key}")
        return _answer(refund)

    def pay_out(self, order: PayoutOrder) -> Answer:
        failed = order.destination.endswith("0000")
        with transaction.atomic(durable=True):
            payout, is_new = SimulatedCharge.objects.get_or_create(
                idempotency_key=order.idempotency_key,
                defaults={
                    "reference": _new_reference("payout"),
                    "kind": Kind.PAYOUT,
                    "amount_minor": order.amount_minor,
                    "currency": order.currency,
                    "status": Status.FAILED if failed else Status.SUCCEEDED,
                    "failure": DESTINATION_CLOSED if failed else "",
                },
            )
        if is_new and order.destination.endswith("9999"):
            raise GatewayTimeout(f"No answer about {order.idempotency_key}")
        return _answer(payout)

    def look_up(self, kind: Kind, *, idempotency_key: str, reference: str = "") -> Answer:
        entry = (
            SimulatedCharge.objects.select_related("card")
            .filter(kind=kind, idempotency_key=idempotency_key)
            .first()
        )
        if entry is None:
            return Answer(kind=kind, status=Status.NOT_FOUND, idempotency_key=idempotency_key)
        return _answer(entry)

    # --- Events ---

    def verify_event(self, payload: bytes, headers: Mapping[str, str]) -> Event:
        signature = headers.get(SIGNATURE_HEADER, "")
        if not hmac.compare_digest(signature.encode(), _signature(payload).encode()):
            raise BadEvent("The signature is wrong.")
        try:
            body = json.loads(payload)
            return Event(event_id=str(body["id"]), kind=str(body["kind"]), body=body)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise BadEvent("The event cannot be read.") from error

    def read_event(self, body: Mapping[str, Any]) -> Answer | None:
        try:
            told = body["object"]
            return Answer(
                kind=Kind(told["kind"]),
                status=Status(told["status"]),
                reference=told["reference"],
                idempotency_key=told["idempotency_key"],
                amount_minor=int(told["amount_minor"]),
                failure=told["failure"],
                card_authenticated=told["card_authenticated"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise BadEvent("The event cannot be read.") from error


# --- The bank's own page, which a real provider has elsewhere ---


def find_challenge(reference: str) -> Challenge | None:
    """The question that the bank asks under this reference, open or answered."""
    charge = (
        SimulatedCharge.objects.select_related("card")
        .filter(kind=Kind.CHARGE, reference=reference, card__isnull=False)
        .first()
    )
    if charge is not None and charge.card is not None:
        return Challenge(
            kind=Kind.CHARGE,
            reference=reference,
            card_reference=charge.card.reference,
            is_open=charge.status == Status.REQUIRES_AUTHENTICATION,
            amount_minor=charge.amount_minor,
            currency=charge.currency,
        )
    card = SimulatedCard.objects.exclude(challenge="").filter(challenge=reference).first()
    if card is None:
        return None
    return Challenge(
        kind=Kind.CARD,
        reference=reference,
        card_reference=card.reference,
        is_open=not card.authenticated,
    )


def answer_challenge(challenge: Challenge, *, authenticated: bool) -> SignedEvent | None:
    """Enter the holder's answer into the books; the event that tells of it, None if it came too late."""
    with transaction.atomic(durable=True):
        card = SimulatedCard.objects.select_for_update().get(reference=challenge.card_reference)
        if challenge.kind == Kind.CHARGE:
            answer = _decide_charge(challenge, authenticated=authenticated)
        elif card.authenticated:
            return None
        else:
            answer = Answer(
                kind=Kind.CARD,
                status=Status.SUCCEEDED if authenticated else Status.FAILED,
                reference=card.reference,
                failure="" if authenticated else REFUSED_BY_HOLDER,
                card_authenticated=authenticated,
            )
        if answer is not None and authenticated:
            card.authenticated = True
            card.save(update_fields=["authenticated"])
    return None if answer is None else sign(answer)


def _decide_charge(challenge: Challenge, *, authenticated: bool) -> Answer | None:
    charge = SimulatedCharge.objects.select_for_update(of=("self",)).select_related("card").get(
        reference=challenge.reference
    )  # fmt: skip
    if charge.status != Status.REQUIRES_AUTHENTICATION:
        return None
    charge.status = Status.SUCCEEDED if authenticated else Status.FAILED
    charge.failure = "" if authenticated else REFUSED_BY_HOLDER
    charge.save(update_fields=["status", "failure"])
    return _answer(charge, card_authenticated=authenticated)


def sign(answer: Answer) -> SignedEvent:
    """The answer as an event with an id of its own, signed."""
    body = {
        "id": _new_reference("event"),
        "kind": f"{answer.kind}.{answer.status}",
        "object": {
            "kind": answer.kind,
            "status": answer.status,
            "reference": answer.reference,
            "idempotency_key": answer.idempotency_key,
            "amount_minor": answer.amount_minor,
            "failure": answer.failure,
            "card_authenticated": answer.card_authenticated,
        },
    }
    payload = json.dumps(body).encode()
    return SignedEvent(payload=payload, headers={SIGNATURE_HEADER: _signature(payload)})


# --- Entries in the books ---


def _enter_charge(
    order: ChargeOrder, card: SimulatedCard, status: Status
) -> tuple[SimulatedCharge, bool]:
    """The charge under this key, entered with ``status`` if it is new."""
    with transaction.atomic(durable=True):
        charge, is_new = SimulatedCharge.objects.select_related("card").get_or_create(
            idempotency_key=order.idempotency_key,
            defaults={
                "reference": _new_reference("charge"),
                "kind": Kind.CHARGE,
                "card": card,
                "amount_minor": order.amount_minor,
                "currency": order.currency,
                "status": status,
                "failure": FAILURES.get(card.behaviour, "") if status == Status.FAILED else "",
            },
        )
    assert (charge.amount_minor, charge.currency) == (order.amount_minor, order.currency), (
        "one idempotency key, two orders"
    )
    return charge, is_new


def _status_of_new_charge(card: SimulatedCard) -> Status:
    if card.behaviour in FAILURES:
        return Status.FAILED
    return Status.SUCCEEDED if card.authenticated else Status.REQUIRES_AUTHENTICATION


def _charged_minor(charge: SimulatedCharge) -> int:
    return charge.amount_minor if charge.status == Status.SUCCEEDED else 0


def left_minor(charge: SimulatedCharge) -> int:
    """What of a charge has not gone back to the card."""
    return charge.amount_minor - _refunded_minor(f"refund_{charge.reference}")


def _refunded_minor(prefix: str) -> int:
    """What went back of the charge that the references with this prefix name."""
    sums = SimulatedCharge.objects.filter(
        kind=Kind.REFUND, status=Status.SUCCEEDED, reference__startswith=f"{prefix}_"
    ).aggregate(total=Sum("amount_minor"))
    return sums["total"] or 0


def _answer(entry: SimulatedCharge, *, card_authenticated: bool | None = None) -> Answer:
    if card_authenticated is None:
        card_authenticated = entry.card is not None and entry.card.authenticated
    asks = entry.status == Status.REQUIRES_AUTHENTICATION
    return Answer(
        kind=Kind(entry.kind),
        status=Status(entry.status),
        reference=entry.reference,
        idempotency_key=entry.idempotency_key,
        failure=entry.failure,
        authentication_url=_bank_url(entry.reference) if asks else "",
        card_authenticated=card_authenticated,
    )


def _answer_about_card(card: SimulatedCard) -> Answer:
    if card.authenticated:
        return Answer(
            kind=Kind.CARD,
            status=Status.SUCCEEDED,
            reference=card.reference,
            card_authenticated=True,
        )
    return Answer(
        kind=Kind.CARD,
        status=Status.REQUIRES_AUTHENTICATION,
        reference=card.reference,
        authentication_url=_bank_url(card.challenge),
    )


def _bank_url(reference: str) -> str:
    return reverse("billing:bank_challenge", args=[reference])


def _new_reference(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(12)}"


def _signature(payload: bytes) -> str:
    return salted_hmac("billing.gateways.simulated", payload, algorithm="sha256").hexdigest()
