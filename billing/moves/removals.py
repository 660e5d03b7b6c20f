"""Milestones that were never funded go: rows of a locked Job (R2.3, R8.3, R10.5, R11.1)."""

from collections.abc import Sequence
from datetime import datetime

from billing.models import Escrow, FundingRequest
from escrow_site.lib import states


def remove(escrows: Sequence[Escrow], *, at: datetime) -> None:
    """Remove what is unfunded, and close what asks for its money."""
    remove_each([(escrow, at) for escrow in escrows])


def remove_each(removed: Sequence[tuple[Escrow, datetime]]) -> None:
    """The same for several, each at its own instant."""
    if not removed:
        return
    states.move([escrow for escrow, _ in removed], "remove")
    ends = {escrow.pk: at for escrow, at in removed}
    asking = list(FundingRequest.objects.filter(escrow__in=list(ends), closed_at=None))
    for request in asking:
        request.closed_at = ends[request.escrow_id]
    FundingRequest.objects.bulk_update(asking, ["closed_at"])
