"""A payment provider that says yes at once and keeps no books: its work is not ours to measure."""

from dataclasses import replace

from django.conf import settings

from billing import gateways
from billing.gateways.base import Answer, ChargeOrder, Kind, Status
from billing.gateways.simulated import SimulatedGateway


class InstantGateway(SimulatedGateway):
    """Only ``start_charge`` differs."""

    name = "instant"

    def start_charge(self, order: ChargeOrder) -> Answer:
        answer = Answer(kind=Kind.CHARGE, status=Status.SUCCEEDED, card_authenticated=True)
        return replace(
            answer,
            reference=f"charge:{order.idempotency_key}",
            idempotency_key=order.idempotency_key,
        )


gateways.GATEWAYS[InstantGateway.name] = InstantGateway()
settings.GATEWAY = InstantGateway.name
