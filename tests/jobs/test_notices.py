"""Notices in the app: the list, opening one, marking all as read (R12)."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth import get_user
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.notices import REACTIVATED
from jobs.models import Job, Notification, Person
from jobs.selectors import notices
from jobs.services import activity
from tests.scenarios import running_job
from workroom.notices import AWARD_DECLINED, TERMS_DECLINED, TIMESHEET_SUBMITTED

pytestmark = pytest.mark.django_db

URL = "/notices/"


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """A Job whose own beginnings nobody has to be told any more."""
    job = running_job(client_person, freelancer)
    Notification.objects.all().delete()
    return job


def tell(job: Job, *, times: int = 1, at: datetime | None = None) -> list[Notification]:
    """Notices to the Client that the Terms were declined; oldest first."""
    at = at or datetime(2026, 3, 1, 23, 30, tzinfo=UTC)
    before = set(Notification.objects.values_list("pk", flat=True))
    for number in range(times):
        later = at + timedelta(minutes=number)
        activity.record(job, TERMS_DECLINED, by=job.freelancer, at=later, version=number + 2)
    return list(Notification.objects.exclude(pk__in=before).order_by("pk"))


def unread(person: Person) -> int:
    return Notification.objects.filter(person=person, read_at=None).count()


def test_a_notice_says_what_who_when_and_what_follows(client: Client, job: Job) -> None:
    Person.objects.filter(pk=job.client_id).update(time_zone="Asia/Tokyo")
    tell(job)
    client.force_login(job.client)
    page = client.get(URL).content.decode()
    assert page.count('<li class="unread">') == 1
    assert "Terms declined: Website" in page
    assert "Frank Freelancer" in page
    assert "If you do nothing: " in page
    assert "2 Mar 2026, 08:30 JST" in page


def test_the_newest_is_first_and_a_page_holds_25(client: Client, job: Job) -> None:
    told = tell(job, times=30)
    client.force_login(job.client)
    first = client.get(URL).context["lines"]
    assert [line.id for line in first] == [notice.pk for notice in reversed(told)][:25]
    second = client.get(URL, {"page": 2}).context["lines"]
    assert [line.id for line in second] == [notice.pk for notice in reversed(told)][25:]


def test_the_clients_notice_is_written_first(client_person: Person, freelancer: Person) -> None:
    """Whoever of the two has signed up first: the notices of one line always come in one order."""
    for client, worker in ((client_person, freelancer), (freelancer, client_person)):
        job = running_job(client, worker)
        Notification.objects.all().delete()
        activity.record(job, REACTIVATED, by=None, at=datetime(2026, 3, 1, tzinfo=UTC))
        told = Notification.objects.order_by("pk").values_list("person_id", flat=True)
        assert list(told) == [client.pk, worker.pk]


@pytest.mark.parametrize("number", ["0", "-1", "x", "\x00", "99999999999999999999", "1e9", ""])
def test_a_page_that_does_not_exist_shows_one_that_does(
    client: Client, job: Job, number: str
) -> None:
    told = tell(job)
    client.force_login(job.client)
    response = client.get(URL, {"page": number, "show": "\x00"})
    assert response.status_code == 200
    assert [line.id for line in response.context["lines"]] == [told[0].pk]


def test_one_may_look_at_the_unread_only(client: Client, job: Job) -> None:
    read, new = tell(job, times=2)
    client.force_login(job.client)
    client.get(f"/notices/{read.pk}/")
    lines = client.get(URL, {"show": "unread"}).context["lines"]
    assert [(line.id, line.unread) for line in lines] == [(new.pk, True)]
    lines = client.get(URL).context["lines"]
    assert [(line.id, line.unread) for line in lines] == [(new.pk, True), (read.pk, False)]


def test_opening_a_notice_marks_it_as_read_and_leads_to_the_thing(client: Client, job: Job) -> None:
    notice, other = tell(job, times=2)
    client.force_login(job.client)
    response = client.get(f"/notices/{notice.pk}/")
    assert (response.status_code, response["Location"]) == (302, notices.target(notice.activity))
    notice = Notification.objects.get(pk=notice.pk)
    other = Notification.objects.get(pk=other.pk)
    assert notice.read_at is not None
    assert other.read_at is None
    # A second look changes nothing.
    client.get(f"/notices/{notice.pk}/")
    assert Notification.objects.get(pk=notice.pk).read_at == notice.read_at


def test_the_way_leads_to_the_job_if_the_fact_for_a_nearer_page_is_missing(job: Job) -> None:
    activity.record(job, TIMESHEET_SUBMITTED, by=job.freelancer, at=datetime.now(UTC))
    notice = notices.of_person(job.client)[0]
    assert notices.target(notice.activity) == f"/jobs/{job.pk}/"


def test_somebody_elses_notice_does_not_exist(
    client: Client, job: Job, stranger: Person, freelancer: Person
) -> None:
    (notice,) = tell(job)
    for person in (stranger, freelancer):
        client.force_login(person)
        assert client.get(f"/notices/{notice.pk}/").status_code == 404
        assert client.get(URL).context["lines"] == []
    assert unread(job.client) == 1


@pytest.mark.parametrize("notice_id", [0, 12345678, 2**63, 10**30])
def test_a_notice_that_does_not_exist(client: Client, job: Job, notice_id: int) -> None:
    client.force_login(job.client)
    assert client.get(f"/notices/{notice_id}/").status_code == 404


def test_all_are_marked_as_read_at_once_but_only_those_that_were_seen(
    client: Client, job: Job
) -> None:
    told = tell(job, times=30)
    client.force_login(job.client)
    page = client.get(URL)
    assert f'name="up_to" value="{told[-1].pk}"' in page.content.decode()
    tell(job)
    response = client.post("/notices/read/", {"up_to": told[-1].pk})
    assert (response.status_code, response["Location"]) == (302, URL)
    assert unread(job.client) == 1


@pytest.mark.parametrize("up_to", ["", "x", "0", "-5", "9" * 30, "\x00", None])
def test_nonsense_marks_nothing_and_says_so(client: Client, job: Job, up_to: str | None) -> None:
    tell(job)
    client.force_login(job.client)
    response = client.post("/notices/read/", {} if up_to is None else {"up_to": up_to}, follow=True)
    assert [str(message) for message in response.context["messages"]] == [
        "Nothing was marked: open your notices again and try once more."
    ]
    assert unread(job.client) == 1


def test_marking_touches_nobody_elses_notices(
    client: Client, job: Job, freelancer: Person, at: datetime
) -> None:
    tell(job)
    activity.record(job, TERMS_DECLINED, by=job.client, at=at, version=9)
    newest = Notification.objects.latest("pk").pk
    client.force_login(job.client)
    client.post("/notices/read/", {"up_to": newest})
    assert (unread(job.client), unread(freelancer)) == (0, 1)


def test_marking_needs_a_post(client: Client, job: Job) -> None:
    tell(job)
    client.force_login(job.client)
    assert client.get("/notices/read/").status_code == 405
    assert unread(job.client) == 1


@pytest.mark.parametrize(("told", "shown"), [(0, 0), (3, 3), (99, 99), (100, "99+"), (120, "99+")])
def test_the_bell_shows_how_many_are_unread(job: Job, told: int, shown: int | str) -> None:
    tell(job, times=told)
    assert notices.count_unread(job.client) == shown


def test_the_bell_is_on_every_page(client: Client, job: Job) -> None:
    tell(job, times=2)
    client.force_login(job.client)
    page = client.get("/profile/").content.decode()
    assert '<span class="bell-count">2<' in page


def test_without_notices_the_page_says_so(client: Client, stranger: Person) -> None:
    client.force_login(stranger)
    page = client.get(URL).content.decode()
    assert "No notices yet" in page
    assert "Mark all as read" not in page
    assert "You have read everything" in client.get(URL, {"show": "unread"}).content.decode()


def test_a_visitor_is_asked_to_sign_in(client: Client, job: Job) -> None:
    (notice,) = tell(job)
    for url in (URL, f"/notices/{notice.pk}/"):
        assert client.get(url)["Location"] == f"/accounts/login/?next={url}"
    assert client.post("/notices/read/", {"up_to": notice.pk}).status_code == 302
    assert get_user(client).is_anonymous
    assert unread(job.client) == 1


def test_the_list_costs_the_same_with_1_and_with_25_notices(client: Client, job: Job) -> None:
    client.force_login(job.client)
    counts, sizes = [], []
    for times in (1, 29):
        tell(job, times=times)
        with CaptureQueriesContext(connection) as queries:
            page = client.get(URL)
        counts.append(len(queries))
        sizes.append(len(page.content))
    assert counts[0] == counts[1] <= 8
    assert sizes[1] <= 40_000


def test_a_title_is_shown_as_text(client: Client, job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(title="<b>Bread</b> & more")
    job.refresh_from_db()
    activity.record(job, AWARD_DECLINED, by=job.freelancer, at=datetime.now(UTC))
    client.force_login(job.client)
    page = client.get(URL).content.decode()
    assert "Job declined: &lt;b&gt;Bread&lt;/b&gt; &amp; more" in page
    assert "<b>Bread" not in page
