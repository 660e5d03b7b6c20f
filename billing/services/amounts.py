"""How a gross amount divides at release (R5.2): the same figures for page, pro-forma and posting."""

from dataclasses import dataclass

from billing.models import Escrow
from escrow_site.lib import money
from jobs.models import Policy


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
    not come back (R8.2).
    """
    part_minor = escrow.held_minor if gross_minor is None else gross_minor
    return Amounts(
        gross_minor=part_minor,
        service_fee_minor=money.fee_on_part(
            part_minor,
            released_before_minor=escrow.released_minor - escrow.credited_minor,
            taken_before_minor=escrow.service_fee_minor,
            basis_points=policy.service_fee_basis_points,
        ),
        processing_fee_minor=money.fee_on_part(
            part_minor,
            released_before_minor=escrow.released_minor,
            taken_before_minor=escrow.processing_fee_minor,
            basis_points=policy.processing_fee_basis_points,
        ),
    )


def return_fee(escrow: Escrow, *, policy: Policy) -> int:
    """The fee on what goes back from an Escrow when silence sends it back, in minor units (R10.5).

    Of all that is held, half-up. It never takes all: at least the smallest unit goes back.
    """
    fee_minor = money.share(escrow.held_minor, policy.return_fee_basis_points)
    return max(0, min(fee_minor, escrow.held_minor - 1))
