"""Papers and pages say who or what moved the money, by which rule and since when; page and PDF alike."""

import io
from collections.abc import Iterator
from datetime import datetime

import pypdf
import pytest
import time_machine
from django.urls import reverse

from billing.gateways.base import Status
from billing.models import ClosingStatement, Document, ProForma
from billing.services import release_requests, releases, sweeping
from jobs.models import Job, Person, Policy
from jobs.services.columns import set_columns
from tests.billing import banking
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.scenarios import fund, running_job

DUE = datetime.fromisoformat("2026-04-08T12:00Z")
RULE = "30-day rule: requested 9 Mar 2026 12:00 UTC, no answer by 8 Apr 2026 12:00 UTC."
SETTLED = (
    "Dormancy rule: the Job was Dormant since 30 Jun 2026 00:00 UTC. By 14 Jul 2026 00:00 UTC the "
    "Freelancer had not requested release of this money, and nobody had done anything else for "
    "14 days: so it goes back to the Client."
)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(DUE, tick=False):
        yield


def both(reader: Person, url: str) -> list[str]:
    """What the page says and what its PDF says, each in one line."""
    browser = signed_in(reader)
    sheets = pypdf.PdfReader(io.BytesIO(browser.get(f"{url}pdf/").content)).pages
    pdf = " ".join(word for sheet in sheets for word in sheet.extract_text().split())
    return [text_of(browser.get(url)), pdf]


