"""Limits hold across processes, with the cache and without it, and their page is friendly."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from jobs.models import Attempt, Person
from jobs.services import attempts
from tests.factories import PASSWORD
from tests.signing_in import sign_in, sign_in_long_ago

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
LIMIT = attempts.Limit("test", 3, timedelta(hours=1))
WRONG = {"login": "clara@example.com", "password": "a wrong password"}
TOO_MANY = "Too many wrong attempts"
# A process of its own, on the cache and the database of this test.
TRY = """
import sys, django
from django.conf import settings
settings.DATABASES["default"]["NAME"] = sys.argv[1]
settings.CACHES["default"]["KEY_PREFIX"] = sys.argv[2]
settings.ALLOWED_HOSTS = ["testserver"]
django.setup()
from django.test import Client
for _ in range(int(sys.argv[3])):
    answer = Client().post("/accounts/login/", {"login": "clara@example.com", "password": "a wrong password"})
    print("Too many wrong attempts" in answer.content.decode())
"""


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


def tried_elsewhere(times: int, settings: Any) -> list[bool]:
    """Wrong passwords in another process; whether each was refused for being one too many."""
    arguments = [connection.settings_dict["NAME"], settings.CACHES["default"]["KEY_PREFIX"]]
    done = subprocess.run(
        [sys.executable, "-c", TRY, *arguments, str(times)],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    return [line == "True" for line in done.stdout.splitlines() if line in ("True", "False")]


@pytest.mark.django_db(transaction=True)
def test_two_processes_count_together(client: Client, client_person: Person, settings: Any) -> None:
    """Five wrong passwords for an address: three there, two here, and the sixth is refused in both."""
    assert tried_elsewhere(3, settings) == [False] * 3
    here = [TOO_MANY in client.post("/accounts/login/", WRONG).content.decode() for _ in range(3)]
    assert here == [False, False, True]
    assert tried_elsewhere(1, settings) == [True]
    # The right one waits too.
    right = WRONG | {"password": PASSWORD}
    assert TOO_MANY in client.post("/accounts/login/", right).content.decode()


@pytest.mark.django_db
def test_wrong_passwords_are_counted_without_the_cache(
    client: Client, client_person: Person
) -> None:
    for _ in range(30):
        cache.clear()  # as if its server were away
        assert TOO_MANY not in client.post("/accounts/login/", WRONG).content.decode()
    cache.clear()
    right = WRONG | {"password": PASSWORD}
    assert TOO_MANY in client.post("/accounts/login/", right).content.decode()


def guess_at_the_door(times: int, network: str, **headers: str) -> str:
    """Wrong passwords for Clara's address, as if the cache were away; the last answer."""
    answer = ""
    for _ in range(times):
        cache.clear()
        page = Client(REMOTE_ADDR=network, headers=headers).post("/accounts/login/", WRONG)
        answer = page.content.decode()
    return answer


@pytest.mark.django_db
def test_a_stranger_shuts_nobody_out(client: Client, client_person: Person) -> None:
    """What he tries from his network counts there; its owner signs in from hers."""
    assert TOO_MANY in guess_at_the_door(31, "192.0.2.7")
    right = WRONG | {"password": PASSWORD}
    assert client.post("/accounts/login/", right).status_code == 302


@pytest.mark.django_db
def test_from_many_networks_an_address_is_guarded_too(
    client: Client, client_person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = attempts.Limit("wrong password anywhere", 4, timedelta(hours=1))
    monkeypatch.setattr(attempts, "WRONG_PASSWORDS_ANYWHERE", few)
    for number in range(4):
        assert TOO_MANY not in guess_at_the_door(1, f"192.0.2.{number}")
    assert TOO_MANY in guess_at_the_door(1, "192.0.2.9")


@pytest.mark.django_db
def test_another_name_of_the_host_begins_no_new_count(client_person: Person) -> None:
    """With any port the host is still ours, and the caller chooses it."""
    answers = [
        Client(headers={"host": f"testserver:{port}"}).post("/accounts/login/", WRONG)
        for port in range(81, 87)
    ]
    said = [TOO_MANY in answer.content.decode() for answer in answers]
    assert said == [False] * 5 + [True]


@pytest.mark.django_db
def test_strangers_at_the_door_do_not_keep_anybody_from_money(
    client: Client, client_person: Person
) -> None:
    for network in ("192.0.2.7", "127.0.0.1"):
        assert TOO_MANY in guess_at_the_door(31, network)
    sign_in_long_ago(client, client_person)
    answer = client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    assert answer.status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "field"),
    [("/accounts/reauthenticate/", "password"), ("/accounts/password/change/", "oldpassword")],
)
def test_guessing_at_an_open_browser_ends(
    client: Client, client_person: Person, url: str, field: str
) -> None:
    """Ten guesses an hour for both pages together, without the cache too."""
    new = {"password1": "an entirely new password", "password2": "an entirely new password"}
    sign_in(client, client_person)
    for _ in range(10):
        cache.clear()
        assert TOO_MANY not in client.post(url, new | {field: "wrong"}).content.decode()
    for page, name in (
        ("/accounts/reauthenticate/", "password"),
        ("/accounts/password/change/", "oldpassword"),
    ):
        cache.clear()
        assert TOO_MANY in client.post(page, new | {name: PASSWORD}).content.decode()


@pytest.mark.django_db
def test_another_password_is_asked_for_by_who_has_just_shown_who_he_is(
    client: Client, client_person: Person
) -> None:
    """The new one is never kept in the session meanwhile."""
    new = {"password1": "an entirely new password", "password2": "an entirely new password"}
    sign_in_long_ago(client, client_person)
    for answer in (
        client.get("/accounts/password/change/"),
        client.post("/accounts/password/change/", new | {"oldpassword": PASSWORD}),
    ):
        assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert "entirely" not in str(dict(client.session))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "form", "allowed"),
    [
        ("/accounts/signup/", {}, 20),
        ("/accounts/password/reset/", {"email": "nobody@example.com"}, 5),
    ],
)
def test_who_is_too_fast_is_told_so_kindly(
    client: Client, url: str, form: dict[str, str], allowed: int
) -> None:
    answers = [client.post(url, form) for _ in range(allowed + 1)]
    assert [answer.status_code == 429 for answer in answers] == [False] * allowed + [True]
    assert "That was tried too often just now" in answers[-1].content.decode()


@pytest.mark.django_db
def test_what_is_taken_is_counted_for_one_person_and_one_thing() -> None:
    taken = [attempts.take(LIMIT, "clara", at=NOW) for _ in range(4)]
    assert taken == [True, True, True, False]
    assert attempts.take(LIMIT, "frank", at=NOW)
    other = attempts.Limit("other", 1, timedelta(hours=1))
    assert attempts.take(other, "clara", at=NOW)
    later = NOW + timedelta(hours=1, seconds=1)
    assert attempts.take(LIMIT, " Clara ", at=later)
    attempts.note(LIMIT, "clara", at=NOW + timedelta(days=2))
    assert Attempt.objects.count() == 1  # what is old goes
    assert "clara" not in Attempt.objects.get().key


@pytest.mark.django_db
def test_three_archives_an_hour(client: Client, client_person: Person) -> None:
    sign_in(client, client_person)
    answers = [client.post("/profile/export/").status_code for _ in range(4)]
    assert answers == [200, 200, 200, 429]
