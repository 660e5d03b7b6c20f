"""Status Reports in a browser: the two ways of the article, with and without JavaScript (R4)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from billing.models import ReleaseRequest
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.scenarios import fund, running_job
from workroom.models import StatusReport
from workroom.services import reports, timesheets
from workroom.services.reports import Line
from workroom.services.timesheets import Entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Three Milestones: two Funded, the third not."""
    job = running_job(
        client_person, freelancer, amounts_minor=[500_00, 1_000_00, 250_00], at=timing.now()
    )
    fund(job, 1, 2, at=timing.now())
    return job


def submit(page: Page) -> None:
    page.get_by_role("main").get_by_role("button", name="Submit", exact=True).click()


def percent(page: Page, number: int) -> Any:
    return page.locator(f"#id_m{number}-percent")


def add_to_billing(page: Page, number: int) -> Any:
    return page.locator(f"#id_m{number}-bill")


def total(page: Page) -> Any:
    return page.locator("#billing tfoot td").first


def test_send_invoice_as_the_article_says(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    page = open_browser(freelancer)
    page.goto("/jobs/")
    page.get_by_text("Manage").click()
    page.get_by_role("link", name="Send Invoice").click()
    page.get_by_label("Website").check()
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_role("link", name="Request Release of Milestone 2").click()
    expect(percent(page, 2)).to_have_value("100")
    expect(add_to_billing(page, 2)).to_be_checked()
    expect(total(page)).to_have_text("$1,000.00")
    page.get_by_label("Comments").fill("Please look at the footer.")
    submit(page)
    expect(page.get_by_text("Release requested: “Milestone 2”.")).to_be_visible()
    request = ReleaseRequest.objects.get()
    assert (request.escrow.number, request.comments) == (2, "Please look at the footer.")


def test_the_box_ticks_itself_and_the_billing_section_follows(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    page = open_browser(freelancer)
    page.goto(reverse("workroom:create_report", args=[job.pk]))
    expect(add_to_billing(page, 1)).to_be_disabled()
    expect(page.get_by_text("Nothing is billed with this report.")).to_be_visible()
    percent(page, 1).fill("100")
    expect(add_to_billing(page, 1)).to_be_checked()
    expect(total(page)).to_have_text("$500.00")
    percent(page, 2).fill("100")
    expect(total(page)).to_have_text("$1,500.00")
    expect(page.locator("[data-total='2']")).to_have_text("$1,368.75")
    add_to_billing(page, 1).uncheck()
    expect(total(page)).to_have_text("$1,000.00")
    percent(page, 2).fill("99")
    expect(add_to_billing(page, 2)).not_to_be_checked()
    expect(page.get_by_text("Nothing is billed with this report.")).to_be_visible()
    percent(page, 2).fill("100")
    percent(page, 3).fill("100")
    submit(page)
    expect(page.get_by_text("Release requested: “Milestone 2”.")).to_be_visible()
    assert [request.escrow.number for request in ReleaseRequest.objects.all()] == [2]
    lines = StatusReport.objects.get().lines.order_by("escrow__number")
    assert [line.percent for line in lines] == [100, 100, 100]


def test_the_box_does_not_tick_itself_where_nothing_rises(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    """It was reported complete before and not billed: offered unticked (R4.4)."""
    lines = [Line(number=1, percent=100)]
    reports.submit_report(job, by=freelancer, lines=lines, at=timing.now() - 14 * timing.DAY)
    page = open_browser(freelancer)
    page.goto(reverse("workroom:create_report", args=[job.pk]))
    expect(add_to_billing(page, 1)).not_to_be_checked()
    percent(page, 1).fill("90")
    percent(page, 1).fill("100")
    expect(add_to_billing(page, 1)).not_to_be_checked()
    expect(add_to_billing(page, 1)).to_be_enabled()


def test_without_scripts_the_page_asks_before_it_bills(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    page = open_browser(freelancer, java_script_enabled=False)
    page.goto(reverse("workroom:create_report", args=[job.pk]))
    percent(page, 1).fill("100")
    page.get_by_label("Comments").fill("All done.")
    submit(page)
    expect(page.get_by_text("Added to Billing – not sent yet")).to_be_visible()
    expect(add_to_billing(page, 1)).to_be_checked()
    expect(total(page)).to_have_text("$500.00")
    assert StatusReport.objects.count() == 0
    add_to_billing(page, 1).uncheck()
    page.get_by_role("button", name="Update the billing section").click()
    expect(page.get_by_text("Nothing is billed with this report.")).to_be_visible()
    add_to_billing(page, 1).check()
    submit(page)
    expect(page.get_by_text("Release requested: “Milestone 1”.")).to_be_visible()
    assert ReleaseRequest.objects.get().comments == "All done."


def test_every_page_is_accessible(
    open_browser: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    job: Job,
    client_person: Person,
    freelancer: Person,
) -> None:
    at = timing.now()
    hours = [Entry(worked_on=at.date(), minutes=450)]
    monday = reports.current_week(freelancer, at=at)
    sheet = timesheets.submit_timesheet(
        job, by=freelancer, week_starts_on=monday, entries=hours, at=at
    )
    lines = [Line(number=1, percent=100, bill=True), Line(number=2, percent=40, comment="Slow.")]
    report = reports.submit_report(job, by=freelancer, lines=lines, comments="A week.", at=at)
    page = open_browser(freelancer)
    for url in (
        reverse("workroom:reports", args=[job.pk]),
        reverse("workroom:create_report", args=[job.pk]) + "?bill=2",
        reverse("workroom:send_invoice"),
        reverse("workroom:send_invoice_job", args=[job.pk]),
        reverse("workroom:create_timesheet", args=[job.pk]),
        reverse("workroom:timesheets", args=[job.pk]),
    ):
        page.goto(url)
        check_accessibility(page)
    page = open_browser(client_person)
    for url in (
        reverse("workroom:report", args=[job.pk, report.pk]),
        reverse("workroom:timesheet", args=[job.pk, sheet.pk]),
    ):
        page.goto(url)
        check_accessibility(page)
