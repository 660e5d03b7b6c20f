"""A Dispute decided by support, in a real browser: one agent decides, a second one confirms (R9.3)."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from billing.models import Dispute, Escrow
from billing.services import disputes
from escrow_site.lib import timing
from jobs.models import Activity, Job, Person
from tests.billing.dispute_steps import open_dispute, pdf
from tests.billing.steps import request_release
from tests.desk import agent_of_the_desk, second_agent
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)

Look = Callable[[Page, str], None]


@pytest.fixture
def dispute(client_person: Person, freelancer: Person) -> Dispute:
    """Answered, and handed to support by the Client."""
    at = timing.now()
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00], at=at)
    fund(job, 1, at=at)
    request_release(job, at=at)
    made = open_dispute(
        Job.objects.get(pk=job.pk), client_person, at=at, uploads=[pdf("screen.pdf")]
    )
    disputes.answer(made.pk, text="All five screens were sent on Monday.", by=freelancer, at=at)
    return disputes.escalate(made.pk, by=client_person, at=at)


@pytest.fixture
def look(photograph: Look, check_accessibility: Callable[[Page], None]) -> Look:
    def look_at(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"mediation-{name}")

    return look_at


def find_the_case(page: Page, look: Look) -> None:
    """From the front page of the desk to all that was said."""
    page.goto("/admin/")
    page.get_by_role("navigation", name="Main lists").get_by_role("link", name="Disputes").click()
    expect(page.locator("#result_list tbody tr")).to_have_count(1)
    look(page, "list")
    page.locator("#result_list").get_by_role("link", name="Case", exact=True).click()
    expect(page.locator("#history")).to_be_visible()
    look(page, "case")


def ask(page: Page) -> None:
    page.get_by_label("What do you want to know?").fill("Which screens were sent?")
    page.get_by_role("button", name="Ask both sides").click()
    expect(page.locator("#statements")).to_contain_text("Which screens were sent?")


def decide(page: Page, reasons: str, look: Look) -> None:
    """300.00 of 500.00 to the Freelancer; the amounts are shown before the click."""
    page.get_by_label("To the Freelancer, before fees").fill("300")
    page.get_by_label("Reasons").fill(reasons)
    page.get_by_role("button", name="Show the amounts").click()
    expect(page.get_by_text("$273.75")).to_be_visible()
    look(page, "decide")
    page.get_by_role("button", name="Decide: $300.00 to the Freelancer, $200.00 back").click()
    expect(page.get_by_text("Only a senior support agent confirms")).to_be_visible()
    look(page, "decided")


def send_back(page: Page, dispute: Dispute, look: Look) -> None:
    """The second agent wants better reasons."""
    page.goto(f"/admin/billing/dispute/{dispute.pk}/case/")
    expect(page.locator("#history")).to_be_visible()
    look(page, "check")
    page.get_by_label("Why you send it back").fill("Say which screens.")
    page.get_by_role("button", name="Send back").click()
    expect(page.locator("#mediation")).to_contain_text("Say which screens.")


def confirm(page: Page, look: Look) -> None:
    page.reload()
    page.get_by_role("button", name="Confirm: $300.00 to the Freelancer, $200.00 back").click()
    expect(page.get_by_text("Confirmed. The money is split")).to_be_visible()
    look(page, "confirmed")


def read_the_case_file(page: Page, dispute: Dispute, folder: Path, look: Look) -> None:
    """It tells what was decided, holds the evidence, and nothing that was not confirmed."""
    page.goto(f"/jobs/{dispute.job_id}/")
    page.locator("summary", has_text="Actions").click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Case file (ZIP)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        told = archive.read("index.html").decode()
        archive.extractall(folder)
    assert "The first three screens are there." in told
    assert "Three of the five screens are there." not in told
    page.goto((folder / "index.html").as_uri())
    look(page, "case-file")
    expect(page.locator("#files").get_by_role("link", name="screen.pdf")).to_have_attribute(
        "href", "files/001-screen.pdf"
    )


def test_a_dispute_is_decided_by_support(
    dispute: Dispute,
    client_person: Person,
    open_browser: Callable[..., Page],
    look: Look,
    tmp_path: Path,
) -> None:
    first, second = open_browser(agent_of_the_desk()), open_browser(second_agent())
    find_the_case(first, look)
    ask(first)
    decide(first, "Three of the five screens are there.", look)
    send_back(second, dispute, look)
    first.reload()
    decide(first, "The first three screens are there.", look)
    confirm(second, look)

    escrow = Escrow.objects.get(pk=dispute.escrow_id)
    assert (escrow.state, escrow.released_minor, escrow.refunded_minor) == (
        "released", 300_00, 200_00,
    )  # fmt: skip
    assert Activity.objects.filter(kind="dispute_decided").count() == 1
    read_the_case_file(open_browser(client_person), dispute, tmp_path, look)
