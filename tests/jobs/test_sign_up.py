"""Accounts, over HTTP and with real mails: sign-up, confirmation, sign-in, password, addresses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.db import connections
from django.test import Client

from jobs.models import Person
from tests.factories import PASSWORD, PersonFactory
from tests.mail_server import MailServer, link_in
from tests.signing_in import HOUR, remember

pytestmark = pytest.mark.django_db(transaction=True)

SIGN_UP = "/accounts/signup/"
FORM = {
    "name": "Nora New",
    "email": "nora@example.com",
    "password1": PASSWORD,
    "time_zone": "Europe/Berlin",
}


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


def sign_in(client: Client, email: str, password: str = PASSWORD) -> Any:
    return client.post("/accounts/login/", {"login": email, "password": password})


def is_signed_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def confirm_that_it_is_you(client: Client, url: str, form: dict[str, str]) -> None:
    """Post a form that asks for the password first, give it, and post it again."""
    person = Person.objects.get(pk=client.session["_auth_user_id"])
    remember(client, person, seconds_ago=HOUR)
    asked = client.post(url, form)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert client.post(asked["Location"], {"password": PASSWORD}).status_code == 302
    assert client.post(url, form).status_code == 302


def confirm(client: Client, mail_server: MailServer, *, mails: int = 1) -> Any:
    """Follow the link of the newest mail and press the button there."""
    link = link_in(mail_server.wait_for(mails)[-1], "confirm-email")
    assert client.get(link).status_code == 200
    return client.post(link)


def test_sign_up_confirm_and_be_signed_in(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    page = client.get(SIGN_UP)
    assert list(page.context["form"].fields) == ["name", "email", "password1", "time_zone"]
    response = client.post(SIGN_UP, FORM)
    assert (response.status_code, response["Location"]) == (302, "/accounts/confirm-email/")
    assert not is_signed_in(client)
    (message,) = mail_server.wait_for(1)
    assert message["To"] == "nora@example.com"
    assert message["Auto-Submitted"] == "auto-generated"
    response = confirm(client, mail_server)
    assert (response.status_code, response["Location"]) == (302, "/jobs/")
    assert is_signed_in(client)
    nora = Person.objects.get(email="nora@example.com")
    assert (nora.name, nora.time_zone, nora.is_staff) == ("Nora New", "Europe/Berlin", False)
    assert list(EmailAddress.objects.values_list("email", "verified", "primary")) == [
        ("nora@example.com", True, True)
    ]


def test_the_link_works_in_another_browser_and_leads_to_sign_in(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    client.post(SIGN_UP, FORM)
    other = Client()
    response = confirm(other, mail_server)
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/")
    assert not is_signed_in(other)
    assert sign_in(other, "nora@example.com")["Location"] == "/jobs/"
    assert is_signed_in(other)


def test_the_link_works_once(client: Client, mail_server: MailServer, worker: None) -> None:
    client.post(SIGN_UP, FORM)
    confirm(client, mail_server)
    link = link_in(mail_server.mails[0], "confirm-email")
    assert "expired or was used before" in Client().get(link).content.decode()
    assert Client().post(link).status_code == 404


def test_nobody_signs_in_before_the_address_is_confirmed(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    client.post(SIGN_UP, FORM)
    mail_server.wait_for(1)
    other = Client()
    assert sign_in(other, "nora@example.com")["Location"] == "/accounts/confirm-email/"
    assert not is_signed_in(other)


def test_sign_up_does_not_tell_who_has_an_account(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    PersonFactory(email="olga@example.com")
    for_new = client.post(SIGN_UP, FORM)
    for_known = Client().post(SIGN_UP, FORM | {"email": "OLGA@example.com"})
    assert (for_new.status_code, for_new["Location"]) == (
        for_known.status_code,
        for_known["Location"],
    )
    assert set(for_new.cookies) == set(for_known.cookies)
    mails = {message["To"]: message for message in mail_server.wait_for(2)}
    assert set(mails) == {"nora@example.com", "olga@example.com"}
    body = mails["olga@example.com"].get_body(("plain",))
    assert body is not None
    assert "There is an account with this address already." in body.get_content()
    assert Person.objects.filter(email="olga@example.com").count() == 1
    assert Person.objects.get(email="olga@example.com").name != "Nora New"


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "n" * 121}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"email": ""}, "email"),
        ({"email": "nora"}, "email"),
        ({"email": "n" * 250 + "@example.com"}, "email"),
        ({"email": "no\x00ra@example.com"}, "email"),
        ({"time_zone": "Nowhere"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"password1": "12345678901"}, "password1"),
        ({"password1": "short"}, "password1"),
        ({"password1": ""}, "password1"),
    ],
)
def test_bad_input_is_explained_and_kept_on_the_page(
    client: Client, bad: dict[str, str], field: str
) -> None:
    response = client.post(SIGN_UP, FORM | bad)
    assert response.status_code == 200
    form = response.context["form"]
    assert list(form.errors) == [field]
    typed = {name: form[name].value() for name in FORM if name != "password1"}
    assert typed == {name: value for name, value in (FORM | bad).items() if name != "password1"}
    assert not Person.objects.exists()


def test_missing_fields_are_no_error_of_ours(client: Client) -> None:
    response = client.post(SIGN_UP, {})
    assert sorted(response.context["form"].errors) == ["email", "name", "password1", "time_zone"]


def test_the_browser_may_guess_the_time_zone_only_before_anything_was_sent(
    client: Client,
) -> None:
    assert 'data-guess="time-zone"' in client.get(SIGN_UP).content.decode()
    page = client.post(SIGN_UP, FORM | {"name": ""}).content.decode()
    assert "data-guess" not in page
    assert '<option value="Europe/Berlin" selected>' in page


@pytest.mark.race
def test_two_sign_ups_in_one_moment_make_one_account() -> None:
    together = threading.Barrier(4)

    def post() -> tuple[int, str]:
        try:
            together.wait()
            response = Client().post(SIGN_UP, FORM)
            return response.status_code, response["Location"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        answers = [posting.result() for posting in [pool.submit(post) for _ in range(4)]]
    assert answers == [(302, "/accounts/confirm-email/")] * 4
    assert Person.objects.count() == 1


def test_a_forgotten_password_is_replaced(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    PersonFactory(email="olga@example.com")
    response = client.post("/accounts/password/reset/", {"email": "olga@example.com"})
    assert response["Location"] == "/accounts/password/reset/done/"
    link = link_in(mail_server.wait_for(1)[0], "password/reset/key")
    form_url = client.get(link)["Location"]
    new = "an entirely new password"
    assert client.post(form_url, {"password1": new, "password2": new}).status_code == 302
    # She is told as well, in case it was not she.
    assert [message["To"] for message in mail_server.wait_for(2)] == ["olga@example.com"] * 2
    assert not is_signed_in(client)
    sign_in(client, "olga@example.com")
    assert not is_signed_in(client)
    sign_in(client, "olga@example.com", new)
    assert is_signed_in(client)
    assert "Location" not in Client().get(link)


def test_password_reset_does_not_tell_who_has_an_account(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    response = client.post("/accounts/password/reset/", {"email": "nobody@example.com"})
    assert response["Location"] == "/accounts/password/reset/done/"
    assert [message["To"] for message in mail_server.wait_for(1)] == ["nobody@example.com"]


def test_an_address_that_somebody_signed_up_with_is_not_taken_over(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    Client().post(SIGN_UP, FORM)
    mail_server.wait_for(1)
    cache.clear()
    olga = PersonFactory(email="olga@example.com")
    sign_in(client, "olga@example.com")
    added = {"action_add": "", "email": "nora@example.com"}
    confirm_that_it_is_you(client, "/accounts/email/", added)
    link = link_in(mail_server.wait_for(2)[-1], "confirm-email")
    response = client.post(link, follow=True)
    assert [str(message) for message in response.context["messages"]][-1] == (
        "nora@example.com is the address of another account. Sign in there, or reset its password."
    )
    assert not EmailAddress.objects.filter(user=olga, email="nora@example.com", verified=True)


def test_sign_up_works_while_the_mail_server_is_away_and_the_mail_comes_later(
    client: Client, mail_server: MailServer, worker: None
) -> None:
    mail_server.stop()
    assert client.post(SIGN_UP, FORM).status_code == 302
    mail_server.start()
    assert confirm(client, mail_server)["Location"] == "/jobs/"
    assert len(mail_server.mails) == 1


def test_without_a_broker_the_mail_is_sent_at_once(
    client: Client, mail_server: MailServer, no_broker: None
) -> None:
    assert client.post(SIGN_UP, FORM).status_code == 302
    assert confirm(client, mail_server)["Location"] == "/jobs/"


def test_without_broker_and_mail_server_the_page_works_and_the_link_can_be_had_later(
    client: Client, mail_server: MailServer, no_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.stop()
    assert client.post(SIGN_UP, FORM)["Location"] == "/accounts/confirm-email/"
    assert "account_mail_not_sent" in caplog.messages
    mail_server.start()
    cache.clear()
    assert sign_in(client, "nora@example.com")["Location"] == "/accounts/confirm-email/"
    assert confirm(client, mail_server)["Location"] == "/jobs/"