@pytest.fixture
def silent(client_person: Person, freelancer: Person) -> Job:
    """500.00, the only Milestone, released by silence on 8 April: so the Job is completed."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    request_release(job)
    sweeping.sweep(at=DUE)
    return Job.objects.get(pk=job.pk)


def test_a_final_invoice_by_silence_names_the_rule(silent: Job, freelancer: Person) -> None:
    for text in both(freelancer, reverse("billing:document", args=[Document.objects.get().pk])):
        assert "9 Mar 2026, 12:00 UTC" in text
        assert f"{RULE} The money was held in escrow" in text
        assert "The system" not in text
    page = both(freelancer, reverse("billing:document", args=[Document.objects.get().pk]))[0]
    assert (
        "Requested 9 Mar 2026, 12:00 UTC No answer by 8 Apr 2026, 12:00 UTC "
        "Released by The 30-day rule" in page
    )


def test_the_rule_has_the_days_of_the_policy(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    set_columns(job, policy=Policy.objects.create(version=9, release_days=20))
    fund(job, 1)
    request_release(job)
    sweeping.sweep(at=DUE)
    for text in both(client_person, reverse("billing:document", args=[Document.objects.get().pk])):
        assert "The 20-day rule" in text
        assert "30-day" not in text


def test_a_receipt_names_the_person(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    for text in both(freelancer, reverse("billing:document", args=[Document.objects.get().pk])):
        assert "Released by the Client. The money was held in escrow" in text
        assert "rule" not in text
    page = both(freelancer, reverse("billing:document", args=[Document.objects.get().pk]))[0]
    assert "Released by Clara Client" in page


def test_a_paid_pro_forma_says_why(silent: Job, client_person: Person) -> None:
    for text in both(client_person, reverse("billing:pro_forma", args=[ProForma.objects.get().pk])):
        assert (
            "Paid on 8 Apr 2026, 12:00 UTC: the final invoice named above takes the place of this "
            f"pro-forma invoice. {RULE}" in text
        )


def test_a_void_pro_forma_says_since_when_by_whom_and_why(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    request = request_release(job)
    release_requests.void(request.pk, by=freelancer, at=NOON, reason="One page is missing.")
    for text in both(client_person, reverse("billing:pro_forma", args=[request.pro_forma.pk])):
        assert (
            "Void since 9 Mar 2026, 12:00 UTC: Frank Freelancer took the Release Request back, and "
            "nothing more is to be paid on it. Reason given: One page is missing." in text
        )


def test_the_closing_statement_says_why_it_was_released_and_why_it_ended(
    silent: Job, freelancer: Person
) -> None:
    statement = reverse("billing:statement", args=[ClosingStatement.objects.get().pk])
    texts = both(freelancer, statement)
    for text in texts:
        assert f"INV-{freelancer.pk}-0001. {RULE}" in text
        assert (
            "Completed on 8 Apr 2026, 12:00 UTC. Every Milestone of the agreed Terms is released, "
            "refunded or removed." in text
        )
        assert "Completed by The timer" in text or text is texts[1]
    assert f"net INV-{freelancer.pk}-0001. {RULE} 30-day rule $456.25" in texts[0]


def test_the_closing_statement_says_why_money_went_back(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    for day in ("2026-06-30", "2026-07-07", "2026-07-14"):
        sweeping.sweep(at=datetime.fromisoformat(f"{day}T00:00Z"))
    statement = reverse("billing:statement", args=[ClosingStatement.objects.get(job=job).pk])
    texts = both(client_person, statement)
    assert f"Refunded to the Client {SETTLED} Dormancy rule $500.00" in texts[0]
    for text in texts:
        assert SETTLED in text
        assert "Dormancy rule: nothing is held any more, and what was never funded is removed." in (
            text
        )


def test_the_page_of_a_request_says_what_ended_it(silent: Job, client_person: Person) -> None:
    url = reverse("billing:release_request", args=[silent.release_requests.get().pk])
    text = text_of(signed_in(client_person).get(url))
    assert f"Released 8 Apr 2026, 12:00 UTC by the 30-day rule Reason {RULE}" in text


def test_the_page_of_a_request_names_the_person_who_released(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    request = request_release(job)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    url = reverse("billing:release_request", args=[request.pk])
    text = text_of(signed_in(client_person).get(url))
    assert "Released 9 Mar 2026, 12:00 UTC by Clara Client Reason Released by the Client." in text


# --- The page of a payment ---


def payment_page(reader: Person, payment_id: int) -> str:
    return text_of(signed_in(reader).get(reverse("billing:payment", args=[payment_id])))


def test_a_payment_that_lapsed_says_when_and_why(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    payment = banking.fund(job, 1, behaviour="needs_authentication", at=NOON)
    lapses_at = payment.lapses_at
    sweeping.sweep(at=lapses_at)
    text = payment_page(client_person, payment.pk)
    assert "It was not authenticated by 16 Mar 2026, 12:00 UTC , within 7 days." in text
    assert (
        "The timer · 16 Mar 2026, 12:00 UTC Not authenticated within 7 days, by 16 Mar 2026 12:00 "
        "UTC: nothing was charged, and what was Pending is unfunded again." in text
    )


def test_a_payment_that_came_too_late_says_why_it_goes_back(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    payment = banking.fund(job, 1, behaviour="needs_authentication", at=NOON)
    sweeping.sweep(at=payment.lapses_at)
    banking.deliver(banking.bank_says(payment, Status.SUCCEEDED), at=DUE)
    why = (
        "The money arrived when it was no longer wanted: the payment had lapsed on 16 Mar 2026 "
        "12:00 UTC."
    )
    text = payment_page(client_person, payment.pk)
    assert f"The money goes back to your card {why} Your bank has confirmed the refund" in text
    assert f"The system · 8 Apr 2026, 12:00 UTC {why}" in text


def test_the_page_of_a_payment_says_what_went_back_of_it(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    for day in ("2026-06-30", "2026-07-07", "2026-07-14"):
        sweeping.sweep(at=datetime.fromisoformat(f"{day}T00:00Z"))
    text = payment_page(client_person, job.payments.get().pk)
    assert "The money was held in escrow. “Milestone 1” is refunded now." in text
    assert (
        f"What went back Milestone 1 {SETTLED} 14 Jul 2026, 00:00 UTC by the dormancy rule $500.00"
        in text
    )
