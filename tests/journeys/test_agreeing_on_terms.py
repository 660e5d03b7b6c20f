"""From the first draft to agreed Terms: the Client drafts and awards, the Freelancer asks for a deposit."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from jobs.models import Person

pytestmark = pytest.mark.django_db(transaction=True)


def milestone(page: Page, place: int, title: str, amount: str) -> None:
    row = page.get_by_role("group", name=f"Milestone {place}", exact=True)
    row.get_by_label("Milestone", exact=True).fill(title)
    row.get_by_label("Amount").fill(amount)


def draft_and_award(page: Page, email: str, look: Callable[[Page, str], None]) -> None:
    page.goto("/jobs/")
    look(page, "my-jobs-empty")
    page.get_by_role("link", name="Draft a Job").click()
    page.get_by_label("Title").fill("Website")
    page.get_by_label("Scope").fill("A website\nin two languages")
    milestone(page, 1, "Design", "500")
    page.get_by_role("button", name="Add another Milestone").click()
    expect(page.get_by_label("Title")).to_have_value("Website")
    milestone(page, 2, "Build", "1,000.00")
    look(page, "draft")
    page.get_by_role("button", name="Save and continue").click()
    expect(page.get_by_role("row", name="The Freelancer nets")).to_contain_text("$1,368.75")
    look(page, "award")
    page.get_by_label("Freelancer's e-mail address").fill(email)
    page.get_by_role("button", name="Award the Job").click()
    expect(page.get_by_role("status")).to_contain_text("The Job is awarded to Frank Freelancer")
    look(page, "job-awarded")


def ask_for_a_deposit(page: Page, look: Callable[[Page, str], None]) -> None:
    page.goto("/jobs/")
    page.get_by_role("link", name="Website").click()
    page.get_by_role("link", name="Review the Terms").click()
    look(page, "terms")
    page.get_by_role("link", name="Send changed Terms").last.click()
    page.get_by_role("button", name="Add another Milestone").click()
    milestone(page, 3, "Deposit", "200")
    page.get_by_role("group", name="Milestone 3", exact=True).get_by_label("Place").fill("1")
    look(page, "propose")
    page.get_by_role("button", name="Send these Terms").click()
    expect(page.get_by_role("status")).to_contain_text("Terms 2 are sent.")


def compare_and_accept(page: Page, look: Callable[[Page, str], None]) -> None:
    page.reload()
    page.get_by_role("link", name="Review the Terms").click()
    look(page, "compare")
    page.get_by_role("link", name="Review and accept").first.click()
    expect(page.get_by_role("row", name="The Client pays")).to_contain_text("$1,700.00")
    expect(page.get_by_role("row", name="The Client pays")).to_contain_text("$200.00 more")
    look(page, "accept")
    page.get_by_role("button", name="Accept Terms 2").click()


def test_from_a_draft_to_agreed_terms(
    open_browser: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
    client_person: Person,
    freelancer: Person,
) -> None:
    def look(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"terms-{name}")

    of_client, of_freelancer = open_browser(client_person), open_browser(freelancer)

    draft_and_award(of_client, freelancer.email, look)
    ask_for_a_deposit(of_freelancer, look)
    compare_and_accept(of_client, look)

    expect(of_client.get_by_role("link", name="Fund “Deposit”")).to_be_visible()
    of_freelancer.get_by_role("link", name="Overview").click()
    expect(of_freelancer.get_by_role("main")).to_contain_text("You need not start yet")
    look(of_freelancer, "job-active")
    of_freelancer.get_by_role("link", name="Activity", exact=True).click()
    look(of_freelancer, "activity")
    of_freelancer.goto("/jobs/")
    look(of_freelancer, "my-jobs")


def test_drafting_without_javascript(
    open_browser: Callable[..., Page], client_person: Person
) -> None:
    page = open_browser(client_person, java_script_enabled=False)
    page.goto("/jobs/new/")
    milestone(page, 1, "Design", "500")
    page.get_by_role("button", name="Add another Milestone").click()
    milestone(page, 2, "Build", "1000")
    page.get_by_label("Title").fill("Website")
    page.get_by_label("Scope").fill("Pages")
    page.get_by_label("Title").press("Enter")

    expect(page.get_by_role("status")).to_contain_text("The draft is saved.")
    expect(page.get_by_role("main").get_by_role("complementary")).to_contain_text("$1,500.00")
