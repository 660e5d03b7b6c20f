"""Pages of a signed-in party against an empty view: CPU of web and database, statements, size.

The pages take turns, some requests each, and each cost is the median of the turns: what else the machine
does meanwhile slows down all of them alike, and the ratios stay.
"""

import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from statistics import median

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bench import population
from billing.models import Escrow
from billing.services import releases
from jobs.models import Job, Person
from workroom.demo.people import make_people
from workroom.demo.world import World

DOCUMENTS = 1_000
REQUESTS_A_TURN = 10


@dataclass(frozen=True)
class Cost:
    """Of one request."""

    web_ms: float
    database_ms: float
    statements: int
    kilobytes: float

    @property
    def total_ms(self) -> float:
        return self.web_ms + self.database_ms


def one_busy_person() -> tuple[Person, Job]:
    """A Freelancer with a thousand requests and invoices, and a Job of ten Milestones."""
    client, freelancer = population.people("client")[0], population.people("freelancer")[0]
    jobs = population.running_jobs(DOCUMENTS)
    Job.objects.filter(pk__in=[job.pk for job in jobs]).update(client=client, freelancer=freelancer)
    for job in jobs:
        job.client, job.freelancer = client, freelancer
    first = population.escrows(jobs, number=1)
    population.escrows(jobs, number=2)
    population.fund(first)
    population.request_release(first)
    for job in jobs[::2]:
        releases.release(job.pk, numbers=[1], by=client, at=population.BEGIN + timedelta(days=5))
    return freelancer, _job_of_ten_milestones(client, freelancer)


def _job_of_ten_milestones(client: Person, freelancer: Person) -> Job:
    world = World(make_people(), now=population.BEGIN + timedelta(days=60))
    job = world.draft(
        client,
        "Ten Milestones",
        "One after the other.",
        [(f"Part {number}", "100", number) for number in range(1, 11)],
        days_ago=40,
    )
    job = world.agree(job, freelancer, days_ago=39)
    world.fund(job, *range(1, 9), days_ago=30)
    for number in range(1, 6):
        world.release(job, number, days_ago=20 - number)
    assert Escrow.objects.filter(job=job, state="released").count() == 5
    return job


def database_seconds(pid: int) -> float:
    """CPU that the connection's server process has used; nothing where there is no /proc."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    except FileNotFoundError:
        return 0.0


def counted(browser: Client, url: str) -> tuple[int, int]:
    """The statements of one request and the bytes of its answer."""
    with CaptureQueriesContext(connection) as captured:
        response = browser.get(url)
    assert response.status_code == 200, (url, response.status_code)
    # Counted here and now: the next request empties the log.
    return len(captured), len(response.content)


def costs(browser: Client, pages: dict[str, str], *, times: int) -> list[tuple[str, Cost]]:
    """What each page costs over one connection."""
    turns: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
    for _ in range(1 + times // REQUESTS_A_TURN):
        for name, url in pages.items():
            turns[name].append(_turn(browser, url))
    return [(name, _cost(browser, url, turns[name][1:])) for name, url in pages.items()]


def _turn(browser: Client, url: str) -> tuple[float, float]:
    """The mean milliseconds of a request on the web's side and on the database's."""
    pid = connection.connection.info.backend_pid
    web, database = time.process_time(), database_seconds(pid)
    for _ in range(REQUESTS_A_TURN):
        browser.get(url)
    spent = time.process_time() - web, database_seconds(pid) - database
    return spent[0] / REQUESTS_A_TURN * 1000, spent[1] / REQUESTS_A_TURN * 1000


def _cost(browser: Client, url: str, turns: list[tuple[float, float]]) -> Cost:
    statements, size_bytes = counted(browser, url)
    return Cost(
        web_ms=median(web_ms for web_ms, _ in turns),
        database_ms=median(database_ms for _, database_ms in turns),
        statements=statements,
        kilobytes=size_bytes / 1000,
    )


def measure(*, times: int) -> list[tuple[str, Cost]]:
    """What each page costs; the empty view first."""
    settings.ROOT_URLCONF = "bench.urls"
    person, job = one_busy_person()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(person)
    pages = {
        "empty view": "/bench/empty/",
        "My Jobs": reverse("workroom:my_jobs"),
        "Billing list, 50 of 1,000+": reverse("workroom:billing_list"),
        "Job page": reverse("workroom:job", args=[job.pk]),
        "Workroom: Terms": reverse("workroom:terms", args=[job.pk]),
        "Workroom: Billing": reverse("workroom:job_billing", args=[job.pk]),
        "Workroom: Activity": reverse("workroom:activity", args=[job.pk]),
    }
    return costs(browser, pages, times=times)
