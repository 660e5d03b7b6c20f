"""A recurring job that is silent for too long: support desk, /readyz and /metrics say the same of it."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from escrow_site.lib.timing import real_now
from jobs.models import Heartbeat
from jobs.selectors.heartbeats import AUDIT, SILENT_AT_MOST, SWEEP
from jobs.services import heartbeats
from tests.desk import agent_of_the_desk
from workroom.selectors.desk import desk_of

TOKEN = "a-token-of-twenty-letters"
LITTLE = timedelta(seconds=30)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def wanted(settings: Any) -> None:
    settings.METRICS_TOKEN = TOKEN


def silent_for(age: timedelta, name: str) -> None:
    Heartbeat.objects.filter(pk=name).delete()
    ended_at = real_now() - age
    heartbeats.beat(name, started_at=ended_at, ended_at=ended_at, count=0)


def said_at_the_desk() -> list[bool]:
    """Of the sweep, then of the audit, as in the others."""
    now = real_now()
    return [pulse.is_late for pulse in desk_of(agent_of_the_desk(), at=now, real_at=now).pulses]


def said_to_the_balancer() -> list[bool]:
    parts = Client().get("/readyz").json()["parts"]
    return [parts[part] in ("warning: late", "warning: none yet") for part in ("sweep", "audit")]


def said_to_prometheus() -> list[bool]:
    answer = Client().get("/metrics", headers={"authorization": f"Bearer {TOKEN}"})
    late = {
        sample.labels["name"]: bool(sample.value)
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
        if sample.name == "escrow_recurring_late"
    }
    return [late[SWEEP], late[AUDIT]]


def test_all_three_agree_on_who_is_late() -> None:
    situations = {
        "the sweep": (SILENT_AT_MOST[SWEEP] + LITTLE, SILENT_AT_MOST[AUDIT] - LITTLE),
        "the audit": (SILENT_AT_MOST[SWEEP] - LITTLE, SILENT_AT_MOST[AUDIT] + LITTLE),
    }
    said = {"both, before the first run": said_by_all()}
    for who, (sweep, audit) in situations.items():
        silent_for(sweep, SWEEP)
        silent_for(audit, AUDIT)
        said[who] = said_by_all()
    assert said == {
        "both, before the first run": [[True, True]] * 3,
        "the sweep": [[True, False]] * 3,
        "the audit": [[False, True]] * 3,
    }


def said_by_all() -> list[list[bool]]:
    return [said_at_the_desk(), said_to_the_balancer(), said_to_prometheus()]
