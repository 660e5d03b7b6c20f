"""The support desk's pages of the money: everything can be read and found, nothing is changed here."""

from billing.admin import documents, gateways, ledger, payments, releases

__all__ = ["documents", "gateways", "ledger", "payments", "releases"]
