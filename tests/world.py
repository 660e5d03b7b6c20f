"""Everything that a refusal must leave as it was: balances, states, documents, history."""

from typing import Any

from billing import models as billing
from jobs import models as jobs
from workroom import models as workroom

WATCHED = [
    jobs.Job,
    jobs.Activity,
    jobs.Notification,
    jobs.Invitation,
    jobs.StoredFile,
    billing.Account,
    billing.Transfer,
    billing.Escrow,
    billing.Payment,
    billing.Allocation,
    billing.Chargeback,
    billing.Cancellation,
    billing.CancellationShare,
    billing.Refund,
    billing.FundingRequest,
    billing.ReleaseRequest,
    billing.Dispute,
    billing.DisputeStatement,
    billing.Evidence,
    billing.Offer,
    billing.Decision,
    billing.SealedLimit,
    billing.Intervention,
    billing.Release,
    billing.ProForma,
    billing.Document,
    billing.DocumentSeries,
    billing.ClosingStatement,
    billing.Payout,
    workroom.Terms,
    workroom.Milestone,
    workroom.StatusReport,
    workroom.ReportLine,
    workroom.Timesheet,
]


def world() -> dict[str, list[dict[str, Any]]]:
    """Every row of the watched tables."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values()) for model in WATCHED
    }
