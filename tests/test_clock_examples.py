"""The worked examples of the rules (R14) in which time passes, to the second, through the services.

What is due is carried out by the sweep, or by the action that comes first: the outcome is the same.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from billing import gateways
from billing.gateways.base import Status
from billing.models import (
    ClosingStatement,
    Document,
    Escrow,
    Payment,
    Refund,
    Release,
    ReleaseRequest,
)
from billing.services import audit, cards, payments, release_requests, releases, sweeping
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Notification, Person
from tests.billing.banking import bank_says, deliver
from tests.billing.steps import request_release
from tests.scenarios import fund, running_job
from workroom.services import reports
from workroom.services.reports import Line

SECOND = timedelta(seconds=1)


def utc(month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


def fresh(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def states_of(job: Job) -> tuple[str, ...]:
    """The state of the Job, and of each of its Milestones."""
    escrows = Escrow.objects.of(job).values_list("state", flat=True)
    return (fresh(job).state, *escrows)


def told(job: Job, kind: str) -> list[tuple[datetime, str]]:
    """When, by the rules, each notice of a kind was written, and to whom."""
    notices = Notification.objects.filter(activity__job=job, activity__kind=kind)
    return [
        (notice.activity.happened_at, notice.person.name if notice.person else notice.address)
        for notice in notices.select_related("activity", "person").order_by("activity_id", "pk")
    ]


def is_clean(*, at: datetime) -> bool:
    return not any(finding.differences for finding in audit.audit_ledger(at=at))


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """M1 500.00 funded on 2 March, M2 1,000.00."""
    job = running_job(client_person, freelancer, at=utc(3, 1, 10))
    fund(job, 1, at=utc(3, 2))
    return fresh(job)


@pytest.fixture
def quiet_job(client_person: Person, freelancer: Person) -> Job:
    """R14.4: M1 released, M2 (1,000.00, due 30 Apr) funded, last Activity 20 Apr."""
    job = running_job(client_person, freelancer, at=utc(3, 1, 10))
    fund(job, 1, at=utc(3, 2))
    releases.release(job.pk, numbers=[1], by=client_person, at=utc(3, 20))
    fund(job, 2, at=utc(4, 20))
    return fresh(job)


# --- 1 and 2: the 30-day clock ---


def test_1_silence_releases_to_the_second(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    request = request_release(job, 1, at=utc(3, 9, 12))
    sweeping.sweep(at=utc(3, 24, 12) - SECOND)
    request.refresh_from_db()
    assert request.state == "open"

    sweeping.sweep(at=utc(3, 24, 12))
    request.refresh_from_db()
    assert request.state == "overdue"
    assert told(job, "overdue") == [
        (utc(3, 24, 12), client_person.name),
        (utc(3, 24, 12), freelancer.name),
    ]

    for days in (10, 5, 2, 1):
        sweeping.sweep(at=utc(4, 8, 12) - timedelta(days=days) - SECOND)
        sweeping.sweep(at=utc(4, 8, 12) - timedelta(days=days))
    assert told(job, "release_warning") == [
        (utc(3, 29, 12), client_person.name),
        (utc(4, 3, 12), client_person.name),
        (utc(4, 6, 12), client_person.name),
        (utc(4, 7, 12), client_person.name),
    ]

    sweeping.sweep(at=utc(4, 8, 12) - SECOND)
    assert states_of(job) == ("active", "funded", "unfunded")
    sweeping.sweep(at=utc(4, 8, 12))
    assert states_of(job) == ("active", "released", "unfunded")
    release = Release.objects.get()
    assert (release.gross_minor, release.net_minor, release.service_fee_minor) == (
        500_00,
        456_25,
        43_75,
    )
    assert release.happened_at == utc(4, 8, 12)
    assert release.reason == (
        "30-day rule: requested 9 Mar 2026 12:00 UTC, no answer by 8 Apr 2026 12:00 UTC."
    )
    invoice = Document.objects.get()
    assert (invoice.kind, invoice.issued_at) == ("final_invoice", utc(4, 8, 12))
    line = Activity.objects.get(job=job, kind="released")
    assert (line.actor_kind, line.happened_at, line.reason) == (
        "timer",
        utc(4, 8, 12),
        release.reason,
    )
    assert sweeping.sweep(at=utc(4, 8, 12)).jobs == 0
    assert is_clean(at=utc(4, 8, 12))


def test_2_a_void_stops_the_clock_and_a_new_request_starts_anew(
    job: Job, freelancer: Person
) -> None:
    request = request_release(job, 1, at=utc(3, 9, 12))
    release_requests.void(request.pk, by=freelancer, at=utc(3, 20))
    sweeping.sweep(at=utc(3, 24, 12))
    again = request_release(job, 1, at=utc(4, 1, 9))
    sweeping.sweep(at=utc(4, 16, 9) - SECOND)
    assert told(job, "overdue") == []
    sweeping.sweep(at=utc(4, 16, 9))
    again.refresh_from_db()
    assert again.state == "overdue"

    sweeping.sweep(at=utc(5, 1, 9) - SECOND)
    assert Release.objects.count() == 0
    sweeping.sweep(at=utc(5, 1, 9))
    assert Release.objects.get().happened_at == utc(5, 1, 9)


# --- 4 to 7, 13, 14: dormancy ---


def test_4_never_requested_goes_back(
    quiet_job: Job, client_person: Person, freelancer: Person
) -> None:
    sweeping.sweep(at=utc(6, 30) - SECOND)
    assert states_of(quiet_job) == ("active", "released", "funded")
    sweeping.sweep(at=utc(6, 30))
    assert states_of(quiet_job) == ("dormant", "released", "funded")
    assert told(quiet_job, "dormant") == [(utc(6, 30), client_person.name)]

    sweeping.sweep(at=utc(7, 7) - SECOND)
    assert told(quiet_job, "dormant_freelancer") == []
    sweeping.sweep(at=utc(7, 7))
    assert told(quiet_job, "dormant_freelancer") == [(utc(7, 7), freelancer.name)]

    sweeping.sweep(at=utc(7, 14) - SECOND)
    assert states_of(quiet_job) == ("dormant", "released", "funded")
    sweeping.sweep(at=utc(7, 14))
    assert states_of(quiet_job) == ("completed", "released", "refunded")
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.started_at) == (1_000_00, utc(7, 14))
    assert fresh(quiet_job).ended_at == utc(7, 14)
    assert ClosingStatement.objects.get().issued_at == utc(7, 14)
    assert is_clean(at=utc(7, 14))


def test_5_a_request_makes_the_job_active_again(quiet_job: Job) -> None:
    for at in (utc(6, 30), utc(7, 7)):
        sweeping.sweep(at=at)
    request_release(quiet_job, 2, at=utc(7, 10, 8))
    assert states_of(quiet_job) == ("active", "released", "funded")
    assert fresh(quiet_job).dormant_at == utc(9, 8, 8)

    sweeping.sweep(at=utc(8, 9, 8) - SECOND)
    assert states_of(quiet_job) == ("active", "released", "funded")
    sweeping.sweep(at=utc(8, 9, 8))
    assert states_of(quiet_job) == ("completed", "released", "released")
    assert Release.objects.latest("pk").happened_at == utc(8, 9, 8)


@pytest.fixture
def two_held(client_person: Person, freelancer: Person) -> Job:
    """R14.6: as 4 with M3 (200.00) funded too."""
    job = running_job(
        client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00], at=utc(3, 1, 10)
    )
    fund(job, 1, at=utc(3, 2))
    releases.release(job.pk, numbers=[1], by=client_person, at=utc(3, 20))
    fund(job, 2, 3, at=utc(4, 20))
    return fresh(job)


def test_6_each_milestone_by_itself(two_held: Job) -> None:
    for at in (utc(6, 30), utc(7, 7)):
        sweeping.sweep(at=at)
    request_release(fresh(two_held), 3, at=utc(7, 10, 8))
    assert states_of(two_held)[0] == "dormant"

    sweeping.sweep(at=utc(7, 14))
    assert states_of(two_held) == ("dormant", "released", "refunded", "funded")
    sweeping.sweep(at=utc(8, 9, 8) - SECOND)
    assert states_of(two_held) == ("dormant", "released", "refunded", "funded")
    sweeping.sweep(at=utc(8, 9, 8))
    assert states_of(two_held) == ("completed", "released", "refunded", "released")
    assert is_clean(at=utc(8, 9, 8))


def test_6_by_a_status_report_that_bills(two_held: Job, freelancer: Person) -> None:
    """Both ways to request a release send a report: it counts as the request and as nothing more."""
    for at in (utc(6, 30), utc(7, 7)):
        sweeping.sweep(at=at)
    lines = [Line(number=3, percent=100, bill=True)]
    reports.submit_report(two_held, by=freelancer, lines=lines, at=utc(7, 10, 8))
    sweeping.sweep(at=utc(7, 14))
    assert states_of(two_held) == ("dormant", "released", "refunded", "funded")


def test_7_other_activity_restarts_the_two_weeks(client_person: Person, freelancer: Person) -> None:
    job = running_job(
        client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00], at=utc(3, 1, 10)
    )
    fund(job, 1, at=utc(3, 2))
    releases.release(job.pk, numbers=[1], by=client_person, at=utc(3, 20))
    fund(job, 2, at=utc(4, 20))
    sweeping.sweep(at=utc(6, 30))
    fund(job, 3, at=utc(7, 3))
    sweeping.sweep(at=utc(7, 10) - SECOND)
    assert fresh(job).state == "dormant"
    assert told(job, "dormant_freelancer") == []

    sweeping.sweep(at=utc(7, 10))
    assert told(job, "dormant_freelancer") == [(utc(7, 10), freelancer.name)]
    sweeping.sweep(at=utc(7, 17) - SECOND)
    assert states_of(job) == ("dormant", "released", "funded", "funded")
    sweeping.sweep(at=utc(7, 17))
    assert states_of(job) == ("completed", "released", "refunded", "refunded")


def test_13_a_void_does_not_count_as_activity(quiet_job: Job, freelancer: Person) -> None:
    for at in (utc(6, 30), utc(7, 7)):
        sweeping.sweep(at=at)
    request = request_release(quiet_job, 2, at=utc(7, 10, 8))
    release_requests.void(request.pk, by=freelancer, at=utc(7, 20, 8))
    assert fresh(quiet_job).state == "active"
    assert fresh(quiet_job).dormant_at == utc(9, 8, 8)
    sweeping.sweep(at=utc(9, 8, 8) - SECOND)
    assert fresh(quiet_job).state == "active"
    sweeping.sweep(at=utc(9, 8, 8))
    assert fresh(quiet_job).state == "dormant"


def test_14_a_void_after_the_settlement_sends_nothing_back(
    two_held: Job, freelancer: Person
) -> None:
    for at in (utc(6, 30), utc(7, 7)):
        sweeping.sweep(at=at)
    request = request_release(fresh(two_held), 3, at=utc(7, 10, 8))
    sweeping.sweep(at=utc(7, 14))
    release_requests.void(request.pk, by=freelancer, at=utc(7, 20, 8))
    assert states_of(two_held) == ("active", "released", "refunded", "funded")
    assert fresh(two_held).dormant_at == utc(9, 18, 8)


def payment_for_m3(job: Job, status: Status, *, at: datetime) -> Payment:
    """A payment for M3 of which the bank says this."""
    card = job.client.payment_methods.get()
    payment = payments.start(job.pk, numbers=[3], method=card, by=job.client, at=at)
    gateways.get("simulated").start_charge(payments._order(payment))
    deliver(bank_says(payment, status), at=at)
    return payment


@pytest.fixture
def m3_unfunded(client_person: Person, freelancer: Person) -> Job:
    """M2 alone is held and never requested; D = 30 Jun."""
    job = running_job(
        client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00], at=utc(3, 1, 10)
    )
    fund(job, 1, at=utc(3, 2))
    releases.release(job.pk, numbers=[1], by=client_person, at=utc(3, 20))
    fund(job, 2, at=utc(4, 20))
    sweeping.sweep(at=utc(6, 30))
    return fresh(job)


def test_a_payment_that_lapses_before_a_settlement_in_one_late_sweep(m3_unfunded: Job) -> None:
    payment_for_m3(m3_unfunded, Status.REQUIRES_AUTHENTICATION, at=utc(7, 6))
    sweeping.sweep(at=utc(7, 7))
    assert sweeping.sweep(at=utc(7, 20)).set_aside == []
    assert states_of(m3_unfunded) == ("completed", "released", "refunded", "removed")
    assert told(m3_unfunded, "payment_lapsed")[0][0] == utc(7, 13)
    assert fresh(m3_unfunded).ended_at == utc(7, 14)


def test_a_settlement_removes_nothing_that_the_bank_has_not_answered_about(
    m3_unfunded: Job,
) -> None:
    payment = payment_for_m3(m3_unfunded, Status.PROCESSING, at=utc(7, 6))
    for at in (utc(7, 7), utc(7, 14)):
        sweeping.sweep(at=at)
    assert states_of(m3_unfunded) == ("active", "released", "refunded", "unfunded")
    deliver(bank_says(payment, Status.REQUIRES_AUTHENTICATION), at=utc(7, 15))
    assert states_of(m3_unfunded) == ("active", "released", "refunded", "pending")
    sweeping.sweep(at=utc(7, 22))
    assert states_of(m3_unfunded) == ("active", "released", "refunded", "unfunded")


# --- 12: what is due, is due at its instant ---


def test_12_timers_down_and_an_action_that_comes_too_late(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    """The void stands for the Dispute of the example: both are refused, as the money was released."""
    request = request_release(job, 1, at=utc(3, 9, 12))
    with pytest.raises(Refusal, match="released already"):
        release_requests.void(request.pk, by=freelancer, at=utc(4, 8, 13))
    request = ReleaseRequest.objects.get(pk=request.pk)
    assert (request.state, request.ended_at) == ("released", utc(4, 8, 12))
    assert Document.objects.get().issued_at == utc(4, 8, 12)
    assert Activity.objects.get(job=job, kind="released").happened_at == utc(4, 8, 12)
    # Of the notices that were missed only the newest is written.
    assert told(job, "overdue") == told(job, "release_warning") == []
    assert told(job, "released") == [
        (utc(4, 8, 12), client_person.name),
        (utc(4, 8, 12), freelancer.name),
    ]
    assert is_clean(at=utc(4, 8, 13))


def test_a_pending_payment_is_reminded_of_and_lapses(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, at=utc(3, 1, 10))
    card = cards.add_card(
        by=client_person, number="4000002760003184", expires_on=date(2030, 1, 31), at=utc(3, 1)
    )
    payment = payments.fund(job.pk, numbers=[1], method=card, by=client_person, at=utc(3, 2))
    assert payment.state == "authenticating"
    sweeping.sweep(at=utc(3, 5))
    sweeping.sweep(at=utc(3, 8))
    assert told(job, "authentication_reminder") == [
        (utc(3, 5), client_person.name),
        (utc(3, 8), client_person.name),
    ]
    sweeping.sweep(at=utc(3, 9) - SECOND)
    assert states_of(job) == ("active", "pending", "unfunded")
    sweeping.sweep(at=utc(3, 9))
    payment.refresh_from_db()
    assert (payment.state, payment.ended_at) == ("lapsed", utc(3, 9))
    assert states_of(job) == ("active", "unfunded", "unfunded")
