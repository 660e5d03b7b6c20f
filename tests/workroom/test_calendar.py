"""The private calendar of a person: its link, and what a calendar program reads from it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from icalendar import Calendar, Event

from billing.services import release_requests, releases
from jobs.models import Job, Person
from jobs.services import calendars
from tests.billing.steps import request_release, signed_in
from tests.scenarios import fund
from tests.workroom.agreements import START, agreed, awarded, hourly_draft
from workroom.services import awards

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Any:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """“Design” funded and requested on 9 March, “Build” funded."""
    job = agreed(client_person, freelancer)
    fund(job, 1, 2, at=START + timedelta(days=1))
    request_release(job, 1, at=NOON)
    return Job.objects.get(pk=job.pk)


def subscribe(person: Person) -> str:
    """The path of a new link."""
    return reverse("workroom:calendar", args=[calendars.open_feed(person, at=NOON)])


def read(path: str) -> Calendar:
    """As a calendar program does: no cookies, nobody signed in."""
    response = Client().get(path)
    assert response.status_code == 200
    calendar = Calendar.from_ical(response.content)
    assert isinstance(calendar, Calendar)
    return calendar


def events(path: str) -> dict[str, Event]:
    found = {str(event["UID"]): event for event in read(path).walk("VEVENT")}
    assert len(found) == len(read(path).walk("VEVENT"))
    return found


def test_what_a_calendar_program_reads(job: Job) -> None:
    path = subscribe(job.client)
    response = Client().get(path)
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    assert response["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in response
    assert not response.cookies

    found = events(path)
    assert {uid: event.decoded("DTSTART") for uid, event in found.items()} == {
        f"job-{job.pk}-release-{job.release_requests.get().pk}@localhost": datetime(
            2026, 4, 8, 12, tzinfo=UTC
        ),
        f"job-{job.pk}-dormant@localhost": datetime(2026, 6, 30, tzinfo=UTC),
        f"job-{job.pk}-freelancer-told@localhost": datetime(2026, 7, 7, tzinfo=UTC),
        f"job-{job.pk}-settlement@localhost": datetime(2026, 7, 14, tzinfo=UTC),
    }
    released = next(event for uid, event in found.items() if "release" in uid)
    assert str(released["SUMMARY"]) == "“Design” is released (Website)"
    assert str(released["DESCRIPTION"]) == (
        "If nobody acts, on 8 Apr 2026, 12:00 UTC:\n"
        "$500.00 goes to Frank Freelancer, $456.25 net after fees of $43.75, because you have not "
        "answered.\n\n"
        "Until then:\n"
        "You can release it, request changes (at most twice) or open a Dispute.\n"
        "Frank Freelancer can void the request, refund the money or open a Dispute.\n"
        "After a void or a request for changes the money stays held, and a new request starts a new "
        "30 days.\n\n"
        f"http://localhost:8000/jobs/{job.pk}/"
    )
    assert str(released["URL"]) == f"http://localhost:8000/jobs/{job.pk}/"
    assert released.decoded("DTSTAMP") == NOON + timedelta(hours=1)
    assert b"DTSTART:20260408T120000Z\r\n" in response.content
    settled = found[f"job-{job.pk}-settlement@localhost"]
    assert "“Build”: $1,000.00 goes back to you, without a fee." in str(settled["DESCRIPTION"])
    assert "request release of a Milestone" in str(settled["DESCRIPTION"])


def test_each_side_reads_his_own_words_in_his_own_zone(job: Job, freelancer: Person) -> None:
    Person.objects.filter(pk=freelancer.pk).update(time_zone="Pacific/Apia")
    freelancer.refresh_from_db()
    found = events(subscribe(freelancer))
    released = next(event for uid, event in found.items() if "release" in uid)
    assert str(released["DESCRIPTION"]).startswith(
        "If nobody acts, on 9 Apr 2026, 01:00 UTC+13:\n$500.00 goes to you, $456.25 net"
    )
    assert released.decoded("DTSTART") == datetime(2026, 4, 8, 12, tzinfo=UTC)


def test_an_event_keeps_its_name_while_its_date_moves(job: Job, freelancer: Person) -> None:
    path = subscribe(job.client)
    before = set(events(path))
    request = job.release_requests.get()
    release_requests.void(request.pk, by=freelancer, at=NOON)
    assert set(events(path)) == {uid for uid in before if "release" not in uid}


def test_all_jobs_that_are_not_over(client_person: Person, freelancer: Person, job: Job) -> None:
    offered = awarded(client_person, freelancer.email, at=NOON)
    over = agreed(client_person, freelancer)
    fund(over, 1, 2, at=NOON)
    releases.release(over.pk, numbers=[1, 2], by=client_person, at=NOON)
    agreed(freelancer, client_person)  # nothing is held
    hourly_draft(client_person)
    for person, answer in (
        (client_person, "Frank Freelancer can accept, decline or send changed Terms."),
        (freelancer, "You can accept, decline or send changed Terms."),
    ):
        found = events(subscribe(person))
        assert {uid.split("-")[1] for uid in found} == {str(job.pk), str(offered.pk)}
        lapse = found[f"job-{offered.pk}-award-expires-1@localhost"]
        assert str(lapse["SUMMARY"]) == "Terms 1 lapse (Website)"
        assert answer in str(lapse["DESCRIPTION"])


def test_a_person_without_jobs_has_an_empty_calendar(stranger: Person) -> None:
    assert events(subscribe(stranger)) == {}


def test_an_awarded_job_is_in_the_calendar_once_it_is_bound(
    client_person: Person, stranger: Person
) -> None:
    job = awarded(client_person, "sam@new.example", at=NOON)
    assert events(subscribe(stranger)) == {}
    EmailAddress.objects.create(user=stranger, email="sam@new.example", verified=True)
    awards.bind_jobs(stranger, email="sam@new.example", at=NOON)
    assert list(events(subscribe(stranger))) == [f"job-{job.pk}-award-expires-1@localhost"]


def test_titles_are_escaped_and_folded(client_person: Person, freelancer: Person) -> None:
    job = awarded(client_person, freelancer.email, at=NOON)
    title = "Logo, poster; and “Straße” \\ with a very long name that no line of 75 octets holds"
    Job.objects.filter(pk=job.pk).update(title=title)
    path = subscribe(client_person)
    [event] = events(path).values()
    assert str(event["SUMMARY"]) == f"Terms 1 lapse ({title})"
    assert all(len(line) <= 75 for line in Client().get(path).content.split(b"\r\n"))


def test_a_hundred_jobs_cost_no_more_statements(
    client_person: Person, freelancer: Person, django_assert_num_queries: Any
) -> None:
    path = subscribe(client_person)
    for count in (1, 99):
        for _ in range(count):
            awarded(client_person, freelancer.email, at=NOON)
        with django_assert_num_queries(4):
            Client().get(path)
    assert len(events(path)) == 100


# The link


def test_the_link_is_made_shown_and_revoked_on_the_profile_page(client_person: Person) -> None:
    browser = signed_in(client_person)
    assert "Make a calendar link" in browser.get("/profile/").content.decode()

    response = browser.post("/profile/calendar/", follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "Your calendar link is made."
    ]
    url = response.context["calendar_url"]
    assert (
        f'<input id="calendar-link" type="text" readonly value="{url}"' in response.content.decode()
    )
    assert response["Cache-Control"] == "private, no-store"
    first = urlsplit(url).path
    # 256 bits, in letters that stand for six each.
    assert len(first.removeprefix("/calendar/").removesuffix(".ics")) == 43
    assert Client().get(first).status_code == 200

    response = browser.post("/profile/calendar/", follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "A new link is made; the old one is gone."
    ]
    second = urlsplit(response.context["calendar_url"]).path
    assert (Client().get(first).status_code, Client().get(second).status_code) == (404, 200)

    response = browser.post("/profile/calendar/revoke/", follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "Your calendar link is gone."
    ]
    assert response.context["calendar_url"] == ""
    assert Client().get(second).status_code == 404


@pytest.mark.parametrize("path", ["/profile/calendar/", "/profile/calendar/revoke/"])
def test_a_link_is_made_and_revoked_by_a_click_only(client_person: Person, path: str) -> None:
    assert signed_in(client_person).get(path).status_code == 405
    assert Client().post(path).url.startswith("/accounts/login/")  # type: ignore[attr-defined]


def test_a_locked_account_has_no_calendar(client_person: Person) -> None:
    path = subscribe(client_person)
    Person.objects.filter(pk=client_person.pk).update(is_active=False)
    assert Client().get(path).status_code == 404


@pytest.mark.parametrize("token", ["x", "-", "a" * 43, "a" * 5000])
def test_a_link_that_nobody_made(client_person: Person, token: str) -> None:
    assert client_person.calendar_token == ""
    assert Client().get(f"/calendar/{token}.ics").status_code == 404


def test_the_link_does_not_stand_in_the_log(
    client_person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    path = subscribe(client_person)
    with caplog.at_level("INFO"):
        Client().get(path)
    (line,) = [one for one in caplog.records if one.name == "escrow_site.request_log"]
    assert line.view == "workroom:calendar"  # type: ignore[attr-defined]
    assert path.split("/")[-1].removesuffix(".ics") not in str(
        [one.__dict__ for one in caplog.records]
    )


def test_two_people_without_a_link_are_two_people(
    client_person: Person, freelancer: Person
) -> None:
    calendars.revoke(client_person, at=NOON)
    calendars.revoke(freelancer, at=NOON)
    assert Person.objects.filter(calendar_token="").count() == 2
    assert calendars.open_feed(client_person, at=NOON) != calendars.open_feed(freelancer, at=NOON)
