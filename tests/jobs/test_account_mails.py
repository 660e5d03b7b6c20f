"""What the mails about an account say: when in the reader's zone, from where, with which browser."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.core.cache import cache
from django.test import Client

from jobs.models import Person
from tests.factories import PASSWORD
from tests.mail_server import MailServer
from tests.signing_in import code_now, give_second_factor, sign_in, sign_in_long_ago

pytestmark = pytest.mark.django_db(transaction=True)

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


def enter(person: Person, code: str) -> None:
    browser = Client()
    browser.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert browser.post("/accounts/2fa/authenticate/", {"code": code}).status_code == 302


def test_a_sign_in_with_a_recovery_code_is_told_and_how_many_are_left(
    client_person: Person, mail_server: MailServer, no_broker: None
) -> None:
    give_second_factor(client_person)
    codes = RecoveryCodes.activate(client_person).get_unused_codes()
    enter(client_person, code_now())
    assert mail_server.mails == []
    enter(client_person, codes[0])
    (mail,) = mail_server.mails
    assert mail["To"] == client_person.email
    assert mail["Subject"] == "A recovery code of your account was used"
    text = mail.get_content()
    assert "was used to sign in. It does not work any more. You have 9 left." in text
    assert codes[0] not in text
    for code in codes[1:]:
        enter(client_person, code)
    assert "It was the last one: make new ones." in mail_server.mails[-1].get_content()


def test_a_recovery_code_before_something_delicate_is_told_too(
    client: Client, client_person: Person, mail_server: MailServer, no_broker: None
) -> None:
    give_second_factor(client_person)
    codes = RecoveryCodes.activate(client_person).get_unused_codes()
    sign_in_long_ago(client, client_person)
    answer = client.post("/accounts/2fa/reauthenticate/", {"code": codes[0]})
    assert answer.status_code == 302
    (mail,) = mail_server.mails
    assert "was used to confirm that it is you, while somebody was signed in." in mail.get_content()


def test_when_is_said_in_the_readers_zone_and_with_what_in_plain_words(
    client: Client, client_person: Person, mail_server: MailServer, no_broker: None
) -> None:
    client_person.time_zone = "Asia/Tokyo"
    client_person.save()
    sign_in(client, client_person)
    fields = {
        "oldpassword": PASSWORD,
        "password1": "a-new-long-passphrase",
        "password2": "a-new-long-passphrase",
    }
    client.post("/accounts/password/change/", fields, headers={"user-agent": FIREFOX})
    (mail,) = mail_server.mails
    text = mail.get_content()
    when = next(line for line in text.splitlines() if line.startswith("When: "))
    assert when.endswith(" JST")
    assert "." not in when
    assert "With: Firefox on Linux" in text
    assert "Mozilla" not in text
