"""One stage for all tests of a module; what a test does on it is taken back."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from tests.authorisation.stage import NOW, Stage, on_stage
from tests.authorisation.visits import undone


@pytest.fixture(scope="module")
def whole_stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """Made once: it takes longer than most of what is done on it."""
    with django_db_blocker.unblock(), on_stage() as stage:
        yield stage


@pytest.fixture
def stage(whole_stage: Stage, settings: Any) -> Iterator[Stage]:
    """As it was set up, with the clock standing still."""
    # Many come from one address here.
    settings.ACCOUNT_RATE_LIMITS = settings.MFA_RATE_LIMITS = False
    with time_machine.travel(NOW, tick=False), undone():
        yield whole_stage
