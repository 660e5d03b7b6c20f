"""Second factors, passkeys, sessions and the end of an account, in a real browser under the strict policy."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.core.cache import cache
from django.test import Client
from playwright.sync_api import Page, expect

from escrow_site.lib import timing
from jobs.models import Person
from tests.factories import PASSWORD
from tests.mail_server import MailServer, link_in
from tests.scenarios import fund, running_job
from tests.signing_in import code_now, sign_in_long_ago
from workroom.demo import people as demo

pytestmark = pytest.mark.django_db(transaction=True)

Check = Callable[[Page], None]
Photograph = Callable[[Page, str], None]


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


def give_authenticator(page: Page) -> None:
    """A telephone with a fingerprint, as Chromium pretends one (CDP WebAuthn)."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
        "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def sign_in(page: Page, email: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_a_passkey_is_added_and_signs_in_by_itself(
    page: Page,
    client_person: Person,
    mail_server: MailServer,
    worker: None,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    give_authenticator(page)
    sign_in(page, client_person.email)
    page.goto("/profile/")
    page.get_by_role("link", name="everything about security").click()
    check_accessibility(page)
    photograph(page, "security-empty")
    page.get_by_role("link", name="Add a passkey").click()
    check_accessibility(page)
    photograph(page, "passkey-add")
    page.get_by_label("Name").fill("Blue telephone")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    check_accessibility(page)
    photograph(page, "recovery-codes")
    page.goto("/profile/security/")
    expect(page.get_by_role("heading", name="Blue telephone")).to_be_visible()
    expect(page.get_by_text("Signs you in by itself.")).to_be_visible()
    photograph(page, "security")
    (mail,) = mail_server.wait_for(1)
    assert (mail["To"], mail["Subject"]) == (client_person.email, "A passkey was added")

    page.locator("summary").filter(has_text=client_person.name).click()
    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/")
    check_accessibility(page)
    photograph(page, "sign-in")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My Jobs")

    page.goto("/profile/security/")
    page.get_by_role("link", name="Rename Blue telephone").click()
    photograph(page, "passkey-rename")
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Remove Blue telephone").click()
    photograph(page, "passkey-remove")
    page.get_by_role("button", name="Remove it").click()
    expect(page.get_by_text("The passkey is removed.")).to_be_visible()
    assert not Authenticator.objects.exists()


def test_a_passkey_after_the_password_and_before_money(
    page: Page, client_person: Person, freelancer: Person, photograph: Photograph
) -> None:
    """It is the second factor, and releases money; what was clicked is carried out afterwards."""
    job = running_job(client_person, freelancer, at=timing.now())
    fund(job, 1, at=timing.now())
    give_authenticator(page)
    sign_in(page, client_person.email)
    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_role("button", name="Add the passkey").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Recovery codes")
    page.context.clear_cookies()
    sign_in(page, client_person.email)
    expect(page.get_by_role("heading", level=1)).to_have_text("Second factor")
    photograph(page, "second-factor")
    page.get_by_role("button", name="Use a passkey instead").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My Jobs")

    grow_old(page, client_person)
    page.goto(f"/billing/jobs/{job.pk}/release/?escrow=1")
    page.get_by_role("button", name=re.compile("^Release")).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Confirm that it is you")
    photograph(page, "confirm-that-it-is-you")
    page.get_by_role("link", name="Use a passkey").click()
    photograph(page, "confirm-with-a-passkey")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_text("Released. Frank Freelancer has been told.")).to_be_visible()


def grow_old(page: Page, person: Person) -> None:
    """The window is a session whose password was given long ago."""
    browser = Client()
    sign_in_long_ago(browser, person)
    name = settings.SESSION_COOKIE_NAME
    url = page.url.split("/jobs/")[0]
    page.context.add_cookies([{"name": name, "value": browser.cookies[name].value, "url": url}])


