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


def test_a_dispute_is_decided_by_support(
    dispute: Dispute,
    client_person: Person,
    open_browser: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
    tmp_path: Path,
) -> None:
    def look(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"mediation-{name}")

    first = open_browser(agent_of_the_desk())
    first.goto("/admin/")
    first.get_by_role("navigation", name="Main lists").get_by_role("link", name="Disputes").click()
    expect(first.locator("#result_list tbody tr")).to_have_count(1)
    look(first, "list")
    first.locator("#result_list").get_by_role("link", name="Case", exact=True).click()
    expect(first.locator("#history")).to_be_visible()
    look(first, "case")
    first.get_by_label("What do you want to know?").fill("Which screens were sent?")
    first.get_by_role("button", name="Ask both sides").click()
    expect(first.locator("#statements")).to_contain_text("Which screens were sent?")
    first.get_by_label("To the Freelancer, before fees").fill("300")
    first.get_by_label("Reasons").fill("Three of the five screens are there.")
    first.get_by_role("button", name="Show the amounts").click()
    expect(first.get_by_text("$273.75")).to_be_visible()
    look(first, "decide")
    first.get_by_role("button", name="Decide: $300.00 to the Freelancer, $200.00 back").click()
    expect(first.get_by_text("Only a senior support agent confirms")).to_be_visible()
    look(first, "decided")

    second = open_browser(second_agent())
    second.goto(f"/admin/billing/dispute/{dispute.pk}/case/")
    expect(second.locator("#history")).to_be_visible()
    look(second, "check")
    second.get_by_label("Why you send it back").fill("Say which screens.")
    second.get_by_role("button", name="Send back").click()
    expect(second.locator("#mediation")).to_contain_text("Say which screens.")

    first.reload()
    first.get_by_label("To the Freelancer, before fees").fill("300.00")
    first.get_by_label("Reasons").fill("The first three screens are there.")
    first.get_by_role("button", name="Show the amounts").click()
    first.get_by_role("button", name="Decide: $300.00").click()
    second.reload()
    second.get_by_role("button", name="Confirm: $300.00 to the Freelancer, $200.00 back").click()
    expect(second.get_by_text("Confirmed. The money is split")).to_be_visible()
    look(second, "confirmed")

    escrow = Escrow.objects.get(pk=dispute.escrow_id)
    assert (escrow.state, escrow.released_minor, escrow.refunded_minor) == (
        "released", 300_00, 200_00,
    )  # fmt: skip
    assert Activity.objects.filter(kind="dispute_decided").count() == 1

    client = open_browser(client_person)
    client.goto(f"/jobs/{dispute.job_id}/")
    client.locator("summary", has_text="Actions").click()
    with client.expect_download() as download:
        client.get_by_role("link", name="Case file (ZIP)").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        told = archive.read("index.html").decode()
        archive.extractall(tmp_path)
    assert "The first three screens are there." in told
    assert "Three of the five screens are there." not in told
    client.goto((tmp_path / "index.html").as_uri())
    look(client, "case-file")
    expect(client.locator("#files").get_by_role("link", name="screen.pdf")).to_have_attribute(
        "href", "files/001-screen.pdf"
    )
