"""The primary e-mail address changes when both addresses have agreed; every change is told to those it concerns."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from jobs.models import AddressChange, Person
from jobs.services import addresses
from tests.factories import PersonFactory
from tests.mail_server import MailServer, link_in
from tests.signing_in import sign_in, sign_in_long_ago

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/accounts/email/"
HOME = "olga@home.example"
NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture
def olga() -> Person:
    """With a second address, which she has confirmed."""
    person = PersonFactory(email="olga@example.com")
    EmailAddress.objects.create(user=person, email=HOME, verified=True)
    return person


def make_primary(client: Client, email: str = HOME) -> Any:
    return client.post(PAGE, {"action_primary": "", "email": email}, follow=True)


def primary_of(person: Person) -> tuple[str, list[str]]:
    person.refresh_from_db()
    rows = EmailAddress.objects.filter(user=person, primary=True)
    return person.email, [row.email for row in rows]


def test_nothing_changes_before_the_present_address_agrees(
    client: Client, olga: Person, mail_server: MailServer, worker: None
) -> None:
    sign_in(client, olga)
    page = make_primary(client).content.decode()
    assert "We have sent a link to olga@example.com." in page
    assert primary_of(olga) == ("olga@example.com", ["olga@example.com"])
    (asked,) = mail_server.wait_for(1)
    assert asked["To"] == "olga@example.com"
    link = link_in(asked, "/profile/security/address/")
    # In a browser where nobody is signed in; looking changes nothing.
    other = Client()
    assert HOME in other.get(link).content.decode()
    assert primary_of(olga)[0] == "olga@example.com"
    assert other.post(link)["Location"] == "/accounts/login/"
    assert primary_of(olga) == (HOME, [HOME])
    told = mail_server.wait_for(3)[1:]
    assert {mail["To"] for mail in told} == {"olga@example.com", HOME}
    assert {mail["Subject"] for mail in told} == {"Your e-mail address was changed"}


def test_the_link_works_once_for_a_day_and_until_a_newer_one(olga: Person) -> None:
    with time_machine.travel(NOW, tick=False):
        _, first = addresses.ask(olga, email=HOME, at=NOW)
        _, second = addresses.ask(olga, email=HOME, at=NOW)
        with pytest.raises(addresses.DeadLink):
            addresses.agree(first, at=NOW)
    late = NOW + timedelta(hours=24, seconds=1)
    with time_machine.travel(late, tick=False), pytest.raises(addresses.DeadLink):
        addresses.agree(second, at=late)
    assert primary_of(olga)[0] == "olga@example.com"
    with time_machine.travel(NOW + timedelta(hours=23), tick=False):
        addresses.agree(second, at=NOW + timedelta(hours=23))
        assert primary_of(olga)[0] == HOME
        with pytest.raises(addresses.DeadLink):
            addresses.agree(second, at=NOW + timedelta(hours=23))
    assert AddressChange.objects.get().done_at == NOW + timedelta(hours=23)


def test_a_used_link_stays_dead_when_the_address_comes_back(olga: Person) -> None:
    at = datetime.now(tz=UTC)
    _, there = addresses.ask(olga, email=HOME, at=at)
    addresses.agree(there, at=at)
    olga.refresh_from_db()
    _, back = addresses.ask(olga, email="olga@example.com", at=at)
    addresses.agree(back, at=at)
    with pytest.raises(addresses.DeadLink):
        addresses.agree(there, at=at)
    assert primary_of(olga)[0] == "olga@example.com"


def test_a_link_that_somebody_made_up(client: Client, olga: Person) -> None:
    answer = client.post("/profile/security/address/made-up/")
    assert answer.status_code == 410
    assert "This link was used before" in answer.content.decode()


def test_an_address_that_is_gone_or_not_confirmed_cannot_become_it(
    client: Client, olga: Person
) -> None:
    at = datetime.now(tz=UTC)
    _, token = addresses.ask(olga, email=HOME, at=at)
    EmailAddress.objects.filter(email=HOME).update(verified=False)
    with pytest.raises(addresses.DeadLink):
        addresses.agree(token, at=at)
    sign_in(client, olga)
    for email in (HOME, "sam@example.com", "olga@example.com"):
        make_primary(client, email)
    assert primary_of(olga) == ("olga@example.com", ["olga@example.com"])


def test_an_old_session_is_asked_first(client: Client, olga: Person) -> None:
    sign_in_long_ago(client, olga)
    answer = client.post(PAGE, {"action_primary": "", "email": HOME})
    assert answer["Location"].startswith("/accounts/reauthenticate/")
    assert not AddressChange.objects.exists()


def test_a_removed_address_is_told_and_so_is_the_primary_one(
    client: Client, olga: Person, mail_server: MailServer, worker: None
) -> None:
    sign_in(client, olga)
    client.post(PAGE, {"action_remove": "", "email": HOME})
    assert {mail["To"] for mail in mail_server.wait_for(2)} == {"olga@example.com", HOME}


def test_the_primary_address_is_told_of_an_added_one(
    client: Client, olga: Person, mail_server: MailServer, worker: None
) -> None:
    sign_in(client, olga)
    client.post(PAGE, {"action_add": "", "email": "olga@work.example"})
    client.post(link_in(mail_server.wait_for(1)[0], "confirm-email"))
    told = mail_server.wait_for(2)[1]
    assert (told["To"], told["Subject"]) == ("olga@example.com", "An e-mail address was added")


def test_a_further_address_is_confirmed_only_in_a_session_of_its_account(
    client: Client, olga: Person, stranger: Person, mail_server: MailServer, worker: None
) -> None:
    """Or else Mallory adds Ana's address, and her click on our mail brings him her Jobs."""
    sign_in(client, olga)
    client.post(PAGE, {"action_add": "", "email": "ana@work.example"})
    (mail,) = mail_server.wait_for(1)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "The account of olga@example.com wants to have ana@work.example" in body.get_content()
    link = link_in(mail, "confirm-email")
    somebody_else = Client()
    sign_in(somebody_else, stranger)
    for browser in (Client(), somebody_else):
        said = browser.post(link, follow=True).content.decode()
        assert "Sign in to the account of olga@example.com first" in said
        page = browser.get(link).content.decode()
        assert "The account of <strong>olga@example.com</strong> wants to have" in page
        assert 'class="button primary">Confirm' not in page
        assert f'href="/accounts/login/?next={quote(link)}"' in page
    assert not EmailAddress.objects.get(email="ana@work.example").verified
    assert 'class="button primary">Confirm' in client.get(link).content.decode()
    client.post(link)
    assert EmailAddress.objects.get(email="ana@work.example").verified


def test_the_first_mail_says_in_whose_name_the_account_was_made(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    form = {"name": "Mal Mallory", "email": "ana@example.com", "password1": "a new long password"}
    client.post("/accounts/signup/", form | {"time_zone": "UTC"})
    (mail,) = mail_server.wait_for(1)
    body = mail.get_body(("plain",))
    assert body is not None
    assert "An account for ana@example.com was made in the name of Mal Mallory." in (
        body.get_content().replace("\n", " ")
    )
    page = Client().get(link_in(mail, "confirm-email")).content.decode()
    assert "was made in the name of <strong>Mal Mallory</strong>" in page


def test_support_is_named_for_who_cannot_read_the_present_address(
    client: Client, olga: Person
) -> None:
    sign_in(client, olga)
    assert "write to support" in client.get(PAGE).content.decode()