def test_an_agent_is_led_to_a_second_factor_and_back(
    page: Page,
    agent: Person,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    sign_in(page, agent.email)
    expect(page.get_by_text("Support agents need a second factor.")).to_be_visible()
    check_accessibility(page)
    photograph(page, "security-of-an-agent")
    page.get_by_role("link", name="Set up an authenticator app").click()
    check_accessibility(page)
    photograph(page, "authenticator-app")
    page.get_by_text("It cannot be scanned").click()
    secret = page.locator("code.secret").inner_text()
    page.get_by_label("Code").fill(code_now(secret=secret))
    page.get_by_role("button", name="Turn it on").click()
    page.get_by_role("link", name="I have them. Go on").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Support desk")
    page.goto("/accounts/2fa/totp/deactivate/")
    expect(page.get_by_text("Add another one first")).to_be_visible()
    photograph(page, "authenticator-app-stays")


def test_codes_of_the_demo(page: Page, check_accessibility: Check, photograph: Photograph) -> None:
    """The page that asks leads to the page that shows."""
    person = demo.make_senior()
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(person.email)
    page.get_by_label("Password", exact=True).fill(demo.PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    with page.expect_popup() as popup:
        page.get_by_role("link", name="on a page of their own").click()
    codes = popup.value
    check_accessibility(codes)
    photograph(codes, "local-codes")
    page.get_by_label("Code").fill(codes.locator("code.secret").inner_text())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Support desk")


def test_sessions_addresses_and_the_end(
    open_browser: Callable[..., Page],
    live_server: Any,
    client_person: Person,
    freelancer: Person,
    mail_server: MailServer,
    worker: None,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    EmailAddress.objects.create(user=client_person, email="clara@home.example", verified=True)
    page, other = open_browser(), open_browser()
    for each in (page, other):
        sign_in(each, client_person.email)
        expect(each.get_by_role("heading", level=1)).to_have_text("My Jobs")
    page.goto("/accounts/sessions/")
    check_accessibility(page)
    photograph(page, "sessions")
    page.get_by_role("button", name=re.compile("^Sign out ?:")).click()
    expect(page.get_by_text("That browser is signed out.")).to_be_visible()
    other.goto("/jobs/")
    expect(other.get_by_role("heading", level=1)).to_have_text("Sign in")

    page.goto("/accounts/email/")
    page.get_by_role("button", name=re.compile("^Make primary ?: clara@home.example")).click()
    expect(page.get_by_text("becomes the primary address once")).to_be_visible()
    check_accessibility(page)
    photograph(page, "e-mail-addresses")
    (mail,) = mail_server.wait_for(1)
    other.goto(link_in(mail, "/profile/security/address/"))
    check_accessibility(other)
    photograph(other, "agree-to-address")
    other.get_by_role("button", name="Make it the primary address").click()
    expect(other.get_by_text("clara@home.example is the primary address now.")).to_be_visible()

    running = running_job(client_person, freelancer, at=timing.now())
    page.goto("/profile/close/")
    check_accessibility(page)
    photograph(page, "close-account-refused")
    expect(page.get_by_text("is active. Complete it, or cancel it together.")).to_be_visible()
    assert running.is_running


def test_closing(
    open_browser: Callable[..., Page],
    stranger: Person,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    page = open_browser(stranger)
    page.goto("/profile/close/")
    check_accessibility(page)
    photograph(page, "close-account")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download my data").click()
    assert download.value.suggested_filename.startswith("my-data-")
    page.reload()
    page.get_by_label("Your e-mail address").fill("sam@example.com")
    page.get_by_role("button", name="Close my account for good").click()
    expect(page.get_by_text("Your account is closed.")).to_be_visible()


def test_too_often(page: Page, console: list[str], photograph: Photograph) -> None:
    page.goto("/accounts/password/reset/")
    for _ in range(6):
        page.goto("/accounts/password/reset/")
        page.get_by_label("E-mail address").fill("nobody@example.com")
        page.get_by_role("button").last.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("That was tried too often just now")
    photograph(page, "too-often")
    assert [line.split(":")[0] for line in console] == ["error"]
    console.clear()
