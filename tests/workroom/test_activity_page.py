"""The history of a Job in words: complete, readable whatever is missing."""

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Activity
from jobs.selectors import history
from jobs.services import activity
from tests.workroom.agreements import START, agreed, awarded
from workroom.notices import AWARDED, TERMS_PROPOSED


def described(job, viewer):
    return [(line["what"], line["who"]) for line in history.lines(history.of_job(job), job, viewer)]


def test_a_line_says_what_who_when_and_why(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    activity.record(
        job, TERMS_PROPOSED, by=freelancer, at=START, reason="A deposit, please", version=2
    )
    row = Activity.objects.select_related("actor", "job").latest("pk")

    with timezone.override("Europe/Vienna"):
        line = history.describe(row, client_person)

    assert line == {
        "what": "Proposed Terms 2",
        "who": "Frank Freelancer",
        "when": "1 Mar 2026, 11:00 CET",
        "why": "A deposit, please",
        "sentence": "Frank Freelancer proposed Terms 2",
    }


def test_the_viewer_is_you_and_the_system_is_named(client_person, freelancer):
    job = agreed(client_person, freelancer)

    assert described(job, freelancer) == [
        ("Requested funding of “Design” ($500.00)", "The system"),
        ("Accepted Terms 1", "You"),
        ("Awarded the Job to Frank Freelancer", "Clara Client"),
    ]


def test_a_support_agent_is_named_as_one(client_person, freelancer, agent):
    job = awarded(client_person, freelancer.email)
    activity.record(job, AWARDED, by=agent, at=START, freelancer="Frank")

    assert described(job, client_person)[0] == ("Awarded the Job to Frank", "Alma Agent (support)")


def test_history_stays_readable_without_its_facts_or_its_kind(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    for kind, facts in (
        ("funding_requested", {}),
        ("funding_requested", {"escrow": "Design", "amount_minor": "many", "due_at": "soon"}),
        ("something_old", {"amount_minor": 5}),
    ):
        Activity.objects.create(
            job=job, kind=kind, actor_kind="system", happened_at=START, facts=facts
        )

    assert [what for what, _ in described(job, client_person)][:3] == [
        "Something old",
        "Requested funding of “Design” (–)",
        "Requested funding of “–” (–)",
    ]


def test_the_page_shows_the_whole_history_in_pages(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    for version in range(2, 62):
        activity.record(job, TERMS_PROPOSED, by=freelancer, at=START, version=version)
    client = Client()
    client.force_login(client_person)
    address = reverse("workroom:activity", args=[job.pk])

    first = client.get(address).content.decode()
    second = client.get(f"{address}?page=2").content.decode()

    assert "1–50 of 61" in first
    assert "Proposed Terms 61" in first
    assert "Awarded the Job to Frank Freelancer" in second
    assert len(first) < 40_000


def test_what_people_wrote_is_escaped(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    activity.record(
        job, TERMS_PROPOSED, by=freelancer, at=START, reason="<b>bold</b>", version="<i>2</i>"
    )
    client = Client()
    client.force_login(client_person)

    page = client.get(reverse("workroom:activity", args=[job.pk])).content.decode()

    assert "&lt;b&gt;bold&lt;/b&gt;" in page
    assert "Proposed Terms &lt;i&gt;2&lt;/i&gt;" in page
