"""Sweeps: what is due on every Job is carried out, whatever the size of a batch and after any outage."""

import logging
from datetime import datetime, timedelta

import pytest
from django.db import connection

from billing.models import ClosingStatement, Release
from billing.selectors import due
from billing.services import sweeping
from billing.timetables import What
from jobs.models import Activity, Job, Notification, Person, Policy
from jobs.services import policies
from tests.billing.due_jobs import REQUESTED, due_jobs, releases_by_job
from tests.billing.steps import request_release
from tests.billing.sweep_steps import AT, held_by_somebody, job_number, lines
from tests.billing.sweepers import ledger_differences
from tests.scenarios import START, fund, running_job

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def log_of_sweeps(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="billing.services.sweeping")


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
