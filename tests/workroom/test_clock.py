"""The movable clock of local mode: it stops at each due instant, and moves nowhere else."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.test import Client
from django.urls import reverse

from billing.models import Account, ReleaseRequest
from escrow_site.celery import app
from escrow_site.lib import timing
from escrow_site.lib.timing import DAY
from jobs.models import Activity, Job, Person
from tests.billing.steps import request_release, signed_in
from tests.factories import PASSWORD, PersonFactory
from tests.mail_server import MailServer, running_worker, wait_until
from tests.scenarios import fund, running_job
from tests.workroom.report_steps import set_clock
from workroom.selectors.clock import elapsed, told
from workroom.services import clock

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
# What a test may take between two looks at the clock.
SOON = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def _clock(tmp_path: Path, settings: Any) -> None:
    """It is noon on 9 March 2026, to the second."""
    set_clock(tmp_path, settings, NOON)
    timing.move_to(NOON)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return requested(client_person, freelancer, at=NOON)


def requested(client: Person, freelancer: Person, *, at: datetime, title: str = "Website") -> Job:
    """A Job with a Release Request for its first Milestone."""
    job = running_job(client, freelancer, at=NOON - DAY)
    Job.objects.filter(pk=job.pk).update(title=title)
    fund(job, 1, at=NOON - DAY)
    request_release(job, 1, at=at)
    return Job.objects.get(pk=job.pk)


def by_timers() -> list[tuple[str, datetime]]:
    lines = Activity.objects.filter(actor_kind=Activity.Actor.TIMER)
    return list(lines.order_by("happened_at", "pk").values_list("kind", "happened_at"))


def is_at(instant: datetime) -> bool:
    return instant <= timing.now() < instant + SOON


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


# --- The command ---


def test_the_command_prints_the_same(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("advance_clock", "--days", "14")
    call_command("advance_clock", "--hours", "1")
    call_command("advance_clock", "--to-next-event")

    assert capsys.readouterr().out.splitlines() == [
        "14 days later: nothing fell due.",
        "1 hour later: nothing fell due.",
        "23 hours later: one thing happened by itself.",
        "24 Mar 2026, 12:00 UTC · Website: Marked the Release Request for “Milestone 1” ($500.00) as Overdue.",
    ]


@pytest.mark.parametrize(
    "arguments", [[], ["--days", "0"], ["--days", "-1"], ["--days", "1", "--hours", "1"]]
)
def test_the_command_refuses_what_it_does_not_understand(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("advance_clock", *arguments)

    assert is_at(NOON)


# --- The bar ---


def press(browser: Client, step: str, **fields: str) -> Any:
    return browser.post(reverse("local_clock"), {"step": step, **fields}, follow=False)


def test_the_bar_is_on_every_page(job: Job, client_person: Person) -> None:
    client_person.time_zone = "Asia/Kolkata"
    client_person.save()
    pages = [
        (Client(), "/accounts/login/", "9 Mar 2026, 12:00 UTC"),
        (Client(), "/nothing/here/", "9 Mar 2026, 12:00 UTC"),
        (signed_in(client_person), "/jobs/", "9 Mar 2026, 17:30 IST"),
    ]

    for browser, url, shown in pages:
        html = browser.get(url).content.decode()
        assert html.count('<aside class="clock-bar"') == 1, url
        assert shown in html, url


def test_a_step_leads_back_to_the_page_and_tells_what_happened(
    job: Job, client_person: Person
) -> None:
    browser = signed_in(client_person)
    page = reverse("workroom:my_jobs") + "?state=active"

    answer = press(browser, "15-days", next=page)

    assert (answer.status_code, answer.url) == (302, page)
    html = browser.get(page).content.decode()
    assert '<span class="line">15 days later: one thing happened by itself.</span>' in html
    assert "Marked the Release Request for “Milestone 1” ($500.00) as Overdue." in html


def test_who_is_not_signed_in_hears_of_no_job(job: Job) -> None:
    browser = Client()

    press(browser, "next-event")

    html = browser.get("/accounts/login/").content.decode()
    assert "15 days later: one thing happened by itself." in html
    assert "Website" not in html


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["", "https://elsewhere.example/", "//elsewhere.example/", "jobs"])
def test_a_step_leads_nowhere_else(page: str) -> None:
    answer = press(Client(), "1-day", next=page)

    assert (answer.status_code, answer.url) == (302, "/")


@pytest.mark.django_db
def test_steps_that_there_are_not() -> None:
    browser = Client()

    assert press(browser, "-1-day").status_code == 404
    assert browser.post(reverse("local_clock")).status_code == 404
    assert browser.get(reverse("local_clock")).status_code == 405
    assert Client(enforce_csrf_checks=True).post(reverse("local_clock")).status_code == 403
    assert is_at(NOON)


def test_after_a_form_was_sent_the_way_back_is_the_page_it_stood_on(
    client_person: Person,
) -> None:
    url = "http://testserver/accounts/login/?next=/jobs/"

    answer = Client().post("/accounts/login/", {}, headers={"referer": url})

    assert 'name="next" value="/accounts/login/?next=/jobs/"' in answer.content.decode()


def test_sign_in_sessions_and_forms_with_the_clock_far_ahead(client_person: Person) -> None:
    """They go by real time: the product's clock is 60 days ahead of it, and then 120."""
    timing.move_to(timing.real_now() + 60 * DAY)
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login/")

    def token() -> str:
        return browser.cookies["csrftoken"].value

    typed = {"login": client_person.email, "password": PASSWORD, "csrfmiddlewaretoken": token()}
    assert browser.post("/accounts/login/", typed).status_code == 302
    assert browser.get("/jobs/").status_code == 200

    sent = {"step": "15-days", "next": "/jobs/", "csrfmiddlewaretoken": token()}
    for _ in range(4):
        assert browser.post(reverse("local_clock"), sent).status_code == 302
    assert browser.get("/jobs/").status_code == 200
    assert is_at(timing.real_now() + 120 * DAY)


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
