"""GET /metrics for Prometheus: only with METRICS_TOKEN, and without one there is no such address.

Requests are counted in the processes that answer them, in files that all workers of one web server share
(`PROMETHEUS_MULTIPROC_DIR`, made by `escrow_site.web_server`): that costs a request some microseconds, and no question
to a server that may be away. Everything else is read from the database at the look (`workroom.selectors.census`), so it
is right whoever is asked. docs/operations.md has the list, and the alarms that matter.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress

from django.conf import settings
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from escrow_site import broker
from escrow_site.lib import timing
from jobs.models import Heartbeat
from jobs.selectors import heartbeats
from workroom.selectors import census

REQUESTS = Histogram(
    "escrow_request_seconds",
    "How long requests took, by the name of the address and the status of the answer.",
    ["view", "status"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
    registry=None,
)
# Of a kind of account: the name of its metric, and what it is.
MONEY = {
    "escrow": ("escrow_held_minor", "Money held in escrow, in the smallest unit."),
    "available": ("escrow_available_minor", "Available balances of people, in the smallest unit."),
    "refunding": ("escrow_refunding_minor", "Refunds on their way, in the smallest unit."),
    "paying_out": ("escrow_paying_out_minor", "Payouts on their way, in the smallest unit."),
}


def are_wanted() -> bool:
    return bool(settings.METRICS_TOKEN)


def note_request(view: str, status: int, seconds: float) -> None:
    if are_wanted():
        REQUESTS.labels(view, str(status)).observe(seconds)


def answer(request: HttpRequest) -> HttpResponse:
    """The numbers, for who has the token."""
    given = request.headers.get("Authorization", "")
    if not constant_time_compare(given, f"Bearer {settings.METRICS_TOKEN}"):
        refusal = HttpResponse("a bearer token is needed\n", status=401, content_type="text/plain")
        refusal.headers["WWW-Authenticate"] = "Bearer"
        return refusal
    registry = CollectorRegistry(auto_describe=False)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(registry)
    else:
        registry.register(REQUESTS)
    registry.register(World())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


class World(Collector):
    """What the database and the broker say; a part that does not answer is missing, and says so."""

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        waiting = broker.waiting_tasks()
        yield _gauge("escrow_broker_up", "Whether the broker answers.", int(waiting is not None))
        if waiting is not None:
            yield _gauge("escrow_tasks_waiting", "Tasks that wait for a worker.", waiting)
        found: list[Metric] = []
        with suppress(Error):
            found += [*urgent(), *recurring(), *counted()]
        yield _gauge("escrow_database_up", "Whether the database answers.", int(bool(found)))
        yield from found


def urgent() -> Iterator[Metric]:
    seen = census.urgent(at=timing.now())
    ages = {
        "release_request": seen.request_overdue_seconds,
        "job": seen.job_overdue_seconds,
        "notice": seen.oldest_notice_seconds,
        "payment": seen.oldest_payment_seconds,
        "provider_event": seen.oldest_event_seconds,
    }
    oldest = GaugeMetricFamily(
        "escrow_oldest_seconds",
        "Age of the oldest one that waits: since it was due (release_request, job), written "
        "(notice), begun (payment), received (provider_event).",
        labels=["what"],
    )
    for what, seconds in ages.items():
        oldest.add_metric([what], seconds)
    yield oldest
    yield _gauge("escrow_jobs_set_aside", "Jobs that a sweep has set aside.", seen.jobs_set_aside)
    yield _by(
        "escrow_notices",
        "Notices that are not sent.",
        "state",
        {"waiting": seen.notices_waiting, "failed": seen.notices_failed},
    )


def recurring() -> Iterator[Metric]:
    by_name = heartbeats.by_name()
    beats = by_name.values()
    yield _by(
        "escrow_recurring_last_success_timestamp_seconds",
        "When a recurring job was last done.",
        "name",
        {beat.name: beat.last_at.timestamp() for beat in beats},
    )
    yield _by(
        "escrow_recurring_last_seconds",
        "How long its last run took.",
        "name",
        {beat.name: beat.last_seconds for beat in beats},
    )
    runs = CounterMetricFamily("escrow_recurring_runs", "Its successful runs.", labels=["name"])
    seconds = CounterMetricFamily(
        "escrow_recurring_run_seconds", "How long they took together.", labels=["name"]
    )
    for beat in beats:
        runs.add_metric([beat.name], beat.runs)
        seconds.add_metric([beat.name], beat.seconds_total)
    yield runs
    yield seconds
    yield from _alarming(by_name)


def _alarming(by_name: dict[str, Heartbeat]) -> Iterator[Metric]:
    yield _by(
        "escrow_recurring_late",
        "Whether a recurring job whose silence matters was not done for too long, or never.",
        "name",
        {name: _is_late(by_name.get(name)) for name in heartbeats.SILENT_AT_MOST},
    )
    if audit := by_name.get(heartbeats.AUDIT):
        found = heartbeats.differences_found(audit)
        yield _gauge("escrow_audit_differences", "What the last audit found.", found)


def _is_late(beat: Heartbeat | None) -> int:
    return int(beat is None or heartbeats.is_late(beat, at=timing.real_now()))


def counted() -> Iterator[Metric]:
    seen = census.census()
    yield _gauge(
        "escrow_counted_timestamp_seconds",
        "When Jobs, payments, Disputes and money were counted: at most five minutes ago.",
        seen.counted_at.timestamp(),
    )
    yield _by("escrow_jobs", "Jobs.", "state", seen.jobs)
    yield _by("escrow_payments", "Payments.", "state", seen.payments)
    yield _by("escrow_disputes", "Disputes.", "state", seen.disputes)
    for kind, (name, words) in MONEY.items():
        by_currency = {
            currency: amount_minor
            for (of_kind, currency), amount_minor in seen.money_minor.items()
            if of_kind == kind
        }
        yield _by(name, words, "currency", by_currency)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _by(name: str, words: str, label: str, values: dict[str, int] | dict[str, float]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=[label])
    for of, value in values.items():
        family.add_metric([of], value)
    return family
