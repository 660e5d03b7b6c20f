"""The support desk's pages of the money: everything can be read and found, nothing is changed here."""

from billing.admin import (
    cancellations,
    chargebacks,
    disputes,
    documents,
    gateways,
    ledger,
    payments,
    releases,
)

__all__ = [
    "cancellations",
    "chargebacks",
    "disputes",
    "documents",
    "gateways",
    "ledger",
    "payments",
    "releases",
]
