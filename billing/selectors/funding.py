"""What the Fund page shows: which Milestones can be funded, which are chosen, with which cards."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from billing.models import Allocation, Escrow, FundingRequest
from billing.services import payments
from jobs.models import Job


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One agreed Milestone on the Fund page; ``payment_id`` is of the payment that is there already."""

    escrow: Escrow
    can_be_funded: bool
    is_chosen: bool
    is_requested: bool
    payment_id: int | None

    @property
    def is_under_way(self) -> bool:
        """Pending, or waiting for the bank's first answer."""
        unsettled = (Escrow.State.UNFUNDED, Escrow.State.PENDING)
        return self.payment_id is not None and self.escrow.state in unsettled


@dataclass(frozen=True, kw_only=True)
class FundPage:
    """The Milestones of a Job as the Fund page shows them."""

    choices: list[Choice]
    is_first_funding: bool
    nothing_was_funded: bool

    @property
    def chosen(self) -> list[Escrow]:
        return [choice.escrow for choice in self.choices if choice.is_chosen]

    @property
    def offered(self) -> list[Choice]:
        """What the page lists: what can be funded, and what is being paid at this moment."""
        return [choice for choice in self.choices if choice.can_be_funded or choice.is_under_way]

    @property
    def can_fund(self) -> bool:
        return any(choice.can_be_funded for choice in self.choices)

    @property
    def total_minor(self) -> int:
        return sum(escrow.amount_minor for escrow in self.chosen)


def fund_page(job: Job, *, numbers: Collection[str] | None) -> FundPage:
    """The Milestones of a Job, those with these numbers chosen; None chooses what was requested.

    ``numbers`` are as they came with the address.
    """
    escrows = list(Escrow.objects.of(job).agreed())
    payments_there, requested = _payments_there(escrows), _requested(escrows)
    fundable = [
        escrow
        for escrow in escrows
        if escrow.state == Escrow.State.UNFUNDED and escrow.pk not in payments_there
    ]
    if numbers is None:
        # What the Freelancer or the system asked for, else the first that can be funded.
        chosen = [escrow for escrow in fundable if escrow.pk in requested] or fundable[:1]
    else:
        chosen = [escrow for escrow in fundable if str(escrow.number) in numbers]
    return FundPage(
        choices=[
            Choice(
                escrow=escrow,
                can_be_funded=escrow in fundable,
                is_chosen=escrow in chosen,
                is_requested=escrow.pk in requested,
                payment_id=payments_there.get(escrow.pk),
            )
            for escrow in escrows
        ],
        is_first_funding=payments.is_first_funding(chosen, escrows),
        nothing_was_funded=all(escrow.funded_minor == 0 for escrow in escrows),
    )


def _payments_there(escrows: Sequence[Escrow]) -> dict[int, int]:
    """The ids of the payments under way, or arrived, by the ids of their Escrows."""
    live = Allocation.objects.filter(escrow__in=escrows, live=True)
    return dict(live.values_list("escrow_id", "payment_id"))


def _requested(escrows: Sequence[Escrow]) -> set[int]:
    still_open = FundingRequest.objects.filter(escrow__in=escrows, closed_at__isnull=True)
    return set(still_open.values_list("escrow_id", flat=True))
