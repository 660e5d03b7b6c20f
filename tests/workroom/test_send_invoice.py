"""Manage ▸ Billing ▸ Send Invoice: Job, Next, Request Release, comments, Submit (R4.3)."""

import re
from datetime import datetime
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import ProForma, ReleaseRequest
from jobs.models import Job, Person
from tests.scenarios import finished_job, fund, running_job
from workroom.models import StatusReport
from workroom.services import reports
from workroom.services.reports import Line

URL = "/billing/send-invoice/"


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Two Milestones, 500.00 and 1,000.00; the first is Funded."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


def words(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def values_of(answer: Any) -> list[str]:
    """The Jobs that can be chosen."""
    return re.findall(r'<input type="radio" name="job" value="(\d+)"', answer.content.decode())


def test_the_way_of_the_article_ends_in_a_request(
    client: Client, job: Job, freelancer: Person
) -> None:
    client.force_login(freelancer)
    chosen = client.get(URL)
    assert values_of(chosen) == [str(job.pk)]
    assert "Website Clara Client $500.00 in 1 Milestone can be requested" in words(chosen)
    milestones = client.get(URL, {"job": job.pk, "next": "1"}, follow=True)
    assert milestones.redirect_chain == [(reverse("workroom:send_invoice_job", args=[job.pk]), 302)]
    link = re.search(r'href="([^"]+)">Request Release', milestones.content.decode())
    assert link is not None
    assert link[1] == reverse("workroom:create_report", args=[job.pk]) + "?bill=1"
    form = client.get(link[1]).content.decode()
    fields = dict(re.findall(r'<input [^>]*name="(m\d-\w+)"[^>]*value="([^"]*)"', form))
    assert (fields["m1-percent"], fields["m1-asked"]) == ("100", "1")
    client.post(link[1], fields | {"m1-bill": "on", "comments": "For you, Clara."})
    request = ReleaseRequest.objects.get()
    assert (request.escrow.number, request.comments, request.state) == (
        1,
        "For you, Clara.",
        "open",
    )
    assert ProForma.objects.get().amount_minor == 500_00
    assert StatusReport.objects.get().lines.get(escrow__number=1).percent == 100


def test_why_a_milestone_cannot_be_requested_is_said(
    client: Client, job: Job, freelancer: Person, at: datetime
) -> None:
    reports.submit_report(job, by=freelancer, lines=[Line(number=1, percent=100, bill=True)], at=at)
    client.force_login(freelancer)
    answer = client.get(reverse("workroom:send_invoice_job", args=[job.pk]))
    assert "A Release Request for “Milestone 1” is open already." in words(answer)
    assert "“Milestone 2” is not funded yet, so there is nothing to release." in words(answer)
    assert "Request Release of" not in words(answer)
    assert "Nothing can be requested now" in words(client.get(URL))


def test_only_my_running_fixed_price_jobs_can_be_chosen(
    client: Client, job: Job, client_person: Person, freelancer: Person, stranger: Person
) -> None:
    hourly = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=hourly.pk).update(kind="hourly", hourly_rate_minor=50_00)
    finished_job(client_person, freelancer)
    running_job(freelancer, client_person)
    running_job(client_person, stranger)
    client.force_login(freelancer)
    assert values_of(client.get(URL)) == [str(job.pk)]


def test_next_without_a_job_is_a_message(client: Client, job: Job, freelancer: Person) -> None:
    client.force_login(freelancer)
    assert "Choose the Job that you want to bill." in words(client.get(URL, {"next": "1"}))


@pytest.mark.parametrize("chosen", ["0", "abc", "9" * 40, "1\x00", "-1"])
def test_a_job_that_is_none_is_a_message(
    client: Client, job: Job, freelancer: Person, chosen: str
) -> None:
    client.force_login(freelancer)
    answer = client.get(URL, {"next": "1", "job": chosen})
    assert answer.status_code == 200
    assert "This Job cannot be billed any more. Choose another." in words(answer)


def test_without_a_job_to_bill_the_page_says_so(client: Client, client_person: Person) -> None:
    client.force_login(client_person)
    assert "No Job to bill" in words(client.get(URL))


def test_an_hourly_job_has_no_escrow(
    client: Client, client_person: Person, freelancer: Person
) -> None:
    hourly = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=hourly.pk).update(kind="hourly", hourly_rate_minor=50_00)
    client.force_login(freelancer)
    answer = client.get(reverse("workroom:send_invoice_job", args=[hourly.pk]))
    assert "Hourly Jobs have no escrow" in words(answer)


def test_the_client_is_told_that_it_is_not_his_to_do(client: Client, job: Job) -> None:
    client.force_login(job.client)
    answer = client.get(reverse("workroom:send_invoice_job", args=[job.pk]))
    assert "Only the Freelancer can request a release." in words(answer)
    assert "Request Release of" not in words(answer)


def test_to_a_stranger_the_job_does_not_exist(client: Client, job: Job, stranger: Person) -> None:
    url = reverse("workroom:send_invoice_job", args=[job.pk])
    assert client.get(url).status_code == client.get(URL).status_code == 302
    client.force_login(stranger)
    assert client.get(url).status_code == 404


def test_words_narrow_a_long_list(
    client: Client, client_person: Person, freelancer: Person
) -> None:
    jobs = [running_job(client_person, freelancer, amounts_minor=[5_00]) for _ in range(31)]
    Job.objects.filter(pk=jobs[7].pk).update(title="Bakery")
    client.force_login(freelancer)
    assert len(values_of(client.get(URL))) == 30
    assert len(values_of(client.get(URL, {"page": "2"}))) == 1
    assert values_of(client.get(URL, {"q": "baKE"})) == [str(jobs[7].pk)]
    assert "No Job found" in words(client.get(URL, {"q": "xyz\x00"}))


def cost(client: Client, url: str) -> tuple[int, int]:
    """Statements and bytes of a page."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    assert answer.status_code == 200
    return len(queries), len(answer.content)


def test_the_choice_costs_the_same_with_1_and_30_jobs(
    client: Client, client_person: Person, freelancer: Person
) -> None:
    client.force_login(freelancer)
    costs = []
    for count in (1, 29):
        for _ in range(count):
            fund(running_job(client_person, freelancer), 1)
        costs.append(cost(client, URL))
    assert costs[0][0] == costs[1][0] <= 8
    assert costs[1][1] < 40_000


def test_the_milestones_cost_the_same_with_1_and_30(
    client: Client, client_person: Person, freelancer: Person, at: datetime
) -> None:
    client.force_login(freelancer)
    costs = []
    for count in (1, 30):
        job = running_job(client_person, freelancer, amounts_minor=[500_00] * count)
        fund(job, *range(1, count + 1))
        odd = [Line(number=number, percent=100, bill=True) for number in range(1, count + 1, 2)]
        reports.submit_report(job, by=freelancer, lines=odd, at=at)
        costs.append(cost(client, reverse("workroom:send_invoice_job", args=[job.pk])))
    assert costs[0][0] == costs[1][0] <= 8
    assert costs[1][1] < 40_000
