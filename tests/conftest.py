"""The cast: a Client, a Freelancer, a stranger, a support agent, a clerk; and the instant it all begins."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.contrib.auth.models import Group
from django.test import Client

from jobs.models import Person, Policy
from tests import signing_in
from tests.factories import PersonFactory
from tests.mail_server import mail_server, no_broker, worker  # noqa: F401 (fixtures)
from tests.reference_data import ensure_reference_data


@pytest.fixture(autouse=True)
def reference_data(request: pytest.FixtureRequest) -> None:
    """As a new installation has them, whatever was truncated."""
    wanted = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    if wanted or request.node.get_closest_marker("django_db"):
        request.getfixturevalue("db")
        if not Policy.objects.exists():
            ensure_reference_data()


@pytest.fixture(autouse=True, scope="session")
def passwords_are_hashed_quickly() -> Iterator[None]:
    """As on a server, but in a hundredth of the memory and time, which is what makes guessing dear."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2PasswordHasher, "time_cost", 1)
        patch.setattr(Argon2PasswordHasher, "memory_cost", 1024)
        yield


@pytest.fixture(autouse=True, scope="session")
def forced_sign_ins_are_fresh() -> Iterator[None]:
    """`client.force_login(person)`: the password was given just now (tests/signing_in.py says it otherwise)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Client, "force_login", signing_in.forced)
        yield


@pytest.fixture
def at() -> datetime:
    """1 March 2026, 10:00 UTC: where the worked examples of R14 begin."""
    return datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def client_person(db: None) -> Person:
    return PersonFactory(name="Clara Client", email="clara@example.com")


@pytest.fixture
def freelancer(db: None) -> Person:
    return PersonFactory(name="Frank Freelancer", email="frank@example.com")


@pytest.fixture
def stranger(db: None) -> Person:
    return PersonFactory(name="Sam Stranger", email="sam@example.com")


@pytest.fixture
def agent(db: None) -> Person:
    """As an installation makes one: staff, and in the group."""
    person = PersonFactory(name="Alma Agent", email="alma@example.com", is_staff=True)
    person.groups.add(Group.objects.get(name="Agent"))
    return person


@pytest.fixture
def clerk(db: None) -> Person:
    """Staff without any right."""
    return PersonFactory(name="Cleo Clerk", email="cleo@example.com", is_staff=True)
