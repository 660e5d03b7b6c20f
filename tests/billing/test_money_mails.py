"""Mails about money coming in: what happened, what one can do, until when, what if not (R12)."""

from datetime import datetime, timedelta

import pytest
import time_machine

from billing.gateways.base import Status
from billing.services import funding, payments, refunding, releases
from jobs.models import Activity, Job, Notification, Person
from jobs.selectors import history, notices
from tests.billing.banking import (
    add_card,
    authenticate,
    bank_says,
    deliver,
    fund,
    refuse,
)
from tests.billing.steps import request_release
from tests.scenarios import running_job
from workroom.services import mail

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=3)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


def mail_to(reader: Person, kind: str) -> str:
    """The newest mail of this kind to the reader: subject and text in one line; HTML says the same."""
    notice = notices.with_all_they_name(
        Notification.objects.filter(person=reader, activity__kind=kind)
    ).latest("pk")
    made = mail.compose(notice)
    text = " ".join(str(made.body).split())
    ((html, _),) = made.alternatives
    assert "…" not in made.subject
    assert "None" not in text
    assert str(html).count("<h2") == 3 + ("if nobody acts" in html)
    return f"{made.subject} | {text}"


def link_of(reader: Person, kind: str) -> str:
    notice = notices.with_all_they_name(
        Notification.objects.filter(person=reader, activity__kind=kind)
    ).latest("pk")
    return notices.target(notice.activity)


def test_funding_requested(
    job: Job, client_person: Person, freelancer: Person, at: datetime
) -> None:
    text = mail_to(client_person, "funding_requested")
    assert text.startswith("Funding requested: Milestone 1, $500.00 | ")
    assert "The Terms of “Website” are accepted. The first Milestone is to be funded now" in text
    assert "Frank Freelancer need not start before one Milestone is Funded." in text
    funding.request_funding(job.pk, number=2, by=freelancer, at=at)
    text = mail_to(client_person, "funding_requested")
    assert "Frank Freelancer asks you to fund “Milestone 2” with $1,000.00." in text
    assert "30 days after a Release Request that nobody answered" in text
    assert link_of(client_person, "funding_requested") == f"/billing/jobs/{job.pk}/fund/"


def test_pending_then_funded(
    job: Job, client_person: Person, freelancer: Person, at: datetime
) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    to_client = mail_to(client_person, "payment_pending")
    assert to_client.startswith("Pending: Milestone 1, $500.00 | ")
    assert (
        "Open the payment and authenticate it at your bank: it turns Funded at once." in to_client
    )
    assert "The payment can be authenticated until 8 Mar 2026, 10:00 UTC." in to_client
    assert "the payment lapses: nothing is charged, and Milestone 1 is unfunded again." in to_client
    assert "You need not start yet." in mail_to(freelancer, "payment_pending")
    assert link_of(client_person, "payment_pending") == f"/billing/payments/{payment.pk}/"

    authenticate(payment, at=at + LATER)
    assert "You funded Milestone 1 with $500.00." in mail_to(client_person, "funded")
    to_freelancer = mail_to(freelancer, "funded")
    assert "Clara Client funded Milestone 1 with $500.00." in to_freelancer
    assert "You can start." in to_freelancer


def test_not_authenticated(
    job: Job, client_person: Person, freelancer: Person, at: datetime
) -> None:
    refuse(fund(job, 1, behaviour="needs_authentication", at=at), at=at)
    to_client = mail_to(client_person, "authentication_failed")
    assert "The bank could not confirm that you are the holder of the card." in to_client
    to_freelancer = mail_to(freelancer, "authentication_failed")
    assert "The money did not arrive. Milestone 1 is unfunded again." in to_freelancer
    assert "holder of the card" not in to_freelancer


