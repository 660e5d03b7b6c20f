"""Both sides ask to cancel, answer, and mark an open-ended Job complete (R8.3, R11.1)."""

from billing.models import Cancellation
from billing.services import cancellations, closing
from tests.billing.machine.base import Base, possible
from tests.billing.machine.oracle import ending
from tests.billing.machine.oracle.rows import SIDES


class Ending(Base):
    """A request to cancel, and what becomes of it."""

    @possible(lambda self: not self.oracle.cancellation and self.is_worth_it())
    def request_cancellation(self) -> None:
        side = self.chance.choice(SIDES)
        shares = {
            number: self.part_of(one.held) if self.heads() else 0
            for number, one in self.oracle.milestones.items()
            if one.state == "funded"
        }
        self.attempt(
            allowed=ending.may_request(self.oracle, shares),
            act=lambda: cancellations.request(
                self.job.pk, shares=shares, reason="No time.", by=self.people[side], at=self.at
            ),
            follows=lambda: ending.request(self.oracle, side, shares, self.at),
        )

    def is_worth_it(self) -> bool:
        """Else most Jobs would end before anything was paid in."""
        return self.oracle.is_running and any(one.funded for one in self.oracle.milestones.values())

    @possible(lambda self: self.oracle.cancellation)
    def request_another(self) -> None:
        """One open request per Job."""
        side = self.chance.choice(SIDES)
        shares = self.oracle.cancellation.shares if self.oracle.cancellation else {}
        self.attempt(
            allowed=False,
            act=lambda: cancellations.request(
                self.job.pk, shares=shares, reason="Again.", by=self.people[side], at=self.at
            ),
            follows=lambda: None,
        )

    def is_over(self) -> bool:
        is_running = self.oracle.is_running and self.tries_left
        return bool(is_running and self.oracle.was_to_be_cancelled)

    def newest_cancellation(self) -> int:
        return Cancellation.objects.filter(job=self.job).latest("pk").pk

    def _side(self, may: object) -> str:
        (side,) = self.choose([(side,) for side in SIDES], may)  # type: ignore[arg-type]
        return side

    @possible(lambda self: self.oracle.cancellation)
    def accept_cancellation(self) -> None:
        side = self._side(ending.may_answer)
        self.attempt(
            allowed=ending.may_answer(self.oracle, side),
            act=lambda: cancellations.accept(
                self.newest_cancellation(), by=self.people[side], at=self.at
            ),
            follows=lambda: ending.accept(self.oracle),
        )

    @possible(lambda self: self.oracle.cancellation)
    def decline_cancellation(self) -> None:
        side = self._side(ending.may_answer)
        self.attempt(
            allowed=ending.may_answer(self.oracle, side),
            act=lambda: cancellations.decline(
                self.newest_cancellation(), answer="", by=self.people[side], at=self.at
            ),
            follows=lambda: ending.decline_or_withdraw(self.oracle),
        )

    @possible(lambda self: self.oracle.cancellation)
    def withdraw_cancellation(self) -> None:
        side = self._side(ending.may_withdraw)
        self.attempt(
            allowed=ending.may_withdraw(self.oracle, side),
            act=lambda: cancellations.withdraw(
                self.newest_cancellation(), by=self.people[side], at=self.at
            ),
            follows=lambda: ending.decline_or_withdraw(self.oracle),
        )

    @possible(lambda self: not self.oracle.cancellation and self.is_over())
    def answer_too_late(self) -> None:
        """Lapsed, overtaken, declined, withdrawn: it is over."""
        self.tries_left -= 1
        side = self.chance.choice(SIDES)
        self.attempt(
            allowed=False,
            act=lambda: cancellations.accept(
                self.newest_cancellation(), by=self.people[side], at=self.at
            ),
            follows=lambda: None,
        )

    @possible(
        lambda self: (
            self.oracle.open_ended
            and self.is_worth_it()
            and (ending.may_complete(self.oracle) or self.tries_left)
        )
    )
    def complete(self) -> None:
        side = self.chance.choice(SIDES)
        self.tries_left -= not ending.may_complete(self.oracle)
        self.attempt(
            allowed=ending.may_complete(self.oracle),
            act=lambda: closing.complete(self.job.pk, by=self.people[side], at=self.at),
            follows=lambda: self.oracle.end("completed"),
        )
