"""What the product asks of a payment provider (a *gateway*), and how a provider answers.

No provider here, and no row of ours: services hand over plain values and get plain values back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Protocol

from escrow_site.lib.refusals import Refusal


class GatewayError(Exception):
    """Something between us and the provider went wrong."""


class GatewayTimeout(GatewayError):
    """The answer is unknown: the provider may have done it or not. Ask again later, by ``look_up``."""


class BadEvent(GatewayError):
    """An event that the provider did not sign, or that cannot be read."""


class CardRefused(Refusal):
    """The provider does not take this card; the message is fit for the user."""


class Kind(StrEnum):
    """What an answer is about."""

    CHARGE = "charge"
    REFUND = "refund"
    PAYOUT = "payout"
    CARD = "card"
    CHARGEBACK = "chargeback"


class Status(StrEnum):
    """What the provider's books say. NOT_FOUND: it never heard of it. PROCESSING: not decided yet."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    REQUIRES_AUTHENTICATION = "requires_authentication"
    CANCELLED = "cancelled"
    PROCESSING = "processing"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, kw_only=True)
class CardEntry:
    """A card as the person typed it; it goes to the provider and is kept nowhere."""

    number: str
    expires_on: date


@dataclass(frozen=True, kw_only=True)
class SavedCard:
    """A card in the provider's vault: all that we keep of it."""

    reference: str
    brand: str
    last_four: str
    expires_on: date
    authenticated: bool


@dataclass(frozen=True, kw_only=True)
class ChargeOrder:
    """Charge a saved card; minor units. The same key is the same charge, however often it is sent."""

    idempotency_key: str
    card_reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class RefundOrder:
    """Send part or all of a charge back to its card; minor units."""

    idempotency_key: str
    charge_reference: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class PayoutOrder:
    """Send money to a bank account; minor units."""

    idempotency_key: str
    destination: str
    amount_minor: int
    currency: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the provider says about one charge, refund, payout, card or chargeback.

    Of a chargeback ``idempotency_key`` is the charge's, PROCESSING says that it has begun, and
    ``amount_minor`` is what the bank takes; of everything else the amount is our own to know.
    ``reference`` is the provider's own, empty when it has none. ``failure`` is fit for the user.
    ``authentication_url`` is where the holder confirms to his bank that the card is his.
    """

    kind: Kind
    status: Status
    reference: str = ""
    idempotency_key: str = ""
    amount_minor: int = 0
    failure: str = ""
    authentication_url: str = ""
    card_authenticated: bool = False


@dataclass(frozen=True, kw_only=True)
class Event:
    """A call-back whose signature was right. ``body`` is kept as it came."""

    event_id: str
    kind: str
    body: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class TestCard:
    """A card that plays a part; only a gateway that moves no real money has any."""

    __test__ = False

    number: str
    words: str


class Gateway(Protocol):
    """A payment provider. Every call may take seconds: none is made inside a transaction.

    Calls raise GatewayTimeout when the answer is unknown. All but ``save_card`` and
    ``authenticate_card`` can be repeated with the same idempotency key and do nothing twice.
    """

    name: str
    test_cards: tuple[TestCard, ...]

    def save_card(self, entry: CardEntry) -> SavedCard:
        """Put a card into the vault; raises CardRefused."""
        ...

    def authenticate_card(self, card_reference: str) -> Answer:
        """Begin the bank's check that the card is its holder's; nothing is charged."""
        ...

    def start_charge(self, order: ChargeOrder) -> Answer:
        """Charge a card, or learn that its holder has to authenticate first."""
        ...

    def cancel_charge(self, order: ChargeOrder) -> Answer:
        """Stop a charge for ever, also one that has not arrived yet; answers what became of it."""
        ...

    def refund(self, order: RefundOrder) -> Answer:
        """Send money back to the card that it came from; FAILED is final."""
        ...

    def pay_out(self, order: PayoutOrder) -> Answer:
        """Send money to a bank account; FAILED is final."""
        ...

    def look_up(self, kind: Kind, *, idempotency_key: str, reference: str = "") -> Answer:
        """What the provider's books say about a charge, refund or payout."""
        ...

    def verify_event(self, payload: bytes, headers: Mapping[str, str]) -> Event:
        """Check the signature of a call-back and read its outside; raises BadEvent."""
        ...

    def read_event(self, body: Mapping[str, Any]) -> Answer | None:
        """What a kept event says; None when it is about nothing that concerns us. Raises BadEvent."""
        ...
