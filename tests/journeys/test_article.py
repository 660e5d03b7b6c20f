"""The steps of the article, word by word, in a browser; then the Job to its Closing Statement."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from billing.models import ClosingStatement, Document, FundingRequest, ReleaseRequest
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.billing.steps import request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Two Milestones, the first Funded."""
    at = timing.now()
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00], at=at)
    fund(job, 1, at=at)
    return job


def manage(page: Page, item: str) -> None:
    """Mouse over the Manage tab in the top navigation bar and then select from the drop down list."""
    page.get_by_role("navigation").get_by_text("Manage").hover()
    page.get_by_role("navigation").get_by_role("link", name=item, exact=True).click()


def submit(page: Page) -> None:
    """Click the green Submit button."""
    page.get_by_role("main").get_by_role("button", name="Submit", exact=True).click()


def test_request_release_by_send_invoice(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    page = open_browser(freelancer)
    page.goto("/")
    manage(page, "Billing")
    page.get_by_role("main").get_by_role("link", name="Send Invoice").click()
    page.get_by_label("Website").check()
    page.get_by_role("button", name="Next", exact=True).click()
    page.get_by_role("link", name="Request Release of Milestone 1").click()
    expect(page.get_by_role("heading", name="Status Report for")).to_be_visible()
    expect(page.locator("#id_m1-percent")).to_have_value("100")
    expect(page.locator("#billing")).to_contain_text("Milestone 1")
    page.get_by_label("Comments").fill("Done, please have a look.")
    submit(page)
    request = ReleaseRequest.objects.get()
    assert (request.escrow.number, request.comments) == (1, "Done, please have a look.")
    assert request.pro_forma.state == "issued"


def test_request_release_by_a_status_report(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    page = open_browser(freelancer)
    page.goto("/")
    page.get_by_role("navigation").get_by_role("link", name="My Jobs").click()
    row = page.get_by_role("row").filter(has_text="Website")
    row.get_by_text("Actions").click()
    row.get_by_role("link", name="Create Status Report").click()
    page.locator("#id_m1-percent").fill("100")
    page.locator("#id_m1-percent").blur()
    expect(page.locator("#id_m1-bill")).to_be_checked()
    expect(page.locator("#billing")).to_contain_text("$500.00")
    page.get_by_label("Comments").fill("All pages are there.")
    submit(page)
    assert ReleaseRequest.objects.get().escrow.number == 1
    assert job.status_reports.get().comments == "All pages are there."


def test_void_from_the_billing_list(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    request = request_release(job, at=timing.now())
    page = open_browser(freelancer)
    page.goto("/")
    manage(page, "Billing")
    page.get_by_role("row").filter(has_text=request.pro_forma.name).get_by_role(
        "link", name="View"
    ).click()
    void = page.get_by_role("main").get_by_role("link", name="Void")
    box = void.bounding_box()
    assert box is not None
    assert box["x"] > 1280 / 2, "the Void button is in the upper right corner"
    assert box["y"] < 300
    void.click()
    page.get_by_role("main").get_by_role("button", name="Void").click()
    expect(page.get_by_text("Voided").first).to_be_visible()
    request.refresh_from_db()
    assert (request.state, request.pro_forma.state) == ("voided", "void")


def test_request_fund_from_the_workroom(
    open_browser: Callable[..., Page], job: Job, freelancer: Person
) -> None:
    page = open_browser(freelancer)
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_role("link", name="Billing & Invoices").first.click()
    row = page.get_by_role("row").filter(has_text="Milestone 2")
    row.get_by_role("button", name="Request Fund").click()
    expect(row.get_by_text("Funding requested")).to_be_visible()
    request = FundingRequest.objects.get(escrow__number=2)
    assert request.requested_by == freelancer


def test_release_to_the_closing_statement(
    open_browser: Callable[..., Page], job: Job, client_person: Person, freelancer: Person
) -> None:
    """The Client sees what it comes to, releases, and both get invoice and Closing Statement."""
    fund(job, 2, at=timing.now())
    request_release(job, 1, at=timing.now())
    client = open_browser(client_person)
    client.goto(f"/jobs/{job.pk}/billing/")
    client.get_by_role("row").filter(has_text="Milestone 1").get_by_role(
        "link", name="Release", exact=False
    ).last.click()
    expect(client.get_by_role("main")).to_contain_text("$456.25")
    expect(client.get_by_role("main")).to_contain_text("$43.75")
    client.get_by_role("main").get_by_role("button", name="Release $500.00").click()
    expect(client.get_by_role("heading", name="Final invoice")).to_be_visible()

    client.goto(f"/billing/jobs/{job.pk}/release/?escrow=2")
    client.get_by_role("main").get_by_role("button", name="Release $1,000.00").click()
    expect(client.get_by_role("heading", name="Receipt")).to_be_visible()

    statement = ClosingStatement.objects.get(job=job)
    other = open_browser(freelancer)
    for page in (client, other):
        page.goto(f"/jobs/{job.pk}/billing/")
        page.get_by_role("row").filter(has_text=statement.name).get_by_role("link").first.click()
        expect(page.get_by_role("main")).to_contain_text("nformation only")
        expect(page.get_by_role("main")).to_contain_text("$1,368.75")
    assert Document.objects.count() == 2
