"""Pages of timesheets: what is typed stays, and a stranger sees nothing (R1.3)."""

import re
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from tests.scenarios import running_job
from tests.workroom.report_steps import set_clock
from tests.workroom.timesheet_steps import MONDAY, NOW, everything, hourly_job, send
from workroom.models import Timesheet, TimesheetEntry
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
