"""A Job begins: two people agree on Terms, and on some Milestones things have happened already."""

from billing.services import disputes, refunding, releases
from jobs.models import Activity
from tests.billing.machine.base import (
    BEGIN,
    DATES,
    LAST_DAY_OF_ALL,
    Base,
    milestone_input,
    possible,
)
from tests.billing.machine.oracle import disputes as disputed
from tests.billing.machine.oracle import money
from tests.billing.machine.oracle.clock import Oracle
from tests.billing.machine.oracle.rows import SIDES, Milestone
from tests.billing.steps import request_release
from tests.factories import PersonFactory
from tests.scenarios import fund
from tests.workroom.agreements import agreed

# What may have happened to a funded Milestone, in this order.
FUNDED = 0.75
PAST = ["a part released", "a part refunded", "requested", *SIDES]


class Beginning(Base):
    """The first Job, and another one whenever one is over."""

    weight = (1,)

    def begin(self) -> None:
        self.weights = self._weights()
        self.at, self.people = BEGIN, {side: PersonFactory() for side in SIDES}
        milestones = [
            (self.price(), self.chance.choice(DATES)) for _ in range(self.chance.randint(1, 4))
        ]
        open_ended = self.heads()
        self.job = agreed(
            self.people["client"],
            self.people["freelancer"],
            at=BEGIN,
            ends_on=None if open_ended else LAST_DAY_OF_ALL,
            milestones=tuple(
                milestone_input(None, f"Milestone {number}", one)
                for number, one in enumerate(milestones, 1)
            ),
        )
        rows = {number: Milestone(*one) for number, one in enumerate(milestones, 1)}
        self.oracle = Oracle(rows, BEGIN, open_ended=open_ended)
        # The system itself asked for the first one (R3.1).
        self.asked, self.requested, self.disputed = {1}, set(), set()
        self.moved_by_silence, self.tries_left = [], 3
        for number in rows:
            if self.chance.random() < FUNDED:
                self._has_a_past(number, set(self.chance.sample(PAST, self.chance.randint(0, 3))))
        self.seen = Activity.objects.filter(job=self.job).count()

    @possible(lambda self: not self.oracle.is_running)
    def begin_another(self) -> None:
        """The Job is over: other people begin one, again on 1 March."""
        self.begin()

    def _weights(self) -> dict[type, int]:
        subjects = type(self).__bases__
        if self.often:
            return {one: 20 if one in self.often else 1 for one in subjects}
        return {one: self.chance.choice(one.weight) for one in subjects}

    def _has_a_past(self, number: int, past: set[str]) -> None:
        fund(self.job, number, at=BEGIN)
        money.fund(self.oracle, number, BEGIN)
        third = self.oracle.milestones[number].price // 3
        if "a part released" in past and third:
            self._release_part(number, third)
        if "a part refunded" in past and third:
            self._refund_part(number, third)
        if "requested" in past:
            request_release(self.job, number, at=BEGIN)
            money.request(self.oracle, number, BEGIN)
            self.requested.add(number)
        for side in SIDES:
            if side in past and not disputed.is_open(self.oracle, number):
                self._open_dispute(side, number)

    def _release_part(self, number: int, amount: int) -> None:
        releases.release_part(
            self.job.pk, number=number, amount_minor=amount, by=self.people["client"], at=BEGIN,
            seen_held_minor=self.oracle.milestones[number].held,
        )  # fmt: skip
        money.release(self.oracle, number, amount, BEGIN)

    def _refund_part(self, number: int, amount: int) -> None:
        refunding.refund_held(
            self.job.pk, number=number, amount_minor=amount, by=self.people["freelancer"], at=BEGIN,
            reason="", seen_held_minor=self.oracle.milestones[number].held,
        )  # fmt: skip
        money.refund(self.oracle, number, amount, BEGIN)

    def _open_dispute(self, side: str, number: int) -> None:
        disputes.open(
            self.job.pk, number=number, asks="release", asked_minor=1, reason="It is done.",
            by=self.people[side], at=BEGIN,
        )  # fmt: skip
        disputed.open(self.oracle, side, number, BEGIN)
        self.disputed.add(number)
