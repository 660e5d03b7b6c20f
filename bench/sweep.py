"""The sweep that carries out what is due, beside a set-based SQL statement that makes the same rows.

Each size has a population of its own, of which a tenth is due. The service sweeps it in a process of
its own, so that the memory that it needed at most can be told; the statement sweeps a copy.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from django.core.management import call_command
from django.db import connection, transaction

from bench.processes import alone, most_memory_megabytes
from billing.services import audit, catching_up, sweeping
from escrow_site.lib import statements

HERE = Path(__file__).parent
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVERY = 10
PEOPLE = 3_001
# Released before anything is measured: in empty tables the planner would choose to read the whole,
# for good, and code that was never run is slow.
WARM_UP = 2_000
WARM_UP_AT = AT - timedelta(days=100)
# What a sweep writes anew.
COUNTED = (
    "SELECT (SELECT count(*) FROM billing_release) AS releases,"
    " (SELECT count(*) FROM billing_transfer) AS transfers,"
    " (SELECT count(*) FROM billing_document) AS documents,"
    " (SELECT count(*) FROM jobs_activity) AS activities,"
    " (SELECT count(*) FROM jobs_notification) AS notices"
)
WRITTEN_A_RELEASE = {"releases": 1, "transfers": 2, "documents": 1, "activities": 1, "notices": 2}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of sweeping a population of ``jobs`` Jobs; ``again`` is the rows that a second sweep wrote."""

    jobs: int
    due: int
    seconds: float
    floor_seconds: float
    longest_batch_seconds: float
    megabytes: float
    again: int

    @property
    def per_second(self) -> float:
        return self.due / self.seconds

    @property
    def floor_per_second(self) -> float:
        return self.due / self.floor_seconds


def measure(*, sizes: list[int]) -> Iterator[Cost]:
    """What the sweep of each size costs, one after the other; the ledger is audited after each."""
    for jobs in sizes:
        _lay_down(jobs)
        due = jobs // EVERY
        connection.close()
        swept = alone("bench.sweep.sweep_alone", due)
        floor_seconds = _sweep_floor(due)
        findings = audit.audit_ledger(at=AT)
        assert not any(one.differences for one in findings), findings
        yield Cost(jobs=jobs, due=due, floor_seconds=floor_seconds, **swept)


# --- Population ---


def _lay_down(jobs: int) -> None:
    """Empty the tables, fill them, and copy them for the floor."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        cursor.execute("TRUNCATE jobs_person CASCADE")
    call_command("migrate", verbosity=0)
    _lay(jobs=WARM_UP, every=1, at=WARM_UP_AT)
    sweeping.sweep(at=WARM_UP_AT)
    _lay(jobs=jobs, every=EVERY, at=AT)
    with connection.cursor() as cursor:
        cursor.execute((HERE / "floor_sweep_schema.sql").read_text())
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _lay(*, jobs: int, every: int, at: datetime) -> None:
    given = {"jobs": jobs, "people": PEOPLE, "every": every, "at": at.isoformat()}
    with transaction.atomic(), connection.cursor() as cursor:
        for name, value in given.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [f"bench.{name}", str(value)])
        cursor.execute((HERE / "population_large.sql").read_text())


# --- What is measured ---


class Watch:
    """Calls something and keeps how long the longest call took."""

    def __init__(self, work: Callable[..., Any]) -> None:
        self.work = work
        self.longest_seconds = 0.0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return self.work(*arguments, **named)
        finally:
            spent = time.perf_counter() - began
            self.longest_seconds = max(self.longest_seconds, spent)


@contextmanager
def _watched_batches() -> Iterator[Watch]:
    watch = Watch(catching_up.carry_out_due)
    with mock.patch.object(catching_up, "carry_out_due", watch):
        yield watch


def sweep_alone(due: int) -> dict[str, Any]:
    """Sweep twice; raises AssertionError when the first did not write all that is due."""
    before = statements.run(COUNTED)[0]
    with _watched_batches() as watch:
        began = time.perf_counter()
        sweeping.sweep(at=AT)
        seconds = time.perf_counter() - began
    megabytes = most_memory_megabytes()
    after = statements.run(COUNTED)[0]
    written = {name: after[name] - before[name] for name in after}
    assert written == {name: due * rows for name, rows in WRITTEN_A_RELEASE.items()}, written
    sweeping.sweep(at=AT)
    again = sum(statements.run(COUNTED)[0].values()) - sum(after.values())
    return {
        "seconds": seconds,
        "longest_batch_seconds": watch.longest_seconds,
        "megabytes": megabytes,
        "again": again,
    }


def _sweep_floor(due: int) -> float:
    """The seconds of the same work as one statement a batch, until nothing is due."""
    statement = (HERE / "floor_sweep.sql").read_text()
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    done = 0
    began = time.perf_counter()
    while batch := statements.run(statement, AT)[0]["count"]:
        done += batch
    seconds = time.perf_counter() - began
    assert done == due, f"the floor released {done} of {due}"
    return seconds
