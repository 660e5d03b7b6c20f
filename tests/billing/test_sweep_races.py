"""Sweeps that are killed, and sweeps that run at the same moment: everything is done once."""

import signal
from datetime import datetime, timedelta

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
    ledger_differences,
    settle_down,
    start_sweep,
    wait_for_lock_waiters,
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
    assert ledger_differences() == []
    again = sweeping.sweep(at=at)
    assert (again.jobs, again.done.total(), again.set_aside) == (0, 0, [])
    assert Release.objects.count() == count


def test_killed_in_the_middle_and_started_again_each_is_released_once() -> None:
    count = 10_000
    at = due_jobs(count)
    process = start_sweep(at=at)
    assert wait_until(lambda: Release.objects.count() >= count // 5, timeout_seconds=60)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    settle_down()
    done_before = Release.objects.count()
    assert count // 5 <= done_before < count

    said = finish(start_sweep(at=at))

    assert count_said(said, "release") == count - done_before
    everything_was_released_once(count, at=at)


def test_two_sweeps_at_once_share_the_work() -> None:
    count = 2_000
    at = due_jobs(count)
    with transaction.atomic(), connection.cursor() as cursor:
        # Neither begins before both are there.
        cursor.execute("LOCK TABLE jobs_job IN ACCESS EXCLUSIVE MODE")
        sweeps = [start_sweep(at=at), start_sweep(at=at)]
        wait_for_lock_waiters(2)
    shares = [count_said(finish(one), "release") for one in sweeps]
    assert sum(shares) == count
    assert min(shares) > 0
    everything_was_released_once(count, at=at)


def test_a_sweep_beside_one_that_is_killed_finishes_the_work() -> None:
    count = 2_000
    at = due_jobs(count) + timedelta(hours=1)
    sweeps = [start_sweep(at=at), start_sweep(at=at)]
    assert wait_until(lambda: Release.objects.count() > 0, timeout_seconds=60)
    sweeps[0].send_signal(signal.SIGKILL)
    sweeps[0].communicate()
    finish(sweeps[1])
    settle_down()
    sweeping.sweep(at=at)
    everything_was_released_once(count, at=at)
