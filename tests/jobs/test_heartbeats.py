"""Heartbeats: each recurring job says that it was done, and one that fails says nothing."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing import tasks as billing_tasks
from billing.models import Escrow
from billing.services import sweeping
from billing.services.sweeping import SweepFailed
from escrow_site.lib.timing import real_now
from jobs.models import Heartbeat, Person
from jobs.services import heartbeats
from tests.desk import agent_of_the_desk, browser_of
from tests.scenarios import fund, running_job
from workroom import tasks as workroom_tasks

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
JOBS = {
    "sweep": workroom_tasks.sweep,
    "deliver_notices": workroom_tasks.deliver_notices,
    "work_off_events": billing_tasks.work_off_events,
    "reconcile": billing_tasks.reconcile,
    "audit_ledger": billing_tasks.audit_ledger,
}


def beats() -> dict[str, int]:
    return dict(Heartbeat.objects.values_list("name", "runs"))


def test_each_run_is_counted_and_the_last_one_is_told(at: datetime) -> None:
    assert beats() == {}
    heartbeats.beat("sweep", started_at=at, ended_at=at + 2 * SECOND)
    with CaptureQueriesContext(connection) as queries:
        heartbeats.beat("sweep", started_at=at + 30 * SECOND, ended_at=at + 31 * SECOND, jobs=7)
    beat = Heartbeat.objects.get(pk="sweep")
    assert (beat.last_at, beat.last_seconds) == (at + 31 * SECOND, 1.0)
    assert (beat.runs, beat.seconds_total, beat.facts) == (2, 3.0, {"jobs": 7})
    assert len(queries) == 1


def test_a_run_that_ended_earlier_does_not_make_the_last_one_older(at: datetime) -> None:
    heartbeats.beat("sweep", started_at=at, ended_at=at + 9 * SECOND)
    heartbeats.beat("sweep", started_at=at, ended_at=at + 8 * SECOND)
    assert Heartbeat.objects.get().last_at == at + 9 * SECOND


@pytest.mark.parametrize("name", JOBS)
def test_each_recurring_task_beats_when_it_is_done(name: str) -> None:
    before = real_now()
    task: Callable[[], None] = JOBS[name]
    task()
    beat = Heartbeat.objects.get(pk=name)
    assert before <= beat.last_at <= real_now()
    assert beats() == {name: 1}


def test_a_sweep_that_fails_leaves_the_old_heartbeat(monkeypatch: pytest.MonkeyPatch) -> None:
    workroom_tasks.sweep()
    before = Heartbeat.objects.values().get()

    def fails(**_: object) -> None:
        raise SweepFailed("Whole batches of Jobs failed.")

    monkeypatch.setattr(sweeping, "sweep", fails)
    with pytest.raises(SweepFailed):
        workroom_tasks.sweep()
    with pytest.raises(CommandError):
        call_command("sweep")
    assert Heartbeat.objects.values().get() == before


def test_the_commands_beat_as_the_tasks_do() -> None:
    call_command("sweep")
    call_command("audit_ledger", "--if-never")
    assert beats() == {"sweep": 1, "audit_ledger": 1}
    call_command("audit_ledger", "--if-never")
    assert beats() == {"sweep": 1, "audit_ledger": 1}


@pytest.mark.parametrize("arguments", [["--dry-run"], ["--at", "2026-03-31T10:00"]])
def test_a_sweep_that_leaves_things_undone_is_no_heartbeat(arguments: list[str]) -> None:
    call_command("sweep", *arguments)
    assert beats() == {}


def test_the_audit_says_what_it_found(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, at=real_now())
    fund(job, 1, at=real_now())
    billing_tasks.audit_ledger()
    clean = Heartbeat.objects.get(pk="audit_ledger")
    assert clean.facts == {"count": 0, "differences": []}
    escrow = Escrow.objects.get(job=job, number=2)
    Escrow.objects.filter(pk=escrow.pk).update(refunded_minor=1, funded_minor=1)
    with pytest.raises(CommandError, match="does not add up"):
        call_command("audit_ledger")
    found = Heartbeat.objects.get(pk="audit_ledger")
    assert found.facts == {
        "count": 1,
        "differences": [
            "Every Escrow's refunded sum is that of its Refunds. "
            f"escrow {escrow.pk}: refunded 1, Refunds 0"
        ],
    }


def test_support_reads_them_and_writes_none() -> None:
    workroom_tasks.sweep()
    browser = browser_of(agent_of_the_desk())
    assert browser.get(reverse("admin:jobs_heartbeat_changelist")).status_code == 200
    page = reverse("admin:jobs_heartbeat_change", args=["sweep"])
    assert browser.get(page).status_code == 200
    assert browser.post(page, {"runs": 9}).status_code == 403
    assert beats() == {"sweep": 1}
