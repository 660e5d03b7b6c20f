"""The Closing Statement (R11.2) and completing by hand (R11.1), as their readers see them."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pypdf
import pytest
import time_machine
from django.db import transaction
from django.urls import reverse

from billing.models import ClosingStatement, Escrow
from billing.moves import endings, refunds
from billing.services import closing, releases
from jobs.models import Job, Person
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.scenarios import START, fund, running_job
from tests.world import world


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def finished(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00 funded on 1 March; one released on request, one without, on 9 March."""
    job = running_job(client_person, freelancer)
    fund(job, 1, 2)
    request_release(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON)
    return Job.objects.get(pk=job.pk)


def page(job: Job, number: int = 1) -> str:
    return reverse(
        "billing:statement", args=[ClosingStatement.objects.get(job=job, number=number).pk]
    )


def test_statement_names_every_movement(finished: Job, client_person: Person) -> None:
    text = text_of(signed_in(client_person).get(page(finished)))
    assert f"Closing Statement CS-{finished.pk}-1" in text
    assert (
        "1. Milestone 1 "
        "1 Mar 2026 10:00 UTC Funded Clara Client $500.00 "
        f"9 Mar 2026 12:00 UTC Released to Frank Freelancer, net INV-{finished.freelancer_id}-0001. "
        "Released by the Client. Clara Client $456.25 "
        "9 Mar 2026 12:00 UTC Service fee Clara Client $43.75 "
        "Sum $500.00 $500.00" in text
    )
    assert "Sum $1,000.00 $1,000.00" in text


def test_statement_has_totals_per_milestone_and_for_the_job(
    finished: Job, freelancer: Person
) -> None:
    text = text_of(signed_in(freelancer).get(page(finished)))
    assert "1. Milestone 1 Released $500.00 $500.00 $0.00 $43.75 $456.25" in text
    assert "2. Milestone 2 Released $1,000.00 $1,000.00 $0.00 $87.50 $912.50" in text
    assert "The Job $1,500.00 $1,500.00 $0.00 $131.25 $1,368.75" in text
    assert (
        "Funded by the Client $1,500.00 Refunded to the Client $0.00 Fees $131.25 "
        "Net to the Freelancer $1,368.75" in text
    )


def test_statement_shows_the_places_of_the_agreed_terms(
    client_person: Person, freelancer: Person
) -> None:
    """A deposit that was added later has the highest number and the first place."""
    job = running_job(client_person, freelancer)
    Escrow.objects.filter(job=job, number=2).update(position=1)
    Escrow.objects.filter(job=job, number=1).update(position=2)
    fund(job, 1, 2)
    releases.release(job.pk, numbers=[1, 2], by=client_person, at=NOON)

    statement = ClosingStatement.objects.get(job=job)
    assert [(one["position"], one["number"]) for one in statement.totals["milestones"]] == [
        (1, 2),
        (2, 1),
    ]
    assert [(line["what"], line["position"], line["number"]) for line in statement.lines] == [
        ("funding", 1, 2),
        ("funding", 2, 1),
        ("release", 1, 2),
        ("release", 2, 1),
    ]
    text = text_of(signed_in(client_person).get(page(job)))
    assert re.findall(r"\d\. Milestone \d", text) == ["1. Milestone 2", "2. Milestone 1"] * 2


def test_statement_shows_that_it_sums_to_zero(finished: Job, client_person: Person) -> None:
    text = text_of(signed_in(client_person).get(page(finished)))
    assert (
        "It sums to zero: funded $1,500.00 = released $1,500.00 "
        "− released and later refunded $0.00 + all refunded $0.00." in text
    )
    assert "for information only" in text


@pytest.fixture
def returned(client_person: Person, freelancer: Person) -> Job:
    """500.00 released by the Client; of 1,000.00 that went back by silence a fee of 25.00 was taken."""
    job = running_job(client_person, freelancer)
    fund(job, 1, 2)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    row = Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)
    escrow = Escrow.objects.get(job=job, number=2)
    refunds.give_back(
        [
            refunds.Return(job=row, escrow=escrow, amount_minor=1_000_00, fee_minor=25_00, at=NOON,
                           reason="Nobody asked for its release.")
        ]
    )  # fmt: skip
    assert closing.complete_if_finished(row, at=NOON)
    return row


def test_a_fee_on_what_went_back_is_shown_and_it_sums_to_zero(
    returned: Job, client_person: Person
) -> None:
    text = text_of(signed_in(client_person).get(page(returned)))
    assert (
        "9 Mar 2026 12:00 UTC Refunded to the Client Nobody asked for its release. Dormancy rule "
        "$975.00 9 Mar 2026 12:00 UTC Fee on the refund Dormancy rule $25.00 "
        "Sum $1,000.00 $1,000.00" in text
    )
    assert "2. Milestone 2 Refunded $1,000.00 $0.00 $1,000.00 $25.00 $0.00" in text
    assert (
        "Funded by the Client $1,500.00 Refunded to the Client $975.00 Fees $68.75 "
        "Net to the Freelancer $456.25" in text
    )
    assert (
        "It sums to zero: funded $1,500.00 = released $500.00 "
        "− released and later refunded $0.00 + all refunded $1,000.00, of which $25.00 fees."
        in text
    )


