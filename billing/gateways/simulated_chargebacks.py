"""What happens at the simulated bank without any doing of ours: the holder of a card disputes a charge."""

import secrets

from django.db import transaction

from billing.gateways.base import Answer, Kind, Status
from billing.gateways.simulated import SignedEvent, left_minor, sign
from billing.models import SimulatedCharge


def charge_back(charge_reference: str, *, amount_minor: int | None = None) -> SignedEvent:
    """The holder disputes a charge at his bank: the amount, or all that has not gone back to the card.

    Returns the event that tells of it, the same chargeback always.
    """
    with transaction.atomic(durable=True):
        charge = SimulatedCharge.objects.get(kind=Kind.CHARGE, reference=charge_reference)
        chargeback, _ = SimulatedCharge.objects.get_or_create(
            idempotency_key=f"chargeback_{charge.pk}",
            defaults={
                "reference": f"chargeback_{secrets.token_urlsafe(12)}",
                "kind": Kind.CHARGEBACK,
                "card": charge.card,
                "amount_minor": left_minor(charge) if amount_minor is None else amount_minor,
                "currency": charge.currency,
                "status": Status.PROCESSING,
            },
        )
    return sign(
        Answer(
            kind=Kind.CHARGEBACK,
            status=Status.PROCESSING,
            reference=chargeback.reference,
            idempotency_key=charge.idempotency_key,
            amount_minor=chargeback.amount_minor,
        )
    )
