"""The world as the support desk sees it: one Job that everything has happened to, and a few beside it."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.gateways.base import Status
from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Dispute, Document, Payment, Payout
from billing.services import (
    cancellations,
    disputes,
    interventions,
    mediation,
    offers,
    payments,
    payouts,
    releases,
    sealed,
)
from jobs.models import AddressChange, Job, Person
from jobs.services import attempts, heartbeats
from tests.billing.banking import add_card, bank_says, deliver, fund
from tests.factories import PersonFactory
from tests.scenarios import finished_job
from tests.workroom.agreements import BUILD, DESIGN, START, awarded, terms_input
from workroom.services import reports, terms, timesheets
from workroom.services.reports import Line
from workroom.services.timesheets import Entry

MONDAY = datetime(2026, 3, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class World:
    """What the tests ask for by name; ``job`` has been through everything."""

    job: Job
    finished: Job
    invited: Job
    payment: Payment
    returned: Payment
    payout: Payout
    invoice: Document


def whole_world(client: Person, freelancer: Person) -> World:
    """A row in every table, made by the services that the parties use."""
    invited = awarded(client, "nobody@example.com")
    finished = finished_job(PersonFactory(name="Carl Other"), freelancer)
    paid = Payment.objects.get(job=finished)
    deliver(charge_back(paid.gateway_reference), at=MONDAY)
    job = negotiated(client, freelancer)
    returned = fund(job, 1, behaviour="needs_authentication", at=MONDAY - 2 * DAY)
    deliver(bank_says(returned, Status.CANCELLED), at=MONDAY - 2 * DAY)
    deliver(bank_says(returned, Status.SUCCEEDED), at=MONDAY - DAY)
    payment = payments.fund(
        job.pk, numbers=[1, 2], method=add_card(client), by=client, at=MONDAY - DAY
    )
    work(job, freelancer)
    releases.release(job.pk, numbers=[1], by=client, at=MONDAY + DAY)
    payout = payouts.pay_out(
        freelancer, currency="USD", amount_minor=100_00, destination="DE02 1203 0000 0000 2020 51",
        at=MONDAY + 3 * DAY,
    )  # fmt: skip
    returned.refresh_from_db()
    heartbeats.beat("sweep", started_at=MONDAY, ended_at=MONDAY)
    attempts.note(attempts.WRONG_PASSWORDS, client.email, at=MONDAY)
    AddressChange.objects.create(
        person=client, from_email=client.email, to_email="clara@home.example", asked_at=MONDAY
    )
    return World(
        job=Job.objects.get(pk=job.pk),
        finished=finished,
        invited=invited,
        payment=payment,
        returned=returned,
        payout=payout,
        invoice=Document.objects.get(job=job),
    )


def negotiated(client: Person, freelancer: Person) -> Job:
    """The Freelancer wanted a week more, and got it."""
    job = awarded(client, freelancer.email)
    later = (replace(DESIGN, number=1), replace(BUILD, number=2, due_on=date(2026, 5, 7)))
    wish = terms_input(message="One more week, please.", milestones=later, ends_on=date(2026, 5, 7))
    terms.propose(job, by=freelancer, terms=wish, answering=1, at=START + DAY)
    terms.accept(job, by=client, version=2, at=START + 2 * DAY)
    return Job.objects.get(pk=job.pk)


def work(job: Job, freelancer: Person) -> None:
    """A Status Report with a file that bills the first Milestone, and a timesheet."""
    reports.submit_report(
        job,
        by=freelancer,
        lines=[Line(number=1, percent=100, bill=True), Line(number=2, percent=20, comment="Begun")],
        comments="The design is ready.",
        plan="Build the start page.",
        uploads=[SimpleUploadedFile("design.pdf", b"%PDF-1.7\n1 0 obj\n")],
        at=MONDAY,
    )
    timesheets.submit_timesheet(
        job,
        by=freelancer,
        week_starts_on=date(2026, 3, 2),
        entries=[Entry(worked_on=date(2026, 3, 3), minutes=450, note="Sketches")],
        comments="As agreed.",
        at=MONDAY,
    )


def in_dispute(job: Job) -> Dispute:
    """What Build holds is disputed, a decision waits to be confirmed, and the Client wants to cancel."""
    client, freelancer, at = job.client, job.freelancer, MONDAY + 4 * DAY
    assert freelancer is not None
    dispute = disputes.open(
        job.pk, number=2, asks="refund", asked_minor=800_00, reason="The start page is missing.",
        by=client, at=at, uploads=[SimpleUploadedFile("screen.pdf", b"%PDF-1.7\n2 0 obj\n")],
    )  # fmt: skip
    disputes.answer(dispute.pk, text="It is there.", by=freelancer, at=at)
    offers.make(dispute.pk, to_freelancer_minor=600_00, by=freelancer, at=at)
    sealed.enter(dispute.pk, limit_minor=412_34, by=freelancer, at=at)
    disputes.escalate(dispute.pk, by=client, at=at)
    mediation.decide(
        dispute.pk, to_freelancer_minor=500_00, reasons="Half of it is done.", by=second_agent(), at=at
    )  # fmt: skip
    interventions.propose(
        job.pk, kind="refund_released", basis="party_request", asked_by=freelancer, number=1,
        asked_how="by phone, called back", amount_minor=10_00, reason="He wants to be kind.",
        by=second_agent(), at=at,
    )  # fmt: skip
    cancellations.request(job.pk, shares={2: 100_00}, reason="No time left.", by=client, at=at)
    dispute.refresh_from_db()
    return dispute


def agent_of_the_desk() -> Person:
    """A support agent as an installation makes one: staff, and in the group."""
    return _agent("Alma Agent", "alma@example.com", "Agent")


def second_agent() -> Person:
    """A senior one, who may also confirm what another one decided."""
    return _agent("Bela Senior", "bela@example.com", "Senior agent")


def auditor() -> Person:
    """One who reads everything and does nothing."""
    return _agent("Otto Auditor", "otto@example.com", "Auditor")


def _agent(name: str, email: str, group: str) -> Person:
    person = Person.objects.filter(email=email).first()
    if person is None:
        person = PersonFactory(name=name, email=email, is_staff=True)
        person.groups.add(Group.objects.get(name=group))
    return person


def superuser() -> Person:
    return PersonFactory(
        name="Rita Root", email="rita@example.com", is_staff=True, is_superuser=True
    )


def browser_of(person: Person) -> Client:
    browser = Client()
    browser.force_login(person)
    return browser


def listed(browser: Client, name: str, query: str = "", **filters: object) -> list[int]:
    """The ids of the rows that a list shows for a search, in its order."""
    answer = browser.get(reverse(f"admin:{name}_changelist"), {"q": query, **filters})
    assert answer.status_code == 200, answer.headers.get("location")
    return [row.pk for row in answer.context["cl"].result_list]


def statements(browser: Client, url: str) -> int:
    """How many statements a page costs, once everything that is kept is kept."""
    browser.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert browser.get(url).status_code == 200
    return len(queries)
