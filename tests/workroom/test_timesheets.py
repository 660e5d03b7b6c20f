"""Timesheets: the hours of a week, kept per sending; a record, never money (R1.3)."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.models import Account, ReleaseRequest, Transfer
from escrow_site.lib import hours, money
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState
from jobs.models import Activity, Job, Person
from tests.scenarios import finished_job, running_job
from tests.workroom.report_steps import set_clock
from tests.workroom.timesheet_steps import MONDAY, NOW, everything, hourly_job, send
from workroom.models import Timesheet
from workroom.services import timesheets
from workroom.services.timesheets import Entry


@pytest.fixture(autouse=True)
def _clock(tmp_path: Path, settings: Any) -> None:
    set_clock(tmp_path, settings, NOW)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


@pytest.fixture
def hourly(client_person: Person, freelancer: Person) -> Job:
    return hourly_job(client_person, freelancer)


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
