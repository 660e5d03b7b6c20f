"""What a Closing Statement says: every funding, release, refund and fee, and the totals (R11.2).

``number`` is a Milestone's identity, ``position`` the place in the agreed Terms, which readers see.

Read from the rows of the Job, not from its history, and held against each other before issue.
"""

from typing import Any

from billing.models import Allocation, Escrow, Payment, Refund, Release
from jobs.models import Job

Line = dict[str, Any]
SUMS = (
    "funded_minor",
    "released_minor",
    "refunded_minor",
    "credited_minor",
    "service_fee_minor",
    "processing_fee_minor",
)


def lines(job: Job) -> list[Line]:
    """Every movement of the Job's money in the order in which it happened; amounts in minor units."""
    entries = [*_fundings(job), *_releases(job), *_refunds(job)]
    return sorted(entries, key=lambda line: (line["at"], line["position"] or 0))


def _fundings(job: Job) -> list[Line]:
    """Without the card: that is the Client's own business, and the Freelancer reads this too."""
    allocations = Allocation.objects.filter(
        payment__job=job, payment__state=Payment.State.SUCCEEDED, live=True
    ).select_related("payment__payer", "escrow")
    return [
        _line(
            "funding",
            allocation.escrow,
            at=allocation.payment.succeeded_at,
            actor=str(allocation.payment.payer),
            amount_minor=allocation.amount_minor,
        )
        for allocation in allocations
    ]


def _releases(job: Job) -> list[Line]:
    releases = Release.objects.filter(job=job).select_related("escrow", "released_by", "document")
    return [
        _line(
            "release",
            release.escrow,
            at=release.happened_at,
            actor=str(release.released_by) if release.released_by else "Timer",
            amount_minor=release.gross_minor,
            note=f"{release.document.name}. {release.reason}",
            service_fee_minor=release.service_fee_minor,
            processing_fee_minor=release.processing_fee_minor,
            net_minor=release.net_minor,
        )
        for release in releases
    ]


def _refunds(job: Job) -> list[Line]:
    refunds = Refund.objects.filter(payment__job=job, escrow__isnull=False).select_related("escrow")
    return [
        _line(
            "refund",
            refund.escrow,
            at=refund.started_at,
            actor="",
            amount_minor=refund.amount_minor,
            note=refund.reason,
        )
        for refund in refunds
    ]


def _line(what: str, escrow: Escrow | None, **values: Any) -> Line:
    return {
        "what": what,
        "number": escrow.number if escrow else None,
        "position": escrow.position if escrow else None,
        "title": escrow.title if escrow else "",
        **values,
    }


def totals(job: Job) -> Line:
    """The sums of each Milestone, in the order of their places, and of the Job; in minor units."""
    milestones = [
        {
            "number": escrow.number,
            "position": escrow.position,
            "title": escrow.title,
            "state": escrow.state,
            **{name: getattr(escrow, name) for name in SUMS},
            "net_minor": escrow.released_minor
            - escrow.credited_minor
            - escrow.service_fee_minor
            - escrow.processing_fee_minor,
        }
        for escrow in Escrow.objects.of(job)
    ]
    names = [*SUMS, "net_minor"]
    return {
        "milestones": milestones,
        "job": {name: sum(milestone[name] for milestone in milestones) for name in names},
    }


def check(statement: list[Line], sums: Line) -> None:
    """It sums to zero: funded = released - released and later refunded + all refunded."""
    for milestone in sums["milestones"]:
        refunded_in_all = milestone["refunded_minor"] + milestone["credited_minor"]
        kept = milestone["released_minor"] - milestone["credited_minor"]
        assert milestone["funded_minor"] == kept + refunded_in_all, milestone
        for what, name in (("funding", "funded_minor"), ("release", "released_minor")):
            moved = sum(
                line["amount_minor"]
                for line in statement
                if line["what"] == what and line["number"] == milestone["number"]
            )
            assert moved == milestone[name], (what, milestone)
