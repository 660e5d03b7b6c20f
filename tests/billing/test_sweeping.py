"""The sweep: due things are carried out, a bad Job is set aside, the rest goes on (R6.4)."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import OperationalError, connection, connections, transaction
from django.db.backends.signals import connection_created

from billing.models import ClosingStatement, Document, Escrow, Release
from billing.selectors import due
from billing.services import sweeping
from billing.services.sweeping import SweepFailed
from billing.timers import What
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.timing import real_now
from jobs.models import Activity, Job, Notification, Person, Policy
from jobs.services import policies
from tests.billing.banking import nothing_changes
from tests.billing.due_jobs import REQUESTED, due_jobs, releases_by_job
from tests.billing.steps import request_release
from tests.billing.sweepers import ledger_differences, wait_for_lock_waiters
from tests.desk import agent_of_the_desk
from tests.scenarios import START, fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def log_of_sweeps(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="billing.services.sweeping")


def lines(caplog: pytest.LogCaptureFixture, message: str) -> list[Any]:
    return [record for record in caplog.records if record.message == message]


def break_row(job: Job) -> None:
    """More on the Milestone than in its account: releasing it is refused by the database."""
    Escrow.objects.filter(job=job, number=1).update(funded_minor=500_01)


def mend_row(job: Job) -> None:
    Escrow.objects.filter(job=job, number=1).update(funded_minor=500_00)


def job_number(place: int) -> Job:
    """The Job whose request was made so many milliseconds after the first."""
    return Job.objects.get(title=f"Due {place}")


def a_broken_job() -> Job:
    """One of 21 due Jobs, set aside by a sweep that did the others."""
    at = due_jobs(21)
    broken = job_number(7)
    break_row(broken)
    assert sweeping.sweep(at=at).set_aside == [broken.pk]
    return Job.objects.get(pk=broken.pk)


AT = REQUESTED + timedelta(days=30, seconds=1)


# What is due is done


def test_what_is_due_is_carried_out_and_dated_by_its_own_instant() -> None:
    at = due_jobs(3)
    late = at + timedelta(hours=20)
    swept = sweeping.sweep(at=late)
    assert (swept.jobs, swept.done[What.RELEASE], swept.set_aside) == (3, 3, [])
    for place in range(3):
        release = Release.objects.get(job=job_number(place))
        asked_at = REQUESTED + timedelta(milliseconds=place)
        assert release.happened_at == asked_at + timedelta(days=30)
    assert ledger_differences(at=at) == []


def test_jobs_whose_last_money_is_released_are_completed_in_the_same_sweep() -> None:
    at = due_jobs(30, milestones=1)
    swept = sweeping.sweep(at=at)
    assert (swept.done[What.RELEASE], swept.done[What.COMPLETION]) == (30, 30)
    assert set(Job.objects.values_list("state", "next_due_at")) == {("completed", None)}
    statements = ClosingStatement.objects.order_by("job")
    assert statements.count() == statements.values("job").distinct().count() == 30
    for statement in statements:
        release = Release.objects.get(job_id=statement.job_id)
        assert statement.issued_at == release.happened_at
    assert ledger_differences(at=at) == []


def test_not_a_second_too_early() -> None:
    due_jobs(1)
    early = REQUESTED + timedelta(days=30, seconds=-1)
    assert sweeping.sweep(at=early).done[What.RELEASE] == 0
    assert not Release.objects.exists()
    assert sweeping.sweep(at=early + timedelta(seconds=1)).done[What.RELEASE] == 1


def test_batches_do_what_one_batch_does() -> None:
    at = due_jobs(25)
    batches: list[int] = []
    swept = sweeping.sweep(at=at, batch=10, after_batch=lambda keys, _: batches.append(len(keys)))
    assert batches == [10, 10, 5]
    assert (swept.jobs, swept.done[What.RELEASE]) == (25, 25)


def test_jobs_due_at_the_same_instant_are_all_visited() -> None:
    due_jobs(7)
    Job.objects.update(next_due_at=REQUESTED + timedelta(days=15))
    assert sweeping.sweep(at=AT, batch=2).done[What.RELEASE] == 7


def test_what_is_left_when_the_time_is_up_the_next_sweep_does() -> None:
    at = due_jobs(6)
    first = sweeping.sweep(at=at, batch=2, run_for=timedelta(0))
    assert (first.jobs, first.done[What.RELEASE]) == (2, 2)
    assert sweeping.sweep(at=at, batch=2).done[What.RELEASE] == 4


def test_a_job_that_somebody_holds_is_left_to_the_next_sweep() -> None:
    at = due_jobs(3)
    held = job_number(1)
    with held_by_somebody(f"SELECT 1 FROM jobs_job WHERE id = {held.pk} FOR NO KEY UPDATE"):
        assert sweeping.sweep(at=at).done[What.RELEASE] == 2
    assert held.pk not in releases_by_job()
    assert Job.objects.get(pk=held.pk).set_aside_at is None
    assert sweeping.sweep(at=at).done[What.RELEASE] == 1


@contextmanager
def held_by_somebody(statement: str, *, let_go: threading.Event | None = None) -> Iterator[None]:
    """Another connection has run the statement in a transaction that it keeps open."""
    held, done = threading.Event(), let_go or threading.Event()

    def hold() -> None:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
                held.set()
                done.wait(30)
        finally:
            connections.close_all()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(10)
        yield
    finally:
        done.set()
        thread.join()


# The page of what is due


def test_due_jobs_are_read_by_the_partial_index_whatever_the_page() -> None:
    due_jobs(3_000)
    # Jobs that are not due, as most are.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE jobs_job SET next_due_at = NULL WHERE id %% 3 = 0", [])
        cursor.execute("ANALYZE jobs_job")
        middle = Job.objects.exclude(next_due_at=None).order_by("next_due_at", "pk")[1_000]
        values = {"at": AT, "after_at": middle.next_due_at, "after_id": middle.pk, "batch": 10}
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + due.DUE, values)
        (plan,) = cursor.fetchone()
    scan = plan[0]["Plan"]["Plans"][0]
    assert (scan["Node Type"], scan["Index Name"]) in {
        ("Index Scan", "job_due"),
        ("Index Only Scan", "job_due"),
    }
    # The page begins where the last one ended: nothing is read and thrown away.
    assert scan["Actual Rows"] == 10
    assert scan.get("Rows Removed by Filter", 0) == 0


# The log


def test_a_sweep_says_in_one_line_what_it_did(caplog: pytest.LogCaptureFixture) -> None:
    at = due_jobs(2)
    swept = sweeping.sweep(at=at)
    (line,) = lines(caplog, "sweep")
    assert line.levelno == logging.INFO
    assert (line.done["release"], line.jobs, line.set_aside) == (2, 2, [])
    assert abs(line.seconds - swept.seconds) < 0.1


def test_a_sweep_that_found_nothing_is_silent_on_a_server(caplog: pytest.LogCaptureFixture) -> None:
    swept = sweeping.sweep(at=AT)
    assert (swept.jobs, swept.done.total(), swept.set_aside) == (0, 0, [])
    (line,) = lines(caplog, "sweep")
    assert line.levelno == logging.DEBUG


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
        (broken, broken.client, "Please", "Only a support agent who is no party of the Job"),
        (broken, locked, "Please", "This account is locked."),
        (broken, agent, "  ", "Give the reason, in 500 characters at most."),
        (broken, agent, "x" * 501, "Give the reason, in 500 characters at most."),
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


# After an outage


def requested(client: Person, freelancer: Person, *, at: datetime) -> Job:
    """A Job whose first Milestone is requested; what was told of it until then is gone."""
    job = running_job(client, freelancer, at=at - timedelta(days=1))
    fund(job, 1, at=at - timedelta(days=1))
    request_release(job, at=at)
    Notification.objects.filter(activity__job=job).delete()
    return job


def told(job: Job) -> set[tuple[str, str]]:
    """Who was told of what."""
    notices = Notification.objects.filter(activity__job=job)
    rows = list(notices.values_list("activity__kind", "person__email"))
    assert len(set(rows)) == len(rows)
    return set(rows)


def test_an_outage_is_followed_by_no_flood_of_old_notices(
    client_person: Person, freelancer: Person
) -> None:
    """Down for 40 days: of several missed notices each reader gets the newest only, and of what was
    released meanwhile nothing but the release."""
    client, other = client_person.email, freelancer.email
    released = requested(client_person, freelancer, at=REQUESTED)
    overdue = requested(client_person, freelancer, at=REQUESTED + timedelta(days=14))
    untouched = requested(client_person, freelancer, at=REQUESTED + timedelta(days=39))

    swept = sweeping.sweep(at=REQUESTED + timedelta(days=40))

    assert swept.done[What.RELEASE] == 1
    assert told(released) == {("released", client), ("released", other)}
    assert told(overdue) == {("release_warning", client), ("overdue", other)}
    warning = Notification.objects.get(activity__job=overdue, person=client_person).activity
    assert warning.facts["days_left"] == 5
    assert warning.happened_at == REQUESTED + timedelta(days=39)
    assert told(untouched) == set()
    assert sweeping.sweep(at=REQUESTED + timedelta(days=40)).done.total() == 0


def test_an_outage_changes_no_amount_in_the_history(
    client_person: Person, freelancer: Person
) -> None:
    """What was held when the Freelancer should have been told stands there, not what is held now."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00])
    fund(job, 1, 2)
    dormant_at = Job.objects.get(pk=job.pk).dormant_at
    assert dormant_at is not None
    sweeping.sweep(at=dormant_at)
    request_release(job, 1, at=dormant_at + timedelta(days=1))
    sweeping.sweep(at=dormant_at + timedelta(days=40))

    lines = Activity.objects.filter(job=job, kind__in=["dormant", "dormant_freelancer"])
    assert [line.facts["amount_minor"] for line in lines] == [1_500_00, 1_500_00]


def test_nobody_is_told_that_a_job_is_dormant_which_is_completed(
    client_person: Person, freelancer: Person
) -> None:
    """By a Policy in which a request has more days than a Job has until it is Dormant."""
    policies.make_version(Policy(release_days=90, dormant_days=5))
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    request_release(job, at=START)
    Notification.objects.filter(activity__job=job).delete()
    sweeping.sweep(at=START + timedelta(days=100))

    assert told(job) == {
        (kind, person.email)
        for kind in ("released", "completed")
        for person in (client_person, freelancer)
    }
