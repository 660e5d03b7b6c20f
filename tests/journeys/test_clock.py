"""A newcomer lets time pass with the bar on top of every page."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from escrow_site.lib import timing
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from tests import scenarios
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_clock(settings: Any, tmp_path: Path) -> None:
    settings.CLOCK_OFFSET_FILE = tmp_path / "clock"


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """A Job with a Release Request that the Client does not answer."""
    client_person.time_zone = "Europe/Berlin"
    client_person.save()
    at = timing.now()
    job = scenarios.running_job(client_person, freelancer, at=at)
    Job.objects.filter(pk=job.pk).update(last_milestone_on=date(at.year + 1, 12, 31))
    job.refresh_from_db()
    scenarios.fund(job, 1, at=at)
    request_release(job, at=at)
    return job


def test_day_15_and_day_30_come_true(
    job: Job,
    open_browser: Callable[..., Page],
    client_person: Person,
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
) -> None:
    page = open_browser(client_person)
    page.goto(f"/jobs/{job.pk}/activity/")
    bar = page.get_by_role("complementary", name="Local clock")
    expect(bar).to_contain_text("UTC")

    bar.get_by_role("button", name="+1 day").click()
    expect(page.get_by_role("status")).to_contain_text("1 day later: nothing fell due.")
    expect(bar).to_contain_text("1 day ahead")

    bar.get_by_role("button", name="to the next event").click()
    expect(page.get_by_role("status")).to_contain_text("14 days later")
    expect(page.get_by_role("status")).to_contain_text("Website")
    assert page.url.endswith(f"/jobs/{job.pk}/activity/")
    check_accessibility(page)
    photograph(page, "clock-day-15")

    bar.get_by_role("button", name="+15 days").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("15 days later")
    expect(page.get_by_role("status")).to_contain_text("Released $500.00 of “Milestone 1”")
    photograph(page, "clock-day-30")
    assert timing.now() >= job.drafted_at + 30 * DAY


def test_signed_out_and_in_print(
    page: Page,
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
) -> None:
    page.goto("/accounts/login/?next=/jobs/")
    bar = page.get_by_role("complementary", name="Local clock")

    bar.get_by_role("button", name="+15 days").click()

    expect(page.get_by_text("15 days later: nothing fell due.")).to_be_visible()
    expect(bar).to_contain_text("15 days ahead")
    assert page.url.endswith("/accounts/login/?next=/jobs/")
    check_accessibility(page)
    photograph(page, "clock-signed-out")
    page.emulate_media(media="print")
    expect(bar).to_be_hidden()
