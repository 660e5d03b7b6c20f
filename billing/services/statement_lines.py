"""What a Closing Statement says: every funding, release, refund and fee, and the totals (R11.2).

``number`` is a Milestone's identity, ``position`` the place in the agreed Terms, which readers see.

Read from the rows of the Job, not from its history, and held against each other before issue.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.db.models import prefetch_related_objects

from billing.models import Allocation, Escrow, Payment, Refund, Release
from billing.selectors import rules
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
# Of these the money has come; a chargeback takes it back as a refund does.
ARRIVED = (Payment.State.SUCCEEDED, Payment.State.CHARGED_BACK)
# What no person sent back went back by silence.
DORMANCY_RULE = "Dormancy rule"


def lines(jobs: Collection[Job]) -> dict[int, list[Line]]:
    """Every movement of each Job's money in the order in which it happened, by the Job's id; amounts
    in minor units. Three statements and one for credit notes, whatever the number of Jobs.
    """
    said: dict[int, list[Line]] = {job.pk: [] for job in jobs}
    for job_id, line in (
        *_fundings(jobs),
        *_releases(jobs),
        *_refunds(jobs),
    ):
        said[job_id].append(line)
    for entries in said.values():
        entries.sort(key=lambda line: (line["at"], line["position"] or 0))
    return said


def _fundings(jobs: Collection[Job]) -> Iterator[tuple[int, Line]]:
    """Without the card: that is the Client's own business, and the Freelancer reads this too."""
    allocations = Allocation.objects.filter(
        payment__job__in=jobs, payment__state__in=ARRIVED, live=True
    ).select_related("payment__payer", "escrow")
    for allocation in allocations:
        yield (
            allocation.payment.job_id,
            _line(
                "funding",
                allocation.escrow,
                at=allocation.payment.succeeded_at,
                actor=str(allocation.payment.payer),
                amount_minor=allocation.amount_minor,
            ),
        )


def _releases(jobs: Collection[Job]) -> Iterator[tuple[int, Line]]:
    """What no person released was released by silence, by the rule that has its name from the Policy."""
    policies = {job.pk: job.policy for job in jobs}
    releases = Release.objects.filter(job__in=jobs).select_related(
        "escrow", "released_by", "document"
    )
    for release in releases:
        policy = policies[release.job_id]
        assert policy is not None
        yield (
            release.job_id,
            _line(
                "release",
                release.escrow,
                at=release.happened_at,
                actor=str(release.released_by or rules.thirty_day_rule_name(policy)),
                amount_minor=release.gross_minor,
                note=f"{release.document.name}. {release.reason}",
                service_fee_minor=release.service_fee_minor,
                processing_fee_minor=release.processing_fee_minor,
                net_minor=release.net_minor,
            ),
        )


def _refunds(jobs: Collection[Job]) -> Iterator[tuple[int, Line]]:
    """Held money that went back, and released money that did."""
    refunds = list(
        Refund.objects.filter(payment__job__in=jobs, escrow__isnull=False).select_related(
            "payment", "escrow", "refunded_by"
        )
    )
    prefetch_related_objects([one for one in refunds if one.of_released], "credit_notes")
    for refund in refunds:
        yield refund.payment.job_id, _credit(refund) if refund.of_released else _refund(refund)


def _refund(refund: Refund) -> Line:
    """Like a release: the amount leaves the escrow, the fee is taken off it, the source gets the rest."""
    return _line(
        "refund",
        refund.escrow,
        at=refund.started_at,
        actor=str(refund.refunded_by or DORMANCY_RULE),
        amount_minor=refund.amount_minor + refund.fee_minor,
        note=refund.reason,
        return_fee_minor=refund.fee_minor,
        net_minor=refund.amount_minor,
    )


def _credit(refund: Refund) -> Line:
    """The Freelancer gives the net, the platform the fee that comes back, the source gets both (R8.2)."""
    notes = refund.credit_notes.all()
    fee_minor = sum(note.service_fee_minor for note in notes)
    return _line(
        "credit",
        refund.escrow,
        at=refund.started_at,
        actor=str(refund.refunded_by),
        amount_minor=refund.amount_minor,
        note=f"{', '.join(note.name for note in notes)}. {refund.reason}",
        service_fee_minor=fee_minor,
        net_minor=refund.amount_minor - fee_minor,
    )


def _line(what: str, escrow: Escrow | None, **values: Any) -> Line:
    return {
        "what": what,
        "number": escrow.number if escrow else None,
        "position": escrow.position if escrow else None,
        "title": escrow.title if escrow else "",
        **values,
    }


def totals(statements: dict[int, list[Line]]) -> dict[int, Line]:
    """The sums of each Job that ``lines`` were read of, and of its Milestones in the order of their
    places, by the Job's id; in minor units.

    Refunded is gross as released is: of both the fees were taken.
    """
    milestones: dict[int, list[Line]] = {job_id: [] for job_id in statements}
    for escrow in Escrow.objects.filter(job__in=statements).order_by("position", "number"):
        milestones[escrow.job_id].append(_sums(escrow, statements[escrow.job_id]))
    names = [*SUMS, "return_fee_minor", "net_minor"]
    return {
        job_id: {
            "milestones": sums,
            "job": {name: sum(milestone[name] for milestone in sums) for name in names},
        }
        for job_id, sums in milestones.items()
    }


def _sums(escrow: Escrow, statement: Iterable[Line]) -> Line:
    return {
        "number": escrow.number,
        "position": escrow.position,
        "title": escrow.title,
        "state": escrow.state,
        **{name: getattr(escrow, name) for name in SUMS},
        "return_fee_minor": sum(
            line["return_fee_minor"]
            for line in statement
            if line["what"] == "refund" and line["number"] == escrow.number
        ),
        "net_minor": escrow.released_minor
        - escrow.credited_minor
        - escrow.service_fee_minor
        - escrow.processing_fee_minor,
    }


def check(statement: list[Line], sums: Line) -> None:
    """It sums to zero: funded = released - released and later refunded + all refunded."""
    moved: Counter[tuple[str, int]] = Counter()
    for line in statement:
        moved[line["what"], line["number"]] += line["amount_minor"]
    for milestone in sums["milestones"]:
        refunded_in_all = milestone["refunded_minor"] + milestone["credited_minor"]
        kept = milestone["released_minor"] - milestone["credited_minor"]
        assert milestone["funded_minor"] == kept + refunded_in_all, milestone
        for what, name in (
            ("funding", "funded_minor"),
            ("release", "released_minor"),
            ("refund", "refunded_minor"),
            ("credit", "credited_minor"),
        ):
            assert moved[what, milestone["number"]] == milestone[name], (what, milestone)
