"""“Open a Dispute” stands where the guard allows one, and nowhere else (R9.1)."""

import pytest
from django.urls import reverse

from jobs.models import Job, Person
from tests.billing.dispute_steps import NOON, funded_job, open_dispute
from tests.billing.steps import signed_in

pytestmark = pytest.mark.django_db

PAGES = ("job", "job_billing")


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    return funded_job(client_person, freelancer, 1)


def page(person: Person, job: Job, name: str) -> str:
    return signed_in(person).get(reverse(f"workroom:{name}", args=[job.pk])).content.decode()


def menu(person: Person, job: Job, name: str) -> str:
    """The Actions menu."""
    html = page(person, job, name)
    begin = html.index('<summary class="button">Actions</summary>')
    return html[begin : html.index("</details>", begin)]


def form_about(job: Job, number: int) -> str:
    return f"{reverse('billing:open_dispute', args=[job.pk])}?escrow={number}"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_for_one_milestone_the_menu_leads_to_the_form(job: Job, name: str, role: str) -> None:
    link = f'<a href="{form_about(job, 1)}">Open a Dispute</a>'
    assert link in menu(getattr(job, role), job, name)


@pytest.mark.parametrize("name", PAGES)
def test_for_several_it_leads_to_the_tab(
    client_person: Person, freelancer: Person, name: str
) -> None:
    job = funded_job(client_person, freelancer, 1, 2)
    tab = reverse("workroom:disputes", args=[job.pk])
    assert f'<a href="{tab}">Open a Dispute</a>' in menu(client_person, job, name)


@pytest.mark.parametrize("name", PAGES)
def test_what_is_disputed_already_is_not_offered(job: Job, name: str) -> None:
    open_dispute(job, job.client, at=NOON)
    assert "Open a Dispute" not in page(job.client, job, name)
    assert ">Disputes</a>" in menu(job.client, job, name)


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_the_billing_tab_has_it_beside_each_milestone_that_can_be_disputed(
    job: Job, role: str
) -> None:
    html = page(getattr(job, role), job, "job_billing")
    label = 'aria-label="Open a Dispute Milestone {}"'
    assert label.format(1) in html
    assert label.format(2) not in html
