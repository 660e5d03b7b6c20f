"""Opening the money side of Milestones when Terms are agreed (R2, R3.1).

How it changes with changed Terms is in ``escrow_changes``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from billing import ledger
from billing.models import Escrow
from billing.services import funding
from jobs.models import Job


@dataclass(frozen=True, kw_only=True)
class EscrowPart:
    """A Milestone as the money needs it; ``number`` is stable per Job, ``position`` its place.

    ``is_reworded``: the Terms change something of it that the money does not know.
    """

    number: int
    position: int
    title: str
    due_on: date | None
    amount_minor: int
    is_reworded: bool = False


def open_escrows(job: Job, parts: Iterable[EscrowPart], *, at: datetime) -> dict[int, Escrow]:
    """Open an Escrow for every Milestone of the first agreed Terms and request the first funding.

    The caller has locked the Job and made it active. Returns the Escrows by number.
    """
    assert job.freelancer is not None
    opened = add_escrows(job, parts)
    ledger.available(job.freelancer, job.currency)
    if opened:
        first = min(opened, key=lambda escrow: escrow.position)
        funding.request_first_funding(job, first, at=at)
    return {escrow.number: escrow for escrow in opened}


def add_escrows(job: Job, parts: Iterable[EscrowPart]) -> list[Escrow]:
    """Open an Escrow with its account for every part; the Job is locked. Asks for no money."""
    opened = Escrow.objects.bulk_create(
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
    ledger.open_escrow_accounts(opened, currency=job.currency)
    return opened
