"""The release page (R5.1): every amount before the click, one release whatever is clicked."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from billing.models import Document, Release
from jobs.models import Job, Person
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.scenarios import fund, running_job
from tests.world import world


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00 funded, 250.00 not."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 250_00])
    fund(job, 1, 2)
    return job


def page(job: Job, *numbers: int) -> str:
    query = "&".join(f"escrow={number}" for number in numbers)
    return f"{reverse('billing:release', args=[job.pk])}?{query}"


def click(person: Person, job: Job, *numbers: object, seen_minor: object) -> object:
    return signed_in(person).post(
        reverse("billing:release", args=[job.pk]),
        {"escrow": numbers, "seen_minor": seen_minor},
        follow=True,
    )


def test_page_shows_every_amount_and_that_it_is_final(job: Job, client_person: Person) -> None:
    response = signed_in(client_person).get(page(job, 1))
    text = text_of(response)
    assert "The release is immediate and final" in text
    assert "Gross all that is held for this Milestone $500.00" in text
    assert "Service fee, 8.75 % − $43.75" in text
    assert "Processing fee, 0 % − $0.00" in text
    assert "Net to Frank Freelancer $456.25" in text
    assert "This release was not requested yet. You can release it all the same" in text
    assert "Release $500.00" in text
    assert "the Job completes with this release" not in text


def test_page_for_several_shows_each_and_all_together(job: Job, client_person: Person) -> None:
    request_release(job, 2)
    text = text_of(signed_in(client_person).get(page(job, 1, 2)))
    assert "Net to Frank Freelancer $456.25" in text
    assert "Net to Frank Freelancer $912.50" in text
    assert "Together Gross $1,500.00 Service fees − $131.25 Processing fees − $0.00" in text
    assert "Net to Frank Freelancer $1,368.75" in text
    assert "requested this release of “Milestone 2” on 9 Mar 2026, 12:00 UTC" in text


def test_page_says_that_the_last_release_completes_the_job(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    browser = signed_in(client_person)
    assert "the Job completes with this release" in text_of(browser.get(page(job, 1)))
    Job.objects.filter(pk=job.pk).update(open_proposal_until=NOON + timedelta(days=1))
    assert "the Job completes" not in text_of(browser.get(page(job, 1)))
    Job.objects.filter(pk=job.pk).update(open_proposal_until=None, open_ended=True)
    assert "the Job completes" not in text_of(browser.get(page(job, 1)))


def test_click_releases_and_leads_to_the_receipt(job: Job, client_person: Person) -> None:
    response = click(client_person, job, 1, seen_minor=500_00)
    document = Document.objects.get()
    assert response.redirect_chain == [(reverse("billing:document", args=[document.pk]), 302)]
    assert f"Frank Freelancer has been told. Made for both of you: {document}." in text_of(response)
    assert (document.kind, document.gross_minor) == ("receipt", 500_00)


def test_click_with_a_request_leads_to_the_final_invoice(job: Job, client_person: Person) -> None:
    request_release(job)
    response = click(client_person, job, 1, seen_minor=500_00)
    assert Document.objects.get().kind == "final_invoice"
    assert "Final invoice" in text_of(response)


def test_click_for_several_releases_all(job: Job, client_person: Person) -> None:
    response = click(client_person, job, 1, 2, seen_minor=1_500_00)
    assert response.redirect_chain[-1][0] == reverse("workroom:job_billing", args=[job.pk])
    assert set(Release.objects.values_list("escrow__number", "gross_minor")) == {
        (1, 500_00),
        (2, 1_000_00),
    }


def test_second_click_says_so_and_releases_nothing(job: Job, client_person: Person) -> None:
    click(client_person, job, 1, seen_minor=500_00)
    before = world()
    response = click(client_person, job, 1, seen_minor=500_00)
    assert "“Milestone 1” is released already." in text_of(response)
    assert world() == before
    assert Release.objects.count() == 1


def test_amounts_that_have_changed_are_shown_again(job: Job, client_person: Person) -> None:
    before = world()
    for seen in (499_99, "", "abc", 10**40):
        text = text_of(click(client_person, job, 1, seen_minor=seen))
        assert "The amounts have changed since you opened this page" in text
        assert "Release $500.00" in text
    assert world() == before


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ([], "Choose a Milestone to release."),
        ([3], "“Milestone 3” is not funded, so there is nothing to release."),
        ([1, 3], "“Milestone 3” is not funded, so there is nothing to release."),
        ([4], "This Milestone is not part of the agreed Terms."),
        ([10**30], "This Milestone is not part of the agreed Terms."),
        (["one"], "This Milestone is not part of the agreed Terms."),
        (["1\x00"], "This Milestone is not part of the agreed Terms."),
        (["<script>"], "This Milestone is not part of the agreed Terms."),
    ],
)
def test_what_cannot_be_released(
    job: Job, client_person: Person, numbers: list[object], message: str
) -> None:
    before = world()
    shown = signed_in(client_person).get(
        reverse("billing:release", args=[job.pk]), {"escrow": numbers}, follow=True
    )
    clicked = click(client_person, job, *numbers, seen_minor=500_00)
    for response in (shown, clicked):
        assert response.redirect_chain == [(reverse("workroom:job_billing", args=[job.pk]), 302)]
        assert message in text_of(response)
    assert world() == before


def test_freelancer_is_refused(job: Job, freelancer: Person) -> None:
    before = world()
    shown = signed_in(freelancer).get(page(job, 1), follow=True)
    clicked = click(freelancer, job, 1, seen_minor=500_00)
    for response in (shown, clicked):
        assert "Only the Client can release the money of a Milestone." in text_of(response)
    assert world() == before


def test_for_a_stranger_there_is_no_job(job: Job, stranger: Person) -> None:
    before = world()
    assert signed_in(stranger).get(page(job, 1)).status_code == 404
    assert click(stranger, job, 1, seen_minor=500_00).status_code == 404
    assert world() == before


def test_an_hourly_job_has_no_escrow(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=job.pk).update(kind="hourly", hourly_rate_minor=40_00)
    response = signed_in(client_person).get(page(job, 1), follow=True)
    assert "Hourly Jobs have no escrow" in text_of(response)


def test_a_job_with_a_huge_id_is_not_found(client_person: Person) -> None:
    response = signed_in(client_person).get(f"/billing/jobs/{10**30}/release/?escrow=1")
    assert response.status_code == 404
