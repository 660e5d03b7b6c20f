"""Held money goes back to its source: one statement for one Return or hundreds (R8.1, R10.3).

The gateway follows after the commit (``services.refunds``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from celery import current_app

from billing.models import Escrow
from billing.models.payment import new_idempotency_key
from escrow_site.lib import statements, states
from escrow_site.lib.transactions import once_after_commit
from jobs.models import Job, Person


@dataclass(frozen=True, kw_only=True)
class Return:
    """What of a locked Job's Escrow goes back to its source, at which instant and why.

    ``amount_minor`` leaves the Escrow; the source gets it less ``fee_minor`` (R10.5). ``by`` is None
    when silence moves it.
    """

    job: Job
    escrow: Escrow
    amount_minor: int
    at: datetime
    reason: str
    by: Person | None = None
    fee_minor: int = 0


def give_back(returns: Sequence[Return]) -> list[int]:
    """Send held money of locked Jobs back to the payments that it came by; the ids of the Refunds.

    At most one Return per Escrow. The ledger moves now, at each Return's instant; the reconcile task
    tells the provider after the commit (R8.1). Records no history. Raises LostRace when an Escrow is
    not in the state it was read in or was funded by no payment.
    """
    if not returns:
        return []
    rows = [_row(place, one) for place, one in enumerate(returns)]
    written = statements.run(statements.beside(__file__), statements.as_json(rows))
    if len(written) != len(rows):
        raise states.LostRace(f"{len(written)} of {len(rows)} refunds could be carried out")
    once_after_commit(wake_reconciling)
    return [row["refund_id"] for row in written]


def wake_reconciling() -> None:
    """Ask a worker to tell the providers what is under way; by name, as tasks are above services."""
    current_app.send_task("billing.tasks.reconcile")


def _row(place: int, one: Return) -> dict[str, Any]:
    """Make the move in memory and say what ``refunds.sql`` is to write."""
    escrow = one.escrow
    assert 0 <= one.fee_minor < one.amount_minor <= escrow.held_minor, one
    held_minor_before, state_before = escrow.held_minor, escrow.state
    escrow.refunded_minor += one.amount_minor
    if escrow.held_minor == 0 and escrow.released_minor:
        escrow.refund_what_was_not_released()
    elif escrow.held_minor == 0:
        escrow.refund_rest()
    return {
        "place": place,
        "escrow_id": escrow.pk,
        "currency": one.job.currency,
        "amount_minor": one.amount_minor,
        "fee_minor": one.fee_minor,
        "happened_at": one.at,
        "reason": one.reason,
        "refunded_by_id": one.by.pk if one.by else None,
        "idempotency_key": new_idempotency_key(),
        "held_minor_before": held_minor_before,
        "escrow_state_before": state_before,
        "escrow_state": escrow.state,
    }
