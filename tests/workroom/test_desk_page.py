"""The start page of the support desk: what waits for a human, and nothing when nothing does."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from billing.gateways.simulated_chargebacks import charge_back
from billing.models import GatewayEvent, Payment, Payout, Refund
from billing.services import chargebacks, disputes, mediation, payments, refunding
from escrow_site.lib.timing import real_now
from jobs.models import Heartbeat, Job, Notification, Person
from jobs.services import heartbeats
from tests.billing.banking import add_card, deliver
from tests.billing.dispute_steps import NOON, funded_job, open_dispute
from tests.billing.intervening import propose
from tests.desk import agent_of_the_desk, browser_of, second_agent, statements, superuser
from tests.factories import PersonFactory
from tests.scenarios import good_card, running_job
from workroom.selectors.desk import Desk, desk_of

pytestmark = pytest.mark.django_db

NOW = NOON + timedelta(days=10)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def beat(name: str, at: datetime, **facts: object) -> None:
    heartbeats.beat(name, started_at=at, ended_at=at, **facts)


@pytest.fixture
def alive(db: None) -> None:
    beat("sweep", NOW - timedelta(minutes=1))
    beat("audit_ledger", NOW - timedelta(hours=8), count=0, differences=[])


def desk(reader: Person) -> Desk:
    return desk_of(reader, at=NOW, real_at=NOW)


def titles(reader: Person) -> dict[str, int]:
    return {section.title: section.count for section in desk(reader).waiting}


def page(browser: Client) -> str:
    return browser.get(reverse("admin:index")).content.decode()


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


def test_calm_when_all_is_well(alive: None, job: Job) -> None:
    reader = agent_of_the_desk()
    assert desk(reader).is_calm
    assert "Nothing waits for you" in page(browser_of(reader))


@pytest.mark.parametrize(
    ("name", "age", "loud"),
    [
        ("sweep", timedelta(minutes=4), False),
        ("sweep", timedelta(minutes=6), True),
        ("audit_ledger", timedelta(hours=25), False),
        ("audit_ledger", timedelta(hours=27), True),
    ],
)
def test_a_silent_worker_is_loud(alive: None, name: str, age: timedelta, loud: bool) -> None:
    Heartbeat.objects.filter(pk=name).delete()
    beat(name, NOW - age)
    assert desk(agent_of_the_desk()).is_calm is not loud
    assert ("is a worker running?" in page(browser_of(agent_of_the_desk()))) is loud


def test_what_never_ran_is_loud(db: None) -> None:
    assert [pulse.is_late for pulse in desk(agent_of_the_desk()).pulses] == [True, True]
    assert "never ran" in page(browser_of(agent_of_the_desk()))


def test_differences_of_the_audit_are_shown(alive: None) -> None:
    beat("audit_ledger", NOW, count=5000, differences=["balances: account 7 has 1 too much"] * 100)
    shown = page(browser_of(agent_of_the_desk()))
    assert shown.count("account 7 has 1 too much") == 5
    assert "5000 differences: no money is to be moved" in shown
    assert "Nothing waits for you" not in shown


def test_what_is_to_be_confirmed_by_whom(alive: None, job: Job, client_person: Person) -> None:
    alma, bela = agent_of_the_desk(), second_agent()
    dispute = open_dispute(job, client_person, at=NOW)
    disputes.escalate(dispute.pk, by=client_person, at=NOW)
    mediation.decide(dispute.pk, to_freelancer_minor=0, reasons="x", by=bela, at=NOW)
    other = funded_job(PersonFactory(), PersonFactory())
    propose(other, "release", alma, asked_by=other.client, amount_minor=1_00, at=NOW)
    assert titles(alma) == {
        "Interventions that another agent is to confirm": 1,
        "Decisions that another agent is to confirm": 1,
    }
    assert titles(bela) == {
        "Interventions for you to confirm": 1,
        "Decisions that another agent is to confirm": 1,
    }
    client_person.is_staff = True
    client_person.groups.set(bela.groups.all())
    client_person.save()
    party = Person.objects.get(pk=client_person.pk)
    assert titles(party) == {"Interventions for you to confirm": 1}


def test_what_was_charged_back(alive: None, job: Job) -> None:
    alma, bela = agent_of_the_desk(), second_agent()
    payment = Payment.objects.get(job=job)
    deliver(charge_back(payment.gateway_reference), at=NOW)
    assert titles(alma) == {"Payments that were charged back": 1}
    key = payment.chargebacks.get().pk
    chargebacks.record(key, outcome="won", reason="Letter.", by=alma, at=NOW)
    assert titles(alma) == {"Ends of chargebacks that another agent is to confirm": 1}
    assert titles(bela) == {"Ends of chargebacks for you to confirm": 1}


def test_disputes_by_deadline(alive: None, job: Job, client_person: Person) -> None:
    reader = agent_of_the_desk()
    dispute = open_dispute(job, client_person, at=NOW)
    (coming,) = desk(reader).coming
    assert (coming.count, coming.when, coming.rows[0].at) == (1, "by", dispute.answer_due_at)
    assert desk(reader).is_calm
    disputes.escalate(dispute.pk, by=client_person, at=NOW)
    assert titles(reader) == {"Disputes to be decided": 1}
    assert desk(reader).coming == []


def test_what_hangs(alive: None, job: Job, client_person: Person) -> None:
    method = good_card(client_person)
    pending = running_job(client_person, PersonFactory())
    started = NOW - timedelta(days=2)
    card = add_card(client_person, "needs_authentication")
    payments.fund(pending.pk, numbers=[1], method=card, by=client_person, at=started)
    payments.start(
        job.pk, numbers=[2], method=method, by=client_person, at=NOW - timedelta(hours=1)
    )
    assert job.freelancer is not None
    refunding.refund_held(
        job.pk, number=1, amount_minor=1_00, by=job.freelancer, at=NOW - timedelta(hours=1),
        reason="", seen_held_minor=500_00,
    )  # fmt: skip
    Payout.objects.create(
        person=client_person, currency="USD", amount_minor=1, destination="DE02", gateway="simulated",
        started_at=NOW - timedelta(hours=1),
    )  # fmt: skip
    event = GatewayEvent.objects.create(gateway="simulated", event_id="evt_1", kind="x", body="{}")
    GatewayEvent.objects.filter(pk=event.pk).update(received_at=NOW - timedelta(hours=1))
    assert titles(agent_of_the_desk()) == {
        "Payments that the provider has not answered": 1,
        "Payments Pending longer than a day": 1,
        "Refunds that the provider has not answered": 1,
        "Payouts that the provider has not answered": 1,
        "Events of the provider that could not be worked off": 1,
    }
    assert Payment.objects.count() == 3
    assert Refund.objects.count() == 1


def test_failed_notices_and_jobs_set_aside(alive: None, job: Job) -> None:
    failed = Notification.objects.order_by("pk")[:1].values("pk")
    Notification.objects.filter(pk__in=failed).update(state="failed", failure="550 no such box")
    Job.objects.filter(pk=job.pk).update(set_aside_at=real_now(), set_aside_reason="A bug")
    assert titles(agent_of_the_desk()) == {
        "Jobs set aside: their clocks stand still": 1,
        "Notices that could not be sent": 1,
    }
    shown = page(browser_of(agent_of_the_desk()))
    assert "550 no such box" in shown
    assert reverse("admin:jobs_job_change", args=[job.pk]) in shown


def test_five_rows_the_oldest_first_and_the_same_statements(alive: None) -> None:
    jobs = [funded_job(PersonFactory(), PersonFactory()) for _ in range(7)]
    browser, reader = browser_of(superuser()), agent_of_the_desk()
    few = statements(browser, reverse("admin:index"))
    for days, job in enumerate(jobs):
        dispute = open_dispute(job, job.client, at=NOON - timedelta(days=days))
        disputes.escalate(dispute.pk, by=job.client, at=NOON - timedelta(days=days))
    assert statements(browser, reverse("admin:index")) == few
    (section,) = desk(reader).waiting
    assert (section.count, len(section.rows)) == (7, 5)
    assert section.rows[0].at == NOON - timedelta(days=6)
    assert ">All 7</a>" in page(browser)
    assert [row.at for row in section.rows] == sorted(row.at for row in section.rows)  # type: ignore[type-var]


def test_the_links_lead_to_the_rows(alive: None, job: Job, client_person: Person) -> None:
    dispute = open_dispute(job, client_person, at=NOW)
    disputes.escalate(dispute.pk, by=client_person, at=NOW)
    reader = superuser()
    browser = browser_of(reader)
    (section,) = desk(reader).waiting
    for url in (section.url, section.rows[0].url):
        assert browser.get(url).status_code == 200
