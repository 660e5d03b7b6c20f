"""A Job's whole story on one page, for support."""

import re
from datetime import datetime, timedelta
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse

from billing.models import PaymentMethod, ProForma, Transfer
from billing.selectors.ledger_lines import Left, ledger_of
from billing.selectors.rules import numbers_of
from billing.services import payments
from jobs.models import Activity, Job, Notification, Person
from tests.billing.banking import fund
from tests.desk import World, agent_of_the_desk, browser_of, statements, whole_world
from tests.scenarios import running_job
from tests.workroom.agreements import draft, hourly_draft
from tests.workroom.report_steps import send
from workroom.selectors.story import story_of
from workroom.services.reports import Line

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client_person: Person, freelancer: Person) -> World:
    return whole_world(client_person, freelancer)


@pytest.fixture
def desk(db: None) -> Client:
    return browser_of(agent_of_the_desk())


def url_of(job: Job) -> str:
    return reverse("admin:jobs_job_story", args=[job.pk])


def sections(browser: Client, job: Job) -> dict[str, str]:
    """The words of each section of the page, by its id."""
    page = browser.get(url_of(job))
    assert page.status_code == 200
    found = re.findall(r'(?s)<section id="(\w+)">(.*?)</section>', page.content.decode())
    return {name: text_of(body) for name, body in found}


def text_of(html: str) -> str:
    """Its words in one line; tags of running text leave no gap."""
    joined = re.sub(r"</?(a|span|small|strong|time)\b[^>]*>", "", html)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", joined)).split())


def test_the_page_tells_everything(desk: Client, world: World) -> None:
    told = sections(desk, world.job)
    assert list(told) == [
        "support", "parties", "money", "terms", "payments", "releases", "disputes", "documents", "ledger", "reports",
        "files", "policy", "history",
    ]  # fmt: skip
    for section, words in {
        "parties": [
            "Clara Client clara@example.com · UTC", "Frank Freelancer frank@example.com · UTC",
            "Fixed price, USD", "Awarded 1 Mar 2026, 10:00 UTC", "Active since 3 Mar 2026, 10:00 UTC",
        ],
        "money": [
            "1. Design Released 31 Mar 2026 $500.00 $500.00 $0.00 $500.00 $0.00 $43.75",
            "2. Build Funded 7 May 2026 $1,000.00 $1,000.00 $1,000.00 $0.00 $0.00 $0.00",
            "Job $1,500.00 $1,500.00 $1,000.00 $500.00 $0.00 $43.75",
        ],
        "terms": [
            "Version 1 Superseded Proposed by Clara Client, 1 Mar 2026, 10:00 UTC",
            "Version 2 Agreed Proposed by Frank Freelancer, 2 Mar 2026, 10:00 UTC, answered "
            "3 Mar 2026, 10:00 UTC. From 2 Mar 2026 to 7 May 2026.",
            "Frank Freelancer: One more week, please.", "2. Build 7 May 2026 $1,000.00",
        ],
        "payments": [
            "Design The system 3 Mar 2026, 10:00 UTC 8 Mar 2026, 12:00 UTC",
            f"Payment {world.returned.pk} Clara Client Sent back", "Visa ending in 3184",
            "− $500.00", "The money arrived when it was no longer wanted: the payment had been cancelled on "
            "7 Mar 2026 12:00 UTC.",
            f"Payment {world.payment.pk} Clara Client Succeeded $1,500.00 "
            "Design: $500.00 Build: $1,000.00 Visa ending in 4242 authenticated",
            world.payment.gateway_reference,
        ],
        "releases": [
            "Design Frank Freelancer The design is ready. Released 9 Mar 2026, 12:00 UTC "
            "24 Mar 2026, 12:00 UTC 8 Apr 2026, 12:00 UTC 10 Mar 2026, 12:00 UTC",
            f"{ProForma.objects.get().name} Invoiced $500.00",
            f"Clara Client $500.00 $43.75 $0.00 $456.25 {world.invoice.name}",
        ],
        "documents": [f"{world.invoice.name} Invoice Design Frank Freelancer $500.00 $456.25"],
        "ledger": [
            "Funding Cash at the gateway “simulated” → Escrow of “Build” $1,000.00 "
            "Escrow of “Build”: $1,000.00",
            "Release, net Escrow of “Design” → Available balance of Frank Freelancer $456.25 "
            "Escrow of “Design”: $43.75",
        ],
        "reports": [
            "Week of 9 Mar 2026 Sent by Frank Freelancer, 9 Mar 2026, 12:00 UTC",
            "The design is ready.", "Build the start page.", "Design 100 % $500.00",
            "Build 20 % – Begun", "Attached: design.pdf", "Week of 2 Mar 2026: 7:30 hours",
            "3 Mar 2026: 7:30 – Sketches",
        ],
        "files": ["design.pdf Frank Freelancer 9 Mar 2026, 12:00 UTC 17"],
        "policy": ["Silence releases after 30 days", "Service fee 8.75 %", "Dormant after 60 days"],
        "history": [
            "1 Mar 2026, 10:00 UTC Clara Client awarded the Job to Frank Freelancer "
            "Notice to Frank Freelancer Queued",
            "Clara Client released $500.00 of “Design” Released by the Client. "
            "Notice to Clara Client Queued Notice to Frank Freelancer Queued",
        ],
    }.items():  # fmt: skip
        for one in words:
            assert one in told[section], section


