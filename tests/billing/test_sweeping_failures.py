"""What a sweep does when something fails: a bad Job, a lock, a lost connection; trying again."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.signals import connection_created

from billing.models import Document, Escrow, Release
from billing.services import sweeping
from billing.services.sweeping import SweepFailed
from billing.timetables import What
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.timing import real_now
from jobs.models import Activity, Job, Person, Policy
from tests.billing.banking import nothing_changes
from tests.billing.due_jobs import REQUESTED, due_jobs, releases_by_job
from tests.billing.sweep_steps import (
    AT,
    a_broken_job,
    break_row,
    held_by_somebody,
    job_number,
    lines,
    mend_row,
)
from tests.billing.sweepers import ledger_differences, wait_for_lock_waiters
from tests.desk import agent_of_the_desk

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def log_of_sweeps(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="billing.services.sweeping")


# A bad Job


def test_one_bad_job_is_set_aside_with_an_alarm_and_the_others_are_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    at = due_jobs(21)
    broken = job_number(7)
    break_row(broken)
    before = real_now()

    swept = sweeping.sweep(at=at)

    assert (swept.jobs, swept.done[What.RELEASE], swept.set_aside) == (21, 20, [broken.pk])
    others = Job.objects.exclude(pk=broken.pk)
    assert releases_by_job() == dict.fromkeys(others.values_list("pk", flat=True), 1)
    row = Job.objects.get(pk=broken.pk)
    assert row.set_aside_at is not None
    assert before <= row.set_aside_at <= real_now()
    assert row.set_aside_reason == (
        'IntegrityError: new row for relation "billing_account" violates check constraint '
        '"account_guarded_never_below_zero"'
    )
    assert not others.exclude(set_aside_at=None).exists()
    (alarm,) = lines(caplog, "job_set_aside")
    assert (alarm.levelno, alarm.job, alarm.reason) == (
        logging.ERROR,
        broken.pk,
        row.set_aside_reason,
    )
    assert any(frame.startswith("catching_up.py:") for frame in alarm.where)
    # Only what is wrong with its own row: nothing was done for it by halves.
    assert Activity.objects.filter(job=broken).count() == 0


def test_a_job_that_is_set_aside_is_not_visited_again(caplog: pytest.LogCaptureFixture) -> None:
    broken = a_broken_job()
    caplog.clear()
    swept = sweeping.sweep(at=AT)
    assert (swept.jobs, swept.set_aside) == (0, [])
    assert lines(caplog, "job_set_aside") == []
    assert Job.objects.get(pk=broken.pk).set_aside_at == broken.set_aside_at


def test_the_reason_is_short_and_holds_no_row() -> None:
    """A database error shows the row that failed, with the names and addresses that are in it."""
    with pytest.raises(Exception, match="Failing row contains") as caught, transaction.atomic():
        Policy.objects.create(version=99, service_fee_basis_points=20_000)
    reason = sweeping.describe(caught.value)
    assert reason.startswith("IntegrityError: new row for relation")
    assert "Failing row" not in reason
    assert len(sweeping.describe(ValueError("x" * 900))) == 500
    assert sweeping.describe(ValueError("a\0b")) == "ValueError: ab"


def test_when_whole_batches_fail_the_fault_is_ours_and_no_job_is_set_aside() -> None:
    """As after a release of the code with a mistake in it: no hundred thousand Jobs to mend."""
    at = due_jobs(25)
    Escrow.objects.filter(number=1).update(funded_minor=500_01)
    with pytest.raises(SweepFailed, match="IntegrityError: new row"):
        sweeping.sweep(at=at)
    assert not Job.objects.exclude(set_aside_at=None).exists()
    Escrow.objects.filter(number=1).update(funded_minor=500_00)
    assert sweeping.sweep(at=at).done[What.RELEASE] == 25


# What is no Job's fault


@contextmanager
def impatient() -> Iterator[None]:
    """Connections that are opened meanwhile wait for a lock for 200 milliseconds only."""

    def set_timeout(connection: Any, **about: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '200ms'")

    connection_created.connect(set_timeout)
    connection.close()
    try:
        yield
    finally:
        connection_created.disconnect(set_timeout)
        connection.close()
        # Those that were made impatient must not serve another test.
        connection.close_pool()


def test_a_lock_that_is_not_to_be_had_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    at = due_jobs(3)
    let_go = threading.Event()
    threading.Timer(0.5, let_go.set).start()
    series = "SELECT 1 FROM billing_documentseries FOR UPDATE"
    with impatient(), held_by_somebody(series, let_go=let_go):
        swept = sweeping.sweep(at=at)
    assert (swept.done[What.RELEASE], swept.set_aside) == (3, [])
    assert lines(caplog, "sweep_tries_again")[0].reason == (
        "OperationalError: canceling statement due to lock timeout"
    )


def test_a_lost_connection_is_made_anew(caplog: pytest.LogCaptureFixture) -> None:
    at = due_jobs(3)
    let_go = threading.Event()

    def cut_off() -> None:
        try:
            wait_for_lock_waiters(1)
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
                )
        finally:
            let_go.set()
            connections.close_all()

    cutter = threading.Thread(target=cut_off)
    with held_by_somebody("SELECT 1 FROM billing_documentseries FOR UPDATE", let_go=let_go):
        cutter.start()
        swept = sweeping.sweep(at=at)
        cutter.join()
    assert (swept.done[What.RELEASE], swept.set_aside) == (3, [])
    assert len(lines(caplog, "sweep_tries_again")) == 1
    assert ledger_differences(at=at) == []


def test_a_lock_that_is_never_to_be_had_ends_the_sweep_and_sets_nothing_aside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sweeping, "PAUSES_SECONDS", (0.01,))
    at = due_jobs(2)
    series = "SELECT 1 FROM billing_documentseries FOR UPDATE"
    with impatient(), held_by_somebody(series), pytest.raises(OperationalError):
        sweeping.sweep(at=at)
    assert not Job.objects.exclude(set_aside_at=None).exists()
    assert sweeping.sweep(at=at).done[What.RELEASE] == 2


# Try again


def test_what_was_mended_is_taken_up_again_and_dated_by_its_own_instant() -> None:
    broken = a_broken_job()
    mend_row(broken)
    agent = agent_of_the_desk()
    at = AT + timedelta(days=2)

    swept = sweeping.take_up_again(broken.pk, by=agent, at=at, reason=" The balance is right. ")

    assert (swept.done[What.RELEASE], swept.set_aside) == (1, [])
    row = Job.objects.get(pk=broken.pk)
    assert (row.set_aside_at, row.set_aside_reason) == (None, "")
    asked_at = REQUESTED + timedelta(milliseconds=7)
    assert Release.objects.get(job=row).happened_at == asked_at + timedelta(days=30)
    line = Activity.objects.get(job=row, kind="taken_up_again")
    assert (line.actor, line.actor_kind, line.happened_at, line.reason) == (
        agent,
        Activity.Actor.SUPPORT,
        at,
        "The balance is right.",
    )
    assert not line.notifications.exists()
    assert ledger_differences(at=at) == []
    assert Document.objects.filter(job=row).count() == 1


def test_what_fails_again_is_set_aside_again(caplog: pytest.LogCaptureFixture) -> None:
    broken = a_broken_job()
    caplog.clear()
    swept = sweeping.take_up_again(broken.pk, by=agent_of_the_desk(), at=AT, reason="A try")
    assert (swept.done.total(), swept.set_aside) == (0, [broken.pk])
    row = Job.objects.get(pk=broken.pk)
    assert row.set_aside_reason == broken.set_aside_reason
    assert row.set_aside_at is not None
    assert broken.set_aside_at is not None
    assert row.set_aside_at > broken.set_aside_at
    assert len(lines(caplog, "job_set_aside")) == 1


def test_only_support_takes_up_again_only_what_is_set_aside_and_says_why() -> None:
    broken = a_broken_job()
    agent = agent_of_the_desk()
    locked = Person.objects.get(pk=agent.pk)
    locked.is_active = False
    for job, by, reason, message in (
        (broken, broken.client, "Please", "Only a support agent who is not a party of the Job"),
        (broken, locked, "Please", "This account is locked."),
        (broken, agent, "  ", "Write the reason."),
        (broken, agent, "x" * 501, "Write the reason in at most 500 plain characters."),
        (job_number(3), agent, "Please", f"Job {job_number(3).pk} is not set aside"),
    ):
        with nothing_changes(), pytest.raises(Refusal) as refusal:
            sweeping.take_up_again(job.pk, by=by, at=AT, reason=reason)
        assert refusal.value.message.startswith(message)


def test_an_agent_does_not_take_up_a_job_of_his_own() -> None:
    broken = a_broken_job()
    broken.client.user_permissions.add(Permission.objects.get(codename="take_up_job_again"))
    with nothing_changes(), pytest.raises(Refusal):
        sweeping.take_up_again(
            broken.pk, by=Person.objects.get(pk=broken.client_id), at=AT, reason="Mine"
        )
