"""A cancellation and what happens beside it (R8.3, R10.4): money that moves, dormancy, a Dispute."""

from datetime import UTC, date, datetime, timedelta

import pytest

from billing.models import Cancellation, CancellationShare, Escrow, ReleaseRequest
from billing.services import closing, disputes, refunding, releases, sweeping
from escrow_site.lib.refusals import StalePage
from jobs.models import Job, Person
from tests.billing.banking import history, refused, told
from tests.billing.cancelling import (
    ASKED,
    BOTH,
    DAY,
    LAPSES,
    accept,
    ask,
    assert_adds_up,
    frank,
    fresh,
    sums,
)
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00, funded by one payment; 200.00 more, not funded."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00])
    fund(job, 1, 2)
    return fresh(job)


# --- Overtaken ---


def overtaken(job: Job, cancellation: Cancellation) -> bool:
    cancellation.refresh_from_db()
    if cancellation.state != "stale":
        return False
    assert fresh(job).open_cancellation_until is None
    return told(job, "cancellation_stale") == BOTH


def test_a_release_overtakes_it(job: Job) -> None:
    cancellation = ask(job)
    releases.release(job.pk, numbers=[1], by=job.client, at=ASKED + DAY)
    assert overtaken(job, cancellation)


def test_a_partial_release_overtakes_it(job: Job) -> None:
    cancellation = ask(job)
    releases.release_part(
        job.pk, number=1, amount_minor=1, by=job.client, at=ASKED + DAY, seen_held_minor=500_00
    )
    assert overtaken(job, cancellation)


def test_a_refund_overtakes_it(job: Job) -> None:
    cancellation = ask(job)
    refunding.refund_held(
        job.pk, number=1, amount_minor=1, by=frank(job), at=ASKED + DAY, reason="Sorry.",
        seen_held_minor=500_00,
    )  # fmt: skip
    assert overtaken(job, cancellation)


def test_a_funding_overtakes_it(job: Job) -> None:
    cancellation = ask(job)
    fund(job, 3, at=ASKED + DAY)
    assert overtaken(job, cancellation)


def test_a_release_request_does_not(job: Job) -> None:
    cancellation = ask(job)
    request_release(job, 1, at=ASKED + DAY)
    accept(cancellation, by=frank(job), at=ASKED + 2 * DAY)
    assert ReleaseRequest.objects.get().state == "settled"


def test_the_end_of_the_job_overtakes_it(client_person: Person, freelancer: Person) -> None:
    job = fresh(running_job(client_person, freelancer, amounts_minor=[500_00]))
    fund(job, 1)
    cancellation = ask(job)
    releases.release(job.pk, numbers=[1], by=job.client, at=ASKED + DAY)
    assert (overtaken(job, cancellation), fresh(job).state) == (True, "completed")


def test_whatever_moved_the_money_acceptance_looks_again(job: Job) -> None:
    """Were a request left open by mistake, nothing is divided otherwise than it was shown."""
    cancellation = ask(job)
    CancellationShare.objects.filter(escrow__number=1).update(held_minor=499_99)
    message = (
        "What is held on the Job has changed since the cancellation was requested, so it cannot be "
        "accepted any more. Either side can request it anew."
    )
    with refused(StalePage, message):
        accept(cancellation, by=frank(job))


# --- Dormant ---


@pytest.fixture
def dormant_job(job: Job) -> Job:
    at = datetime.combine(date(2026, 4, 30), datetime.min.time(), UTC) + 62 * DAY
    sweeping.sweep(at=at)
    dormant = fresh(job)
    assert dormant.state == "dormant"
    return dormant


def test_the_clients_request_wakes_a_dormant_job(dormant_job: Job) -> None:
    assert dormant_job.dormant_at is not None
    at = dormant_job.dormant_at + 3 * DAY
    ask(dormant_job, at=at)
    awake = fresh(dormant_job)
    assert (awake.state, awake.dormant_at) == ("active", at + 60 * DAY)
    assert history(dormant_job)[-2:] == ["cancellation_requested", "reactivated"]


