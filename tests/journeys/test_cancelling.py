"""A Job is cancelled by agreement, and a cancellation is declined, in a real browser (R8.3)."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from billing.models import Cancellation, Escrow
from billing.services import cancellations
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.billing.steps import request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)

Look = Callable[[Page, str], None]


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Wireframes (500.00) is requested, Build (1,000.00) is funded."""
    at = timing.now()
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00], at=at)
    fund(job, 1, 2, at=at)
    job.escrows.filter(number=1).update(title="Wireframes")
    job.escrows.filter(number=2).update(title="Build")
    request_release(job, at=at)
    return job


@pytest.fixture
def look(photograph: Look, check_accessibility: Callable[[Page], None]) -> Look:
    def look_at(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"cancel-{name}")

    return look_at


def ask(page: Page, job: Job, look: Look) -> None:
    """The Client leaves a part to the Freelancer, and sees every amount before he asks."""
    page.goto(f"/jobs/{job.pk}/")
    page.locator("summary", has_text="Actions").click()
    page.get_by_role("link", name="Cancel the Job").click()
    page.get_by_label("“Wireframes”: to the Freelancer").fill("501")
    page.get_by_label("Reason").fill("We do not open the second shop.")
    look(page, "form")
    page.get_by_role("button", name="Show the amounts").click()
    expect(page.get_by_text("This is more than is held for the Milestone.").first).to_be_visible()
    expect(page.get_by_label("Reason")).to_have_value("We do not open the second shop.")
    look(page, "refused")
    page.get_by_label("“Wireframes”: to the Freelancer").fill("300")
    page.get_by_role("button", name="Show the amounts").click()
    split = page.get_by_role("table", name="How what is held is divided")
    expect(split.get_by_role("row", name="Wireframes")).to_contain_text("$273.75")
    expect(split.get_by_role("row", name="Total")).to_contain_text("$1,200.00")
    look(page, "amounts")
    page.get_by_role("button", name="Request cancellation").click()
    expect(page.get_by_text("Waiting for Frank Freelancer to answer until")).to_be_visible()
    look(page, "requested")


def open_as_the_other_side(page: Page, job: Job, look: Look) -> None:
    """The Job says whose turn it is, and leads to what would go where."""
    page.goto(f"/jobs/{job.pk}/")
    look(page, "job")
    page.get_by_role("link", name="Answer the request").first.click()
    expect(page.get_by_text("It is your turn until")).to_be_visible()
    expect(page.get_by_role("row", name="Total")).to_contain_text("$300.00")
    look(page, "to-answer")


def test_a_job_is_cancelled_by_agreement(
    job: Job,
    client_person: Person,
    freelancer: Person,
    open_browser: Callable[..., Page],
    look: Look,
) -> None:
    ask(open_browser(client_person), job, look)
    page = open_browser(freelancer)
    open_as_the_other_side(page, job, look)
    page.get_by_role("button", name="Accept and cancel the Job").click()
    expect(page.get_by_text("Clara Client").first).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("The Job is cancelled")
    look(page, "accepted")

    assert list(
        Escrow.objects.filter(job=job)
        .order_by("number")
        .values_list("state", "released_minor", "refunded_minor")
    ) == [("released", 300_00, 200_00), ("refunded", 0, 1_000_00)]

    page.get_by_role("link", name="Closing Statement").first.click()
    expect(page.get_by_role("main")).to_contain_text("$1,200.00")
    look(page, "statement")


def test_a_cancellation_is_declined(
    job: Job,
    client_person: Person,
    freelancer: Person,
    open_browser: Callable[..., Page],
    look: Look,
) -> None:
    row = cancellations.request(
        job.pk, shares={1: 0, 2: 0}, reason="I changed my mind.", by=client_person, at=timing.now()
    )
    page = open_browser(freelancer)
    page.goto(f"/billing/cancellations/{row.pk}/")
    page.get_by_label("Your answer").fill("The wireframes are done: let us speak about these.")
    page.get_by_role("button", name="Decline").click()
    expect(page.get_by_role("status")).to_contain_text("Declined. The Job goes on")
    look(page, "declined")

    row.refresh_from_db()
    assert (row.state, row.job.state) == (Cancellation.State.DECLINED, Job.State.ACTIVE)
    assert Escrow.objects.get(job=job, number=1).held_minor == 500_00

    other = open_browser(client_person)
    other.goto(f"/billing/cancellations/{row.pk}/")
    expect(other.get_by_role("main")).to_contain_text("let us speak about these")
    look(other, "declined-client")
