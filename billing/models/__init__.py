"""The tables of the money."""

from billing.models.account import Account
from billing.models.cancellation import Cancellation, CancellationShare
from billing.models.chargeback import Chargeback
from billing.models.dispute import (
    Decision,
    Dispute,
    DisputeStatement,
    Evidence,
    Offer,
    SealedLimit,
)
from billing.models.document import ClosingStatement, Document, DocumentSeries, ProForma
from billing.models.escrow import Escrow
from billing.models.gateway_event import GatewayEvent, SimulatedCard, SimulatedCharge
from billing.models.intervention import Intervention
from billing.models.payment import Allocation, FundingRequest, Payment, PaymentMethod, Refund
from billing.models.payout import Payout
from billing.models.release import Release, ReleaseRequest
from billing.models.transfer import Transfer

__all__ = [
    "Account",
    "Allocation",
    "Cancellation",
    "CancellationShare",
    "Chargeback",
    "ClosingStatement",
    "Decision",
    "Dispute",
    "DisputeStatement",
    "Document",
    "DocumentSeries",
    "Escrow",
    "Evidence",
    "FundingRequest",
    "GatewayEvent",
    "Intervention",
    "Offer",
    "Payment",
    "PaymentMethod",
    "Payout",
    "ProForma",
    "Refund",
    "Release",
    "ReleaseRequest",
    "SealedLimit",
    "SimulatedCard",
    "SimulatedCharge",
    "Transfer",
]
