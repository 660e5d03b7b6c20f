"""Fixtures that the tests of the money share."""

import pytest

from jobs.models import Person
from tests.billing.intervening import agent_in


@pytest.fixture
def alma(db: None) -> Person:
    """An agent, who proposes."""
    return agent_in("Agent", "Alma")


@pytest.fixture
def bela(db: None) -> Person:
    """A senior agent, who may also confirm."""
    return agent_in("Senior agent", "Bela")
