"""How a gross amount divides at release (R5.2): the same figures for page, pro-forma and posting."""

from dataclasses import dataclass

from billing.models import Escrow
from escrow_site.lib import money
from escrow_site.lib.refusals import Refusal
from jobs.models import Policy


class WrongAmount(Refusal):
    """The amount is nothing, or more than there is."""


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """Gross = net + service fee + processing fee, in minor units."""

    gross_minor: int
    service_fee_minor: int
    processing_fee_minor: int

    @property
    def net_minor(self) -> int:
        """What the Freelancer gets: the rest, so that the parts always add up."""
        return self.gross_minor - self.service_fee_minor - self.processing_fee_minor

    def __add__(self, other: "Amounts") -> "Amounts":
        return Amounts(
            gross_minor=self.gross_minor + other.gross_minor,
            service_fee_minor=self.service_fee_minor + other.service_fee_minor,
            processing_fee_minor=self.processing_fee_minor + other.processing_fee_minor,
        )


NOTHING = Amounts(gross_minor=0, service_fee_minor=0, processing_fee_minor=0)


def quote(escrow: Escrow, *, policy: Policy, gross_minor: int | None = None) -> Amounts:
    """What a release of ``gross_minor`` (default: all that is held) would come to.

    The fee on a part is the rounded fee on all released so far less the fee already taken. What was
    refunded after its release counts as not released for the service fee; the processing fee does
    not come back (R8.2). The two fees never take more than the part: what the smallest part cannot
    bear of the processing fee is taken with the next.
    """
    part_minor = escrow.held_minor if gross_minor is None else gross_minor
    service_fee_minor = money.fee_on_part(
        part_minor,
        released_before_minor=escrow.kept_minor,
        taken_before_minor=escrow.service_fee_minor,
        basis_points=policy.service_fee_basis_points,
    )
    processing_fee_minor = money.fee_on_part(
        part_minor,
        released_before_minor=escrow.released_minor,
        taken_before_minor=escrow.processing_fee_minor,
        basis_points=policy.processing_fee_basis_points,
    )
    return Amounts(
        gross_minor=part_minor,
        service_fee_minor=service_fee_minor,
        processing_fee_minor=min(processing_fee_minor, part_minor - service_fee_minor),
    )


def quote_credit(escrow: Escrow, *, policy: Policy, gross_minor: int) -> Amounts:
    """What a refund of ``gross_minor`` of released money would come to: quote, backwards (R8.2).

    The service fee that comes back is the fee taken less the rounded fee on what is left; the net is
    what the Freelancer gives. The processing fee does not come back.
    """
    left_minor = escrow.kept_minor - gross_minor
    fee_kept_minor = money.share(left_minor, policy.service_fee_basis_points)
    return Amounts(
        gross_minor=gross_minor,
        service_fee_minor=escrow.service_fee_minor - fee_kept_minor,
        processing_fee_minor=0,
    )


def refuse_amount(amount_minor: int, *, most_minor: int, currency: str) -> WrongAmount | None:
    """An amount is above zero and at most what there is of it, in minor units (R13)."""
    if amount_minor <= 0:
        return WrongAmount("Enter an amount above zero.")
    if amount_minor > most_minor:
        return WrongAmount(
            f"{money.display(amount_minor, currency)} is more than there is: the most is "
            f"{money.display(most_minor, currency)}."
        )
    return None


def return_fee(escrow: Escrow, *, policy: Policy) -> int:
    """The fee on what goes back from an Escrow when silence sends it back, in minor units (R10.5).

    Of all that is held, half-up. It never takes all: at least the smallest unit goes back.
    """
    fee_minor = money.share(escrow.held_minor, policy.return_fee_basis_points)
    return max(0, min(fee_minor, escrow.held_minor - 1))
