"""What the page that asks for the password says will be done, and what becomes of it otherwise."""

from collections.abc import Iterator

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from jobs.models import Job, Person
from tests.billing.dispute_steps import NOON
from tests.factories import PASSWORD
from tests.signing_in import sign_in_long_ago
from tests.workroom.reauthentication_steps import IBAN, paid_job, pay_out
from tests.world import world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return paid_job(client_person, freelancer)


def test_the_page_says_what_is_carried_out(job: Job, client: Client) -> None:
    """Whoever sat there before left a payout to his own account waiting."""
    person, url, form = pay_out(job)
    sign_in_long_ago(client, person)
    page = client.get(client.post(url, form)["Location"]).content.decode()
    for said in ("<strong>Pay out</strong>", "<dd>10.00</dd>", "<dd>USD</dd>", f"<dd>{IBAN}</dd>"):
        assert said in page
    assert "Do not do it" in page


def test_what_waits_can_be_dropped(job: Job, client: Client) -> None:
    person, url, form = pay_out(job)
    sign_in_long_ago(client, person)
    asked = client.post(url, form, headers={"Referer": f"http://testserver{url}"})["Location"]
    before = world()
    dropped = client.post(asked, {"drop": "1"}, follow=True)
    assert dropped.redirect_chain[0] == (url, 302)
    assert "Nothing was done" in dropped.content.decode()
    client.post(asked, {"password": PASSWORD})
    assert world() == before


@pytest.mark.parametrize("referer", ["https://evil.example/x", "http://testserver//evil.example"])
def test_nobody_is_led_away_by_dropping(referer: str, job: Job, client: Client) -> None:
    person, url, form = pay_out(job)
    sign_in_long_ago(client, person)
    asked = client.post(url, form, headers={"Referer": referer})["Location"]
    assert client.post(asked, {"drop": "1"})["Location"] == "/"


@pytest.mark.parametrize(("seconds", "is_done"), [(590, True), (610, False)])
def test_what_waits_is_dropped_after_ten_minutes(
    seconds: int, is_done: bool, job: Job, client: Client
) -> None:
    person, url, form = pay_out(job)
    sign_in_long_ago(client, person)
    asked = client.post(url, form)["Location"]
    before = world()
    with time_machine.travel(NOON.timestamp() + seconds, tick=False):
        client.post(asked, {"password": PASSWORD})
        assert (world() != before) is is_done
        client.post(asked, {"password": PASSWORD})
        assert (world() != before) is is_done


def test_a_page_confirms_no_other_click_than_the_one_it_says(job: Job, client: Client) -> None:
    person, url, form = pay_out(job)
    sign_in_long_ago(client, person)
    shown = client.post(url, form)["Location"]
    client.post(url, form | {"destination": "GB82 WEST 1234 5698 7654 32"})
    before = world()
    client.post(shown, {"password": PASSWORD})
    assert world() == before


def test_a_click_on_another_page_of_the_account_is_not_kept(job: Job, client: Client) -> None:
    """allauth keeps it without saying so."""
    sign_in_long_ago(client, job.client)
    form = {"action_add": "", "email": "stranger@example.com"}
    asked = client.post("/accounts/email/", form)["Location"]
    assert asked.startswith("/accounts/reauthenticate/")
    assert client.post(asked, {"password": PASSWORD})["Location"] == "/accounts/email/"
    assert not EmailAddress.objects.filter(email="stranger@example.com").exists()
