"""A Job's Disputes and requests to cancel it, with all that was said, shown, offered and decided.

Limits under seal are read by nobody, so they are not here (R9.6). The number of statements is the
same for any number of rows.
"""

from dataclasses import dataclass

from django.db.models import Prefetch

from billing.models import (
    Cancellation,
    CancellationShare,
    Decision,
    Dispute,
    DisputeStatement,
    Escrow,
    Evidence,
    Offer,
)
from billing.services.amounts import quote
from jobs.models import Job, Person


def disputes_of(job: Job, escrows: list[Escrow]) -> list[Dispute]:
    """All Disputes, oldest first; those of one Job share its row and the rows of its Escrows."""
    statements = DisputeStatement.objects.select_related("by").order_by("pk")
    evidence = Evidence.objects.select_related("by", "file").order_by("pk")
    offers = Offer.objects.select_related("by").order_by("pk")
    decisions = Decision.objects.select_related("decided_by", "checked_by").order_by("pk")
    disputes = list(
        Dispute.objects.filter(job=job)
        .select_related("opened_by", "escalated_by", "request__pro_forma")
        .prefetch_related(
            Prefetch("statements", statements),
            Prefetch("evidence", evidence),
            Prefetch("offers", offers),
            Prefetch("decisions", decisions),
        )
        .order_by("pk")
    )
    known = {escrow.pk: escrow for escrow in escrows}
    for dispute in disputes:
        dispute.job = job
        dispute.escrow = known[dispute.escrow_id]
        for decision in dispute.decisions.all():
            decision.dispute = dispute
    return disputes


def cancellations_of(job: Job) -> list[Cancellation]:
    """All requests to cancel the Job, oldest first, each with its split."""
    shares = CancellationShare.objects.select_related("escrow").order_by("pk")
    return list(
        Cancellation.objects.filter(job=job)
        .select_related("requested_by", "answered_by")
        .prefetch_related(Prefetch("shares", shares))
        .order_by("pk")
    )


def is_kept_from(job: Job, *, reader: Person) -> bool:
    """Whether the case is kept from an agent, as he is a party: what is decided and not confirmed
    is for neither side to know (R9.3).
    """
    return job.role_of(reader) is not None


@dataclass(frozen=True, kw_only=True)
class SplitFigures:
    """What a split of all that is held comes to, in minor units: the figures that are then posted."""

    held_minor: int
    to_freelancer_minor: int
    service_fee_minor: int
    processing_fee_minor: int
    net_minor: int
    to_client_minor: int


def figures_of(dispute: Dispute, *, to_freelancer_minor: int) -> SplitFigures:
    """The split before anybody clicks; reads the Dispute's Escrow and its Job's Policy."""
    policy = dispute.job.policy
    assert policy is not None
    held_minor = dispute.escrow.held_minor
    amounts = quote(dispute.escrow, policy=policy, gross_minor=to_freelancer_minor)
    return SplitFigures(
        held_minor=held_minor,
        to_freelancer_minor=to_freelancer_minor,
        service_fee_minor=amounts.service_fee_minor,
        processing_fee_minor=amounts.processing_fee_minor,
        net_minor=amounts.net_minor,
        to_client_minor=held_minor - to_freelancer_minor,
    )
