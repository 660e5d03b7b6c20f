"""Payment providers behind one Protocol (``base``), by name.

Never called inside a transaction: services write the intent, commit, call, and record the answer.
"""

from django.conf import settings
from django.db import transaction

from billing.gateways.base import Gateway
from billing.gateways.simulated import SimulatedGateway

GATEWAYS: dict[str, Gateway] = {gateway.name: gateway for gateway in [SimulatedGateway()]}


class UnknownGateway(LookupError):
    """There is no gateway of this name."""


def get(name: str) -> Gateway:
    """The gateway of this name.

    Raises UnknownGateway, and RuntimeError when a transaction is open: a provider that is slow would
    hold its locks, and a rollback would forget what the provider has done.
    """
    with transaction.atomic(durable=True):
        pass  # costs no round trip; ``durable`` refuses to be nested
    try:
        return GATEWAYS[name]
    except KeyError:
        raise UnknownGateway(name) from None


def current() -> Gateway:
    """The gateway for new cards, payments and payouts (setting GATEWAY)."""
    return get(settings.GATEWAY)
