"""What a cancellation comes to: how each Milestone divides, for page, notice and posting alike (R8.3).

Decides nothing and writes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from billing.models import Cancellation, Escrow
from billing.moves.splits import Split
from billing.services.amounts import NOTHING, Amounts, quote
from jobs.models import Job


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one Milestone is divided: what goes back, and what goes to the Freelancer with its fees."""

    escrow: Escrow
    held_minor: int
    amounts: Amounts

    @property
    def to_client_minor(self) -> int:
        return self.held_minor - self.amounts.gross_minor

    @property
    def fees_minor(self) -> int:
        return self.amounts.gross_minor - self.amounts.net_minor


def outcome(escrow: Escrow, *, job: Job, held_minor: int, to_freelancer_minor: int) -> Outcome:
    """The figures of a page, a notice and the posting alike (R5.2): none is taken of what goes back."""
    assert job.policy is not None
    amounts = NOTHING
    if to_freelancer_minor:
        amounts = quote(escrow, policy=job.policy, gross_minor=to_freelancer_minor)
    return Outcome(escrow=escrow, held_minor=held_minor, amounts=amounts)


def facts(cancellation: Cancellation, divided: Sequence[Split]) -> dict[str, Any]:
    """What its lines of history say of the amounts: the sums, and each Milestone's share."""
    outcomes = [
        outcome(
            split.escrow,
            job=split.job,
            held_minor=split.escrow.held_minor,
            to_freelancer_minor=split.to_freelancer_minor,
        )
        for split in divided
    ]
    return {
        "cancellation": cancellation.pk,
        "requester": str(cancellation.requested_by),
        **_amounts(outcomes),
        "shares": [
            {"escrow": one.escrow.title, "number": one.escrow.number, **_amounts([one])}
            for one in outcomes
        ],
    }


def _amounts(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """What is divided, what goes back, what is released and its net; without what is nothing."""
    amounts = {
        "amount_minor": sum(one.held_minor for one in outcomes),
        "back_minor": sum(one.to_client_minor for one in outcomes),
        "gross_minor": sum(one.amounts.gross_minor for one in outcomes),
        "net_minor": sum(one.amounts.net_minor for one in outcomes),
    }
    return {name: amount for name, amount in amounts.items() if amount}
