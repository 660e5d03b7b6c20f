"""Second factors, sessions and the Security page, over HTTP."""

import time
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from escrow_site.lib import browsers
from jobs.models import Person
from tests.factories import PASSWORD, PersonFactory
from tests.signing_in import (
    SECRET,
    code_now,
    give_second_factor,
    sign_in,
    sign_in_long_ago,
)

pytestmark = pytest.mark.django_db

SECURITY = "/profile/security/"
LOGIN = "/accounts/login/"
CODE = "/accounts/2fa/authenticate/"
TOTP = "/accounts/2fa/totp/"


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


def give_password(client: Client, person: Person, **more: str) -> Any:
    return client.post(LOGIN, {"login": person.email, "password": PASSWORD, **more})


def is_signed_in(client: Client) -> bool:
    return client.get("/profile/").status_code == 200


def set_up(client: Client) -> Any:
    """An authenticator app, as the page shows it."""
    secret = client.get(f"{TOTP}activate/").context["form"].secret
    return client.post(f"{TOTP}activate/", {"code": code_now(secret=secret)})


# --- Second factors ---


def test_an_app_is_set_up_and_asked_for_from_then_on(client: Client, client_person: Person) -> None:
    sign_in(client, client_person)
    page = client.get(f"{TOTP}activate/").content.decode()
    assert "<svg" in page
    assert "data:image" not in page
    mistyped = client.post(f"{TOTP}activate/", {"code": "000000"})
    assert "This code is not correct. Check what you typed" in mistyped.content.decode()
    assert set_up(client)["Location"] == "/accounts/2fa/recovery-codes/"
    app = Authenticator.objects.get(user=client_person, type="totp")
    stored = app.data["secret"]
    assert stored.startswith("gAAAA")  # encrypted
    other = Client()
    assert give_password(other, client_person)["Location"] == CODE
    assert not is_signed_in(other)


def test_sign_in_takes_a_code_once(client: Client, client_person: Person) -> None:
    give_second_factor(client_person)
    give_password(client, client_person)
    code = code_now()
    assert client.post(CODE, {"code": code})["Location"] == "/jobs/"
    assert is_signed_in(client)
    other = Client()
    give_password(other, client_person)
    assert "This code is not correct" in other.post(CODE, {"code": code}).content.decode()
    assert not is_signed_in(other)


def test_a_code_counts_once_for_as_long_as_it_is_valid(client: Client, agent: Person) -> None:
    """Also once allauth's own memory of 30 seconds, or the cache, has lost it."""
    give_second_factor(agent)
    give_password(client, agent)
    code = code_now()
    assert client.post(CODE, {"code": code}).status_code == 302
    other = Client()
    give_password(other, agent)
    cache.clear()
    for typed in (code, f"{code[:3]} {code[3:]}"):
        assert "This code is not correct" in other.post(CODE, {"code": typed}).content.decode()
    again = client.post("/accounts/2fa/reauthenticate/", {"code": code})
    assert "This code is not correct" in again.content.decode()


def test_the_clock_of_the_product_moves_no_codes(
    client: Client, client_person: Person, settings: Any, tmp_path: Any
) -> None:
    settings.CLOCK_OFFSET_FILE = tmp_path / "clock"
    settings.CLOCK_OFFSET_FILE.write_text(str(30 * 24 * 3600))
    give_second_factor(client_person)
    give_password(client, client_person)
    assert client.post(CODE, {"code": code_now()})["Location"] == "/jobs/"


def test_a_recovery_code_lets_in_once(client: Client, client_person: Person) -> None:
    give_second_factor(client_person)
    code = RecoveryCodes.activate(client_person).get_unused_codes()[0]
    for expected in (302, 200):
        browser = Client()
        give_password(browser, client_person)
        assert browser.post(CODE, {"code": code}).status_code == expected


def test_wrong_codes_are_counted_without_the_cache_too(
    client: Client, client_person: Person
) -> None:
    give_second_factor(client_person)
    give_password(client, client_person)
    for _ in range(20):
        cache.clear()  # as if its server were away
        assert "This code is not correct" in client.post(CODE, {"code": "1"}).content.decode()
    cache.clear()
    assert "Too many wrong attempts" in client.post(CODE, {"code": code_now()}).content.decode()


def test_recovery_codes_are_shown_and_downloaded_to_who_has_shown_who_he_is(
    client: Client, client_person: Person
) -> None:
    give_second_factor(client_person)
    codes = RecoveryCodes.activate(client_person).get_unused_codes()
    sign_in(client, client_person)
    assert codes[0] in client.get("/accounts/2fa/recovery-codes/").content.decode()
    assert codes[9] in client.get("/accounts/2fa/recovery-codes/download/").content.decode()
    old = Client()
    sign_in_long_ago(old, client_person)
    for page in ("", "download/", "generate/"):
        answer = old.get(f"/accounts/2fa/recovery-codes/{page}")
        assert answer["Location"].startswith("/accounts/reauthenticate/")


def test_a_client_may_do_without_again(client: Client, client_person: Person) -> None:
    sign_in(client, client_person)
    set_up(client)
    client.post(f"{TOTP}deactivate/")
    assert not Authenticator.objects.filter(user=client_person).exists()


# --- Support agents ---


def agent_without() -> Person:
    return PersonFactory(name="Nora New", email="nora@example.com", is_staff=True)


def test_an_agent_without_one_sees_nothing_but_how_to_get_one(client: Client) -> None:
    person = agent_without()
    person.is_superuser = True
    person.save()
    give_password(client, person)
    wanted = reverse("admin:jobs_person_changelist")
    for url in (wanted, "/jobs/", reverse("admin:index"), "/profile/", "/files/x/"):
        assert client.get(url)["Location"] == SECURITY
    assert client.post(wanted)["Location"] == SECURITY
    client.get(wanted)
    assert "Support agents need a second factor" in client.get(SECURITY).content.decode()
    page = client.get(set_up(client)["Location"]).content.decode()
    assert f'href="{wanted}">I have them. Go on' in page
    assert client.get(wanted).status_code == 200


