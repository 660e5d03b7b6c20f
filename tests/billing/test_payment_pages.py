"""Pages of one payment: what happened, what can be done, what happens next (R3.4)."""

from datetime import datetime

import pytest
from django.test import Client

from billing.gateways.base import Status
from billing.models import Payment
from billing.services import payments
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.billing.banking import (
    add_card,
    bank_says,
    deliver,
    escrow_states,
    fund,
    nothing_changes,
)
from tests.billing.steps import signed_in, text_of
from tests.scenarios import running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


@pytest.fixture
def clara(client_person: Person) -> Client:
    return signed_in(client_person)


def page(clara: Client, payment: Payment) -> str:
    return text_of(clara.get(f"/billing/payments/{payment.pk}/"))


def test_a_pending_payment_says_until_when(job: Job, clara: Client, at: datetime) -> None:
    text = page(clara, fund(job, 1, behaviour="needs_authentication", at=at))
    assert "Your bank wants to know that the card is yours" in text
    assert "8 Mar 2026, 10:00 UTC The payment lapses" in text
    assert "Authenticate at your bank" in text


def test_a_declined_payment_offers_another_card(job: Job, clara: Client, at: datetime) -> None:
    payment = fund(job, 1, behaviour="declined", at=at)
    text = page(clara, payment)
    assert "The bank declined the card. Nothing was charged, and nothing is funded." in text
    assert "Try another card" in text


def test_what_is_funded_otherwise_is_not_offered_again(
    job: Job, clara: Client, at: datetime
) -> None:
    payment = fund(job, 1, behaviour="declined", at=at)
    payments.fund(job.pk, numbers=[1], method=add_card(job.client), by=job.client, at=at)
    assert "Try another card" not in page(clara, payment)


def test_the_bank_can_be_asked_without_waiting(job: Job, clara: Client, at: datetime) -> None:
    payment = fund(job, 1, behaviour="silent", at=at)
    assert "We are waiting for your bank" in page(clara, payment)
    answer = clara.post(f"/billing/payments/{payment.pk}/check/")
    assert answer.url == f"/billing/payments/{payment.pk}/"
    assert "“Milestone 1” is Funded" in page(clara, payment)
    with nothing_changes():
        clara.post(f"/billing/payments/{payment.pk}/check/")


def test_a_pending_payment_is_cancelled_after_a_question(job: Job, clara: Client) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=timing.now())
    url = f"/billing/payments/{payment.pk}/cancel/"
    assert "“Milestone 1” is unfunded again, and Frank Freelancer is told." in text_of(
        clara.get(url)
    )
    assert clara.post(url).url == f"/billing/payments/{payment.pk}/"
    assert "The payment is cancelled" in page(clara, payment)
    assert escrow_states(job)[0] == "unfunded"
    again = clara.post(url, follow=True)
    assert "This payment has been cancelled: there is nothing to cancel." in text_of(again)
    assert clara.get(url).url == f"/billing/payments/{payment.pk}/"


def test_the_bank_page_of_a_cancelled_payment_charges_nothing(
    job: Job, clara: Client, at: datetime
) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    payments.cancel(payment, by=job.client, at=at)
    bank = f"/bank/{payment.gateway_reference}/"
    assert "This has been answered" in clara.get(bank).content.decode()
    with nothing_changes():
        assert (
            clara.post(bank, {"answer": "authenticate"}).url == f"/billing/payments/{payment.pk}/"
        )
    way = clara.get(f"/billing/payments/{payment.pk}/authenticate/")
    assert way.url == f"/billing/payments/{payment.pk}/"


def test_an_answer_that_is_none_asks_again(job: Job, clara: Client, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    with nothing_changes():
        for form in ({}, {"answer": "maybe"}, {"answer": "\0"}):
            page_again = clara.post(f"/bank/{payment.gateway_reference}/", form)
            assert "Is this payment yours?" in page_again.content.decode()


def test_money_that_goes_back_is_explained(job: Job, clara: Client, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    deliver(bank_says(payment, Status.FAILED), at=at)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at)
    text = page(clara, payment)
    assert "The money goes back to your card" in text
    assert "Your bank has confirmed the refund" in text


def test_the_freelancer_is_led_to_billing_and_a_stranger_to_nothing(
    job: Job, freelancer: Person, stranger: Person, at: datetime
) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    address = f"/billing/payments/{payment.pk}/"
    assert signed_in(freelancer).get(address).url == f"/jobs/{job.pk}/billing/"
    with nothing_changes():
        for person, paths in (
            (freelancer, ("authenticate/", "check/", "cancel/")),
            (stranger, ("", "authenticate/", "check/", "cancel/")),
        ):
            for path in paths:
                assert signed_in(person).get(address + path).status_code in (404, 405)
                assert signed_in(person).post(address + path).status_code in (404, 405)
        bank = f"/bank/{payment.gateway_reference}/"
        assert signed_in(freelancer).get(bank).status_code == 404
        assert signed_in(freelancer).post(bank, {"answer": "authenticate"}).status_code == 404
    assert signed_in(stranger).get(f"/billing/payments/{10**30}/").status_code == 404
