"""Reading Status Reports: the list, one report, and what the pages cost (R4)."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing.models import ReleaseRequest
from billing.services import releases
from jobs.models import Job, Person
from tests.scenarios import fund, running_job
from tests.workroom.report_steps import (
    NOW,
    PDF,
    cost,
    sent_before,
    set_clock,
    text_of,
    typed,
)
from workroom.models import StatusReport
from workroom.services.reports import Line


@pytest.fixture(autouse=True)
def _clock(tmp_path: Path, settings: Any) -> None:
    """It is Monday, 9 March 2026, 12:00 UTC."""
    set_clock(tmp_path, settings, NOW)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Two Milestones, 500.00 and 1,000.00; the first is Funded."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


@pytest.fixture
def form_url(client: Client, job: Job) -> str:
    """The address of the page, and the Freelancer signed in."""
    assert job.freelancer is not None
    client.force_login(job.freelancer)
    return reverse("workroom:create_report", args=[job.pk])


@pytest.mark.parametrize("name", ["reports", "create_report", "report"])
def test_to_a_stranger_nothing_exists(
    client: Client, job: Job, stranger: Person, name: str
) -> None:
    report = sent_before(job, Line(number=1, percent=60))
    arguments = [job.pk, report.pk] if name == "report" else [job.pk]
    url = reverse(f"workroom:{name}", args=arguments)
    assert client.get(url).status_code == 302
    client.force_login(stranger)
    assert client.get(url).status_code == 404


def test_a_report_is_not_found_under_another_job(
    client: Client, job: Job, client_person: Person, freelancer: Person
) -> None:
    report = sent_before(job, Line(number=1, percent=60))
    other = running_job(client_person, freelancer)
    client.force_login(client_person)
    assert client.get(reverse("workroom:report", args=[other.pk, report.pk])).status_code == 404
    huge = reverse("workroom:report", args=[job.pk, 10**30])
    assert client.get(huge).status_code == 404


def test_both_sides_read_the_report(client: Client, form_url: str, job: Job) -> None:
    upload = SimpleUploadedFile("plan.pdf", PDF)
    data = typed(
        m1_percent="100", m1_asked="1", m1_bill="on", m2_percent="20", m2_comment="Slow.",
        comments="All done.", plan="The footer.",
    )  # fmt: skip
    client.post(form_url, data | {"attachments": [upload]})
    report, request = StatusReport.objects.get(), ReleaseRequest.objects.get()
    for person in (job.freelancer, job.client):
        assert person is not None
        client.force_login(person)
        answer = client.get(reverse("workroom:report", args=[job.pk, report.pk]))
        words = text_of(answer)
        for said in ("All done.", "The footer.", "Slow.", "Billed $500.00", "plan.pdf"):
            assert said in words
        assert report.attachments.get().file.sha256 in words
        links = answer.content.decode()
        assert reverse("billing:release_request", args=[request.pk]) in links
        assert reverse("billing:pro_forma", args=[request.pro_forma.pk]) in links
        assert "8 Apr 2026, 12:00 UTC “Milestone 1” is released $500.00 goes to" in words
    release = reverse("billing:release", args=[job.pk]) + "?escrow=1"
    assert f'href="{release}"' in links
    client.force_login(job.freelancer)  # type: ignore[arg-type]
    answer = client.get(reverse("workroom:report", args=[job.pk, report.pk]))
    assert release not in answer.content.decode()


def test_the_request_leads_to_its_report(
    client: Client, form_url: str, job: Job, stranger: Person
) -> None:
    client.post(form_url, typed(m1_percent="100", m1_asked="1", m1_bill="on"))
    report, request = StatusReport.objects.get(), ReleaseRequest.objects.get()
    url = reverse("workroom:report_of_request", args=[job.pk, request.pk])
    client.force_login(job.client)
    for page in (
        reverse("billing:release_request", args=[request.pk]),
        reverse("billing:release", args=[job.pk]) + "?escrow=1",
    ):
        assert f'<a href="{url}">' in client.get(page).content.decode()
    assert client.get(url)["Location"] == reverse("workroom:report", args=[job.pk, report.pk])
    unknown = reverse("workroom:report_of_request", args=[job.pk, request.pk + 1])
    assert client.get(unknown)["Location"] == reverse("workroom:reports", args=[job.pk])
    client.force_login(stranger)
    assert client.get(url).status_code == 404


def test_a_released_request_shows_nothing_to_come(client: Client, form_url: str, job: Job) -> None:
    client.post(form_url, typed(m1_percent="100", m1_asked="1", m1_bill="on"))
    releases.release(job.pk, numbers=[1], by=job.client, at=NOW)
    client.force_login(job.client)
    answer = client.get(reverse("workroom:report", args=[job.pk, StatusReport.objects.get().pk]))
    assert "is released to Frank Freelancer" not in text_of(answer)
    assert "View Released" in text_of(answer)


def test_a_replaced_sending_points_to_the_one_that_counts(
    client: Client, form_url: str, job: Job
) -> None:
    client.post(form_url, typed(m1_percent="60"))
    client.post(form_url, typed(m1_percent="70"))
    first, second = StatusReport.objects.order_by("pk")
    answer = client.get(reverse("workroom:report", args=[job.pk, first.pk]))
    assert "This sending was replaced by a later one: sending 2 counts" in text_of(answer)
    newest = client.get(reverse("workroom:report", args=[job.pk, second.pk]))
    assert "60 % in the report before." in text_of(newest)
    listed = text_of(client.get(reverse("workroom:reports", args=[job.pk])))
    assert listed.count("9 Mar 2026 – 15 Mar 2026") == 2
    assert "Sending 1, replaced by a later one" in listed


def test_without_reports_the_list_says_what_to_do(client: Client, form_url: str, job: Job) -> None:
    url = reverse("workroom:reports", args=[job.pk])
    assert "No Status Report yet" in text_of(client.get(url))
    assert form_url in client.get(url).content.decode()
    client.force_login(job.client)
    assert form_url not in client.get(url).content.decode()


def test_the_list_costs_the_same_with_1_and_30_reports(
    client: Client, form_url: str, job: Job
) -> None:
    url = reverse("workroom:reports", args=[job.pk])
    sent_before(job, Line(number=1, percent=1), days=7)
    with_one = cost(client, url)
    for number in range(2, 31):
        sent_before(job, Line(number=1, percent=number), days=7)
    with_30 = cost(client, url)
    assert with_one[0] == with_30[0] <= 8
    assert with_30[1] < 40_000


def test_the_form_and_the_report_cost_the_same_with_1_and_30_milestones(
    client: Client, client_person: Person, freelancer: Person
) -> None:
    client.force_login(freelancer)
    costs = []
    for count in (1, 30):
        job = running_job(client_person, freelancer, amounts_minor=[500_00] * count)
        fund(job, *range(1, count + 1))
        lines = [
            Line(number=number, percent=100, bill=number % 2 == 1) for number in range(1, count + 1)
        ]
        report = sent_before(job, *lines)
        form = cost(client, reverse("workroom:create_report", args=[job.pk]))
        shown = cost(client, reverse("workroom:report", args=[job.pk, report.pk]))
        costs.append((form[0], shown[0]))
        assert form[1] < 40_000
        assert shown[1] < 40_000
    assert costs[0] == costs[1]
    assert max(costs[0]) <= 10
