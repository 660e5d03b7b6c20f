"""A support agent finds a caller's Job, reads its story and does what the caller asks for, with a second agent; the
desk keeps to the strict Content-Security-Policy."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from billing.models import Release
from escrow_site.lib import timing
from jobs.models import Person
from tests.desk import agent_of_the_desk, second_agent, superuser, whole_world
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_agent_finds_a_job_by_its_invoice_and_reads_its_story(
    client_person: Person,
    freelancer: Person,
    open_browser: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
) -> None:
    world = whole_world(client_person, freelancer)
    page = open_browser(agent_of_the_desk())
    page.goto("/admin/")
    check_accessibility(page)
    photograph(page, "desk-index")
    page.get_by_label("Find the Job of a caller").fill(
        f"inv {freelancer.pk} {world.invoice.number}"
    )
    page.get_by_role("search").get_by_role("button", name="Search").click()

    rows = page.locator("#result_list tbody tr")
    expect(rows).to_have_count(1)
    check_accessibility(page)
    photograph(page, "desk-search")
    rows.get_by_role("link", name="Website").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Website")
    check_accessibility(page)
    photograph(page, "desk-story")


def test_the_pages_of_the_desk_load_cleanly(
    client_person: Person,
    freelancer: Person,
    open_browser: Callable[..., Page],
    photograph: Callable[[Page, str], None],
) -> None:
    world = whole_world(client_person, freelancer)
    page = open_browser(superuser())
    pages = {
        "desk-jobs": reverse("admin:jobs_job_changelist"),
        "desk-job": reverse("admin:jobs_job_change", args=[world.job.pk]),
        "desk-ledger": reverse("admin:billing_transfer_changelist"),
        "desk-payment": reverse("admin:billing_payment_change", args=[world.payment.pk]),
        "desk-person": reverse("admin:jobs_person_change", args=[client_person.pk]),
        "desk-policies": reverse("admin:jobs_policy_changelist"),
        "desk-policy": reverse("admin:jobs_policy_change", args=[world.job.policy_id]),
        "desk-history": reverse("admin:jobs_activity_changelist"),
    }
    for name, url in pages.items():
        page.goto(url)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        photograph(page, name)


def test_a_release_that_the_client_asked_for_on_the_telephone(
    client_person: Person,
    freelancer: Person,
    open_browser: Callable[..., Page],
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
) -> None:
    job = running_job(client_person, freelancer, at=timing.now())
    fund(job, 1, at=timing.now())

    def look(page: Page, name: str) -> None:
        check_accessibility(page)
        photograph(page, f"desk-{name}")

    first = open_browser(agent_of_the_desk())
    first.goto(reverse("admin:jobs_job_story", args=[job.pk]))
    look(first, "story-actions")
    first.get_by_role("link", name="Release held money").click()
    first.get_by_label("Amount, in USD").fill("500")
    first.get_by_label("Who asked for it").select_option(label="Clara Client (Client)")
    first.get_by_label("When and how").fill("by phone today, called back on the number on file")
    first.get_by_label("Reason").fill("The caller has lost her second factor.")
    look(first, "propose")
    first.get_by_role("button", name="Show what it comes to").click()
    expect(first.get_by_text("$456.25")).to_be_visible()
    look(first, "preview")
    first.get_by_role("button", name="Propose it to a second agent").click()
    expect(first.get_by_text("a second, senior agent confirms it")).to_be_visible()

    second = open_browser(second_agent())
    second.goto("/admin/")
    look(second, "waiting")
    second.get_by_role("link", name=f"Release held money: Job {job.pk}, Website").click()
    look(second, "check")
    second.get_by_role("button", name="Confirm: $500.00").click()
    expect(second.get_by_text("Confirmed. It is done, and both sides are told.")).to_be_visible()
    assert Release.objects.get().gross_minor == 500_00

    for person in (client_person, freelancer):
        party = open_browser(person)
        party.goto(reverse("jobs:notices"))
        expect(party.get_by_text("Released by support: Milestone 1, $500.00")).to_be_visible()

    second.goto(reverse("admin:jobs_job_story", args=[job.pk]))
    second.get_by_role("button", name="Client: Clara Client").click()
    expect(second.get_by_text("Read only; every page is logged.")).to_be_visible()
    look(second, "seen-as")
    second.get_by_role("button", name="Stop").click()
    expect(second.locator("#support")).to_contain_text("Confirmed")
