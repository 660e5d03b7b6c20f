"""Terms change while the Job runs, and the difference goes back (R2.3, R14.9), in a real browser."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from playwright.sync_api import Locator, Page, expect

from billing.models import Refund
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.billing.steps import request_release
from tests.scenarios import fund
from tests.workroom.agreements import BUILD, DESIGN, agreed
from tests.workroom.changing import escrow

pytestmark = pytest.mark.django_db(transaction=True)

Look = Callable[[Page, str], None]


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Design (500.00) is funded, Build (1,000.00) is funded and requested, Icons (80.00) is not funded."""
    at = timing.now()
    icons = replace(BUILD, title="Icons", amount_minor=80_00)
    job = agreed(client_person, freelancer, at=at, milestones=(DESIGN, BUILD, icons))
    fund(job, 1, 2, at=at)
    request_release(job, 2, at=at)
    return job


@pytest.fixture
def look(photograph: Look, check_accessibility: Callable[[Page], None]) -> Look:
    def look_at(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"change-{name}")

    return look_at


def row(page: Page, place: int) -> Locator:
    return page.get_by_role("group", name=f"Milestone {place}", exact=True)


def propose(page: Page, job: Job, look: Look) -> None:
    """The Freelancer makes Design cheaper, removes Icons and adds Texts."""
    page.goto(f"/jobs/{job.pk}/")
    page.get_by_text("Actions", exact=True).click()
    page.get_by_role("link", name="Send changed Terms").click()
    expect(row(page, 1)).to_contain_text("it cannot cost more than $500.00")
    expect(row(page, 2)).to_contain_text("A Release Request for “Build” is open")
    expect(row(page, 2).get_by_label("Amount")).not_to_be_editable()
    look(page, "propose")
    row(page, 1).get_by_label("Amount").fill("600")
    page.get_by_role("button", name="Send these Terms").last.click()
    expect(page.get_by_role("alert")).to_contain_text("“Design” is Funded: it cannot cost more")
    look(page, "refused")
    row(page, 1).get_by_label("Amount").fill("400")
    row(page, 3).get_by_label("Remove").check()
    page.get_by_role("button", name="Add another Milestone").click()
    row(page, 3).get_by_label("Milestone", exact=True).fill("Texts")
    row(page, 3).get_by_label("Amount").fill("150")
    page.get_by_label("Message to the other side").fill("You write the texts, I set them")
    page.get_by_role("button", name="Send these Terms").last.click()
    expect(page.get_by_role("status")).to_contain_text("Terms 2 are sent.")
    look(page, "sent")


def accept(page: Page, job: Job, look: Look) -> None:
    """The Client sees what it does to whose money, and accepts just that."""
    page.goto(f"/jobs/{job.pk}/")
    expect(page.get_by_role("main")).to_contain_text("requests release of “Build”")
    expect(page.get_by_role("main")).to_contain_text("Frank Freelancer proposes changed Terms")
    look(page, "overview")
    page.get_by_role("link", name="Terms 2", exact=True).click()
    look(page, "compare")
    page.get_by_role("link", name="Review and accept").first.click()
    expect(page.get_by_role("row", name="Goes back to you at once")).to_contain_text("$100.00")
    expect(page.get_by_role("row", name="You are to fund more")).to_contain_text("$70.00")
    look(page, "accept")
    page.get_by_role("button", name="Accept Terms 2: get $100.00 back, fund $70.00 more").click()
    expect(page.get_by_role("status")).to_contain_text(
        "Terms 2 are in force. $100.00 goes back to you."
    )
    look(page, "changed")


def test_changed_terms_with_a_refund(
    job: Job,
    open_browser: Callable[..., Page],
    client_person: Person,
    freelancer: Person,
    look: Look,
) -> None:
    of_client, of_freelancer = open_browser(client_person), open_browser(freelancer)

    propose(of_freelancer, job, look)
    accept(of_client, job, look)

    of_freelancer.goto(f"/jobs/{job.pk}/activity/")
    activity = of_freelancer.get_by_role("main")
    expect(activity).to_contain_text("Accepted Terms 2, which change the Terms of the Job")
    expect(activity).to_contain_text("Sent $100.00 of “Design” back to the Client")
    look(of_freelancer, "activity")
    assert Refund.objects.get().amount_minor == 100_00
    assert escrow(job).held_minor == 400_00
    assert (escrow(job, 3).state, escrow(job, 4).title) == ("removed", "Texts")
