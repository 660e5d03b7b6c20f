"""/metrics: who may have it, and that each number is the one that the world has."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from escrow_site import metrics
from escrow_site.lib import timing
from jobs.models import Job, Notification, Person
from jobs.services import heartbeats
from tests.billing.dispute_steps import open_dispute
from tests.billing.steps import request_release
from tests.factories import PersonFactory
from tests.scenarios import finished_job, fund, running_job

pytestmark = pytest.mark.django_db

TOKEN = "a-token-of-twenty-letters"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture(autouse=True)
def wanted(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN
    cache.clear()
    metrics.REQUESTS.clear()


def look(browser: Client | None = None) -> Samples:
    """Every sample by its name and labels."""
    response = (browser or Client()).get(
        "/metrics", headers={"host": "10.0.0.7:8000", "authorization": f"Bearer {TOKEN}"}
    )
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def value(samples: Samples, name: str, /, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


# --- Who may have it ---


@pytest.mark.parametrize(
    "given", ["", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ü"]
)
def test_without_the_token_nothing_is_told(given: str) -> None:
    response = Client().get("/metrics", headers={"authorization": given} if given else {})
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert b"escrow_" not in response.content


def test_without_a_token_in_the_settings_there_is_no_such_address(settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    for given in ("Bearer ", "Bearer", f"Bearer {TOKEN}"):
        assert Client().get("/metrics", headers={"authorization": given}).status_code == 404


# --- The numbers ---


def test_jobs_payments_disputes_and_money_are_those_of_the_world(
    client_person: Person, freelancer: Person
) -> None:
    disputed = running_job(client_person, freelancer)
    fund(disputed, 1, 2)
    open_dispute(disputed, client_person)
    finished_job(client_person, freelancer)
    yen = running_job(client_person, freelancer, amounts_minor=[900], currency="JPY")
    fund(yen, 1)
    seen = look()
    assert value(seen, "escrow_jobs", state="active") == 2
    assert value(seen, "escrow_jobs", state="completed") == 1
    assert value(seen, "escrow_jobs", state="dormant") == 0
    assert value(seen, "escrow_payments", state="succeeded") == 3
    assert value(seen, "escrow_payments", state="failed") == 0
    assert value(seen, "escrow_disputes", state="open") == 1
    assert value(seen, "escrow_held_minor", currency="USD") == 1_500_00
    assert value(seen, "escrow_held_minor", currency="JPY") == 900
    assert value(seen, "escrow_available_minor", currency="USD") == 456_25
    assert value(seen, "escrow_database_up") == value(seen, "escrow_broker_up") == 1


def test_what_an_alarm_hangs_on(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    due_at = timing.now() - timedelta(hours=2)
    request_release(job, at=due_at - timedelta(days=30))
    stuck = running_job(client_person, PersonFactory())
    Job.objects.filter(pk=stuck.pk).update(set_aside_at=timing.now(), set_aside_reason="x")
    notices = list(Notification.objects.order_by("pk"))
    Notification.objects.filter(pk=notices[0].pk).update(state="failed")
    Notification.objects.filter(pk=notices[1].pk).update(state="sent")
    seen = look()
    assert value(seen, "escrow_oldest_seconds", what="release_request") == pytest.approx(
        7200, abs=60
    )
    assert value(seen, "escrow_oldest_seconds", what="job") > 7200
    assert value(seen, "escrow_jobs_set_aside") == 1
    assert value(seen, "escrow_notices", state="failed") == 1
    assert value(seen, "escrow_notices", state="waiting") == len(notices) - 2
    assert 0 <= value(seen, "escrow_oldest_seconds", what="notice") < 60
    assert value(seen, "escrow_oldest_seconds", what="payment") == 0


def test_the_recurring_jobs_and_what_the_audit_found(at: Any) -> None:
    for _ in range(2):
        heartbeats.beat("sweep", started_at=at, ended_at=at + timedelta(seconds=3))
    heartbeats.beat("audit_ledger", started_at=at, ended_at=at, count=4)
    seen = look()
    last = "escrow_recurring_last_success_timestamp_seconds"
    assert value(seen, last, name="sweep") == at.timestamp() + 3
    assert value(seen, "escrow_recurring_runs_total", name="sweep") == 2
    assert value(seen, "escrow_recurring_run_seconds_total", name="sweep") == 6
    assert value(seen, "escrow_recurring_last_seconds", name="sweep") == 3
    assert value(seen, "escrow_audit_differences") == 4


def test_requests_are_counted_by_view_and_status() -> None:
    browser = Client()
    browser.get("/rules/")
    browser.get("/rules/")
    browser.get("/nowhere/clara@example.com/")
    seen = look(browser)
    count = "escrow_request_seconds_count"
    assert value(seen, count, view="workroom:rules", status="200") == 2
    assert value(seen, count, view="", status="404") == 1
    assert value(seen, "escrow_request_seconds_sum", view="workroom:rules", status="200") > 0


# --- What it costs ---


def test_what_is_counted_over_whole_tables_is_counted_once_in_five_minutes(
    client_person: Person, freelancer: Person
) -> None:
    with CaptureQueriesContext(connection) as first:
        look()
    finished_job(client_person, freelancer)
    with CaptureQueriesContext(connection) as second:
        seen = look()
    assert value(seen, "escrow_jobs", state="completed") == 0
    counted = [len([one for one in asked if "GROUP BY" in one["sql"]]) for asked in (first, second)]
    assert counted == [1, 0]
    assert len(second) == 2


def test_without_the_database_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(**_: Any) -> None:
        raise OperationalError

    monkeypatch.setattr(metrics.census, "urgent", away)
    seen = look()
    assert value(seen, "escrow_database_up") == 0
    assert value(seen, "escrow_broker_up") == 1
