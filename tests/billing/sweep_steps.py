"""Steps that the tests of sweeps share."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from billing.models import Escrow
from billing.services import sweeping
from jobs.models import Job
from tests.billing.due_jobs import REQUESTED, due_jobs

AT = REQUESTED + timedelta(days=30, seconds=1)


def lines(caplog: pytest.LogCaptureFixture, message: str) -> list[Any]:
    return [record for record in caplog.records if record.message == message]


def break_row(job: Job) -> None:
    """More on the Milestone than in its account: releasing it is refused by the database."""
    Escrow.objects.filter(job=job, number=1).update(funded_minor=500_01)


def mend_row(job: Job) -> None:
    Escrow.objects.filter(job=job, number=1).update(funded_minor=500_00)


def job_number(place: int) -> Job:
    """The Job whose request was made so many milliseconds after the first."""
    return Job.objects.get(title=f"Due {place}")


def a_broken_job() -> Job:
    """One of 21 due Jobs, set aside by a sweep that did the others."""
    at = due_jobs(21)
    broken = job_number(7)
    break_row(broken)
    assert sweeping.sweep(at=at).set_aside == [broken.pk]
    return Job.objects.get(pk=broken.pk)


@contextmanager
def held_by_somebody(statement: str, *, let_go: threading.Event | None = None) -> Iterator[None]:
    """Another connection has run the statement in a transaction that it keeps open."""
    held, done = threading.Event(), let_go or threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                held.set()
                done.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(10)
        yield
    finally:
        done.set()
        thread.join()
