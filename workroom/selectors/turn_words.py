"""What every sentence about whose turn it is is made of."""

from dataclasses import dataclass
from typing import Any

from billing.models import Escrow
from escrow_site.lib import money
from jobs.models import Job


@dataclass(frozen=True, kw_only=True)
class Turn:
    """The sentence, what it means for the reader, and the action if there is one.

    ``is_urged``: the Job waits for the reader to do it.
    """

    sentence: str
    detail: str = ""
    label: str = ""
    url: str = ""
    tone: str = "info"
    is_urged: bool = True


def are(escrows: list[Any]) -> str:
    return "is" if len(escrows) == 1 else "are"


def it(escrows: list[Any]) -> str:
    return "it" if len(escrows) == 1 else "them"


def named(escrows: list[Any], job: Job) -> str:
    """“Design” ($500.00), or their number and sum."""
    total = money.display(
        sum(
            escrow.held_minor if escrow.state == Escrow.State.FUNDED else escrow.amount_minor
            for escrow in escrows
        ),
        job.currency,
    )
    return (
        f"“{escrows[0]}” ({total})" if len(escrows) == 1 else f"{len(escrows)} Milestones ({total})"
    )
