"""A Dispute in a real browser: opened with evidence, answered, settled by an offer; limits under seal (R9)."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from billing.models import Escrow
from billing.services import disputes
from escrow_site.lib import timing
from jobs.models import Job, Person, StoredFile
from tests.billing.dispute_steps import open_dispute, pdf
from tests.billing.steps import request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)

Open = Callable[..., Page]
Look = Callable[[Page, str], None]


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """A Milestone of 500.00 whose release is requested."""
    at = timing.now()
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00], at=at)
    fund(job, 1, 2, at=at)
    job.escrows.filter(number=1).update(title="Wireframes")
    request_release(job, at=at)
    return job


@pytest.fixture
def look(photograph: Look, check_accessibility: Callable[[Page], None]) -> Look:
    def look_at(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"dispute-{name}")

    return look_at


def buttons_cover_nothing(page: Page, title: str) -> None:
    """What can be done about a Milestone stands inside its card and clear of its title, on a phone too."""
    row = page.get_by_role("row").filter(has=page.get_by_text(title, exact=True)).first
    buttons = row.locator(".row-actions > *")
    for width in (390, 1280):
        page.set_viewport_size({"width": width, "height": 900})
        card, named = (
            box_of(page.locator(".card", has=row).first),
            box_of(row.get_by_role("cell").first),
        )
        assert card["x"] >= 0 and card["x"] + card["width"] <= width
        boxes = [box_of(button) for button in buttons.all()]
        assert boxes != []
        for box in boxes:
            assert card["x"] <= box["x"] and box["x"] + box["width"] <= card["x"] + card["width"]
            beside = box["x"] >= named["x"] + named["width"]
            assert beside or box["y"] >= named["y"] + named["height"]
        for left, right in pairwise(boxes):
            assert right["y"] > left["y"] or right["x"] >= left["x"] + left["width"] + 4


def box_of(part: Locator) -> FloatRect:
    box = part.bounding_box()
    assert box is not None
    return box


def test_a_dispute_is_settled_by_an_offer(
    job: Job,
    client_person: Person,
    freelancer: Person,
    open_browser: Open,
    look: Look,
    tmp_path: Path,
) -> None:
    wrong, right = tmp_path / "report.pdf", tmp_path / "chat.pdf"
    wrong.write_text("<html><body>no PDF</body></html>")
    right.write_bytes(b"%PDF-1.7 the chat")
    client = open_browser(client_person)
    client.goto(f"/jobs/{job.pk}/billing/")
    look(client, "billing")
    buttons_cover_nothing(client, "Wireframes")
    client.goto(f"/jobs/{job.pk}/disputes/")
    look(client, "tab-none")
    buttons_cover_nothing(client, "Wireframes")
    client.get_by_role("link", name="Open a Dispute about Wireframes").click()
    look(client, "open")
    client.get_by_label("How much of it?").fill("400")
    client.get_by_label("Why?").fill("Two of the five screens are missing.")
    client.get_by_label("Evidence").set_input_files(wrong)
    client.get_by_role("button", name="Open the Dispute").click()
    expect(client.get_by_text("does not agree with its name").first).to_be_visible()
    expect(client.get_by_label("Why?")).to_have_value("Two of the five screens are missing.")
    look(client, "open-refused")
    client.get_by_label("Evidence").set_input_files(right)
    client.get_by_role("button", name="Open the Dispute").click()
    expect(client.get_by_role("heading", name="Frank Freelancer’s turn: until")).to_be_visible()
    expect(client.get_by_text("SHA-256")).to_have_count(2)
    look(client, "opened-client")

    other = open_browser(freelancer)
    other.goto(f"/jobs/{job.pk}/disputes/")
    look(other, "tab")
    other.get_by_role("link", name="See the Dispute about Wireframes").click()
    expect(other.get_by_role("heading", name="Your turn: until")).to_be_visible()
    look(other, "opened-freelancer")
    with other.expect_download() as download:
        other.get_by_role("link", name="chat.pdf").last.click()
    assert download.value.suggested_filename == "chat.pdf"
    other.get_by_role("link", name="Answer", exact=True).click()
    other.get_by_label("What do you say?").fill("They are in the second file of my report.")
    look(other, "answer")
    other.get_by_role("button", name="Send the answer").click()
    expect(other.get_by_role("heading", name="Both of you: agree on a split")).to_be_visible()
    other.get_by_role("link", name="Offer a split").click()
    other.get_by_label("To the Freelancer").fill("350")
    other.get_by_role("button", name="Show the amounts").click()
    look(other, "offer")
    other.get_by_role("button", name="Offer $350.00, $150.00 back").click()
    expect(other.get_by_role("heading", name="Clara Client’s turn")).to_be_visible()
    look(other, "offered-freelancer")

    client.reload()
    client.get_by_role("link", name="Offer a split").click()
    client.get_by_label("To the Freelancer").fill("250")
    client.get_by_role("button", name="Show the amounts").click()
    client.get_by_role("button", name="Offer $250.00, $250.00 back").click()
    look(client, "two-offers-client")
    client.get_by_role("link", name="Accept: $350.00 to Frank Freelancer").click()
    look(client, "accept")
    client.get_by_role("button", name="Accept: $350.00 to Frank Freelancer, $150.00 back").click()
    expect(client.get_by_role("heading", name="How the money was divided")).to_be_visible()
    look(client, "settled-client")
    escrow = Escrow.objects.get(job=job, number=1)
    assert (escrow.released_minor, escrow.refunded_minor) == (350_00, 150_00)
    client.get_by_role("link", name="INV-").click()
    expect(client.get_by_text("$350.00").first).to_be_visible()


def test_limits_under_seal(
    job: Job, client_person: Person, freelancer: Person, open_browser: Open, look: Look
) -> None:
    row = open_dispute(job, client_person, at=timing.now(), uploads=[pdf()])
    client, other = open_browser(client_person), open_browser(freelancer)
    other.goto(f"/billing/disputes/{row.pk}/")
    other.get_by_role("link", name="Enter a limit under seal").click()
    other.get_by_label("The least that you would accept").fill("300")
    look(other, "sealed")
    other.get_by_role("button", name="Put it under seal").click()
    expect(other.get_by_text("Your limit is under seal", exact=True)).to_be_visible()
    look(other, "sealed-waiting")
    client.goto(f"/billing/disputes/{row.pk}/sealed/")
    client.get_by_label("The most that may go to the Freelancer").fill("200")
    client.get_by_role("button", name="Put it under seal").click()
    expect(client.get_by_text("No match. Frank Freelancer has learnt just that")).to_be_visible()
    look(client, "no-match")


def test_support_is_asked_and_the_dispute_withdrawn(
    job: Job, client_person: Person, freelancer: Person, open_browser: Open, look: Look
) -> None:
    row = open_dispute(job, client_person, at=timing.now())
    disputes.answer(row.pk, text="It is all there.", by=freelancer, at=timing.now())
    page = open_browser(client_person)
    page.goto(f"/billing/disputes/{row.pk}/evidence/")
    look(page, "evidence")
    page.get_by_label("Evidence").set_input_files(
        [{"name": "a.txt", "mimeType": "text/plain", "buffer": b"as agreed"}]
    )
    page.get_by_role("button", name="Add the files").click()
    assert StoredFile.objects.get().name == "a.txt"
    page.get_by_role("link", name="Ask support to mediate").click()
    look(page, "ask-support")
    page.get_by_role("button", name="Ask support to mediate").click()
    expect(page.get_by_role("heading", name="Support’s turn")).to_be_visible()
    look(page, "with-support")
    page.get_by_role("link", name="Withdraw the Dispute").click()
    look(page, "withdraw")
    page.get_by_role("button", name="Withdraw the Dispute").click()
    expect(page.get_by_text("The Dispute is withdrawn.")).to_be_visible()
    look(page, "withdrawn")
    page.goto(f"/billing/requests/{row.request_id}/")
    look(page, "request-after")
