"""A person's own pages in the browser: sign-up, invitation, profile, notices."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from playwright.sync_api import Page, expect

from escrow_site.lib import timing
from jobs.models import Invitation, Job, Person
from jobs.services import activity
from tests.factories import PASSWORD
from tests.mail_server import MailServer, link_in
from tests.workroom.agreements import agreed, awarded
from workroom.notices import TERMS_DECLINED
from workroom.services import awards

pytestmark = pytest.mark.django_db(transaction=True)

Check = Callable[[Page], None]
Photograph = Callable[[Page, str], None]


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


def test_from_the_invitation_through_sign_up_to_the_job(
    open_browser: Callable[..., Page],
    client_person: Person,
    live_server: Any,
    mail_server: MailServer,
    worker: None,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    page = open_browser(timezone_id="Europe/Lisbon")
    awarded(client_person, "nora@example.com", at=timing.now())
    (invitation,) = mail_server.wait_for(1)
    page.goto(link_in(invitation, "/invitations/"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Clara Client invites you to a Job")
    check_accessibility(page)
    photograph(page, "invitation")

    page.get_by_role("link", name="Sign up").last.click()
    expect(page.get_by_label("E-mail address")).to_have_value("nora@example.com")
    # The browser's own time zone is offered.
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Lisbon")
    page.get_by_label("Name").fill("Nora New")
    page.get_by_label("Password").fill(PASSWORD)
    check_accessibility(page)
    photograph(page, "sign-up")
    page.get_by_role("button", name="Sign up").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    photograph(page, "check-your-mail")

    confirmation = next(
        mail for mail in mail_server.wait_for(2) if "Confirm" in str(mail["Subject"])
    )
    page.goto(link_in(confirmation, "confirm-email"))
    check_accessibility(page)
    page.get_by_role("button", name="Confirm").click()
    expect(page).to_have_url(f"{live_server.url}/jobs/{Job.objects.get().pk}/")
    nora = Person.objects.get(email="nora@example.com")
    assert (nora.name, nora.time_zone) == ("Nora New", "Europe/Lisbon")
    assert Job.objects.get().freelancer == nora


def test_the_profile(
    open_browser: Callable[..., Page],
    client_person: Person,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    page = open_browser(client_person)
    page.goto("/profile/")
    check_accessibility(page)
    page.get_by_label("Name").fill("Clara Client-Muster")
    page.get_by_label("Time zone").select_option(label="Berlin")
    page.get_by_label("Tax id").fill("DE123456789")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Your profile is saved.")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Berlin")
    photograph(page, "profile")
    client_person.refresh_from_db()
    assert (client_person.name, client_person.time_zone) == (
        "Clara Client-Muster",
        "Europe/Berlin",
    )


def test_notices_are_read_and_marked(
    open_browser: Callable[..., Page],
    client_person: Person,
    freelancer: Person,
    live_server: Any,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    page = open_browser(client_person)
    page.goto("/notices/")
    expect(page.get_by_role("heading", name="No notices yet")).to_be_visible()
    check_accessibility(page)
    job = agreed(client_person, freelancer)
    for version in range(2, 30):
        activity.record(job, TERMS_DECLINED, by=freelancer, at=timing.now(), version=version)
    page.goto("/notices/")
    expect(page.locator(".notices > li")).to_have_count(25)
    expect(page.locator(".bell-count")).to_contain_text("30")
    check_accessibility(page)
    photograph(page, "notices")

    page.get_by_role("link", name="Next page").click()
    page.get_by_role("link", name="Funding requested").click()
    expect(page).to_have_url(f"{live_server.url}/billing/jobs/{job.pk}/fund/")
    page.goto("/notices/")
    expect(page.locator(".bell-count")).to_contain_text("29")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("status")).to_contain_text("All notices are marked as read.")
    expect(page.locator(".bell-count")).to_have_count(0)
    page.get_by_role("link", name="Unread").click()
    expect(page.get_by_role("heading", name="You have read everything")).to_be_visible()


def test_an_invitation_seen_by_others(
    open_browser: Callable[..., Page],
    client_person: Person,
    stranger: Person,
    check_accessibility: Check,
    photograph: Photograph,
) -> None:
    job = awarded(client_person, "nora@example.com", at=timing.now())
    path = f"/invitations/{Invitation.objects.get().token}/"
    page = open_browser(stranger)
    page.goto(path)
    check_accessibility(page)
    photograph(page, "invitation-of-somebody-else")
    page.get_by_role("button", name="Sign out").last.click()
    expect(page.get_by_role("link", name="I have an account: sign in")).to_be_visible()
    awards.withdraw_award(job, by=client_person, at=timing.now())
    page.goto(path)
    expect(page.get_by_text("This invitation is over")).to_be_visible()
    check_accessibility(page)
    photograph(page, "invitation-over")
