"""Sweeps that are killed, and sweeps that run at the same moment: everything is done once."""

import signal
from contextlib import ExitStack
from datetime import datetime

import pytest
from django.db import connection, transaction
from django.db.models import F

from billing.models import Document, ProForma, Release, ReleaseRequest
from billing.services import sweeping
from jobs.models import Job
from tests.billing.due_jobs import due_jobs, releases_by_job
from tests.billing.sweepers import (
    count_said,
    finish,
    kill,
    ledger_differences,
    running_sweep,
    wait_for_lock_waiters,
    wait_until_idle,
)
from tests.mail_server import wait_until

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


def everything_was_released_once(count: int, *, at: datetime) -> None:
    """Each request once, at its own instant, with one final invoice; and nothing is left to do."""
    assert releases_by_job() == dict.fromkeys(Job.objects.values_list("pk", flat=True), 1)
    assert Release.objects.filter(happened_at=F("request__auto_release_at")).count() == count
    assert ReleaseRequest.objects.filter(state="released").count() == count
    assert ProForma.objects.filter(state="invoiced").count() == count
    invoices = Document.objects.filter(kind="final_invoice")
    assert (invoices.count(), Document.objects.count()) == (count, count)
    assert invoices.values("release").distinct().count() == count
    assert ledger_differences(at=at) == []
    again = sweeping.sweep(at=at)
    assert (again.jobs, again.done.total(), again.set_aside) == (0, 0, [])
    assert Release.objects.count() == count


def test_killed_in_the_middle_and_started_again_each_is_released_once() -> None:
    count = 10_000
    at = due_jobs(count)
    with running_sweep(at=at) as process:
        assert wait_until(lambda: Release.objects.count() >= count // 5, timeout_seconds=180)
        kill(process)
    assert process.returncode == -signal.SIGKILL
    wait_until_idle()
    done_before = Release.objects.count()
    assert count // 5 <= done_before < count

    with running_sweep(at=at) as process:
        said = finish(process)

    assert count_said(said, "release") == count - done_before
    everything_was_released_once(count, at=at)


def test_two_sweeps_at_once_share_the_work() -> None:
    count = 2_000
    at = due_jobs(count)
    with ExitStack() as stack:
        with transaction.atomic(), connection.cursor() as cursor:
            # Neither begins before both are there.
            cursor.execute("LOCK TABLE jobs_job IN ACCESS EXCLUSIVE MODE")
            sweeps = [stack.enter_context(running_sweep(at=at)) for _ in range(2)]
            wait_for_lock_waiters(2)
        shares = [count_said(finish(one), "release") for one in sweeps]
    assert sum(shares) == count
    assert min(shares) > 0
    everything_was_released_once(count, at=at)


def test_a_sweep_finishes_the_work_of_one_beside_it_that_is_killed() -> None:
    count = 1_000
    at = due_jobs(count)
    with running_sweep(at=at) as killed, running_sweep(at=at) as other:
        assert wait_until(lambda: Release.objects.count() > 0, timeout_seconds=60)
        kill(killed)
        finish(other)
    sweeping.sweep(at=at)
    everything_was_released_once(count, at=at)
