"""Timesheets: the hours of a week, kept per sending; a record, never money (R1.3)."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Account, ReleaseRequest, Transfer
from escrow_site.lib import hours, money, timing
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState
from escrow_site.lib.timing import DAY
from jobs.models import Activity, Job, Notification, Person
from tests.scenarios import finished_job, running_job
from workroom.models import Timesheet, TimesheetEntry
from workroom.services import timesheets
from workroom.services.timesheets import Entry

# A Wednesday.
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
MONDAY = date(2026, 3, 9)


@pytest.fixture(autouse=True)
def _clock(tmp_path: Path, settings: Any) -> None:
    file = tmp_path / "clock"
    file.write_text(str(int((NOW - timing.real_now()).total_seconds())))
    settings.CLOCK_OFFSET_FILE = file


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


@pytest.fixture
def hourly(client_person: Person, freelancer: Person) -> Job:
    job = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=job.pk).update(kind="hourly", hourly_rate_minor=33_33)
    return Job.objects.get(pk=job.pk)


def send(job: Job, *entries: Entry, week: date = MONDAY, **said: Any) -> Timesheet:
    assert job.freelancer is not None
    said = {"by": job.freelancer, "at": NOW, **said}
    return timesheets.submit_timesheet(job, week_starts_on=week, entries=entries, **said)


def everything() -> list[Any]:
    return [
        list(Timesheet.objects.order_by("pk").values()),
        list(TimesheetEntry.objects.order_by("pk").values()),
        list(Activity.objects.order_by("pk").values()),
        list(Job.objects.order_by("pk").values()),
        Notification.objects.count(),
    ]


def refused(kind: type[Refusal], job: Job, *entries: Entry, **said: Any) -> str:
    """The message of the refusal, once it is sure that nothing has changed."""
    before = everything()
    with pytest.raises(kind) as caught:
        send(job, *entries, **said)
    assert everything() == before
    return caught.value.message


# --- Hours ---


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("7.5", 450), ("7,5", 450), ("7:30", 450), ("07:30", 450), (".25", 15), ("7", 420),
        ("7.33", 440), ("0:01", 1), ("0", 0), ("24", 1440), ("24:00", 1440), (" 8 ", 480),
    ],
)  # fmt: skip
def test_hours_are_read_as_people_write_them(text: str, minutes: int) -> None:
    assert hours.parse(text) == minutes


@pytest.mark.parametrize("text", ["", ".", "7:60", "7:5", "7.555", "-1", "1e1", "٧", "7 30", "x"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(hours.BadHours) as refusal:
        hours.parse(text)
    assert refusal.value.message == "Enter hours such as 7.5 or 7:30."


@pytest.mark.parametrize("text", ["24:01", "24.02", "99"])
def test_a_day_has_24_hours(text: str) -> None:
    with pytest.raises(hours.BadHours) as refusal:
        hours.parse(text)
    assert refusal.value.message == "A day has 24 hours."


def test_rate_times_hours_is_rounded_half_up() -> None:
    assert money.for_time(33_33, 450) == 249_98  # 249.975
    assert money.for_time(33_33, 0) == 0
    assert money.for_time(1, 30) == 1
    assert money.for_time(1, 29) == 0


# --- Sending ---


@pytest.mark.parametrize("kind", ["job", "hourly"])
def test_a_timesheet_is_kept_on_jobs_of_both_kinds(
    kind: str, db: None, request: pytest.FixtureRequest
) -> None:
    job = request.getfixturevalue(kind)
    sheet = send(
        job,
        Entry(worked_on=MONDAY, minutes=450, note="Header"),
        Entry(worked_on=date(2026, 3, 10), minutes=0),
        Entry(worked_on=date(2026, 3, 11), minutes=60),
        comments="Short week.",
    )
    sheet.refresh_from_db()
    assert (sheet.week_starts_on, sheet.sending, sheet.current, sheet.sent_at) == (
        MONDAY,
        1,
        True,
        NOW,
    )
    assert sheet.comments == "Short week."
    assert list(
        sheet.entries.order_by("worked_on").values_list("worked_on", "minutes", "note")
    ) == [
        (MONDAY, 450, "Header"),
        (date(2026, 3, 11), 60, ""),
    ]


def test_it_is_a_record_and_never_money(hourly: Job) -> None:
    accounts = list(Account.objects.order_by("pk").values())
    send(hourly, Entry(worked_on=MONDAY, minutes=450))
    assert list(Account.objects.order_by("pk").values()) == accounts
    assert Transfer.objects.count() == ReleaseRequest.objects.count() == 0


def test_it_is_activity_and_the_client_is_told(job: Job) -> None:
    sheet = send(job, Entry(worked_on=MONDAY, minutes=450))
    happened = Activity.objects.latest("pk")
    assert (happened.kind, happened.actor, happened.happened_at) == (
        "timesheet_submitted",
        job.freelancer,
        NOW,
    )
    assert happened.facts == {
        "timesheet": sheet.pk,
        "week_on": "2026-03-09",
        "sending": 1,
        "hours": "7:30",
    }
    assert [notice.person for notice in happened.notifications.all()] == [job.client]
    job.refresh_from_db()
    assert job.last_activity_at == job.last_activity_besides_requests_at == NOW


def test_sent_again_each_sending_is_kept(job: Job) -> None:
    first = send(job, Entry(worked_on=MONDAY, minutes=450))
    second = send(job, Entry(worked_on=MONDAY, minutes=480), at=NOW + timedelta(hours=1))
    third = send(job, at=NOW + timedelta(hours=2))
    assert list(Timesheet.objects.order_by("pk").values_list("pk", "sending", "current")) == [
        (first.pk, 1, False),
        (second.pk, 2, False),
        (third.pk, 3, True),
    ]
    assert [first.entries.get().minutes, second.entries.get().minutes] == [450, 480]
    assert third.entries.count() == 0


def test_the_same_timesheet_twice_is_sent_once(job: Job) -> None:
    entry = Entry(worked_on=MONDAY, minutes=450, note="Header")
    send(job, entry)
    assert refused(timesheets.NothingWorked, job, entry) == (
        "You have sent exactly this timesheet for this week already: nothing was sent again."
    )


def test_a_first_sending_needs_hours(job: Job) -> None:
    nothing = Entry(worked_on=MONDAY, minutes=0, note="Ill")
    assert refused(timesheets.NothingWorked, job, nothing) == "Enter the hours of at least one day."


def test_past_weeks_are_allowed(job: Job) -> None:
    past = MONDAY - timedelta(weeks=20)
    assert send(job, Entry(worked_on=past, minutes=60), week=past).week_starts_on == past


def test_future_weeks_are_refused(job: Job) -> None:
    future = MONDAY + timedelta(weeks=1)
    entry = Entry(worked_on=future, minutes=60)
    assert refused(timesheets.WrongWeek, job, entry, week=future) == (
        "The week of 16 Mar 2026 has not begun yet: a timesheet can be sent for this week or a "
        "past one."
    )


def test_the_week_begins_when_it_does_for_the_freelancer(job: Job, freelancer: Person) -> None:
    freelancer.time_zone = "Pacific/Kiritimati"
    freelancer.save()
    sunday_noon = datetime(2026, 3, 8, 12, tzinfo=UTC)
    assert send(job, Entry(worked_on=MONDAY, minutes=60), at=sunday_noon).week_starts_on == MONDAY


@pytest.mark.parametrize("week", [date(1, 1, 1), date(2025, 2, 24)])
def test_a_week_long_before_the_job_is_refused(job: Job, week: date) -> None:
    entry = Entry(worked_on=week, minutes=60)
    message = refused(timesheets.WrongWeek, job, entry, week=week)
    assert message.endswith("is long before this Job.")


def test_a_week_starts_on_a_monday(job: Job) -> None:
    tuesday = date(2026, 3, 10)
    entry = Entry(worked_on=tuesday, minutes=60)
    assert refused(timesheets.WrongWeek, job, entry, week=tuesday) == "A week starts on a Monday."


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (Entry(worked_on=date(2026, 3, 12), minutes=1), "12 Mar 2026 has not begun yet."),
        (Entry(worked_on=date(2026, 3, 16), minutes=1), "16 Mar 2026 is not a day of this week."),
        (Entry(worked_on=date(2026, 3, 8), minutes=1), "8 Mar 2026 is not a day of this week."),
        (Entry(worked_on=MONDAY, minutes=1441), "A day has 24 hours."),
        (Entry(worked_on=MONDAY, minutes=-1), "A day has 24 hours."),
    ],
)
def test_hours_that_cannot_be_are_refused(job: Job, entry: Entry, message: str) -> None:
    assert refused(timesheets.WrongHours, job, entry) == message


def test_only_the_freelancer_sends_them(job: Job, stranger: Person, agent: Person) -> None:
    for person in (job.client, stranger, agent):
        entry = Entry(worked_on=MONDAY, minutes=60)
        assert refused(WrongParty, job, entry, by=person) == (
            "Only the Freelancer of this Job can send timesheets."
        )


def test_an_ended_job_takes_none(client_person: Person, freelancer: Person) -> None:
    ended = finished_job(client_person, freelancer)
    assert refused(WrongState, ended, Entry(worked_on=MONDAY, minutes=60)) == (
        "This Job is completed: timesheets can be sent while it is active."
    )


# --- Pages ---


def words(answer: Any) -> str:
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", answer.content.decode())).split())


def value(answer: Any, name: str) -> str | None:
    found = re.search(rf'<input [^>]*name="{name}"[^>]*>', answer.content.decode())
    return found and unescape(re.search(r'value="([^"]*)"', found[0])[1])  # type: ignore[index]


def typed(**said: str) -> dict[str, str]:
    """What the browser sends: every day of the week, most of them empty."""
    days = {f"d{number}-hours": "" for number in range(7)}
    return {"week": "2026-03-09", "comments": "", **days, **said}


@pytest.fixture
def form_url(client: Client, hourly: Job) -> str:
    assert hourly.freelancer is not None
    client.force_login(hourly.freelancer)
    return reverse("workroom:create_timesheet", args=[hourly.pk])


def test_submit_sends_and_shows_it_with_rate_times_hours(
    client: Client, form_url: str, hourly: Job
) -> None:
    page = client.get(form_url)
    assert "Timesheet for 9 Mar 2026 – 15 Mar 2026" in words(page)
    assert value(page, "week") == "2026-03-09"
    data = typed(**{"d0-hours": "7:30", "d0-note": "Header"})
    answer = client.post(form_url, data, follow=True)
    sheet = Timesheet.objects.get()
    assert answer.redirect_chain == [
        (reverse("workroom:timesheet", args=[hourly.pk, sheet.pk]), 302)
    ]
    assert "The timesheet for the week of 9 Mar 2026 was sent to Clara Client." in words(answer)
    client.force_login(hourly.client)
    shown = words(client.get(reverse("workroom:timesheet", args=[hourly.pk, sheet.pk])))
    assert "Monday 9 Mar 2026 Header 7:30" in shown
    assert "Rate $33.33 an hour Rate × hours $249.98" in shown
    assert "nothing is charged, billed or paid because of it" in shown


def test_any_day_chooses_its_week(client: Client, form_url: str) -> None:
    page = client.get(form_url, {"week": "2026-03-01"})
    assert "Timesheet for 23 Feb 2026 – 1 Mar 2026" in words(page)
    client.post(form_url, typed(**{"week": "2026-02-23", "d6-hours": "1"}))
    assert TimesheetEntry.objects.get().worked_on == date(2026, 3, 1)


@pytest.mark.parametrize(
    ("week", "message"),
    [
        ("2026-03-16", "The week of 16 Mar 2026 has not begun yet"),
        ("9999-12-31", "has not begun yet"),
        ("0001-01-01", "is long before this Job."),
        ("soon", "Enter a date such as 2026-03-09."),
        ("", "This field is required."),
        ("2026-03-09\x00", "Enter a date such as 2026-03-09."),
    ],
)
def test_a_wrong_week_is_a_message_and_what_was_typed_stays(
    client: Client, form_url: str, week: str, message: str
) -> None:
    assert message in words(client.get(form_url, {"week": week}))
    answer = client.post(form_url, {"week": week, "d0-hours": "7.5", "comments": "Typed."})
    assert message in words(answer)
    assert value(answer, "d0-hours") == "7.5"
    assert "Typed." in words(answer)
    assert Timesheet.objects.count() == 0


@pytest.mark.parametrize(
    ("field", "bad", "message"),
    [
        ("d0-hours", "lots", "Monday: Enter hours such as 7.5 or 7:30."),
        ("d0-hours", "25", "Monday: A day has 24 hours."),
        ("d0-hours", "9" * 5000, "Monday: Ensure this value has at most 10 characters"),
        ("d0-hours", "1\x00", "Null characters are not allowed."),
        ("d3-hours", "1", "Thursday: 12 Mar 2026 has not begun yet."),
        ("d0-note", "x" * 301, "Ensure this value has at most 300 characters"),
        ("comments", "x" * 5001, "Ensure this value has at most 5000 characters"),
    ],
)
def test_bad_input_is_a_message_and_what_was_typed_stays(
    client: Client, form_url: str, field: str, bad: str, message: str
) -> None:
    data = typed(**{"d1-hours": "7.5", field: bad})
    answer = client.post(form_url, data)
    assert answer.status_code == 200
    assert message in words(answer)
    assert value(answer, "d1-hours") == "7.5"
    assert Timesheet.objects.count() == 0


def test_a_second_sending_starts_from_the_first(client: Client, form_url: str) -> None:
    data = typed(**{"d0-hours": "7.5", "d0-note": "Header", "comments": "Short."})
    client.post(form_url, data)
    page = client.get(form_url)
    assert (value(page, "d0-hours"), value(page, "d0-note")) == ("7:30", "Header")
    assert "Short." in words(page)
    assert "the earlier sending is kept" in words(page)
    client.post(form_url, data | {"d0-hours": "8"})
    assert Timesheet.objects.get(current=True).sending == 2
    first = Timesheet.objects.get(sending=1)
    shown = client.get(reverse("workroom:timesheet", args=[first.job_id, first.pk]))
    assert "This sending was replaced by a later one: sending 2" in words(shown)


@pytest.mark.parametrize(
    "left", [[], ["week"], ["week", "d0-hours", "d1-hours"], ["week", "d2-hours", "comments"]]
)
def test_a_week_that_arrives_cut_off_replaces_nothing(
    client: Client, form_url: str, left: list[str]
) -> None:
    whole = typed(**{"d0-hours": "7.5", "d1-hours": "6", "comments": "Short."})
    client.post(form_url, whole)
    before = everything()
    answer = client.post(form_url, {name: whole[name] for name in left})
    assert answer.status_code == 200
    assert "The timesheet did not arrive whole." in words(answer)
    assert value(answer, "d1-hours") == whole["d1-hours"] if "d1-hours" in left else True
    assert everything() == before


def test_an_empty_week_is_a_correction(client: Client, form_url: str) -> None:
    client.post(form_url, typed(**{"d0-hours": "7.5"}))
    begun = {"week": "2026-03-09", "d0-hours": "", "d1-hours": "", "d2-hours": ""}
    assert client.post(form_url, begun).status_code == 302
    assert Timesheet.objects.get(current=True).entries.count() == 0


def test_the_client_cannot_write_one(client: Client, form_url: str, hourly: Job) -> None:
    client.force_login(hourly.client)
    answer = client.get(form_url, follow=True)
    assert "Only the Freelancer of this Job can send timesheets." in words(answer)
    posted = client.post(form_url, typed(**{"d0-hours": "7.5"}))
    assert "Only the Freelancer of this Job can send timesheets." in words(posted)
    assert Timesheet.objects.count() == 0


@pytest.mark.parametrize("name", ["timesheets", "create_timesheet", "timesheet"])
def test_to_a_stranger_nothing_exists(
    client: Client, job: Job, stranger: Person, name: str
) -> None:
    sheet = send(job, Entry(worked_on=MONDAY, minutes=60))
    arguments = [job.pk, sheet.pk] if name == "timesheet" else [job.pk]
    url = reverse(f"workroom:{name}", args=arguments)
    assert client.get(url).status_code == 302
    client.force_login(stranger)
    assert client.get(url).status_code == 404


def test_the_list_costs_the_same_with_1_and_30_timesheets(client: Client, job: Job) -> None:
    assert job.freelancer is not None
    client.force_login(job.freelancer)
    url = reverse("workroom:timesheets", args=[job.pk])
    costs = []
    for total in (1, 30):
        for number in range(Timesheet.objects.count(), total):
            send(job, Entry(worked_on=MONDAY, minutes=number + 1), at=NOW + number * DAY)
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(url)
        costs.append(len(queries))
        assert len(answer.content) < 40_000
    assert costs[0] == costs[1] <= 8
