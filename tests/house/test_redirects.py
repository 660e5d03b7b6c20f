"""No address given by a stranger leads away from the site, whatever view it is given to."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from billing.models import PaymentMethod
from jobs.models import Person
from tests import desk
from tests.factories import PASSWORD
from tests.scenarios import START, good_card
from tests.workroom.report_steps import set_clock

HOST = "testserver"
PARAMETERS = ("next", "redirect", "redirect_to", "return_to", "continue", "url", "popup", "back")
HOSTILE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    " //evil.example",
    "\x00//evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http:///evil.example",
    "https://testserver@evil.example/",
    "https://evil.example\\@testserver/",
    "https://testserver.evil.example/",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/jobs/\r\nLocation: https://evil.example/",
]
# Whatever looks like the beginning of an address, and pieces that browsers read otherwise than libraries.
pieces = st.sampled_from(
    ["/", "\\", ":", "@", "?", "#", ".", "\t", "\n", "\r", " ", "\x00", "%2f", "%5c", "http", "https",
     "javascript", "evil.example", "testserver", "jobs", "\u3002", "\uff0f", "\u2028", "[", "]", "::1"]
)  # fmt: skip
addresses = st.lists(pieces, min_size=1, max_size=9).map("".join)
quickly = hypothesis_settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def stays_here(location: str) -> bool:
    """As browsers read it: they drop tabs and line ends, take \\ for /, and forgive too many or too few slashes."""
    seen = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    seen = re.sub(
        r"^(https?:)?/{2,}", lambda found: f"{found[1] or ''}//", seen, flags=re.IGNORECASE
    )
    seen = re.sub(r"^(https?:)/?(?=[^/])", r"\1//", seen, flags=re.IGNORECASE)
    parts = urlsplit(urljoin(f"http://{HOST}/somewhere/", seen))
    # An address with no host, or an impossible one, leads nowhere.
    return parts.scheme in ("http", "https") and parts.hostname in (HOST, None, "")


@pytest.mark.parametrize("address", [each for each in HOSTILE if "Location" not in each])
def test_the_judge_knows_a_hostile_address(address: str) -> None:
    assert not stays_here(address.replace("\x00", ""))


def patterns(found: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    """Every address of the site, with a number or a word where a row is named."""
    for one in found:
        place = before + str(one.pattern).lstrip("^")
        if isinstance(one, URLResolver):
            yield from patterns(one.url_patterns, place)
        else:
            yield re.sub(r"<\w+>|<(?!int)\w+:\w+>", "a-1", re.sub(r"<int:\w+>", "1", place))


def every_address() -> list[str]:
    """Those of the desk but once: what changes there are the tables, not the views."""
    found = [f"/{each}" for each in patterns(get_resolver().url_patterns) if "(?P" not in each]
    rows = re.compile(r"^/admin/\w+/\w+/")
    return [each.rstrip("$") for each in found if not rows.match(each) or "/jobs/person/" in each]


def test_the_walk_sees_every_view_of_ours() -> None:
    found = every_address()
    assert {"/accounts/login/", "/billing/cards/add/", "/local/clock/", "/admin/login/"} <= set(
        found
    )
    assert len(found) > 100


@pytest.mark.parametrize("who", ["anyone", "party", "agent"])
def test_no_view_leads_away(who: str, client_person: Person) -> None:
    """Every parameter at once, read and sent; a different hostile address for each view."""
    browser = Client()
    if who != "anyone":
        browser.force_login(client_person if who == "party" else desk.agent_of_the_desk())
    hidden = 0
    for number, where in enumerate(every_address()):
        if "logout" in where:
            continue
        data = dict.fromkeys(PARAMETERS, HOSTILE[number % len(HOSTILE)])
        for answer in (browser.get(where, data), browser.post(where, data)):
            if "Location" in answer:
                hidden += 1
                assert stays_here(answer["Location"]), (where, data, answer["Location"])
    assert hidden > 20


@quickly
@given(address=addresses)
@example(address="//evil.example")
@example(address="/\\evil.example")
@example(address="\t//evil.example")
def test_signing_in_and_out_leads_nowhere_else(address: str, client_person: Person) -> None:
    """Who is signed in already is led on at once, by the same rule as after the form."""
    browser = Client()
    browser.force_login(client_person)
    answer = browser.get("/accounts/login/", {"next": address})
    assert (answer.status_code, stays_here(answer["Location"])) == (302, True)
    answer = browser.post("/accounts/logout/", {"next": address})
    assert (answer.status_code, stays_here(answer["Location"])) == (302, True)


@quickly
@given(address=addresses)
@example(address="https://evil.example/")
@example(address="///evil.example")
def test_the_way_back_from_the_cards_leads_nowhere_else(
    address: str, client_person: Person
) -> None:
    browser = Client()
    browser.force_login(client_person)
    card = good_card(client_person)  # authenticated already: that leads back at once
    answer = browser.post(f"/billing/cards/{card.pk}/authenticate/", {"next": address})
    assert (answer.status_code, stays_here(answer["Location"])) == (302, True)


def test_the_way_back_from_a_new_card_and_from_the_clock(
    client_person: Person, tmp_path: Path, settings: Any
) -> None:
    set_clock(tmp_path, settings, START)
    browser = Client()
    browser.force_login(client_person)
    card = {"number": "4242 4242 4242 4242", "expires_on": "01 / 30"}
    for address in HOSTILE[:5]:
        PaymentMethod.objects.update(removed_at=START)  # or it would be there already
        for where, form in (("/billing/cards/add/", card), ("/local/clock/", {"step": "1-day"})):
            answer = browser.post(where, {**form, "next": address})
            assert (answer.status_code, stays_here(answer["Location"])) == (302, True)


def test_a_good_way_back_is_taken(client_person: Person) -> None:
    browser = Client()
    known = {"login": client_person.email, "password": PASSWORD, "next": "/billing/?page=2"}
    assert browser.post("/accounts/login/", known)["Location"] == "/billing/?page=2"
