"""Funding and release through the services, with all their paperwork, beside the floor.

Funding is an intent that is committed before the provider is called and an answer that is recorded
afterwards: two durable commits, in the service and in its floor. What the first of them costs is
shown beside it: the same rows in one commit, which would charge a card that nothing remembers.
"""

from datetime import UTC, datetime
from pathlib import Path

from django.db import connection

from bench import instant_gateway, population
from bench.clients import floor_per_second, per_second
from billing import ledger
from billing.models import Escrow, FundingRequest, PaymentMethod
from billing.services import payments, releases
from jobs.models import Job, Person

HERE = Path(__file__).parent
LATER = datetime(2026, 3, 20, 12, tzinfo=UTC)
Item = tuple[int, int, int]
# What is measured beside which floor.
FLOORS = {
    "fund": {
        "fund": "floor_fund.sql",
        "fund, to a floor of one commit": "floor_fund_in_one_commit.sql",
    },
    "release": {"release": "floor_release.sql"},
}


def release_one(item: Item) -> None:
    """What the Client's button does; the Client is known from his session."""
    job_id, client_id, _ = item
    releases.release(job_id, numbers=[1], by=Person(pk=client_id), at=LATER)


def fund_one(item: Item) -> None:
    """What the Client's button does, with the card that he chose."""
    job_id, client_id, method_id = item
    payments.fund(
        job_id,
        numbers=[3],
        method=PaymentMethod(pk=method_id),
        by=Person(pk=client_id),
        at=LATER,
    )


def busy_jobs(count: int) -> list[Item]:
    """Jobs with a requested first Milestone, a funded second, and a third to be funded."""
    jobs = population.running_jobs(count)
    first, second, third = (population.escrows(jobs, number=number) for number in (1, 2, 3))
    population.fund(first)
    population.fund(second)
    population.request_release(first)
    FundingRequest.objects.bulk_create(
        [FundingRequest(escrow=escrow, requested_at=population.BEGIN) for escrow in third]
    )
    gateway = instant_gateway.InstantGateway.name
    ledger.cash(gateway, "USD")
    cards = {
        client_id: population.card(client_id, gateway).pk
        for client_id in {job.client_id for job in jobs}
    }
    return [(job.pk, job.client_id, cards[job.client_id]) for job in jobs]


def prepare_floor() -> None:
    with connection.cursor() as cursor:
        cursor.execute((HERE / "floor_schema.sql").read_text())
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def measure(*, times: int) -> list[tuple[str, int, float, float]]:
    """(what, clients, service a second, floor a second)."""
    items = busy_jobs(4 * times)[: 2 * times]
    prepare_floor()
    connection.close()
    rows = []
    for what in ("fund", "release"):
        for clients, share in ((1, items[:times]), (8, items[times:])):
            service = per_second(f"bench.money.{what}_one", share, clients=clients)
            for name, floor in FLOORS[what].items():
                per = floor_per_second(HERE / floor, clients=clients, times=times)
                rows.append((name, clients, service, per))
    _check([job_id for job_id, *_ in items])
    return rows


def _check(job_ids: list[int]) -> None:
    """Everything that was measured was really done."""
    done = Escrow.objects.filter(job__in=job_ids)
    assert done.filter(number=1, state="released").count() == len(job_ids)
    assert done.filter(number=3, state="funded").count() == len(job_ids)
    assert Job.objects.filter(pk__in=job_ids, state="active").count() == len(job_ids)
