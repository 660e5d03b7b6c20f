"""What a Milestone holds is divided: part to the Freelancer, the rest back to its source (R8.3, R9.2).

How much goes where was agreed or decided; who may do that is for ``services`` to say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.models import Escrow, ReleaseRequest
from billing.moves import refunds, releases
from billing.moves.refunds import Return
from billing.moves.releases import Part
from billing.notices import RETURNED
from escrow_site.lib import states
from jobs.models import Job, Person
from jobs.services.activity import Entry


@dataclass(frozen=True, kw_only=True)
class Split:
    """How all that a locked Job's Escrow holds is divided, in minor units: the rest goes back.

    ``request`` is its unanswered Release Request, with its ``pro_forma``.
    """

    job: Job
    escrow: Escrow
    request: ReleaseRequest | None
    to_freelancer_minor: int

    @property
    def is_release(self) -> bool:
        """Whether all of it goes to the Freelancer."""
        return self.to_freelancer_minor == self.escrow.held_minor


def carry_out(
    splits: Sequence[Split], *, by: Person | None, at: datetime, reason: str
) -> list[Entry]:
    """Divide what the Escrows hold, now; the lines of history about it, Milestone by Milestone.

    What goes to the Freelancer is a release: a final invoice from the pro-forma, or a receipt where
    nothing was requested. With nothing for him the pro-forma is void. A request ends as settled, or
    as released when all goes to him. At most one Split per Escrow. The lines tell nobody: whoever
    agreed or decided is told by the caller's line, which says it all. Raises LostRace when a row is
    not in the state it was read in.
    """
    for split in splits:
        assert 0 <= split.to_freelancer_minor <= split.escrow.held_minor > 0, split
    given = [split for split in splits if split.to_freelancer_minor]
    settled = [split for split in splits if split.request and not split.is_release]
    lines = _release(given, by=by, at=at, reason=reason)
    lines |= _give_back(splits, by=by, at=at, reason=reason)
    _settle_requests(settled, at=at, reason=reason)
    both_ways = ("release", "return")
    entries = [lines.get((split.escrow.pk, way)) for split in splits for way in both_ways]
    return [entry for entry in entries if entry is not None]


Lines = dict[tuple[int, str], Entry]


def _release(splits: Sequence[Split], *, by: Person | None, at: datetime, reason: str) -> Lines:
    parts = [
        Part(
            job=split.job,
            escrow=split.escrow,
            request=split.request,
            gross_minor=split.to_freelancer_minor,
            at=at,
            reason=reason,
        )
        for split in splits
    ]
    released_before = [part.escrow.released_minor for part in parts]
    lines: Lines = {}
    for part, before_minor, released in zip(
        parts, released_before, releases.carry_out(parts, by=by), strict=True
    ):
        # What is still held is read from this row when the rest goes back.
        part.escrow.released_minor = before_minor + part.gross_minor
        lines[part.escrow.pk, "release"] = releases.entry(part, released, by=by).quiet()
    return lines


def _give_back(splits: Sequence[Split], *, by: Person | None, at: datetime, reason: str) -> Lines:
    """What is still held after the releases; no fee is taken on it (R8.1)."""
    returns = [
        Return(
            job=split.job,
            escrow=split.escrow,
            amount_minor=split.escrow.held_minor,
            at=at,
            reason=reason,
            by=by,
        )
        for split in splits
        if split.escrow.held_minor
    ]
    lines: Lines = {(one.escrow.pk, "return"): _returned(one) for one in returns}
    refunds.give_back(returns)
    return lines


def _returned(one: Return) -> Entry:
    facts: dict[str, Any] = {
        "escrow": one.escrow.title,
        "number": one.escrow.number,
        "amount_minor": one.amount_minor,
        "fee_minor": one.fee_minor,
    }
    return Entry(job=one.job, kind=RETURNED, by=one.by, at=one.at, reason=one.reason, facts=facts)


def _settle_requests(splits: Sequence[Split], *, at: datetime, reason: str) -> None:
    """Requests of which not all went to the Freelancer, and their pro-formas."""
    requests = [split.request for split in splits if split.request]
    states.move(requests, "settle", at=at, reason=reason)
    invoiced = [
        split.request.pro_forma for split in splits if split.request and split.to_freelancer_minor
    ]
    states.move(invoiced, "become_final")
    void = [
        split.request.pro_forma
        for split in splits
        if split.request and not split.to_freelancer_minor
    ]
    states.move(void, "void")