def test_the_last_one_stays_with_an_agent(client: Client, agent: Person) -> None:
    sign_in(client, agent)
    assert "Add another one first" in client.get(f"{TOTP}deactivate/").content.decode()
    client.post(f"{TOTP}deactivate/")
    assert Authenticator.objects.filter(user=agent, type="totp").exists()
    passkey = Authenticator.objects.create(user=agent, type="webauthn", data={"name": "Key"})
    client.post(f"{TOTP}deactivate/")
    assert not Authenticator.objects.filter(user=agent, type="totp").exists()
    answer = client.post(f"/accounts/2fa/webauthn/keys/{passkey.pk}/remove/")
    assert answer.status_code == 302
    assert Authenticator.objects.filter(pk=passkey.pk).exists()


@pytest.mark.parametrize("became_one_later", [False, True])
def test_an_agent_signs_in_once_a_working_day(
    client: Client, agent: Person, became_one_later: bool
) -> None:
    """Whatever he ticked, and with a session that is older than his post too."""
    Person.objects.filter(pk=agent.pk).update(is_staff=not became_one_later)
    give_second_factor(agent)
    give_password(client, agent, remember="on")
    assert client.post(CODE, {"code": code_now()}).status_code == 302
    Person.objects.filter(pk=agent.pk).update(is_staff=True)
    desk, now = reverse("admin:index"), time.time()
    with time_machine.travel(now + 12 * 3600 - 60, tick=False):
        assert client.get(desk).status_code == 200
    with time_machine.travel(now + 12 * 3600 + 60, tick=False):
        assert client.get(desk)["Location"] == f"/accounts/login/?next={desk}"
    assert not is_signed_in(client)


def test_the_first_factor_was_set_up_in_a_session_of_two_weeks(client: Client) -> None:
    give_password(client, agent_without(), remember="on")
    set_up(client)
    with time_machine.travel(time.time() + 12 * 3600 + 60, tick=False):
        assert client.post(SECURITY)["Location"] == LOGIN


def test_who_has_lost_everything_begins_anew(client: Client, agent: Person) -> None:
    give_second_factor(agent)
    give_password(client, agent)
    client.post(CODE, {"code": code_now()})
    call_command("remove_second_factors", agent.email)
    assert not is_signed_in(client)
    give_password(client, agent)
    assert client.get(reverse("admin:index"))["Location"] == SECURITY
    with pytest.raises(CommandError):
        call_command("remove_second_factors", "nobody@example.com")


def test_codes_of_the_demo_stand_on_a_page_of_this_machine_only(
    client: Client, agent: Person, client_person: Person
) -> None:
    give_second_factor(client_person)  # with another secret than the demo's
    assert "No demo agents here" in client.get("/local/codes/").content.decode()
    assert SECRET not in client.get("/local/codes/").content.decode()


# --- Sessions ---


def test_signing_in_rotates_the_session_and_lasts_as_long_as_was_asked_for(
    client: Client, client_person: Person
) -> None:
    client.get("/accounts/2fa/webauthn/login/", headers={"accept": "application/json"})
    before = client.session.session_key
    assert before
    give_password(client, client_person, remember="on")
    assert client.session.session_key != before
    assert client.session.get_expiry_age() == timedelta(days=14).total_seconds()
    brief = Client()
    give_password(brief, client_person)
    assert brief.session.get_expire_at_browser_close()


def test_one_session_is_ended_and_all_others(client: Client, client_person: Person) -> None:
    browsers_ = [Client(headers={"user-agent": name}) for name in ("", "x Firefox/130.0 Linux", "")]
    for browser in browsers_:
        give_password(browser, client_person)
    here, there, elsewhere = browsers_
    page = here.get("/accounts/sessions/").content.decode()
    assert "Firefox on Linux" in page
    key = there.session.session_key
    ended = UserSession.objects.get(session_key=key)
    here.post(reverse("jobs:end_session", args=[ended.pk]))
    assert [is_signed_in(one) for one in browsers_] == [True, False, True]
    here.post("/accounts/sessions/")
    assert [is_signed_in(one) for one in browsers_] == [True, False, False]
    assert elsewhere.get(SECURITY).status_code == 302


def test_somebody_elses_session_does_not_exist(
    client: Client, client_person: Person, stranger: Person
) -> None:
    theirs = Client()
    give_password(theirs, client_person)
    sign_in(client, stranger)
    session = UserSession.objects.get(user=client_person)
    assert client.post(reverse("jobs:end_session", args=[session.pk])).status_code == 404
    assert is_signed_in(theirs)


def test_a_changed_password_ends_the_other_sessions(client_person: Person) -> None:
    here, there = Client(), Client()
    for browser in (here, there):
        give_password(browser, client_person)
    new = "an entirely new password"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    assert here.post("/accounts/password/change/", form).status_code == 302
    assert [is_signed_in(here), is_signed_in(there)] == [True, False]


def test_cookies_are_for_this_site_and_no_script(client: Client, client_person: Person) -> None:
    cookie = give_password(client, client_person).cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit Chrome/130.0 Safari/537.36 Edg/130.0",
         "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1",
         "Safari on iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko Firefox/130.0", "Firefox on Linux"),
        ("curl/8", "Another program"),
        ("", "Another program"),
    ],
)  # fmt: skip
def test_browsers_in_words(says: str, words: str) -> None:
    assert browsers.in_words(says) == words
