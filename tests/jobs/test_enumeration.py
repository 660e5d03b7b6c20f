"""Nobody learns here who has an account: not by a page, a status, a cookie, nor by the work it takes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.test import Client

from tests.factories import PASSWORD, PersonFactory

pytestmark = pytest.mark.django_db

SIGN_UP = {"name": "Nora New", "password1": "an entirely new password", "time_zone": "UTC"}
WAYS: dict[str, tuple[str, Callable[[str], dict[str, str]]]] = {
    "sign up": ("/accounts/signup/", lambda email: SIGN_UP | {"email": email}),
    "reset": ("/accounts/password/reset/", lambda email: {"email": email}),
    "sign in": ("/accounts/login/", lambda email: {"login": email, "password": "a wrong one"}),
}


@pytest.fixture
def hashed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every time a password is hashed: what takes the time, and would tell. The hashing is the real one."""
    found: list[str] = []
    real = Argon2PasswordHasher.encode, Argon2PasswordHasher.verify

    def encode(self: Argon2PasswordHasher, *values: Any) -> str:
        found.append("hash")
        return real[0](self, *values)

    def verify(self: Argon2PasswordHasher, *values: Any) -> bool:
        found.append("hash")
        return real[1](self, *values)

    monkeypatch.setattr(Argon2PasswordHasher, "encode", encode)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", verify)
    return found


@contextmanager
def work(hashed: list[str]) -> Iterator[list[int]]:
    """How often a password was hashed meanwhile."""
    cache.clear()
    before, counted = len(hashed), [0]
    yield counted
    counted[0] = len(hashed) - before


@pytest.mark.parametrize("way", WAYS)
def test_the_same_for_a_known_and_an_unknown_address(way: str, hashed: list[str]) -> None:
    PersonFactory(email="olga@example.com")
    url, form = WAYS[way]
    seen = []
    for email in ("olga@example.com", "nemo@example.com"):
        browser = Client()
        with work(hashed) as counted:
            answer = browser.post(url, form(email))
        page = answer.content.decode().replace(email, "EMAIL")
        seen.append({
            "status": answer.status_code,
            "leads to": answer.headers.get("Location"),
            "headers": sorted(answer.headers),
            "cookies": sorted(answer.cookies),
            "words": page[page.find("<main") : page.find("</main>")],
            "hashed": counted[0],
            "then": browser.get(answer.headers["Location"]).content.decode().count("<p")
            if answer.status_code == 302 else None,
        })  # fmt: skip
    known, unknown = seen
    for each in seen:
        each["words"] = _without_tokens(each["words"])
    assert known == unknown
    assert known["hashed"] == (0 if way == "reset" else 1)


def _without_tokens(html: str) -> str:
    return "".join(part for part in html.split('"') if len(part) != 64)


def test_a_right_password_for_an_address_that_is_not_confirmed(client: Client) -> None:
    """Says no more than sign-up did: look into your mail."""
    cache.clear()
    client.post("/accounts/signup/", SIGN_UP | {"email": "nora@example.com"})
    cache.clear()
    typed = {"login": "nora@example.com", "password": SIGN_UP["password1"]}
    assert Client().post("/accounts/login/", typed)["Location"] == "/accounts/confirm-email/"
    assert PASSWORD not in typed.values()
