"""Once the Job is over nothing goes any more but refunds of released money (R8.2, R11)."""

from collections.abc import Callable
from typing import Any

from billing.services import (
    cancellations,
    closing,
    disputes,
    funding,
    payments,
    refunding,
    releases,
)
from tests.billing.machine.base import BEGIN, Base, milestone_input, possible
from tests.scenarios import good_card
from tests.workroom.agreements import terms_input
from workroom.services import terms


class After(Base):
    """What the pages of a running Job offer is refused on an ended one."""

    weight = (1,)

    @possible(lambda self: not self.oracle.is_running and self.tries_left)
    def try_after_the_end(self) -> None:
        """A few times: then there are better things to do."""
        self.tries_left -= 1
        number = self.chance.choice(sorted(self.oracle.milestones))
        tries = self._tries(number, seen=self.oracle.milestones[number].held)
        act = self.chance.choice(sorted(tries))
        self.attempt(allowed=False, act=tries[act], follows=lambda: None)

    def _tries(self, number: int, *, seen: int) -> dict[str, Callable[[], Any]]:
        key, at = self.job.pk, self.at
        client, freelancer = self.people["client"], self.people["freelancer"]
        added = (milestone_input(None, "More", (100, None)),)
        return {
            "fund": lambda: payments.fund(
                key, numbers=[number], method=good_card(client, at=BEGIN), by=client, at=at
            ),
            "ask": lambda: funding.request_funding(key, number=number, by=freelancer, at=at),
            "release": lambda: releases.release(key, numbers=[number], by=client, at=at),
            "refund": lambda: refunding.refund_held(
                key, number=number, amount_minor=1, by=freelancer, at=at, reason="",
                seen_held_minor=seen,
            ),
            "dispute": lambda: disputes.open(
                key, number=number, asks="refund", asked_minor=1, reason="No.", by=client, at=at
            ),
            "cancel": lambda: cancellations.request(
                key, shares={}, reason="No.", by=client, at=at
            ),
            "complete": lambda: closing.complete(key, by=freelancer, at=at),
            "propose": lambda: terms.propose(
                self.job, by=client, terms=terms_input(milestones=added),
                answering=self.oracle.version, at=at,
            ),
        }  # fmt: skip
