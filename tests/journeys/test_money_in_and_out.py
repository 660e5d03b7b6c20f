"""Money in and out, in a real browser: cards, funding, the bank, balance and payout (R3, R5.4)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from billing.services import payments, releases
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.billing.banking import add_card, fund
from tests.scenarios import running_job

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[..., Page]
Look = Callable[[Page, str], None]
NOW = timing.now()


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    job = running_job(
        client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00, 1_250_00], at=NOW
    )
    for number, title in enumerate(
        ["Wireframes", "Visual design", "Style guide", "Final files"], 1
    ):
        job.escrows.filter(number=number).update(title=title)
    return job


@pytest.fixture
def look(photograph: Look, check_accessibility: Callable[[Page], None]) -> Look:
    def look_at(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"money-{name}")

    return look_at


def enter_card(page: Page, number: str) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expires").fill("04 / 30")
    page.get_by_role("button", name="Add the card").click()


def test_the_client_funds_the_first_milestone_with_a_card_that_the_bank_asks_about(
    job: Job, client_person: Person, open_browser: Open, look: Look
) -> None:
    page = open_browser(client_person)
    page.goto(f"/billing/jobs/{job.pk}/fund/")
    look(page, "fund-no-card")
    page.get_by_role("link", name="Add a card").click()
    look(page, "card-add")
    enter_card(page, "4242 4242 4242 4241")
    expect(page.get_by_text("please check the digits").first).to_be_visible()
    look(page, "card-add-refused")
    enter_card(page, "4000 0027 6000 3184")
    expect(page.get_by_text("Visa ending in 3184 is on your list.")).to_be_visible()

    page.get_by_text("Visa ending in 3184 Not authenticated").click()
    look(page, "fund")
    page.get_by_role("button", name="Fund $500.00").click()
    expect(page.get_by_role("heading", name="Is this payment yours?")).to_be_visible()
    look(page, "bank-payment")
    page.get_by_role("link", name="Decide later").click()
    expect(page.get_by_text("Frank Freelancer has been told that work need not")).to_be_visible()
    look(page, "payment-pending")
    page.get_by_role("link", name="Authenticate at your bank").click()
    page.get_by_role("button", name="Authenticate").click()
    expect(page.get_by_text("“Wireframes” is Funded")).to_be_visible()
    look(page, "payment-funded")


def test_several_milestones_are_chosen_and_the_amount_follows(
    job: Job, client_person: Person, open_browser: Open, look: Look
) -> None:
    add_card(client_person, "needs_authentication")
    add_card(client_person, "declined")
    add_card(client_person)
    page = open_browser(client_person)
    page.goto(f"/billing/jobs/{job.pk}/fund/")
    page.get_by_label("Visual design").check()
    expect(page.get_by_role("button", name="Fund $1,500.00")).to_be_visible()
    page.get_by_label("Style guide").check()
    expect(page.get_by_role("button", name="Fund $1,700.00")).to_be_visible()
    expect(page).to_have_url(page.url.split("?")[0] + "?choose=1&escrow=1&escrow=2&escrow=3")
    look(page, "fund-several")
    page.get_by_text("Visa ending in 3184").first.click()
    page.get_by_role("button", name="Fund $1,700.00").click()
    expect(page.get_by_text("Visa ending in 3184 is not authenticated.")).to_be_visible()
    look(page, "fund-refused")
    page.get_by_role("link", name="Authenticate Visa ending in 3184").click()
    look(page, "card-authenticate")
    page.get_by_role("button", name="Go to the bank").click()
    look(page, "bank-card")
    page.get_by_role("button", name="Authenticate").click()
    expect(page.get_by_role("button", name="Fund $1,700.00")).to_be_visible()
    page.get_by_text("Visa ending in 0002").click()
    page.get_by_role("button", name="Fund $1,700.00").click()
    expect(page.get_by_text("The bank declined the card.")).to_be_visible()
    look(page, "payment-failed")
    page.get_by_role("link", name="Try another card").click()
    page.get_by_text("Visa ending in 3184").first.click()
    page.get_by_role("button", name="Fund $1,700.00").click()
    expect(page.get_by_text("3 Milestones are Funded")).to_be_visible()


def test_without_javascript_the_amount_is_updated_by_a_button(
    job: Job, client_person: Person, open_browser: Open
) -> None:
    add_card(client_person)
    page = open_browser(client_person, java_script_enabled=False)
    page.goto(f"/billing/jobs/{job.pk}/fund/")
    page.get_by_label("Style guide").check()
    page.get_by_role("button", name="Update the amount").click()
    page.get_by_role("button", name="Fund $700.00").click()
    expect(page.get_by_text("2 Milestones are Funded")).to_be_visible()


def test_a_payment_that_waits_for_the_bank_is_asked_about_and_another_one_cancelled(
    job: Job, client_person: Person, open_browser: Open, look: Look
) -> None:
    silent = add_card(client_person, "silent")
    waits = payments.fund(job.pk, numbers=[2], method=silent, by=client_person, at=NOW)
    asks = payments.fund(
        job.pk,
        numbers=[1],
        method=add_card(client_person, "needs_authentication"),
        by=client_person,
        at=NOW,
    )
    page = open_browser(client_person)
    page.goto(f"/billing/jobs/{job.pk}/fund/")
    look(page, "fund-under-way")
    page.goto(f"/billing/payments/{asks.pk}/cancel/")
    look(page, "payment-cancel")
    page.get_by_role("button", name="Cancel the payment").click()
    expect(page.get_by_text("The payment is cancelled")).to_be_visible()
    look(page, "payment-cancelled")
    page.goto(f"/billing/payments/{waits.pk}/")
    look(page, "payment-waiting")
    page.get_by_role("button", name="Ask the bank now").click()
    expect(page.get_by_text("“Visual design” is Funded")).to_be_visible()


def test_cards_are_listed_and_removed(
    client_person: Person, open_browser: Open, look: Look
) -> None:
    page = open_browser(client_person)
    page.goto("/billing/cards/")
    look(page, "cards-none")
    add_card(client_person, "needs_authentication")
    add_card(client_person)
    page.reload()
    look(page, "cards")
    page.get_by_role("row", name="Visa ending in 4242").get_by_text("Actions").click()
    page.get_by_role("link", name="Remove").first.click()
    look(page, "card-remove")
    page.get_by_role("button", name="Remove the card").click()
    expect(page.get_by_text("Visa ending in 4242 is removed.")).to_be_visible()


def test_the_freelancer_pays_his_balance_out(
    job: Job, client_person: Person, freelancer: Person, open_browser: Open, look: Look
) -> None:
    page = open_browser(freelancer)
    page.goto("/billing/balance/")
    look(page, "balance-empty")
    fund(job, 1, 2, at=NOW)
    releases.release(job.pk, numbers=[1, 2], by=client_person, at=NOW)
    page.reload()
    page.get_by_role("link", name="Pay out", exact=True).click()
    page.get_by_label("Amount").fill("5000")
    page.get_by_label("Bank account").fill("DE12 5001 0517 0648 4898 90")
    page.get_by_role("button", name="Pay out").click()
    expect(page.get_by_text("is more than your available balance").first).to_be_visible()
    look(page, "pay-out-refused")
    for amount, account, message in (
        ("1000", "DE12 5001 0517 0648 4898 90", "$1,000.00 is paid out."),
        ("100", "DE12 5001 0517 0000", "The bank does not know this account."),
        ("68.75", "DE12 5001 0517 9999", "The bank has not confirmed it yet."),
    ):
        page.goto("/billing/balance/pay-out/")
        page.get_by_label("Amount").fill(amount)
        page.get_by_label("Bank account").fill(account)
        page.get_by_role("button", name="Pay out").click()
        expect(page.get_by_role("status").get_by_text(message)).to_be_visible()
    page.goto("/billing/balance/pay-out/")
    look(page, "pay-out")
    page.goto("/billing/balance/")
    look(page, "balance")
