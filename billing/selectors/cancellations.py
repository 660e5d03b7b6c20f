"""Requests to cancel a Job as pages show them."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Prefetch, Q, QuerySet

from billing.models import Cancellation, CancellationShare
from billing.services.amounts import NOTHING, Amounts
from billing.services.cancellation_outcomes import Outcome, outcome
from jobs.models import Job, Person


@dataclass(frozen=True, kw_only=True)
class Total:
    """What all Milestones of a split come to together, in minor units."""

    held_minor: int
    to_client_minor: int
    amounts: Amounts

    @property
    def fees_minor(self) -> int:
        return self.amounts.gross_minor - self.amounts.net_minor


def seen_by(person: Person) -> QuerySet[Cancellation]:
    """Those of the person's own Jobs, with all that their page shows."""
    shares = CancellationShare.objects.select_related("escrow").order_by(
        "escrow__position", "escrow__number"
    )
    return (
        Cancellation.objects.filter(Q(job__client=person) | Q(job__freelancer=person))
        .select_related(
            "job__client", "job__freelancer", "job__policy", "requested_by", "answered_by"
        )
        .prefetch_related(Prefetch("shares", queryset=shares))
    )


def open_of(job: Job) -> Cancellation | None:
    """The request that waits for an answer; costs nothing when there is none."""
    if job.open_cancellation_until is None:
        return None
    return Cancellation.objects.filter(job=job).open().select_related("requested_by").first()


def outcomes(cancellation: Cancellation) -> list[Outcome]:
    """How each Milestone is divided; the fees are known while the request can be accepted."""
    return [
        outcome(
            share.escrow,
            job=cancellation.job,
            held_minor=share.held_minor,
            to_freelancer_minor=share.to_freelancer_minor,
        )
        for share in cancellation.shares.all()
    ]


def total(outcomes: Sequence[Outcome]) -> Total:
    return Total(
        held_minor=sum(one.held_minor for one in outcomes),
        to_client_minor=sum(one.to_client_minor for one in outcomes),
        amounts=sum((one.amounts for one in outcomes), start=NOTHING),
    )
