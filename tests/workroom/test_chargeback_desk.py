"""Chargebacks at the support desk and on the parties' pages (R8.4)."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import Chargeback, Payment
from billing.services import chargebacks
from jobs.models import Activity, Job, Person
from tests.billing.charging_back import begin
from tests.billing.dispute_steps import DAY, NOON, figures, funded_job
from tests.billing.steps import request_release, signed_in, text_of
from tests.desk import agent_of_the_desk, browser_of, listed, second_agent

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer, 1)


@pytest.fixture
def row(job: Job) -> Chargeback:
    return begin(job)


@pytest.fixture
def desk() -> Client:
    return browser_of(agent_of_the_desk())


def url(verb: str, row: Chargeback) -> str:
    return reverse(f"admin:billing_chargeback_{verb}", args=[row.pk])


def page(browser: Client, row: Chargeback) -> str:
    response = browser.get(url("end", row))
    assert response.status_code == 200
    return response.content.decode()


def record(browser: Client, row: Chargeback, **changed: str) -> Any:
    given = {"outcome": "lost", "reason": "Letter of 5 March."}
    return browser.post(url("record", row), given | changed)


# --- Where support finds it ---


def test_the_payment_is_found_by_the_filter_and_its_page_shows_it(
    row: Chargeback, desk: Client
) -> None:
    payments = reverse("admin:billing_payment_changelist")
    payment = reverse("admin:billing_payment_change", args=[row.payment_id])
    assert payment in desk.get(f"{payments}?chargeback=open").content.decode()
    assert payment not in desk.get(f"{payments}?chargeback=lost").content.decode()
    shown = desk.get(payment).content.decode()
    assert "Chargebacks" in shown
    assert reverse("admin:billing_chargeback_change", args=[row.pk]) in shown


def test_the_list_leads_to_how_it_ends(row: Chargeback, desk: Client) -> None:
    shown = desk.get(reverse("admin:billing_chargeback_changelist")).content.decode()
    assert url("end", row) in shown
    text = page(desk, row)
    assert "of the $500.00 that is held up to $500.00 goes to the bank" in text
    assert "Record how it ended" in text
    assert 'name="seen_outcome"' not in text


# --- How it ends ---


def test_one_agent_records_and_a_senior_one_confirms(
    row: Chargeback, job: Job, desk: Client
) -> None:
    assert record(desk, row).status_code == 302
    assert "You recorded this" not in page(desk, row)
    assert (
        "Only a senior support agent who is not a party of the Job can confirm this or send it back."
        in page(desk, row)
    )
    assert figures(job) == ("funded", 0, 0, 500_00)
    senior = browser_of(second_agent())
    assert "Confirm: lost, $500.00 goes to the bank" in page(senior, row)
    assert senior.post(url("confirm", row), {"seen_outcome": "lost"}).status_code == 302
    row.refresh_from_db()
    assert (row.state, figures(job)) == ("lost", ("refunded", 0, 500_00, 0))
    history = senior.get(reverse("admin:billing_chargeback_history", args=[row.pk]))
    assert "Recorded as lost: Letter of 5 March." in history.content.decode()
    assert "Confirmed as lost" in history.content.decode()


def test_what_was_typed_stays_when_it_is_refused(row: Chargeback, desk: Client) -> None:
    response = record(desk, row, outcome="")
    assert response.status_code == 200
    assert "Choose whether the chargeback was won or lost." in response.content.decode()
    assert "Letter of 5 March." in response.content.decode()
    row.refresh_from_db()
    assert row.state == "open"


def test_what_is_sent_back_says_why(row: Chargeback, desk: Client) -> None:
    record(desk, row)
    senior = browser_of(second_agent())
    senior.post(url("send_back", row), {"answer": "It says won."})
    row.refresh_from_db()
    assert row.state == "open"
    assert "It says won." in page(desk, row)


def test_an_agent_who_is_a_party_sees_nothing(row: Chargeback, job: Job) -> None:
    agent = second_agent()
    Job.objects.filter(pk=job.pk).update(freelancer=agent)
    assert browser_of(agent).get(url("end", row)).status_code == 403


# --- The parties ---


def test_both_see_the_freeze_on_the_job(job: Job) -> None:
    request_release(job)
    begin(job)
    for person in (job.client, job.freelancer):
        assert person is not None
        for name in ("job", "job_billing"):
            url_of_page = reverse(f"workroom:{name}", args=[job.pk])
            text = text_of(signed_in(person).get(url_of_page))
            assert "bank wants the payment back" in text or "Charged back since" in text, name
            assert "Release $500.00" not in text


def test_the_client_reads_it_on_the_payment(row: Chargeback, job: Job) -> None:
    own = reverse("billing:payment", args=[row.payment_id])
    assert "Your bank wants this payment back" in text_of(signed_in(job.client).get(own))
    agent, senior = agent_of_the_desk(), second_agent()
    chargebacks.record(row.pk, outcome="lost", reason="Letter.", by=agent, at=NOON + DAY)
    chargebacks.confirm(row.pk, seen_outcome="lost", by=senior, at=NOON + DAY)
    assert Payment.objects.get().state == "charged_back"
    text = text_of(signed_in(job.client).get(own))
    assert "Your bank took this payment back" in text
    assert "What went back" in text


def test_an_agent_who_is_a_party_finds_no_end_of_it(
    row: Chargeback, desk: Client, client_person: Person
) -> None:
    """What one agent recorded is for neither side to know before another one confirms it."""
    record(desk, row)
    line = Activity.objects.get(kind="chargeback_recorded")
    client_person.is_staff = True
    client_person.save()
    client_person.groups.set(agent_of_the_desk().groups.all())
    payment = reverse("admin:billing_payment_change", args=[row.payment_id])
    for browser, sees in ((desk, True), (browser_of(client_person), False)):
        assert (row.pk in listed(browser, "billing_chargeback")) is sees
        assert (row.pk in listed(browser, "billing_chargeback", outcome__exact="lost")) is sees
        assert (line.pk in listed(browser, "jobs_activity")) is sees
        assert ("state-recorded" in browser.get(payment).content.decode()) is sees


def test_the_one_who_recorded_takes_it_back(row: Chargeback, desk: Client) -> None:
    record(desk, row)
    assert url("take_back", row) not in page(browser_of(second_agent()), row)
    assert url("take_back", row) in page(desk, row)
    assert desk.post(url("take_back", row)).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.outcome) == ("open", "")
    assert "Nothing is recorded" in desk.post(url("take_back", row)).content.decode()
    assert url("record", row) in page(desk, row)
