"""Both sides change the Terms while the Job runs (R2.2, R2.3)."""

from datetime import date

import pytest

from billing.services.escrow_changes import MilestoneLocked
from tests.billing.machine.base import (
    DATES,
    LAST_DAY_OF_ALL,
    Base,
    law,
    milestone_input,
    possible,
)
from tests.billing.machine.oracle import terms
from tests.billing.machine.oracle.rows import SIDES, Change, Proposal
from tests.workroom.agreements import terms_input
from workroom.proposals import TermsInput
from workroom.services import terms as service

MILESTONES_AT_MOST = 6


class Changing(Base):
    """Proposals re-price, re-date, remove and add Milestones, and move the end."""

    @possible(lambda self: self.oracle.is_running)
    def propose(self) -> None:
        side = self.chance.choice(SIDES)
        changes = self._changes()
        proposal = terms.proposed(
            self.oracle,
            side,
            changes,
            self._added(nothing_else=changes == terms.standing(self.oracle)),
            open_ended=self.oracle.open_ended ^ self.slips(),
            at=self.at,
        )
        there = self.oracle.proposal
        self.attempt(
            allowed=terms.may_propose(self.oracle, proposal),
            act=lambda: service.propose(
                self.job,
                by=self.people[side],
                terms=as_input(proposal),
                answering=there.version if there else self.oracle.version,
                at=self.at,
            ),
            follows=lambda: terms.propose(self.oracle, proposal, self.at),
        )

    def _changes(self) -> dict[int, Change]:
        """One or two Milestones are changed, mostly free ones; the others stay as they are agreed."""
        changes = terms.standing(self.oracle)
        free = [number for number in changes if self._is_free(number)]
        if self.slips():
            free = list(changes)
        for _ in range(self.chance.randint(1, 2) if free else 0):
            number = self.chance.choice(free)
            if number in changes:
                change = self._changed(number, changes.pop(number))
                changes |= {number: change} if change else {}
        return changes

    def _is_free(self, number: int) -> bool:
        one = self.oracle.milestones[number]
        return one.state in ("unfunded", "funded") and not (one.request or one.dispute)

    def _changed(self, number: int, change: Change) -> Change | None:
        """Mostly as far as the money allows."""
        price, due_on = change
        milestone = self.oracle.milestones[number]
        least = 1 if self.slips() else max(1, milestone.released)
        most = price if milestone.state == "funded" and not self.slips() else price + 500_00
        what = self.chance.choice(["priced", "priced", "least", "dated", "removed"])
        if what == "removed" and (not milestone.released or self.slips()):
            return None
        if what == "priced":
            return self.chance.randint(least, max(least, most)), due_on
        return (least, due_on) if what == "least" else (price, self.chance.choice(DATES))

    def _added(self, *, nothing_else: bool) -> list[Change]:
        has_room = len(self.oracle.milestones) < MILESTONES_AT_MOST
        if nothing_else or (has_room and self.chance.choice([False, False, True])):
            return [(self.price(), self.chance.choice(DATES))]
        return []

    @possible(lambda self: self.oracle.proposal)
    def accept(self) -> None:
        side, version = self._whose(terms.may_answer)
        proposal = self.oracle.proposal
        assert proposal is not None
        allowed = terms.may_answer(self.oracle, side, version)
        if allowed and not terms.fits(self.oracle, proposal):
            self._refused_for_ever(side, version)
            return
        seen = terms.refund_of(self.oracle) + self.slips()
        self.attempt(
            allowed=allowed and seen == terms.refund_of(self.oracle),
            act=lambda: service.accept(
                self.job, by=self.people[side], version=version, at=self.at, seen_refund_minor=seen
            ),
            follows=lambda: terms.accept(self.oracle, self.at),
        )

    def _refused_for_ever(self, side: str, version: int) -> None:
        """What no longer fits is refused and superseded (R2.3)."""
        with law("what does not fit any more is refused"), pytest.raises(MilestoneLocked):
            service.accept(self.job, by=self.people[side], version=version, at=self.at)
        terms.give_up(self.oracle)

    @possible(lambda self: self.oracle.proposal)
    def decline(self) -> None:
        side, version = self._whose(terms.may_answer)
        self.attempt(
            allowed=terms.may_answer(self.oracle, side, version),
            act=lambda: service.decline(
                self.job, by=self.people[side], version=version, at=self.at
            ),
            follows=lambda: terms.give_up(self.oracle),
        )

    @possible(lambda self: self.oracle.proposal)
    def withdraw(self) -> None:
        side, version = self._whose(terms.may_withdraw)
        self.attempt(
            allowed=terms.may_withdraw(self.oracle, side, version),
            act=lambda: service.withdraw(
                self.job, by=self.people[side], version=version, at=self.at
            ),
            follows=lambda: terms.give_up(self.oracle),
        )

    def _whose(self, may: object) -> tuple[str, int]:
        """A side, and a version: mostly the open one, else an older one."""
        versions = {self.oracle.version, self.oracle.versions}
        choices = [(side, version) for side in SIDES for version in sorted(versions)]
        return self.choose(choices, may)  # type: ignore[arg-type]


def as_input(proposal: Proposal) -> TermsInput:
    last_day: date | None = None if proposal.open_ended else LAST_DAY_OF_ALL
    there = [
        milestone_input(number, f"Milestone {number}", change)
        for number, change in sorted(proposal.changes.items())
    ]
    added = [
        milestone_input(None, f"Milestone {number}", change)
        for number, change in proposal.added.items()
    ]
    return terms_input(milestones=(*there, *added), ends_on=last_day)
