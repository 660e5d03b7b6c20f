"""A support agent finds a caller's Job and reads its story; the desk keeps to the strict Content-Security-Policy."""

from collections.abc import Callable

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from jobs.models import Person
from tests.desk import agent_of_the_desk, superuser, whole_world

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
    rows.get_by_role("link", name="Story").click()
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
