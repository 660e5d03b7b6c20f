"""Opening the money side of Milestones when Terms are agreed (R2, R3.1)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from billing import ledger
from billing.models import Escrow
from billing.services import funding
from jobs.models import Job


@dataclass(frozen=True, kw_only=True)
class EscrowPart:
    """A Milestone as the money needs it; ``number`` is stable per Job, ``position`` its place."""

    number: int
    position: int
    title: str
    due_on: date | None
    amount_minor: int


def open_escrows(job: Job, parts: Iterable[EscrowPart], *, at: datetime) -> dict[int, Escrow]:
    """Open an Escrow for every Milestone of the first agreed Terms and request the first funding.

    The caller has locked the Job and made it active. Returns the Escrows by number.
    """
    assert job.freelancer is not None
    escrows = Escrow.objects.bulk_create(
        Escrow(
            job=job,
            number=part.number,
            position=part.position,
            title=part.title,
            due_on=part.due_on,
            amount_minor=part.amount_minor,
        )
        for part in parts
    )
    ledger.open_escrow_accounts(escrows, currency=job.currency)
    ledger.available(job.freelancer, job.currency)
    if escrows:
        first = min(escrows, key=lambda escrow: escrow.position)
        funding.request_first_funding(job, first, at=at)
    return {escrow.number: escrow for escrow in escrows}
