"""Release through the service, with all its paperwork, beside the floor."""

from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from bench import population
from bench.clients import floor_per_second, per_second
from billing.models import Escrow
from billing.services import releases
from jobs.models import Job, Person

HERE = Path(__file__).parent
LATER = datetime(2026, 3, 20, 12, tzinfo=UTC)


def release_one(item: tuple[int, int]) -> None:
    """What the Client's button does; the Client is known from his session."""
    job_id, client_id = item
    releases.release(job_id, numbers=[1], by=Person(pk=client_id), at=LATER)


def requested_jobs(count: int) -> list[tuple[int, int]]:
    """Jobs with a requested first Milestone and a funded second one, so that none completes."""
    jobs = population.running_jobs(count)
    first = population.escrows(jobs, number=1)
    second = population.escrows(jobs, number=2)
    population.fund(first)
    population.fund(second)
    population.request_release(first)
    return [(job.pk, job.client_id) for job in jobs]


def prepare_floor() -> None:
    with connection.cursor() as cursor:
        cursor.execute((HERE / "floor_schema.sql").read_text())
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def measure(*, times: int) -> list[tuple[str, int, float, float]]:
    """(what, clients, service a second, floor a second)."""
    jobs = requested_jobs(2 * times)
    prepare_floor()
    connection.close()
    rows = []
    for clients, share in ((1, jobs[:times]), (8, jobs[times:])):
        floor = floor_per_second(HERE / "floor_release.sql", clients=clients, times=times)
        service = per_second("bench.money.release_one", share, clients=clients)
        rows.append(("release", clients, service, floor))
    assert Escrow.objects.filter(state="released").count() == 2 * times
    assert Job.objects.filter(state="completed").count() == 0
    return rows
