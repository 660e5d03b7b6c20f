"""``manage.py sweep``: what it says, what it does, and what it refuses."""

import contextlib
import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.models import Escrow, Release
from billing.services import sweeping
from escrow_site.lib.timing import real_now
from jobs.models import Job, Person
from tests.billing.banking import nothing_changes
from tests.billing.due_jobs import REQUESTED, due_jobs
from tests.billing.steps import request_release
from tests.billing.sweepers import MANAGE, on_this_database
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db

DUE_AT = REQUESTED + timedelta(days=30)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Requested on 1 March at 10:00 UTC."""
    job = running_job(client_person, freelancer, at=REQUESTED - timedelta(days=1))
    fund(job, 1, at=REQUESTED - timedelta(days=1))
    request_release(job, at=REQUESTED)
    return job


def sweep(*arguments: str) -> list[str]:
    """The lines that the command says."""
    said = io.StringIO()
    call_command("sweep", *arguments, stdout=said, stderr=said)
    return said.getvalue().splitlines()


# A dry run


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(job: Job) -> None:
    with nothing_changes():
        lines = sweep("--dry-run", "--at", "2026-03-31T10:00")
    of = f"Job {job.pk} “Website”:"
    assert lines == [
        f"2026-03-16 10:00:00 UTC  {of} Overdue: “Milestone 1”, $500.00",
        f"2026-03-21 10:00:00 UTC  {of} Warning before the release of “Milestone 1”, $500.00",
        f"2026-03-26 10:00:00 UTC  {of} Warning before the release of “Milestone 1”, $500.00",
        f"2026-03-29 10:00:00 UTC  {of} Warning before the release of “Milestone 1”, $500.00",
        f"2026-03-30 10:00:00 UTC  {of} Warning before the release of “Milestone 1”, $500.00",
        f"2026-03-31 10:00:00 UTC  {of} Release of “Milestone 1”, $500.00",
        "Would be done by 2026-03-31 10:00:00 UTC, on 1 Job:",
        "        1  overdue",
        "        4  warning",
        "        1  release",
    ]


def test_a_dry_run_writes_not_a_single_row(job: Job) -> None:
    with CaptureQueriesContext(connection) as queries:
        sweep("--dry-run", "--at", "2026-03-31T10:00")
    assert [one["sql"].split()[0] for one in queries if "SELECT" not in one["sql"]] == []


def test_a_dry_run_counts_what_the_sweep_then_does(job: Job) -> None:
    at = ("--at", "2026-03-31T10:00")
    foretold, done = sweep("--dry-run", *at), sweep(*at)
    assert (
        foretold[-3:]
        == done[-3:]
        == ["        1  overdue", "        4  warning", "        1  release"]
    )


def test_a_dry_run_looks_into_the_future(job: Job) -> None:
    at = real_now() + timedelta(days=365)
    lines = sweep("--dry-run", "--at", at.isoformat())
    assert "        1  release" in lines
    assert not Release.objects.exists()


def test_many_things_are_counted_after_the_first_fifty() -> None:
    at = due_jobs(60)
    lines = sweep("--dry-run", "--at", at.isoformat())
    events = [line for line in lines if " UTC  Job " in line]
    assert len(events) == 50
    assert lines[50] == "…"
    assert lines[-3:] == ["       60  overdue", "      240  warning", "       60  release"]


# For real


def test_it_says_what_it_did_by_the_history_that_it_wrote(job: Job) -> None:
    lines = sweep("--at", "2026-03-31T10:00")
    assert Release.objects.get().happened_at == DUE_AT
    released = [line for line in lines if "Released" in line]
    assert released[0].startswith(
        f"2026-03-31 10:00:00 UTC  Job {job.pk} “Website”: Released $500.00 of “Milestone 1” ("
    )
    assert "Done by 2026-03-31 10:00:00 UTC, on 1 Job:" in lines
    assert "        1  release" in lines


def test_without_an_instant_it_is_the_present(job: Job) -> None:
    sweep()
    assert Release.objects.get().happened_at == DUE_AT


def test_with_nothing_due_it_says_so(job: Job) -> None:
    early = ("--at", "2026-03-02T10:00")
    for arguments in (early, ("--dry-run", *early)):
        assert sweep(*arguments) == ["Nothing is due by 2026-03-02 10:00:00 UTC."]


def test_what_is_set_aside_is_said_loudly(job: Job) -> None:
    Escrow.objects.filter(job=job, number=1).update(funded_minor=500_01)
    lines = sweep("--at", "2026-03-31T10:00")
    assert lines[-1] == (
        f"Set aside, with an alarm for support: Job {job.pk}. The reason is on the Job's page at the "
        "support desk."
    )


def test_that_whole_batches_fail_ends_the_command_with_an_error() -> None:
    at = due_jobs(20)
    Escrow.objects.filter(number=1).update(funded_minor=500_01)
    with pytest.raises(CommandError, match="Whole batches of Jobs failed"):
        sweep("--at", at.isoformat())
    assert not Release.objects.exists()


# The progress bar


def on_a_terminal(*arguments: str) -> str:
    """All that somebody sees who runs the command in a terminal of 40 lines and 120 columns."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
    command = [sys.executable, str(MANAGE), "sweep", *arguments]
    with subprocess.Popen(command, env=on_this_database(), stdout=its, stderr=its) as process:
        os.close(its)
        seen = b""
        # The end of what is written on a terminal is an error on Linux, and nothing on macOS.
        with contextlib.suppress(OSError):
            while part := os.read(ours, 4096):
                seen += part
    os.close(ours)
    assert process.returncode == 0
    return seen.decode()