def test_a_statement_from_before_such_fees_can_be_read(
    finished: Job, client_person: Person
) -> None:
    issued = ClosingStatement.objects.get(job=finished)
    totals = {
        "job": without_return_fee(issued.totals["job"]),
        "milestones": [without_return_fee(sums) for sums in issued.totals["milestones"]],
    }
    ClosingStatement.objects.create(
        job=finished, number=2, replaces=issued, issued_at=NOON, parties=issued.parties,
        lines=issued.lines, totals=totals,
    )  # fmt: skip
    text = text_of(signed_in(client_person).get(page(finished, 2)))
    assert "The Job $1,500.00 $1,500.00 $0.00 $131.25 $1,368.75" in text


def without_return_fee(sums: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sums.items() if name != "return_fee_minor"}


def test_statement_names_the_one_it_replaces(finished: Job, client_person: Person) -> None:
    with transaction.atomic():
        job = Job.objects.select_related("client", "freelancer").locked().get(pk=finished.pk)
        endings.issue_statement(job, at=NOON + timedelta(hours=1))
    browser = signed_in(client_person)
    newer, older = browser.get(page(finished, 2)), browser.get(page(finished, 1))
    first, second = f"CS-{finished.pk}-1", f"CS-{finished.pk}-2"
    assert f'Replaces</dt><dd><a href="{page(finished, 1)}">{first}</a>' in newer.content.decode()
    assert f'Replaced by</dt><dd><a href="{page(finished, 2)}">{second}</a>' in (
        older.content.decode()
    )


def test_statement_is_frozen(finished: Job, client_person: Person) -> None:
    Person.objects.filter(pk=client_person.pk).update(name="Clara Married")
    text = text_of(signed_in(client_person).get(page(finished)))
    assert "Client Clara Client 1 Main Street" in text
    assert "Clara Married" not in text


def test_statement_as_pdf(finished: Job, client_person: Person) -> None:
    response = signed_in(client_person).get(f"{page(finished)}pdf/")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="CS-{finished.pk}-1.pdf"'
    sheets = pypdf.PdfReader(io.BytesIO(response.content)).pages
    text = " ".join(word for sheet in sheets for word in sheet.extract_text().split())
    for words in (
        "Closing Statement",
        "It sums to zero",
        "$1,368.75",
        "Clara Client",
        "2. Milestone 2",
    ):
        assert words in text


def test_only_the_parties_and_support_see_it(
    finished: Job, client_person: Person, freelancer: Person, stranger: Person, agent: Person
) -> None:
    for reader, status in ((client_person, 200), (freelancer, 200), (agent, 200), (stranger, 404)):
        browser = signed_in(reader)
        assert browser.get(page(finished)).status_code == status
        assert browser.get(f"{page(finished)}pdf/").status_code == status


# Completing by hand


@pytest.fixture
def open_ended(client_person: Person, freelancer: Person) -> Job:
    """500.00 released, 1,000.00 never funded; the end of the timeline is to be determined."""
    job = running_job(client_person, freelancer, open_ended=True)
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=START)
    return job


def complete_page(job: Job) -> str:
    return reverse("billing:complete_job", args=[job.pk])


def test_page_says_what_completion_means(open_ended: Job, freelancer: Person) -> None:
    text = text_of(signed_in(freelancer).get(complete_page(open_ended)))
    assert "It cannot be opened again." in text
    assert "This Milestone was never funded and will be removed: Milestone 2, $1,000.00" in text


@pytest.mark.parametrize("side", ["client", "freelancer"])
def test_either_side_completes(open_ended: Job, side: str) -> None:
    response = signed_in(getattr(open_ended, side)).post(complete_page(open_ended), follow=True)
    assert response.redirect_chain == [(reverse("workroom:job_billing", args=[open_ended.pk]), 302)]
    text = text_of(response)
    assert "The Job is completed. Both of you have the Closing Statement." in text
    assert f"CS-{open_ended.pk}-1 Closing Statement" in text
    open_ended.refresh_from_db()
    assert open_ended.state == "completed"


def test_second_click_completes_nothing(open_ended: Job, client_person: Person) -> None:
    signed_in(client_person).post(complete_page(open_ended))
    before = world()
    response = signed_in(client_person).post(complete_page(open_ended), follow=True)
    assert "This Job is completed." in text_of(response)
    assert world() == before


def test_not_while_money_is_held(open_ended: Job, client_person: Person) -> None:
    fund(open_ended, 2)
    before = world()
    browser = signed_in(client_person)
    for response in (
        browser.get(complete_page(open_ended), follow=True),
        browser.post(complete_page(open_ended), follow=True),
    ):
        assert "The Job cannot be completed yet: “Milestone 2” is funded." in text_of(response)
    assert world() == before


def test_for_a_stranger_there_is_no_job(open_ended: Job, stranger: Person) -> None:
    before = world()
    assert signed_in(stranger).get(complete_page(open_ended)).status_code == 404
    assert signed_in(stranger).post(complete_page(open_ended)).status_code == 404
    assert world() == before
