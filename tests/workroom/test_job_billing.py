"""A Job's Billing & Invoices tab: each Milestone's money and what each side can do about it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Escrow, FundingRequest, Payment
from billing.services import release_requests, releases
from escrow_site.lib import states
from jobs.models import Job, Person
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.scenarios import START, fund, running_job
from tests.world import world

DISPUTE = ("Open a Dispute", False)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded; 1,000.00 and 250.00 not."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 250_00])
    fund(job, 1)
    return job


def page(job: Job) -> str:
    return reverse("workroom:job_billing", args=[job.pk])


def show(person: Person, job: Job) -> Any:
    response = signed_in(person).get(page(job))
    assert response.status_code == 200
    return response


def actions(person: Person, job: Job) -> list[list[tuple[str, bool]]]:
    """For each Milestone the buttons, and whether they are primary."""
    return [
        [(action.label, action.primary) for action in line.actions]
        for line in show(person, job).context["milestones"]
    ]


def notes(person: Person, job: Job) -> list[str]:
    return [line.note for line in show(person, job).context["milestones"]]


def test_totals(job: Job, client_person: Person) -> None:
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    fund(job, 2)
    text = text_of(show(client_person, job))
    assert (
        "Held in escrow $1,000.00 Held until you release it, or until an unanswered Release Request is 30 days old"
        in text
    )
    assert "Released $500.00 Gross, before fees" in text
    assert "Not funded $250.00" in text


def test_every_milestone_with_its_money(job: Job, freelancer: Person) -> None:
    text = text_of(show(freelancer, job))
    assert "Milestone 1 30 Apr 2026 Funded $500.00 $500.00 Request Release" in text
    assert "Milestone 2 30 Apr 2026 Unfunded $1,000.00 $0.00 Request Fund" in text


def test_client_funds_and_releases(job: Job, client_person: Person) -> None:
    assert actions(client_person, job) == [
        [("Release", False), DISPUTE],
        [("Fund", True)],
        [("Fund", False)],
    ]
    html = show(client_person, job).content.decode()
    assert f'href="{reverse("billing:fund", args=[job.pk])}?escrow=2"' in html
    assert f'href="{reverse("billing:fund", args=[job.pk])}?escrow=2&amp;escrow=3"' in html
    assert f'href="{reverse("billing:release", args=[job.pk])}?escrow=1"' in html


def test_a_requested_release_comes_first(job: Job, client_person: Person) -> None:
    request = request_release(job)
    assert actions(client_person, job)[0] == [
        ("Release", True), ("Request changes", False), DISPUTE,
    ]  # fmt: skip
    response = show(client_person, job)
    url = reverse("billing:release_request", args=[request.pk])
    assert (
        f'<a href="{url}">Release requested, due 8 Apr 2026, 12:00 UTC</a>'
        in response.content.decode()
    )
    assert "8 Apr 2026, 12:00 UTC “Milestone 1” is released" in text_of(response)


def test_completing_is_offered_only_when_no_money_is_under_way(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, open_ended=True)
    overview = reverse("workroom:job", args=[job.pk])
    link = f'href="{reverse("billing:complete_job", args=[job.pk])}"'
    assert link in signed_in(client_person).get(overview).content.decode()
    fund(job, 1)
    for url in (overview, page(job)):
        assert link not in signed_in(client_person).get(url).content.decode()


def test_only_what_was_requested_is_released_together(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 250_00])
    fund(job, 1, 2, 3)
    assert actions(client_person, job) == [[("Release", False), DISPUTE]] * 3
    assert show(client_person, job).context["release_all"] is None
    request_release(job, 1)
    request_release(job, 3)
    assert actions(client_person, job) == [
        [("Release", True), ("Request changes", False), DISPUTE],
        [("Release", False), DISPUTE],
        [("Release", False), ("Request changes", False), DISPUTE],
    ]
    response = show(client_person, job)
    url = f"{reverse('billing:release', args=[job.pk])}?escrow=1&escrow=3"
    assert response.context["release_all"].url == url
    assert "Release all requested (2)" in text_of(response)


def test_freelancer_requests_funding_and_release(job: Job, freelancer: Person) -> None:
    FundingRequest.objects.filter(escrow__number=1).update(closed_at=START)
    assert actions(freelancer, job) == [
        [("Request Release", True), ("Refund", False), DISPUTE],
        [("Request Fund", False)],
        [("Request Fund", False)],
    ]
    html = show(freelancer, job).content.decode()
    url = reverse("workroom:create_report", args=[job.pk])
    assert f'href="{url}?bill=1"' in html


def test_request_fund_is_one_click(job: Job, freelancer: Person) -> None:
    browser = signed_in(freelancer)
    html = browser.get(page(job)).content.decode()
    url = reverse("billing:request_funding", args=[job.pk])
    assert f'<form method="post" id="request-funding" action="{url}">' in html
    assert 'form="request-funding" name="escrow" value="2"' in html
    response = browser.post(url, {"escrow": "2"}, follow=True)
    assert response.redirect_chain == [(page(job), 302)]
    assert FundingRequest.objects.filter(escrow__job=job, escrow__number=2).count() == 1
    assert notes(freelancer, job)[1] == "Funding requested 9 Mar 2026, 13:00 UTC"
    assert actions(freelancer, job)[1] == []


def test_an_open_request_is_to_be_viewed(job: Job, freelancer: Person) -> None:
    request_release(job)
    assert actions(freelancer, job)[0] == [("View", False), ("Refund", False), DISPUTE]


def test_after_a_void_the_release_can_be_requested_again(job: Job, freelancer: Person) -> None:
    release_requests.void(request_release(job).pk, by=freelancer, at=NOON)
    assert actions(freelancer, job)[0] == [("Request Release", True), ("Refund", False), DISPUTE]
    assert notes(freelancer, job)[0] == ""


def test_what_is_released_can_only_be_refunded(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert actions(client_person, job)[0] == []
    assert actions(freelancer, job)[0] == [("Refund", False)]


# R3.4


def test_until_a_milestone_is_funded(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    assert "You need not start yet" in text_of(show(freelancer, job))
    told = "Frank Freelancer was told: work need not begin until one is."
    assert told in text_of(show(client_person, job))
    fund(job, 1)
    assert "need not" not in text_of(show(freelancer, job))
    assert "need not" not in text_of(show(client_person, job))


def pending_job(client_person: Person, freelancer: Person) -> Job:
    """As a card leaves it whose bank has not confirmed the payment yet."""
    job = running_job(client_person, freelancer)
    fund(job, 2)
    escrow = Escrow.objects.get(job=job, number=1)
    payment = Payment.objects.create(
        job=job, payer=client_person, method=client_person.payment_methods.get(),
        gateway="simulated", currency="USD", amount_minor=500_00, started_at=NOON,
        lapses_at=NOON + timedelta(days=7),
    )  # fmt: skip
    payment.allocations.create(escrow=escrow, amount_minor=500_00)
    states.move([payment], "await_authentication", lapses_at=payment.lapses_at)
    states.move([escrow], "await_authentication")
    return job


def test_pending_money(client_person: Person, freelancer: Person) -> None:
    job = pending_job(client_person, freelancer)
    for reader, who in ((client_person, "you pass"), (freelancer, "Clara Client passes")):
        text = text_of(show(reader, job))
        assert "Pending $500.00 Not held yet" in text
        assert f"changes to Funded by itself as soon as {who} authentication" in text
        assert notes(reader, job)[0] == "Lapses 16 Mar 2026, 12:00 UTC unless authenticated"
    assert actions(client_person, job)[0] == [("Authenticate", True)]
    assert actions(freelancer, job)[0] == []


# Documents and the end


def test_documents_of_this_job_only(job: Job, client_person: Person, freelancer: Person) -> None:
    request = request_release(job)
    (released,) = releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    other = running_job(client_person, freelancer)
    fund(other, 1)
    releases.release(other.pk, numbers=[1], by=client_person, at=NOON)
    papers = show(freelancer, job).context["papers"]
    assert [row.name for row in papers] == [released.document, request.pro_forma.name]


def test_more_documents_are_on_the_billing_list(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[100_00] * 22)
    fund(job, *range(1, 22))
    releases.release(job.pk, numbers=range(1, 22), by=client_person, at=NOON)
    response = show(client_person, job)
    assert len(response.context["papers"]) == 20
    assert f'<a href="/billing/?job={job.pk}">All documents of this Job</a>' in (
        response.content.decode()
    )


def test_a_finished_job_has_its_statement(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    response = show(freelancer, job)
    text = text_of(response)
    assert f"CS-{job.pk}-1 Closing Statement All Issued" in text
    assert "What happens next" not in text
    assert actions(freelancer, job) == [[("Refund", False)]]


def test_completing_is_offered_when_it_can_be_done(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, open_ended=True)
    fund(job, 1)
    url = f'<a class="button" href="{reverse("billing:complete_job", args=[job.pk])}">'
    response = show(client_person, job)
    assert "mark the Job complete once nothing is held, pending or requested." in text_of(response)
    assert url not in response.content.decode()
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    for reader in (client_person, freelancer):
        assert url in show(reader, job).content.decode()


def test_an_hourly_job_has_no_escrow(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=job.pk).update(kind="hourly", hourly_rate_minor=40_00)
    text = text_of(show(freelancer, job))
    assert "Hourly Jobs have no escrow" in text
    assert "Request Fund" not in text
    assert "Held in escrow" not in text


def test_a_job_whose_terms_are_not_agreed_has_no_money(
    client_person: Person, freelancer: Person
) -> None:
    job = Job.objects.create(
        title="Website", currency="USD", client=client_person, freelancer=freelancer,
        drafted_at=START, policy=running_job(client_person, freelancer).policy,
    )  # fmt: skip
    assert signed_in(client_person).get(page(job))["Location"] == (
        reverse("workroom:draft", args=[job.pk])
    )
    states.move([job], "award", at=START)
    assert "Once the Terms are agreed" in text_of(show(freelancer, job))


def test_for_a_stranger_there_is_no_job(job: Job, stranger: Person) -> None:
    assert signed_in(stranger).get(page(job)).status_code == 404


def test_looking_changes_nothing(job: Job, client_person: Person) -> None:
    before = world()
    show(client_person, job)
    assert world() == before


@pytest.mark.parametrize("side", ["client", "freelancer"])
def test_statements_are_as_many_for_one_as_for_thirty(
    client_person: Person, freelancer: Person, side: str
) -> None:
    counts = []
    for number in (1, 30):
        job = running_job(client_person, freelancer, amounts_minor=[100_00] * (number + 2))
        fund(job, *range(1, number + 2))
        for milestone in range(1, number + 1):
            request_release(job, milestone)
        releases.release(job.pk, numbers=range(1, number // 2 + 2), by=client_person, at=NOON)
        browser = signed_in(client_person if side == "client" else freelancer)
        browser.get(page(job))
        with CaptureQueriesContext(connection) as queries:
            response = browser.get(page(job))
        counts.append(len(queries))
        assert len(response.content) <= 40_000
    assert counts[0] == counts[1]
    assert counts[0] <= 8