def test_the_freelancers_request_begins_the_two_weeks_anew(dormant_job: Job) -> None:
    assert dormant_job.dormant_at is not None
    at = dormant_job.dormant_at + 3 * DAY
    cancellation = ask(dormant_job, by=dormant_job.freelancer, at=at)
    assert fresh(dormant_job).state == "dormant"
    sweeping.sweep(at=at + 7 * DAY)
    sweeping.sweep(at=at + 14 * DAY - timedelta(microseconds=1))
    assert sums(dormant_job)[0] == (0, 0, 500_00)
    sweeping.sweep(at=at + 14 * DAY)
    assert sums(dormant_job)[0] == (0, 500_00, 0)
    cancellation.refresh_from_db()
    assert cancellation.state == "lapsed"


def test_a_dormant_job_can_be_cancelled(dormant_job: Job) -> None:
    assert dormant_job.dormant_at is not None
    at = dormant_job.dormant_at + 3 * DAY
    cancellation = ask(dormant_job, by=dormant_job.freelancer, at=at)
    accept(cancellation, by=dormant_job.client, at=at + DAY)
    assert fresh(dormant_job).state == "cancelled"
    assert_adds_up(at + DAY)


def test_the_settlement_overtakes_a_request(dormant_job: Job) -> None:
    """By a policy that leaves more time to answer than the two weeks."""
    assert dormant_job.dormant_at is not None
    at = dormant_job.dormant_at + 3 * DAY
    cancellation = ask(dormant_job, by=dormant_job.freelancer, at=at)
    Cancellation.objects.update(lapses_at=at + 40 * DAY)
    Job.objects.update(open_cancellation_until=at + 40 * DAY)
    sweeping.sweep(at=at + 7 * DAY)
    sweeping.sweep(at=at + 14 * DAY)
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.ended_at) == ("stale", at + 14 * DAY)
    assert fresh(dormant_job).state == "completed"


def test_completing_by_hand_ends_an_open_request(client_person: Person, freelancer: Person) -> None:
    """A payment was under way at the request, and nothing is by now."""
    job = fresh(running_job(client_person, freelancer, open_ended=True))
    fund(job, 1)
    cancellation = ask(job)
    releases.release(job.pk, numbers=[1], by=job.client, at=ASKED + DAY)
    closing.complete(job.pk, by=job.client, at=ASKED + 2 * DAY)
    cancellation.refresh_from_db()
    assert (cancellation.state, fresh(job).state) == ("stale", "completed")


# --- Disputed ---


def test_acceptance_ends_a_dispute(job: Job) -> None:
    request = request_release(job, 1)
    dispute = disputes.open(
        job.pk, number=1, asks="refund", asked_minor=500_00, reason="Not what we agreed.",
        by=job.client, at=NOON,
    )  # fmt: skip
    accept(ask(job, {1: 100_00, 2: 0}), by=frank(job))
    dispute.refresh_from_db()
    request.refresh_from_db()
    assert (dispute.state, request.state) == ("settled", "settled")
    assert sums(job) == [(100_00, 400_00, 0), (0, 1_000_00, 0), (0, 0, 0)]
    assert Escrow.objects.filter(disputed_at__isnull=False).count() == 0
    assert fresh(job).next_due_at is None
    assert told(job, "dispute_ended") == set()
    assert_adds_up()


def test_a_dispute_does_not_stop_the_clock_of_a_request(job: Job) -> None:
    cancellation = ask(job)
    disputes.open(
        job.pk, number=1, asks="refund", asked_minor=500_00, reason="Not what we agreed.",
        by=job.client, at=ASKED + DAY,
    )  # fmt: skip
    sweeping.sweep(at=LAPSES)
    cancellation.refresh_from_db()
    assert cancellation.state == "lapsed"
