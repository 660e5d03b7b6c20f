"""Whether a Dispute freezes a Milestone's money (R9.1): asked by the guards of whatever would touch it."""

from billing.models import Escrow
from escrow_site.lib.refusals import Refusal, WrongState


class Disputed(WrongState):
    """An open Dispute freezes the Milestone."""


def refuse_disputed(escrow: Escrow) -> Refusal | None:
    """While a Dispute is open no request, partial release, partial refund, void or Terms change
    touches the Milestone (R9.2). Reads no other row.
    """
    if escrow.disputed_at is None:
        return None
    return Disputed(
        f"“{escrow}” is disputed: until the Dispute has ended, its money can only be released whole "
        "by the Client, refunded whole by the Freelancer, or split by agreement."
    )
