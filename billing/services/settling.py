"""A Dispute is settled: what the Milestone holds is split at once, and the Job goes on or ends (R9.5).

Who agreed or decided is known by the callers: ``offers``, ``sealed``, ``mediation``.
"""

from datetime import datetime
from typing import Any

from billing.models import Dispute, Escrow
from billing.moves import cancellations, disputes, dormancy, splits
from billing.moves.splits import Split
from billing.services import closing
from billing.services.amounts import quote
from jobs.models import Job, Person
from jobs.notices import Kind
from jobs.services import activity
from jobs.services.activity import Entry

NOTHING_HELD = "The Dispute was settled, and nothing else is held."


def settle(
    dispute: Dispute,
    *,
    to_freelancer_minor: int,
    kind: Kind,
    by: Person,
    at: datetime,
    rule: str,
    said: str = "",
) -> None:
    """Split what a disputed Escrow of a locked Job holds: so much to the Freelancer, the rest back.

    ``rule`` is why, for papers and ledger; ``said`` are the words of whoever decided. One line of
    history tells both, of ``kind``; the lines of the money stand below it. Raises LostRace.
    """
    job, escrow = dispute.job, dispute.escrow
    facts = _facts(dispute, to_freelancer_minor=to_freelancer_minor)
    disputes.settle(dispute, at=at, reason=said or rule)
    split = Split(
        job=job,
        escrow=escrow,
        request=dispute.request,
        to_freelancer_minor=to_freelancer_minor,
    )
    divided = splits.carry_out([split], by=by, at=at, reason=rule)
    for entry in divided:
        facts |= {
            name: entry.facts[name] for name in ("document", "document_id") if name in entry.facts
        }
    told = Entry(job=job, kind=kind, by=by, at=at, reason=said or rule, facts=facts)
    overtaken = cancellations.end_if_overtaken(job, at=at)
    activity.record_all([told, *divided, *overtaken, *_follow_up(job, by=by, at=at)])


def _facts(dispute: Dispute, *, to_freelancer_minor: int) -> dict[str, Any]:
    """All that either side wants to know about the money, as nothing else is sent about it."""
    escrow, policy = dispute.escrow, dispute.job.policy
    assert policy is not None
    amounts = quote(escrow, policy=policy, gross_minor=to_freelancer_minor)
    return disputes.facts_of(
        dispute,
        amount_minor=escrow.held_minor,
        to_freelancer_minor=to_freelancer_minor,
        to_client_minor=escrow.held_minor - to_freelancer_minor,
        net_minor=amounts.net_minor,
        fees_minor=amounts.gross_minor - amounts.net_minor,
    )


def _follow_up(job: Job, *, by: Person, at: datetime) -> list[Entry]:
    """The Job completes, or without a balance is no longer Dormant (R10.4, R11.1)."""
    if Escrow.objects.filter(job=job, state=Escrow.State.FUNDED).exists():
        return []
    entries = closing.complete_if_finished(job, at=at)
    return entries or dormancy.reactivate(job, by=by, at=at, reason=NOTHING_HELD)