def test_history_is_told_forwards_and_in_full(world: World) -> None:
    story = story_of(world.job)
    kinds = [happening.activity.kind for happening in story.history]
    expected = Activity.objects.filter(job=world.job).order_by("happened_at", "pk")
    assert kinds == list(expected.values_list("kind", flat=True))
    assert kinds[0] == "awarded"
    assert kinds[-1] == "released"
    told = sum(len(happening.notices) for happening in story.history)
    assert told == Notification.objects.filter(activity__job=world.job).count() > 0


def test_the_ledger_says_what_each_transfer_left(world: World) -> None:
    ledger = ledger_of(world.job)
    own = [(line.transfer.code, line.left) for line in ledger.lines]
    refunding = f"Refund of Payment {world.returned.pk} on its way"
    design, build = "Escrow of “Design”", "Escrow of “Build”"
    # One payment's two fundings are posted by one statement, in no order of their own.
    assert sorted(own[2:4], key=str) == [
        ("fund", [Left(account=build, balance_minor=1_000_00)]),
        ("fund", [Left(account=design, balance_minor=500_00)]),
    ]
    assert own[:2] + own[4:] == [
        ("unwanted", [Left(account=refunding, balance_minor=500_00)]),
        ("refund_paid", [Left(account=refunding, balance_minor=0)]),
        ("release", [Left(account=design, balance_minor=43_75)]),
        ("service_fee", [Left(account=design, balance_minor=0)]),
    ]
    assert ledger.differences == []
    assert Transfer.objects.count() > len(own)


def test_stories_of_jobs_that_have_just_begun(
    desk: Client, world: World, client_person: Person
) -> None:
    begun = sections(desk, draft(client_person))
    assert "No Terms are agreed yet." in begun["money"]
    assert "A Job gets its Policy when it is awarded." in begun["policy"]
    assert "No money has moved." in begun["ledger"]
    assert "Nothing has happened." in begun["history"]
    hourly = sections(desk, hourly_draft(client_person))
    assert "An hourly Job has no escrow." in hourly["money"]
    assert "Hourly, USD, $40.00 an hour" in hourly["parties"]
    invited = sections(desk, world.invited)
    assert "nobody@example.com no account has confirmed this address yet" in invited["parties"]
    assert "Notice to nobody@example.com Queued" in invited["history"]
    finished = sections(desk, world.finished)
    assert f"CS-{world.finished.pk}-1 Closing Statement the Job" in finished["documents"]


def test_what_was_set_aside_and_who_is_locked_stands_out(desk: Client, world: World) -> None:
    job = world.job
    Job.objects.filter(pk=job.pk).update(set_aside_at=job.awarded_at, set_aside_reason="Broken row")
    Person.objects.filter(pk=job.client_id).update(is_active=False)
    told = sections(desk, job)["parties"]
    assert "Set aside 1 Mar 2026, 10:00 UTC: Broken row" in told
    assert "clara@example.com · UTC · locked" in told


def test_the_story_is_in_utc_whatever_the_reader_s_zone(world: World) -> None:
    reader = agent_of_the_desk()
    Person.objects.filter(pk=reader.pk).update(time_zone="Pacific/Auckland")
    page = browser_of(reader).get(url_of(world.job)).content.decode()
    assert "10 Mar 2026, 12:00 UTC" in page
    assert "NZDT" not in page


def test_a_story_costs_the_same_however_long_it_is(
    desk: Client, client_person: Person, freelancer: Person
) -> None:
    at = draft(client_person).drafted_at
    short = running_job(client_person, freelancer, amounts_minor=[10_00])
    fund(short, 1, at=at)
    send(short, at, Line(number=1, percent=100, bill=True))
    long = running_job(client_person, freelancer, amounts_minor=[10_00] * 30)
    for number in range(1, 31):
        fund_more(long, number, at + timedelta(minutes=number))
        send(
            long,
            at + timedelta(weeks=number),
            Line(number=number, percent=100, bill=True),
            comments=f"Week {number}",
        )
    few = statements(desk, url_of(short))
    assert statements(desk, url_of(long)) == few
    assert few <= 33


def fund_more(job: Job, number: int, at: datetime) -> None:
    method = PaymentMethod.objects.filter(person=job.client).latest("pk")
    payments.fund(job.pk, numbers=[number], method=method, by=job.client, at=at)


def test_the_policy_is_said_in_words(world: World) -> None:
    assert world.job.policy is not None
    numbers = {number.label: number.value for number in numbers_of(world.job.policy)}
    assert numbers["Warnings"] == "10, 5, 2, 1 days before that"
    assert numbers["A Dispute is answered within"] == "2 business days"
    assert numbers["Holidays"] == "none"
    assert numbers["Largest amount"] == "1,000,000"
