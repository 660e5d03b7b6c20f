"""Whether a Dispute or a chargeback freezes a Milestone's money (R9.1, R8.4): asked by the guards of
whatever would touch it.
"""

from billing.models import Escrow
from escrow_site.lib.refusals import Refusal, WrongState


class Disputed(WrongState):
    """An open Dispute freezes the Milestone."""


class ChargedBack(WrongState):
    """The bank wants the payment back: nothing moves before that is decided."""


def refuse_charged_back(escrow: Escrow) -> Refusal | None:
    """While a chargeback is open nothing at all moves the money of its payment, nor what stands for it
    (R8.4). Reads no other row.
    """
    if escrow.charged_back_at is None:
        return None
    return ChargedBack(
        f"The bank wants the payment for “{escrow}” back (a chargeback): until that is decided, its "
        "money is frozen."
    )


def refuse_disputed(escrow: Escrow) -> Refusal | None:
    """While a Dispute is open no request, partial release, partial refund, void or Terms change
    touches the Milestone (R9.2); nor while its payment is charged back. Reads no other row.
    """
    if refusal := refuse_charged_back(escrow):
        return refusal
    if escrow.disputed_at is None:
        return None
    return Disputed(
        f"“{escrow}” is disputed: until the Dispute has ended, its money can only be released whole "
        "by the Client, refunded whole by the Freelancer, or split by agreement."
    )
