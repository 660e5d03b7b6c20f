"""The timers as they run on a server: a real beat, a real broker, a real worker; nobody calls a function."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from celery.beat import PersistentScheduler
from django.conf import settings

from billing.models import Document, Release, ReleaseRequest
from escrow_site.celery import app
from escrow_site.lib.timing import real_now
from jobs.models import Activity, Job, Person
from tests.billing.steps import request_release
from tests.billing.sweepers import ledger_differences, on_this_database
from tests.mail_server import MailServer, read, running_worker, wait_until
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)

SWEEP = settings.CELERY_BEAT_SCHEDULE["sweep"]


def remembered(file: Path, *, last_run: datetime) -> Path:
    """What beat keeps between two starts: each entry of the schedule, and when it ran last."""
    scheduler = PersistentScheduler(app=app, schedule_filename=str(file), lazy=True)
    scheduler.setup_schedule()
    for entry in scheduler.schedule.values():
        entry.last_run_at = last_run
    scheduler.close()
    return file


@contextmanager
def running_beat(file: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The process that keeps the schedule of the settings."""
    command = [sys.executable, "-m", "celery", "-A", "escrow_site", "beat", "--pidfile", ""]
    environment = on_this_database() | {"CELERY_BEAT_FILE": str(file)}
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.kill()
            process.wait()
            # Shown by pytest with a failure.
            print(read(said))


def a_request(client: Person, freelancer: Person, *, days_ago: int) -> ReleaseRequest:
    """A Release Request that nobody has answered."""
    requested_at = real_now() - timedelta(days=days_ago)
    funded_at = requested_at - timedelta(days=1)
    job = running_job(client, freelancer, at=funded_at)
    fund(job, 1, at=funded_at)
    return request_release(job, at=requested_at)


def test_the_sweep_runs_twice_a_minute_and_does_not_pile_up() -> None:
    assert SWEEP["task"] == "workroom.tasks.sweep"
    assert SWEEP["schedule"] == timedelta(seconds=30)
    assert timedelta(seconds=SWEEP["options"]["expires"]) < SWEEP["schedule"]


def test_a_due_request_is_released_without_anybody_calling_a_function(
    client_person: Person, freelancer: Person, mail_server: MailServer, tmp_path: Path
) -> None:
    due = a_request(client_person, freelancer, days_ago=31)
    not_yet = a_request(client_person, freelancer, days_ago=29)
    # Beat comes back after an hour in which it was down, so its first tick is at once.
    file = remembered(tmp_path / "beat", last_run=real_now() - timedelta(hours=1))
    with running_worker(mail_server) as worker, running_beat(file) as beat:
        assert wait_until(lambda: Release.objects.exists(), timeout_seconds=60)
        assert (worker.poll(), beat.poll()) == (None, None)

    release = Release.objects.get()
    assert (release.request, release.released_by) == (due, None)
    assert release.happened_at == due.auto_release_at
    assert Document.objects.get().kind == "final_invoice"
    history = Activity.objects.get(job=due.job, kind="released")
    assert history.actor_kind == Activity.Actor.TIMER
    assert ReleaseRequest.objects.get(pk=not_yet.pk).state == "overdue"
    assert Job.objects.get(pk=due.job_id).state == "active"
    assert ledger_differences(at=real_now()) == []
