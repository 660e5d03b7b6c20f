"""One Job with up to four Milestones, its oracle, and the clock; how a step is tried."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cached_property
from random import Random
from typing import Any, TypeVar

import pytest
from django.db import transaction

from billing.models import Escrow
from billing.services import catching_up
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Person
from tests.billing.dispute_steps import agent_named, refused
from tests.billing.machine.oracle.clock import Line, Oracle
from tests.billing.machine.oracle.rows import SIDES
from workroom.proposals import MilestoneInput

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
LAST_DATE = date(2026, 4, 30)
LAST_DAY_OF_ALL = date(2090, 1, 1)
DATES = [LAST_DATE, None, date(2026, 3, 20), date(2026, 9, 15)]
# What people do is mostly allowed.
SLIPS = 0.05
ABOUT_THE_JOB = {
    "terms_lapsed", "cancellation_lapsed", "cancellation_stale", "dormant", "dormant_freelancer",
    "settled", "reactivated", "completed",
}  # fmt: skip
MOVES_MONEY = {"released", "returned"}
Choice = TypeVar("Choice", bound=tuple[Any, ...])


def line(at: datetime, what: str, number: int | None, amount_minor: int) -> Line:
    """As the oracle writes it."""
    return (
        at,
        what,
        0 if what in ABOUT_THE_JOB else number or 0,
        amount_minor if what in MOVES_MONEY else 0,
    )


# How a story fails: something is not so, was refused, or was not.
FAILURES = (AssertionError, Refusal, pytest.fail.Exception)


@contextmanager
def law(text: str) -> Iterator[None]:
    """A failure inside names the law that it breaks."""
    try:
        yield
    except FAILURES as error:
        error.add_note(broken_law(text))
        raise


def broken_law(text: str) -> str:
    return f"This law is broken: {text}."


Step = Callable[[Any], None]


def possible(when: Callable[[Any], object]) -> Callable[[Step], Step]:
    """A step that can be taken when this is so of the machine."""

    def mark(step: Step) -> Step:
        step.when = when  # type: ignore[attr-defined]
        return step

    return mark


def always(look: Step) -> Step:
    """What holds after each step."""
    look.is_always = True  # type: ignore[attr-defined]
    return look


class Base:
    """What every subject uses. A step is an ``attempt``: the product and the oracle do it, or it is
    refused.
    """

    # How often a subject comes up on a Job; few at a time, so that what happens goes deep.
    weight: tuple[int, ...] = (0, 0, 1, 3)
    weights: dict[type, int]
    at: datetime
    people: dict[str, Person]
    job: Job
    oracle: Oracle
    # Milestones whose funding, whose release was ever requested, that were ever disputed.
    asked: set[int]
    requested: set[int]
    disputed: set[int]
    moved_by_silence: list[Line]
    seen: int  # lines of the history
    tries_left: int  # of what cannot be done any more on this Job

    def __init__(self, chance: Random, *, often: Iterable[type] = ()) -> None:
        """``often`` are the subjects of a story that is about little else."""
        self.chance, self.often = chance, set(often)
        self.story = ["What was done:"]

    def begin(self) -> None:
        raise NotImplementedError

    # --- Taking steps ---

    def run(self, steps: int) -> None:
        """Begin a Job and take so many steps; nothing of it stays. A failure tells its story."""
        savepoint: Any = transaction.atomic()
        savepoint._from_testcase = True  # so that durable transactions may run within it
        with savepoint:
            try:
                self.begin()
                for _ in range(steps):
                    self.look()
                    self.take_a_step()
                self.look()
            except BaseException as error:
                error.add_note("\n".join(self.story))
                raise
            finally:
                transaction.set_rollback(True)

    def take_a_step(self) -> None:
        """First a subject, then one of its steps that can be taken now."""
        steps = {subject: self._steps(subject) for subject in type(self).__bases__}
        weights = [self.weights[subject] if steps[subject] else 0 for subject in steps]
        (subject,) = self.chance.choices(list(steps), weights)
        step = self.chance.choice(steps[subject])
        self.story.append(f"{self.at:%d %b %Y %H:%M:%S} {step}")
        getattr(self, step)()

    def _steps(self, subject: type) -> list[str]:
        return [
            name
            for name, step in vars(subject).items()
            if hasattr(step, "when") and step.when(self)
        ]

    def look(self) -> None:
        for subject in type(self).__bases__:
            for name, look in vars(subject).items():
                if hasattr(look, "is_always"):
                    with law(name.replace("_", " ")):
                        getattr(self, name)()
        self.seen = Activity.objects.filter(job=self.job).count()

    @cached_property
    def agents(self) -> list[Person]:
        return [agent_named("Alma"), agent_named("Bela")]

    # --- Trying a step ---

    def choose(self, choices: Iterable[Choice], may: Callable[..., bool]) -> Choice:
        """Mostly something that is allowed."""
        sorted_out: dict[bool, list[Choice]] = {True: [], False: []}
        for choice in choices:
            sorted_out[may(self.oracle, *choice)].append(choice)
        is_slip = not sorted_out[True] or (bool(sorted_out[False]) and self.slips())
        return self.chance.choice(sorted_out[not is_slip])

    def some(self, may: Callable[..., bool], *more: Any) -> bool:
        """Whether one of both sides may do it to some Milestone."""
        return any(may(self.oracle, *choice, *more) for choice in self.sides_and_numbers())

    def sides_and_numbers(self) -> list[tuple[str, int]]:
        return [(side, number) for side in SIDES for number in self.oracle.milestones]

    def attempt(self, *, allowed: bool, act: Callable[[], Any], follows: Callable[[], Any]) -> None:
        """What is not allowed is refused and changes nothing; what is leads to what the rules say."""
        if not allowed:
            self.story[-1] += " (refused)"
            # When the next thing is due is a lower bound, which whoever comes first puts right.
            with catching_up.locked_job(self.job.pk, at=self.at):
                pass
            with law("what is not allowed is refused"):
                refused(act)
            return
        with law("what is allowed is done"):
            act()
        follows()
        with law("all that was due had been done before"):
            assert self.new_lines(Activity.Actor.TIMER) == []

    # --- Drawing ---

    def heads(self) -> bool:
        return self.chance.random() < 0.5

    def slips(self) -> bool:
        return self.chance.random() < SLIPS

    def price(self) -> int:
        """In minor units; sometimes so little that it can hardly be divided."""
        return self.chance.randint(1, self.chance.choice([9, 10_000_00, 10_000_00]))

    def part_of(self, whole: int) -> int:
        """An amount; rarely nothing, or more than there is."""
        if self.slips():
            return self.chance.choice([0, whole + 1])
        some = self.chance.randint(1, max(1, whole))
        return self.chance.choice([some, some, some, whole, whole // 2, 1])

    # --- Reading the product ---

    def escrow(self, number: int) -> Escrow:
        return Escrow.objects.get(job=self.job, number=number)

    def fresh(self) -> Job:
        return Job.objects.select_related("client", "freelancer", "policy").get(pk=self.job.pk)

    def new_lines(self, *actors: str) -> list[Line]:
        """The history since the last step, of these actors."""
        return [
            line(
                row.happened_at, row.kind, row.facts.get("number"), row.facts.get("amount_minor", 0)
            )
            for row in Activity.objects.filter(job=self.job).order_by("pk")[self.seen :]
            if row.actor_kind in actors
        ]


def milestone_input(
    number: int | None, title: str, change: tuple[int, date | None]
) -> MilestoneInput:
    price, due_on = change
    return MilestoneInput(number=number, title=title, amount_minor=price, due_on=due_on)