@pytest.mark.django_db(transaction=True)
def test_with_many_jobs_a_terminal_shows_how_far_it_is() -> None:
    at = due_jobs(300)
    seen = on_a_terminal("--dry-run", "--at", at.isoformat())
    # How often it is drawn in between depends on how fast the machine is.
    assert "  0%|" in seen
    assert "| 0/300 [" in seen
    assert seen.endswith("      300  release\r\n")
    # A hundred of them are Overdue by then: that is soon done.
    few_at = REQUESTED + timedelta(days=15, milliseconds=99)
    few = on_a_terminal("--dry-run", "--at", few_at.isoformat())
    assert few.endswith("      100  overdue\r\n")
    assert "%|" not in few


# Which instant


@pytest.mark.parametrize(
    ("typed", "instant"),
    [
        ("2026-04-08T12:00", datetime(2026, 4, 8, 12, tzinfo=UTC)),
        ("2026-04-08 12:00:01", datetime(2026, 4, 8, 12, 0, 1, tzinfo=UTC)),
        ("2026-04-08T14:00+02:00", datetime(2026, 4, 8, 12, tzinfo=UTC)),
        ("2026-04-08T12:00:00Z", datetime(2026, 4, 8, 12, tzinfo=UTC)),
        ("2026-04-08T01:30:00+13:00", datetime(2026, 4, 7, 12, 30, tzinfo=UTC)),
        ("2026-04-08", datetime(2026, 4, 8, tzinfo=UTC)),
    ],
)
def test_an_instant_without_a_time_zone_is_utc(
    typed: str, instant: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    swept: list[datetime] = []
    sweep_really = sweeping.sweep

    def note(*, at: datetime, **options: Any) -> Any:
        swept.append(at)
        return sweep_really(at=at, **options)

    monkeypatch.setattr(sweeping, "sweep", note)
    sweep("--at", typed)
    assert [(at, at.tzinfo) for at in swept] == [(instant, UTC)]


@pytest.mark.parametrize(
    "typed",
    ["yesterday", "2026-02-30", "12:00", "2026-13-01T00:00", "9999-12-31T23:59-14:00", "\0", "٣"],
)
def test_rubbish_is_refused_plainly(typed: str) -> None:
    with pytest.raises(CommandError, match="is no instant. Write it like 2026-04-08T12:00"):
        sweep("--at", typed)


def test_on_a_server_nothing_is_done_before_it_is_due(job: Job, settings: Any) -> None:
    """It would give away other people's money early."""
    settings.LOCAL = False
    later = real_now() + timedelta(hours=1)
    with nothing_changes(), pytest.raises(CommandError, match="has not come yet"):
        sweep("--at", later.isoformat())
    sweep("--dry-run", "--at", later.isoformat())
    assert not Release.objects.exists()
    sweep("--at", (real_now() - timedelta(seconds=1)).isoformat())
    assert Release.objects.count() == 1


def test_in_local_mode_the_future_may_be_tried(client_person: Person, freelancer: Person) -> None:
    now = real_now()
    job = running_job(client_person, freelancer, at=now)
    fund(job, 1, at=now)
    request_release(job, at=now)
    sweep("--at", (now + timedelta(days=30)).isoformat())
    assert Release.objects.get().happened_at == now + timedelta(days=30)
