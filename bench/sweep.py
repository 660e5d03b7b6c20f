"""The sweep that carries out what is due, beside a set-based SQL statement that makes the same rows.

Each size has a population of its own, of which a tenth is due. The service sweeps it in a process of
its own, so that the memory that it needed at most can be told; the statement sweeps a copy.
"""

import math
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

from bench.pages import database_seconds
from bench.processes import alone, most_memory_megabytes
from billing.services import audit, catching_up, sweeping
from escrow_site.lib import statements

HERE = Path(__file__).parent
AT = datetime(2026, 6, 1, 12, tzinfo=UTC)
EVERY = 10
PEOPLE = 3_001
# Released before anything is measured: in empty tables the planner would choose to read the whole, for
# good. The later ones by both sides, as what a process does first is slow.
HISTORY, HISTORY_AT = 2_000, AT - timedelta(days=100)
WARM_UP, WARM_UP_AT = 1_000, AT - timedelta(days=90)
# What a sweep writes anew.
COUNTED = """
SELECT (SELECT count(*) FROM {schema}.billing_release) AS releases,
       (SELECT count(*) FROM {schema}.billing_transfer) AS transfers,
       (SELECT count(*) FROM {schema}.billing_document) AS documents,
       (SELECT count(*) FROM {schema}.jobs_activity) AS activities,
       (SELECT count(*) FROM {schema}.jobs_notification) AS notices
"""
# What it changes: both sides must come to the same.
OUTCOME = """
SELECT (SELECT sum(net_minor) FROM {schema}.billing_document) AS net_minor,
       (SELECT sum(balance_minor) FROM {schema}.billing_account WHERE kind = 'escrow') AS held_minor,
       (SELECT sum(balance_minor) FROM {schema}.billing_account WHERE kind = 'available') AS paid_minor,
       (SELECT sum(released_minor - service_fee_minor) FROM {schema}.billing_escrow) AS released_minor,
       (SELECT sum(last_number) FROM {schema}.billing_documentseries) AS numbers,
       (SELECT count(*) FROM {schema}.billing_releaserequest WHERE state = 'released') AS requests,
       (SELECT count(*) FROM {schema}.billing_proforma WHERE state = 'invoiced') AS pro_formas,
       (SELECT max(next_due_at) FROM {schema}.jobs_job) AS last_due_at,
       (SELECT count(*) FROM {schema}.jobs_job WHERE next_due_at IS NULL) AS nothing_due
"""
WRITTEN_A_RELEASE = {"releases": 1, "transfers": 2, "documents": 1, "activities": 1, "notices": 2}


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of sweeping a population of ``jobs`` Jobs; ``again`` is the rows that a second sweep wrote."""

    jobs: int
    due: int
    seconds: float
    floor_seconds: float
    cpu_seconds: float
    floor_cpu_seconds: float
    longest_batch_seconds: float
    megabytes: float
    again: int

    @property
    def per_second(self) -> float:
        return self.due / self.seconds

    @property
    def floor_per_second(self) -> float:
        return self.due / self.floor_seconds

    @property
    def ratio(self) -> float:
        return self.floor_seconds / self.seconds

    @property
    def cpu_ratio(self) -> float:
        """Of the CPU that client and database process spend; not a number where there is no /proc."""
        return self.floor_cpu_seconds / self.cpu_seconds


def measure(*, sizes: list[int]) -> Iterator[Cost]:
    """What the sweep of each size costs, one after the other; the ledger is audited after each."""
    for jobs in sizes:
        _lay_down(jobs)
        due = jobs // EVERY
        connection.close()
        swept = alone("bench.sweep.sweep_alone", due)
        floor = _sweep_floor(due)
        for question in (COUNTED, OUTCOME):
            ours, floors = _of_schema(question), _of_schema(question, "floor")
            assert ours == floors, f"service {ours}, floor {floors}"
        findings = audit.audit_ledger(at=AT)
        assert not any(one.differences for one in findings), findings
        yield Cost(jobs=jobs, due=due, **swept, **floor)


# --- Population ---


def _lay_down(jobs: int) -> None:
    """Empty the tables, fill them, and copy them for the floor."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS floor CASCADE")
        cursor.execute("TRUNCATE jobs_person CASCADE")
    call_command("migrate", verbosity=0)
    _lay(jobs=HISTORY, every=1, at=HISTORY_AT)
    sweeping.sweep(at=HISTORY_AT)
    _lay(jobs=WARM_UP, every=1, at=WARM_UP_AT)
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
    sweeping.sweep(at=WARM_UP_AT)
    before = _of_schema(COUNTED)
    with _watched_batches() as watch:
        seconds, cpu_seconds = _spent(lambda: sweeping.sweep(at=AT))
    megabytes = most_memory_megabytes()
    after = _of_schema(COUNTED)
    written = {name: after[name] - before[name] for name in after}
    assert written == {name: due * rows for name, rows in WRITTEN_A_RELEASE.items()}, written
    sweeping.sweep(at=AT)
    again = sum(_of_schema(COUNTED).values()) - sum(after.values())
    return {
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "longest_batch_seconds": watch.longest_seconds,
        "megabytes": megabytes,
        "again": again,
    }


def _of_schema(question: str, schema: str = "public") -> dict[str, Any]:
    return statements.run(question.format(schema=schema))[0]


def _sweep_floor(due: int) -> dict[str, Any]:
    """The same work as one statement a batch, until nothing is due."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    statement = (HERE / "floor_sweep.sql").read_text()
    done: list[int] = []

    def sweep_floor(at: datetime) -> None:
        while batch := statements.run(statement, at)[0]["count"]:
            done.append(batch)

    sweep_floor(WARM_UP_AT)
    seconds, cpu_seconds = _spent(lambda: sweep_floor(AT))
    assert sum(done) == WARM_UP + due, f"the floor released {sum(done)} of {WARM_UP + due}"
    return {"floor_seconds": seconds, "floor_cpu_seconds": cpu_seconds}


def _spent(work: Callable[[], Any]) -> tuple[float, float]:
    """The seconds that something took, and the CPU seconds of this process and its database process."""
    pid = connection.connection.info.backend_pid
    began, database, web = time.perf_counter(), database_seconds(pid), time.process_time()
    work()
    seconds, web, database = (
        time.perf_counter() - began,
        time.process_time() - web,
        database_seconds(pid) - database,
    )
    return seconds, web + (database or math.nan)
