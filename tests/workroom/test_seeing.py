"""Support sees a Job's pages as a party does: only these, only to read, marked and logged."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver, resolve, reverse

from billing.models import (
    Cancellation,
    Dispute,
    Document,
    Escrow,
    Offer,
    Payment,
    ProForma,
    ReleaseRequest,
)
from jobs.models import Notification, Person
from tests.billing.banking import nothing_changes
from tests.billing.intervening import agent_in
from tests.desk import MONDAY, World, browser_of, in_dispute, whole_world
from tests.world import world as all_rows
from workroom import seeing
from workroom.models import StatusReport, Timesheet

pytestmark = pytest.mark.django_db

BANNER = "Read only; every page is logged."
NOT_OF_JOB = [
    "workroom:my_jobs", "workroom:billing_list", "jobs:profile", "jobs:notices", "jobs:security",
    "billing:cards", "billing:balance", "billing:pay_out", "account_email", "workroom:new_job",
]  # fmt: skip


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(MONDAY + timedelta(days=5), tick=False):
        yield


@pytest.fixture
def world(client_person: Person, freelancer: Person) -> World:
    made = whole_world(client_person, freelancer)
    in_dispute(made.job)
    return made


@pytest.fixture
def agent_of(db: None) -> Person:
    return agent_in("Agent", "Alma")


def look_as(agent: Person, world: World, role: str) -> Client:
    browser = browser_of(agent)
    answer = browser.post(reverse("admin:jobs_job_see_as", args=[world.job.pk, role]))
    assert answer.headers["Location"] == reverse("workroom:job", args=[world.job.pk])
    return browser


def pages_of(world: World) -> dict[str, str]:
    """Every page that the table knows, with a row of this Job."""
    job = world.job
    rows: dict[str, Any] = {
        "request_id": ReleaseRequest.objects.filter(job=job).latest("pk").pk,
        "cancellation_id": Cancellation.objects.get(job=job).pk,
        "dispute_id": Dispute.objects.get(job=job).pk,
        "offer_id": Offer.objects.filter(dispute__job=job).latest("pk").pk,
        "payment_id": Payment.objects.filter(job=job).latest("pk").pk,
        "pro_forma_id": ProForma.objects.filter(request__job=job).latest("pk").pk,
        "document_id": Document.objects.filter(job=job).latest("pk").pk,
        "report_id": StatusReport.objects.filter(job=job).latest("pk").pk,
        "timesheet_id": Timesheet.objects.filter(job=job).latest("pk").pk,
        "job_id": job.pk,
        "version": 2,
    }
    pages = {}
    for name in sorted(seeing.OF_JOB | set(seeing.OF_ROW)):
        if name == "billing:statement":
            continue
        namespace, _, short = name.partition(":")
        resolver: Any = get_resolver().namespace_dict[namespace][1]
        parameters = resolver.reverse_dict[short][0][0][1]
        url = reverse(name, kwargs={key: rows[key] for key in parameters})
        number = Escrow.objects.filter(job=job).latest("number").number
        pages[name] = f"{url}?escrow={number}"
    return pages


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_every_page_of_the_job_is_drawn_as_the_party_sees_it(
    world: World, agent_of: Person, role: str
) -> None:
    browser = look_as(agent_of, world, role)
    before, entries = all_rows(), LogEntry.objects.count()
    party = world.job.client if role == "client" else world.job.freelancer
    assert party is not None
    own = browser_of(party)
    seen = 0
    for name, url in pages_of(world).items():
        theirs, ours = own.get(url), browser.get(url)
        if theirs.status_code == 200:
            assert ours.status_code == 200, name
            assert BANNER in ours.content.decode(), name
            seen += 1
        elif theirs.status_code == 302:
            assert ours.status_code == 302, name
        else:
            assert ours.status_code in (403, 405), (name, theirs.status_code, ours.status_code)
    assert seen >= 15
    assert all_rows() == before
    assert LogEntry.objects.count() > entries + seen


def test_the_party_reads_no_word_of_it(world: World, agent_of: Person) -> None:
    unread = Notification.objects.filter(read_at=None).count()
    browser = look_as(agent_of, world, "client")
    browser.get(reverse("workroom:job", args=[world.job.pk]))
    assert Notification.objects.filter(read_at=None).count() == unread
    notice = Notification.objects.filter(person=world.job.client).latest("pk")
    assert browser.get(reverse("jobs:notice", args=[notice.pk])).status_code == 403
    page = browser_of(world.job.client).get(reverse("workroom:job", args=[world.job.pk]))
    assert BANNER not in page.content.decode()


@pytest.mark.parametrize("name", NOT_OF_JOB)
def test_what_is_no_page_of_the_job_is_refused(world: World, agent_of: Person, name: str) -> None:
    browser = look_as(agent_of, world, "freelancer")
    answer = browser.get(reverse(name))
    assert answer.status_code == 403
    assert "This page is not one of the Job “Website”." in answer.content.decode()


def test_another_job_of_the_party_is_refused(world: World, agent_of: Person) -> None:
    browser = look_as(agent_of, world, "freelancer")
    assert browser.get(reverse("workroom:job", args=[world.finished.pk])).status_code == 403
    other = Document.objects.get(job=world.finished)
    assert browser.get(reverse("billing:document", args=[other.pk])).status_code == 403


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
def test_nothing_can_be_done(world: World, agent_of: Person, method: str) -> None:
    browser = look_as(agent_of, world, "client")
    for url in (
        reverse("billing:release", args=[world.job.pk]),
        reverse("workroom:propose_terms", args=[world.job.pk]),
    ):
        with nothing_changes():
            answer = getattr(browser, method)(url, {"escrow": "2"})
        assert answer.status_code in (403, 405)
    if method == "post":
        assert "You only look" in answer.content.decode()


def test_the_database_writes_nothing_while_a_page_is_drawn(
    world: World, agent_of: Person, rf: RequestFactory
) -> None:
    """Even a view that would write is stopped, and says so."""

    def writes(request: HttpRequest, job_id: int) -> HttpResponse:
        Person.objects.filter(pk=request.user.pk).update(name="Changed")
        return HttpResponse("done")

    request: Any = rf.get(reverse("workroom:job", args=[world.job.pk]))
    request.user, request.session = agent_of, {}
    request.resolver_match = resolve(request.path)
    seeing.start(request, world.job, role="client")
    middleware = seeing.SeenAsMiddleware(lambda _: HttpResponse())
    answer = middleware.process_view(request, writes, (), {"job_id": world.job.pk})
    assert answer is not None
    assert answer.status_code == 403
    assert "This page writes something when it is opened" in answer.content.decode()
    assert Person.objects.get(pk=world.job.client_id).name == "Clara Client"
    assert request.user == agent_of


def test_each_page_is_logged_with_who_looked(world: World, agent_of: Person) -> None:
    browser = look_as(agent_of, world, "freelancer")
    url = reverse("workroom:terms", args=[world.job.pk])
    browser.get(url)
    lines = [
        (entry.user, entry.object_id, entry.get_change_message())
        for entry in LogEntry.objects.order_by("pk")
    ]
    assert lines == [
        (agent_of, str(world.job.pk), "Began to see its pages as the Freelancer"),
        (agent_of, str(world.job.pk), f"Saw {url} as the Freelancer"),
    ]


def test_stop_and_the_hour_end_it(world: World, agent_of: Person) -> None:
    browser = look_as(agent_of, world, "client")
    page = reverse("workroom:job", args=[world.job.pk])
    assert BANNER in browser.get(page).content.decode()
    answer = browser.post(reverse("admin:jobs_job_stop_seeing"))
    assert answer.headers["Location"] == reverse("admin:jobs_job_story", args=[world.job.pk])
    assert browser.get(page).status_code == 404
    browser = look_as(agent_of, world, "client")
    with time_machine.travel(MONDAY + timedelta(days=5, minutes=61), tick=False):
        assert browser.get(page).status_code == 404


def test_who_may_look(world: World) -> None:
    start = reverse("admin:jobs_job_see_as", args=[world.job.pk, "client"])
    page = reverse("workroom:job", args=[world.job.pk])
    for group in ("Agent", "Senior agent", "Auditor"):
        browser = browser_of(agent_in(group, group.replace(" ", "")))
        browser.post(start)
        assert browser.get(page).status_code == 200, group
    nobody = agent_in("Auditor", "Nora")
    nobody.groups.clear()
    browser = browser_of(Person.objects.get(pk=nobody.pk))
    assert browser.post(start).status_code == 403
    assert browser.get(page).status_code == 404


def test_a_party_looks_as_himself_only(world: World) -> None:
    party = world.job.freelancer
    assert party is not None
    party.is_staff = True
    party.save()
    party.groups.set(agent_in("Senior agent", "Bela").groups.all())
    browser = browser_of(party)
    browser.post(reverse("admin:jobs_job_see_as", args=[world.job.pk, "client"]))
    page = browser.get(reverse("workroom:job", args=[world.job.pk])).content.decode()
    assert BANNER not in page


def test_rights_are_asked_for_on_each_page(world: World, agent_of: Person) -> None:
    browser = look_as(agent_of, world, "client")
    agent_of.groups.clear()
    assert browser.get(reverse("workroom:job", args=[world.job.pk])).status_code == 404


def test_a_draft_has_no_freelancer_who_sees_it(world: World, agent_of: Person) -> None:
    browser = browser_of(agent_of)
    browser.post(reverse("admin:jobs_job_see_as", args=[world.invited.pk, "freelancer"]))
    assert browser.get(reverse("workroom:job", args=[world.invited.pk])).status_code == 404


def test_a_desk_on_its_own_host_shows_the_pages_there(
    world: World, agent_of: Person, settings: Any
) -> None:
    """The agent's cookie belongs to the desk's host, so the Job's pages are drawn there while he looks."""
    settings.ALLOWED_HOSTS = ["escrow.example.com", "desk.example.com"]
    settings.SITE_URL, settings.ADMIN_HOST = "https://escrow.example.com", "desk.example.com"
    browser = browser_of(agent_of)
    at_the_desk = {"headers": {"host": "desk.example.com"}}
    page = reverse("workroom:job", args=[world.job.pk])
    assert browser.get(page, **at_the_desk).headers["Location"].startswith("https://escrow")
    browser.post(reverse("admin:jobs_job_see_as", args=[world.job.pk, "client"]), **at_the_desk)
    assert BANNER in browser.get(page, **at_the_desk).content.decode()
