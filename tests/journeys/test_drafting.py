"""A Job is drafted: rows come and go, and only what fits the chosen payment is shown and sent."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from jobs.models import Job, Person
from tests.journeys.test_agreeing_on_terms import milestone
from workroom.models import Milestone

pytestmark = pytest.mark.django_db(transaction=True)

FIXED = "Fixed price, paid by Milestone through escrow"
HOURLY = "Hourly, with weekly timesheets and without escrow"


def begin(page: Page) -> None:
    page.goto("/jobs/new/")
    page.get_by_label("Title").fill("Website")
    page.get_by_label("Scope").fill("Pages")


def row(page: Page, place: int) -> Locator:
    return page.get_by_role("group", name=f"Milestone {place}", exact=True)


def saved_milestones() -> list[tuple[str, int]]:
    return list(Milestone.objects.order_by("position").values_list("title", "amount_minor"))


@pytest.mark.parametrize("javascript", [True, False])
def test_rows_are_added_moved_and_removed(
    open_browser: Callable[..., Page], client_person: Person, javascript: bool
) -> None:
    page = open_browser(client_person, java_script_enabled=javascript)
    begin(page)
    milestone(page, 1, "Design", "500")
    for place, title in ((2, "Slip"), (3, "Deposit")):
        page.get_by_role("button", name="Add another Milestone").click()
        milestone(page, place, title, "100")
    row(page, 2).get_by_label("Remove").check()
    row(page, 3).get_by_label("Place").fill("1")

    page.get_by_role("button", name="Add another Milestone").click()
    expect(page.get_by_role("group", name=re.compile(r"^Milestone \d"))).to_have_count(3)
    expect(row(page, 2).get_by_label("Milestone", exact=True)).to_have_value("Deposit")
    page.get_by_role("button", name="Save draft").click()

    expect(page.get_by_role("status")).to_contain_text("The draft is saved.")
    assert saved_milestones() == [("Deposit", 100_00), ("Design", 500_00)]

    row(page, 1).get_by_label("Remove").check()
    page.get_by_role("button", name="Save draft").click()
    expect(row(page, 2)).to_have_count(0)
    assert saved_milestones() == [("Design", 500_00)]


def test_only_what_fits_the_payment_is_shown_and_sent(
    open_browser: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
    client_person: Person,
) -> None:
    page = open_browser(client_person)
    begin(page)
    rate, rows = page.get_by_label("Hourly rate"), page.get_by_role("group", name="Milestones")
    expect(rows).to_be_visible()
    expect(rate).to_be_hidden()
    milestone(page, 1, "Design", "500")

    page.get_by_label(HOURLY).check()
    expect(rows).to_be_hidden()
    expect(page.get_by_text("the Freelancer submits the hours of each week")).to_be_visible()
    expect(page.get_by_text("you fund the first Milestone")).to_be_hidden()
    rate.fill("40")
    check_accessibility(page)
    photograph(page, "draft-hourly")

    # Back and forth: what was typed is still there, and only what is seen is sent.
    page.get_by_label(FIXED).check()
    expect(row(page, 1).get_by_label("Milestone", exact=True)).to_have_value("Design")
    expect(rate).to_be_hidden()
    page.get_by_label(HOURLY).check()
    expect(rate).to_have_value("40")
    page.get_by_role("button", name="Save draft").click()

    expect(page.get_by_role("status")).to_contain_text("The draft is saved.")
    expect(page.get_by_label("Hourly rate")).to_have_value("40.00")
    expect(page.get_by_role("group", name="Milestones")).to_be_hidden()
    job = Job.objects.get()
    assert (job.kind, job.hourly_rate_minor, saved_milestones()) == ("hourly", 40_00, [])


def test_a_page_with_errors_shows_what_fits_the_payment(
    open_browser: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
    client_person: Person,
) -> None:
    page = open_browser(client_person)
    page.goto("/jobs/new/")
    milestone(page, 1, "Design", "a lot")
    page.get_by_label("End").fill("1999-12-31")
    page.get_by_role("button", name="Save draft").click()
    for message in ("Title: This field is required.", "Milestone 1, Amount:", "End: Dates can lie"):
        expect(page.get_by_role("link", name=message)).to_be_visible()
    check_accessibility(page)
    photograph(page, "draft-refused")

    page.get_by_label(HOURLY).check()
    page.get_by_label("Title").fill("Website")
    page.get_by_label("Scope").fill("Pages")
    page.get_by_label("End").fill("")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("link", name="An hourly Job needs an hourly rate.")).to_be_visible()
    expect(page.get_by_role("group", name="Milestones")).to_be_hidden()
    page.get_by_label("Hourly rate").fill("40")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("status")).to_contain_text("The draft is saved.")


def test_without_javascript_all_is_shown_and_a_contradiction_is_said(
    open_browser: Callable[..., Page], client_person: Person
) -> None:
    page = open_browser(client_person, java_script_enabled=False)
    begin(page)
    expect(page.get_by_label("Hourly rate")).to_be_visible()
    milestone(page, 1, "Design", "500")
    page.get_by_label(HOURLY).check()
    page.get_by_role("button", name="Save draft").click()

    summaries = page.get_by_role("alert")
    expect(summaries.filter(has_text="An hourly Job needs an hourly rate.")).to_be_visible()
    expect(summaries.filter(has_text="An hourly Job has no Milestones")).to_be_visible()
    milestone(page, 1, "", "")
    page.get_by_label("Hourly rate").fill("40")
    page.get_by_role("button", name="Save draft").click()
    expect(page.get_by_role("status")).to_contain_text("The draft is saved.")
    assert saved_milestones() == []
