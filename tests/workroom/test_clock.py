"""The movable clock of local mode: it stops at each due instant, and moves nowhere else."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client

from billing.models import Account, ReleaseRequest
from escrow_site.celery import app
from escrow_site.lib import timing
from escrow_site.lib.timing import DAY
from jobs.models import Activity, Job, Person
from tests.billing.steps import request_release
from tests.factories import PersonFactory
from tests.mail_server import MailServer, running_worker, wait_until
from tests.scenarios import fund, running_job
from tests.workroom.clock_steps import NOON, SECOND, SOON, by_timers, is_at, press, requested
from tests.workroom.report_steps import set_clock
from workroom.selectors.clock import elapsed, told
from workroom.services import clock


@pytest.fixture(autouse=True)
def _clock(tmp_path: Path, settings: Any) -> None:
    """It is noon on 9 March 2026, to the second."""
    set_clock(tmp_path, settings, NOON)
    timing.move_to(NOON)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return requested(client_person, freelancer, at=NOON)


# --- The file ---


@pytest.mark.parametrize("microseconds", [0, 1, 500_000, 999_999])
def test_the_clock_is_at_the_instant_or_less_than_a_second_after(microseconds: int) -> None:
    instant = timing.now() + DAY + timedelta(microseconds=microseconds)

    timing.move_to(instant)

    assert instant <= timing.now() < instant + SECOND + timedelta(milliseconds=500)


def test_the_clock_never_goes_back() -> None:
    before = timing.offset()

    timing.move_to(timing.now() - DAY)

    assert timing.offset() == before


def test_who_reads_sees_the_old_time_or_the_new_and_never_half_a_file(settings: Any) -> None:
    done = threading.Event()

    def read_all_the_time() -> int:
        reads = 0
        while not done.is_set():
            assert timing.offset() >= first
            reads += 1
        return reads

    first = timing.offset()
    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(read_all_the_time) for _ in range(2)]
        for _ in range(100):
            timing.move_to(timing.now() + DAY)
        done.set()
        assert all(reader.result() > 0 for reader in readers)
    folder = settings.CLOCK_OFFSET_FILE.parent
    assert sorted(path.name for path in folder.glob("clock*")) == ["clock"]


# --- Moving it ---


def test_each_thing_happens_at_its_own_instant(job: Job, freelancer: Person) -> None:
    """In one sweep at the end only the newest warning would be told (R6.4)."""
    advanced = clock.advance(by=31 * DAY)

    assert by_timers() == [
        ("overdue", NOON + 15 * DAY),
        ("release_warning", NOON + 20 * DAY),
        ("release_warning", NOON + 25 * DAY),
        ("release_warning", NOON + 28 * DAY),
        ("release_warning", NOON + 29 * DAY),
        ("released", NOON + 30 * DAY),
    ]
    assert Account.objects.get(kind="available", person=freelancer).balance_minor == 456_25
    assert is_at(NOON + 31 * DAY)
    assert not advanced.was_cut_short
    assert told(advanced, jobs=Job.objects.all())[0] == (
        "31 days later: 6 things happened by themselves."
    )


def test_nothing_happens_a_moment_before(job: Job) -> None:
    clock.advance(by=15 * DAY - 2 * SOON)
    assert by_timers() == []

    clock.advance(by=2 * SOON)
    assert by_timers() == [("overdue", NOON + 15 * DAY)]


def test_to_the_next_event_and_to_the_next_again(job: Job) -> None:
    clock.advance_to_next_event()
    assert is_at(NOON + 15 * DAY)
    assert by_timers() == [("overdue", NOON + 15 * DAY)]

    clock.advance_to_next_event()
    assert is_at(NOON + 20 * DAY)


def test_a_visit_that_finds_nothing_is_no_event(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(next_due_at=NOON + DAY)

    clock.advance_to_next_event()

    assert is_at(NOON + 15 * DAY)


@pytest.mark.django_db
def test_nothing_is_left() -> None:
    advanced = clock.advance_to_next_event()

    assert is_at(NOON)
    assert advanced.is_nothing_left
    assert told(advanced, jobs=Job.objects.all()) == [
        "A moment later: nothing happened, and nothing is left that could."
    ]


def test_a_job_that_is_set_aside_stops_nobody(job: Job, agent: Person) -> None:
    other = requested(agent, PersonFactory(), at=NOON + 60 * SECOND)
    Job.objects.filter(pk=job.pk).update(set_aside_at=NOON, set_aside_reason="Broken")

    clock.advance_to_next_event()

    assert Activity.objects.get(actor_kind="timer").job == other


def test_the_next_event_is_one_that_the_viewer_sees(
    job: Job, freelancer: Person, stranger: Person
) -> None:
    own = requested(stranger, freelancer, at=NOON + DAY, title="Logo")

    advanced = clock.advance_to_next_event(viewer=stranger)

    assert is_at(NOON + 16 * DAY)
    assert told(advanced, jobs=Job.objects.filter(pk=own.pk), viewer=stranger)[1:] == [
        "25 Mar 2026, 12:00 UTC · Logo: Marked the Release Request for “Milestone 1” ($500.00) as Overdue.",
        "One thing happened on Jobs that are not yours to see.",
    ]


def test_of_many_things_the_last_five_are_told(job: Job) -> None:
    advanced = clock.advance(by=31 * DAY)

    lines = told(advanced, jobs=Job.objects.all())

    assert len(lines) == 1 + 5 + 1
    assert [line.split(" · ")[1].split(":")[1] for line in lines[1:5]] == [
        f" Warned the Client with {left} left" for left in ("10 days", "5 days", "2 days", "1 day")
    ]
    assert lines[-2] == "8 Apr 2026, 12:00 UTC · Website: Released $500.00 of “Milestone 1”."
    assert lines[-1] == "And 1 more before."


@pytest.mark.django_db
@pytest.mark.parametrize("by", [timedelta(0), -DAY, timedelta(days=200 * 366)])
def test_only_forward_and_not_for_ever(by: timedelta) -> None:
    with pytest.raises(clock.NotForward):
        clock.advance(by=by)

    assert is_at(NOON)


def test_what_cannot_be_stepped_through_is_carried_out_at_once(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "PATIENCE_SECONDS", -1)

    advanced = clock.advance(by=31 * DAY)

    assert advanced.was_cut_short
    assert by_timers()[-1] == ("released", NOON + 30 * DAY)
    assert is_at(NOON + 31 * DAY)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_at_once_lose_no_step(client_person: Person, freelancer: Person) -> None:
    requested(client_person, freelancer, at=NOON)

    def press(_: int) -> None:
        try:
            clock.advance(by=8 * DAY)
        finally:
            connections.close_all()

    with ThreadPoolExecutor() as pool:
        list(pool.map(press, range(4)))

    assert is_at(NOON + 32 * DAY)
    assert [kind for kind, _ in by_timers()].count("released") == 1
    assert len(by_timers()) == 6


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=10), "A moment"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(days=1, seconds=3), "1 day"),
        (timedelta(days=14, hours=3, minutes=10), "14 days and 3 hours"),
        (timedelta(days=1200), "1,200 days"),
    ],
)
def test_spans_of_time(span: timedelta, words: str) -> None:
    assert elapsed(span) == words


# --- Nowhere else ---


@pytest.fixture
def not_local(settings: Any) -> None:
    settings.LOCAL = False


@pytest.mark.usefixtures("not_local")
def test_elsewhere_the_file_counts_for_nothing() -> None:
    assert timing.offset() == timedelta(0)


@pytest.mark.django_db
@pytest.mark.usefixtures("not_local")
@pytest.mark.parametrize(
    "move",
    [
        lambda: timing.move_to(timing.now() + DAY),
        lambda: timing.moving().__enter__(),
        lambda: clock.advance(by=DAY),
        lambda: clock.advance_to_next_event(),
    ],
)
def test_elsewhere_nobody_moves_the_clock(move: Callable[[], object]) -> None:
    with pytest.raises(timing.ClockFixed):
        move()


@pytest.mark.django_db
@pytest.mark.usefixtures("not_local")
def test_elsewhere_the_command_refuses() -> None:
    with pytest.raises(CommandError, match="The clock can be moved in local mode only."):
        call_command("advance_clock", "--days", "1")


@pytest.mark.django_db
@pytest.mark.usefixtures("not_local")
def test_elsewhere_there_is_neither_bar_nor_address() -> None:
    browser = Client()

    assert press(browser, "1-day").status_code == 404
    assert "clock" not in browser.get("/accounts/login/").content.decode()


# --- Other processes ---


@pytest.fixture
def shared_clock(settings: Any) -> Iterator[None]:
    """The file that a worker of this test run reads, too."""
    settings.CLOCK_OFFSET_FILE = settings.DATA_DIR / "clock"
    yield
    settings.CLOCK_OFFSET_FILE.unlink(missing_ok=True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("shared_clock")
def test_a_running_worker_sees_the_clock_move(
    client_person: Person, freelancer: Person, mail_server: MailServer
) -> None:
    at = timing.now()
    job = running_job(client_person, freelancer, at=at)
    fund(job, 1, at=at)
    request_release(job, 1, at=at)

    def is_released() -> bool:
        return ReleaseRequest.objects.get(escrow__job=job).state == "released"

    with running_worker(mail_server):
        app.send_task("workroom.tasks.sweep")
        assert not wait_until(is_released, timeout_seconds=2)
        timing.move_to(at + 30 * DAY)
        app.send_task("workroom.tasks.sweep")
        assert wait_until(is_released, timeout_seconds=20)
