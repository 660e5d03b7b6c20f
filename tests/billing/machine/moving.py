"""Both sides move money: funding, requests, releases and refunds, whole and in part."""

from typing import Any

from billing.models import ReleaseRequest
from billing.services import (
    catching_up,
    funding,
    payments,
    payouts,
    refunding,
    release_requests,
    releases,
)
from jobs.models import Person
from tests.billing.machine.base import Base, possible
from tests.billing.machine.oracle import money
from tests.billing.machine.oracle.rows import SIDES
from tests.scenarios import good_card


class Moving(Base):
    """R3, R5, R7, R8.1 and R8.2."""

    weight = (1, 3)

    @possible(lambda self: self.some(money.may_fund))
    def fund(self) -> None:
        side, number = self.choose(self.sides_and_numbers(), money.may_fund)
        by = self.people[side]
        self.attempt(
            allowed=money.may_fund(self.oracle, side, number),
            act=lambda: payments.fund(
                self.job.pk, numbers=[number], method=good_card(by), by=by, at=self.at
            ),
            follows=lambda: money.fund(self.oracle, number, self.at),
        )

    @possible(lambda self: self.unasked())
    def ask_for_money(self) -> None:
        """A Funding Request: Activity that wakes nobody up."""
        number = self.chance.choice(self.unasked())
        funding.request_funding(
            self.job.pk, number=number, by=self.people["freelancer"], at=self.at
        )
        self.asked.add(number)
        self.oracle.activity(self.at)

    def unasked(self) -> list[int]:
        return [
            number
            for number, one in self.oracle.milestones.items()
            if self.oracle.is_running and one.state == "unfunded" and number not in self.asked
        ]

    # --- Release Requests ---

    @possible(lambda self: self.some(money.may_request))
    def request(self) -> None:
        side, number = self.choose(self.sides_and_numbers(), money.may_request)
        self.attempt(
            allowed=money.may_request(self.oracle, side, number),
            act=lambda: self.request_release_of(number, by=self.people[side]),
            follows=lambda: money.request(self.oracle, number, self.at),
        )
        self.requested |= {
            number for number, one in self.oracle.milestones.items() if one.request is not None
        }

    def request_release_of(self, number: int, *, by: Person) -> None:
        with catching_up.locked_job(self.job.pk, at=self.at) as job:
            release_requests.request_release(job, [self.escrow(number)], by=by, at=self.at)

    @possible(lambda self: self.some(money.may_void))
    def void(self) -> None:
        side, number = self.choose(self.sides_and_requested(), money.may_void)
        self.attempt(
            allowed=money.may_void(self.oracle, side, number),
            act=lambda: release_requests.void(
                self.newest_request(number), by=self.people[side], at=self.at
            ),
            follows=lambda: money.void(self.oracle, number, self.at),
        )

    @possible(lambda self: self.some(money.may_request_changes))
    def request_changes(self) -> None:
        side, number = self.choose(self.sides_and_requested(), money.may_request_changes)
        self.attempt(
            allowed=money.may_request_changes(self.oracle, side, number),
            act=lambda: release_requests.request_changes(
                self.newest_request(number), comment="Bigger.", by=self.people[side], at=self.at
            ),
            follows=lambda: money.request_changes(self.oracle, number, self.at),
        )

    @possible(lambda self: self.tries_left and self.returned_for_the_last_time())
    def request_changes_once_more(self) -> None:
        self.tries_left -= 1
        number = self.chance.choice(self.returned_for_the_last_time())
        self.attempt(
            allowed=False,
            act=lambda: release_requests.request_changes(
                self.newest_request(number),
                comment="Smaller.",
                by=self.people["client"],
                at=self.at,
            ),
            follows=lambda: None,
        )

    def returned_for_the_last_time(self) -> list[int]:
        """Requested again, and sent back as often as can be."""
        return [
            number
            for number, one in self.oracle.milestones.items()
            if one.request is not None and one.times_returned == money.RETURNS_AT_MOST
        ]

    def sides_and_requested(self) -> list[tuple[str, int]]:
        """Milestones that a release was ever requested of."""
        return [(side, number) for side in SIDES for number in sorted(self.requested)]

    def newest_request(self, number: int) -> int:
        return (
            ReleaseRequest.objects.filter(job=self.job, escrow__number=number)
            .latest("requested_at", "pk")
            .pk
        )

    # --- Releases and refunds ---

    def whole(self) -> list[tuple[str, int, int]]:
        return [
            (side, number, self.oracle.milestones[number].held)
            for side, number in self.sides_and_numbers()
        ]

    @possible(lambda self: self.some(money.may_release, 1))
    def release(self) -> None:
        side, number, held = self.choose(self.whole(), money.may_release)
        self.attempt(
            allowed=money.may_release(self.oracle, side, number, held),
            act=lambda: releases.release(
                self.job.pk, numbers=[number], by=self.people[side], at=self.at, seen_minor=held
            ),
            follows=lambda: money.release(self.oracle, number, held, self.at),
        )

    @possible(lambda self: self.some(money.may_release, 1))
    def release_part(self) -> None:
        side, number, amount, seen = self._part(money.may_release)
        self.attempt(
            allowed=money.may_release(self.oracle, side, number, amount) and seen == self.held(number),
            act=lambda: releases.release_part(
                self.job.pk, number=number, amount_minor=amount, by=self.people[side], at=self.at,
                seen_held_minor=seen,
            ),
            follows=lambda: money.release(self.oracle, number, amount, self.at),
        )  # fmt: skip

    @possible(lambda self: self.some(money.may_refund, 1))
    def refund(self) -> None:
        is_whole = self.heads()
        side, number, amount, seen = self._part(money.may_refund, is_whole=is_whole)
        self.attempt(
            allowed=money.may_refund(self.oracle, side, number, amount) and seen == self.held(number),
            act=lambda: refunding.refund_held(
                self.job.pk, number=number, amount_minor=amount, by=self.people[side], at=self.at,
                reason="", seen_held_minor=seen,
            ),
            follows=lambda: money.refund(self.oracle, number, amount, self.at),
        )  # fmt: skip

    def _part(self, may: Any, *, is_whole: bool = False) -> tuple[str, int, int, int]:
        """Side, number, amount, and what the page had said was held."""
        choices = [(side, number, held if is_whole else 1) for side, number, held in self.whole()]
        side, number, _ = self.choose(choices, may)
        held = self.held(number)
        amount = held if is_whole else self.part_of(held)
        return side, number, amount, held + self.slips()

    def held(self, number: int) -> int:
        return self.oracle.milestones[number].held

    @possible(
        lambda self: any(
            money.may_refund_released(self.oracle, "freelancer", number, 1)
            for number in self.oracle.milestones
        )
    )
    def refund_released(self) -> None:
        choices = [(*choice, 1) for choice in self.sides_and_numbers()]
        side, number, _ = self.choose(choices, money.may_refund_released)
        amount = self.part_of(self.oracle.milestones[number].kept)
        self.attempt(
            allowed=money.may_refund_released(self.oracle, side, number, amount),
            act=lambda: refunding.refund_released(
                self.job.pk, number=number, amount_minor=amount, by=self.people[side], at=self.at,
                reason="",
            ),
            follows=lambda: money.refund_released(self.oracle, number, amount, self.at),
        )  # fmt: skip

    @possible(lambda self: self.oracle.available)
    def pay_out(self) -> None:
        """What was paid out cannot be refunded any more."""
        amount = self.part_of(self.oracle.available)
        self.attempt(
            allowed=money.may_pay_out(self.oracle, amount),
            act=lambda: payouts.pay_out(
                self.people["freelancer"], currency="USD", amount_minor=amount,
                destination="DE02120300000000202051", at=self.at,
            ),
            follows=lambda: self._paid_out(amount),
        )  # fmt: skip

    def _paid_out(self, amount: int) -> None:
        self.oracle.available -= amount
