"""What machines ask: answered whoever asks, by whatever name and protocol, and quickly when something is broken."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from escrow_site.lib.timing import real_now
from jobs.models import Heartbeat
from jobs.services import heartbeats

ADDRESS = {"host": "10.0.0.7:8000"}


@pytest.fixture
def no_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    """There is nothing where the database should be."""
    monkeypatch.setitem(connection.settings_dict, "HOST", str(tmp_path))


def beat(name: str, *, ago: timedelta = timedelta(0), **facts: Any) -> None:
    ended_at = real_now() - ago
    heartbeats.beat(name, started_at=ended_at, ended_at=ended_at, **facts)


def readiness(client: Client) -> tuple[int, dict[str, str]]:
    response = client.get("/readyz", headers=ADDRESS)
    answer = response.json()
    assert answer["ready"] is (response.status_code == 200)
    return response.status_code, answer["parts"]


def test_the_process_lives(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    response = client.get("/healthz", headers=ADDRESS)
    assert (response.status_code, response.content) == (200, b"ok\n")


def test_the_process_lives_without_a_database(client: Client, no_database: None) -> None:
    assert client.get("/healthz").status_code == 200


@pytest.mark.django_db(transaction=True)
def test_everything_is_there(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    beat("sweep")
    beat("audit_ledger", count=0)
    everything = {"database": "ok", "broker": "ok", "sweep": "ok", "audit": "ok"}
    assert readiness(client) == (200, everything)


@pytest.mark.django_db(transaction=True)
def test_a_new_site_serves_before_its_first_sweep(client: Client) -> None:
    status, parts = readiness(client)
    assert (status, parts["sweep"], parts["audit"]) == (
        200,
        "warning: none yet",
        "warning: none yet",
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("sweep", "audit", "expected"),
    [
        (timedelta(minutes=4), timedelta(hours=25), ("ok", "ok")),
        (timedelta(minutes=6), timedelta(hours=25), ("warning: late", "ok")),
        (timedelta(minutes=4), timedelta(hours=27), ("ok", "warning: late")),
    ],
)
def test_late_timers_are_a_warning_and_close_nothing(
    client: Client, sweep: timedelta, audit: timedelta, expected: tuple[str, str]
) -> None:
    beat("sweep", ago=sweep)
    beat("audit_ledger", ago=audit, count=0)
    status, parts = readiness(client)
    assert (status, parts["sweep"], parts["audit"]) == (200, *expected)


@pytest.mark.django_db(transaction=True)
def test_differences_are_a_warning_that_does_not_say_which(client: Client) -> None:
    beat("audit_ledger", count=1, differences=["escrow 7 (funded): account 1, sums 2"])
    response = client.get("/readyz")
    assert (response.status_code, response.json()["parts"]["audit"]) == (
        200,
        "warning: differences",
    )
    assert b"escrow" not in response.content
    assert Heartbeat.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_without_the_broker_pages_are_served(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nothing?db=0"
    began = time.monotonic()
    status, parts = readiness(client)
    assert (status, parts["database"], parts["broker"]) == (200, "ok", "warning: away")
    assert time.monotonic() - began < 15


def test_without_the_database_nothing_is_served(client: Client, no_database: None) -> None:
    began = time.monotonic()
    assert readiness(client) == (503, {"database": "away", "broker": "ok"})
    assert time.monotonic() - began < 15
