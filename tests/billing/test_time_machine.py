"""Random people and a random clock."""

import os
import random
from collections.abc import Iterable

import pytest

from tests.billing.machine import broken
from tests.billing.machine.after import After
from tests.billing.machine.base import FAILURES, broken_law
from tests.billing.machine.beginning import Beginning
from tests.billing.machine.changing import Changing
from tests.billing.machine.disputing import Disputing
from tests.billing.machine.ending import Ending
from tests.billing.machine.looking import Looking
from tests.billing.machine.moving import Moving
from tests.billing.machine.waiting import Waiting

EXAMPLES = int(os.environ.get("TIME_MACHINE_EXAMPLES", "16"))
SEED = os.environ.get("TIME_MACHINE_SEED", "escrow")
STEPS = 40


class TimeMachine(Beginning, Disputing, Waiting, Moving, Changing, Ending, After, Looking):
    """One Job, everybody who may act on it, and the clock."""


def play(numbers: Iterable[int], *, seed: str = SEED, often: Iterable[type] = ()) -> None:
    """So many stories; one that fails says which it was."""
    for number in numbers:
        chance = random.Random(f"{seed}-{number}")
        try:
            TimeMachine(chance, often=often).run(STEPS)
        except BaseException as error:
            error.add_note(f"This was example {number} of TIME_MACHINE_SEED={seed}.")
            raise


@pytest.mark.django_db
def test_what_was_foretold_comes_true() -> None:
    play(range(EXAMPLES))


@pytest.mark.django_db
@pytest.mark.parametrize("rule", broken.ALL, ids=str)
def test_a_broken_rule_is_caught(rule: broken.Break, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the law that it breaks. A change of what is drawn may need another number of its story."""
    rule.break_it(monkeypatch)
    with pytest.raises(FAILURES) as caught:
        play(range(rule.story, rule.story + EXAMPLES), seed=str(rule), often=rule.often)
    law, story, _ = caught.value.__notes__
    assert law == broken_law(rule.law)
    assert rule.step in story.splitlines()[-1]