def test_the_history_names_each_milestone_of_a_payment(
    job: Job, client_person: Person, at: datetime
) -> None:
    fund(job, 1, 2, at=at)
    line = Activity.objects.select_related("actor", "job").get(kind="funded")
    assert history.describe(line, client_person)["sentence"] == (
        "You funded “Milestone 1”, “Milestone 2” with $1,500.00"
    )


def test_declined(job: Job, client_person: Person, at: datetime) -> None:
    payment = fund(job, 1, 2, behaviour="insufficient_funds", at=at)
    text = mail_to(client_person, "payment_failed")
    assert text.startswith("Payment failed: Milestone 1, Milestone 2, $1,500.00 | ")
    assert "with Visa ending in 9995 failed: There is not enough money on the card." in text
    assert link_of(client_person, "payment_failed") == f"/billing/payments/{payment.pk}/"


def test_cancelled(job: Job, client_person: Person, freelancer: Person, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    payments.cancel(payment, by=client_person, at=at)
    assert "You cancelled the Pending payment of $500.00" in mail_to(
        client_person, "payment_cancelled"
    )
    assert "Clara Client cancelled the Pending payment of $500.00" in mail_to(
        freelancer, "payment_cancelled"
    )


def test_money_returned_and_refused(
    job: Job, client_person: Person, freelancer: Person, at: datetime
) -> None:
    method = add_card(client_person, "closed")
    payment = payments.start(job.pk, numbers=[1], method=method, by=client_person, at=at)
    payments.cancel(payment, by=client_person, at=at)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at)
    assert "It goes back to your card, Visa ending in 5126, whole and without a fee." in mail_to(
        client_person, "money_returned"
    )
    to_freelancer = mail_to(freelancer, "money_returned")
    assert "It goes back to the Client’s card" in to_freelancer
    assert "5126" not in to_freelancer
    assert "$500.00 was to go back to Visa ending in 5126" in mail_to(
        client_person, "refund_refused"
    )
    assert link_of(client_person, "refund_refused") == "/billing/balance/"


def test_what_stays_held_after_a_part_is_told_with_the_date_of_its_own_release(
    job: Job, client_person: Person, freelancer: Person, at: datetime
) -> None:
    """In the mail where it is asked until when, and in the list of notices too."""
    fund(job, 1, at=at)
    request_release(job, at=at)
    releases.release_part(
        job.pk, number=1, amount_minor=300_00, by=client_person, at=at, seen_held_minor=500_00
    )
    until = "31 Mar 2026, 10:00 UTC"
    with time_machine.travel(at, tick=False):
        text = mail_to(client_person, "released")
    assert f"UNTIL WHEN {until}: then the $200.00 that stays held is released by the 30-day" in text
    assert "The release of the $300.00 was immediate and is final." in text
    assert f"with its clock unchanged: without an answer it is released on {until}." in text
    assert "Nothing more happens with the $300.00." in text
    late = mail_to(client_person, "released")  # by the clock of the machine: it was released since
    assert "UNTIL WHEN There is no deadline." in late
    told = Notification.objects.filter(person=client_person, activity__kind="released")
    _, otherwise = notices.brief(notices.with_all_they_name(told).get())
    assert until in otherwise

    refunding.refund_held(
        job.pk,
        number=1,
        amount_minor=50_00,
        by=freelancer,
        at=at,
        reason="",
        seen_held_minor=200_00,
    )
    text = mail_to(client_person, "refunded")
    assert (
        f"stands for the $150.00, with its clock unchanged: without an answer it is released on {until}."
        in text
    )


def test_a_part_without_a_request_has_no_date(
    job: Job, client_person: Person, at: datetime
) -> None:
    fund(job, 1, at=at)
    releases.release_part(
        job.pk, number=1, amount_minor=300_00, by=client_person, at=at, seen_held_minor=500_00
    )
    text = mail_to(client_person, "released")
    assert "UNTIL WHEN There is no deadline. The release of the $300.00 was immediate" in text
    assert "with its clock" not in text
