"""What support does at a party's recorded request, kind by kind: two agents, both sides told (R9.7)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from billing.models import Document, Refund, Release, ReleaseRequest
from billing.services import interventions, releases, sweeping
from jobs.models import Activity, Job, Notification, Person
from jobs.selectors import history
from tests.billing.dispute_steps import differences, figures, funded_job, open_dispute
from tests.billing.intervening import (
    ASKED_HOW,
    BY_CLIENT,
    BY_FREELANCER,
    DAY,
    LATER,
    NOON,
    REASON,
    kinds_told,
    propose,
    row,
    told,
)
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture(autouse=True)
def ledger_adds_up(db: None) -> Iterator[None]:
    yield
    assert sweeping.sweep(at=NOON + 200 * DAY).set_aside == []
    assert differences(NOON + 200 * DAY) == []


# --- While it is proposed ---


def test_a_proposal_moves_nothing_and_is_known_to_support_alone(
    job: Job, alma: Person, client_person: Person
) -> None:
    public = history.count_of_job(job)
    made = propose(job, "release", alma, asked_by=client_person, amount_minor=500_00)
    assert (made.state, made.seen_held_minor, made.asked_how) == ("proposed", 500_00, ASKED_HOW)
    assert figures(job) == ("funded", 0, 0, 500_00)
    line = Activity.objects.latest("pk")
    assert (line.kind, line.actor_kind, line.actor) == ("intervention_proposed", "support", alma)
    assert line.facts == {"intervention": made.pk, "act": "Release held money: Milestone 1"}
    assert Notification.objects.filter(activity=line).count() == 0
    assert history.count_of_job(job) == public == len(history.of_job(job))
    assert "intervention_proposed" not in [one.kind for one in history.of_job(job)]


def test_what_is_proposed_is_no_activity(job: Job, alma: Person, client_person: Person) -> None:
    before = row(job).last_activity_at
    propose(job, "release", alma, asked_by=client_person, amount_minor=500_00)
    assert row(job).last_activity_at == before


# --- Each kind, confirmed ---


def test_a_release_the_client_asked_for(
    job: Job, alma: Person, bela: Person, client_person: Person, freelancer: Person
) -> None:
    request_release(job)
    made = propose(job, "release", alma, asked_by=client_person, amount_minor=500_00)
    interventions.confirm(made.pk, by=bela, at=LATER)
    made.refresh_from_db()
    assert (made.state, made.checked_by, made.checked_at) == ("confirmed", bela, LATER)
    assert figures(job) == ("released", 500_00, 0, 0)
    release = Release.objects.get()
    assert (release.released_by, release.reason, release.net_minor) == (bela, BY_CLIENT, 456_25)
    assert Document.objects.get().kind == "final_invoice"
    assert ReleaseRequest.objects.get().state == "released"
    line = Activity.objects.get(kind="support_released")
    assert (line.actor, line.actor_kind, line.reason) == (bela, "support", REASON)
    assert line.facts["agents"] == "Alma and Bela"
    assert told("support_released") == [client_person, freelancer]
    assert kinds_told() == {"support_released"}
    assert row(job).last_activity_at == LATER


def test_a_part_is_released_and_the_request_stands(
    job: Job, alma: Person, bela: Person, client_person: Person
) -> None:
    request = request_release(job)
    made = propose(job, "release", alma, asked_by=client_person, amount_minor=200_00)
    interventions.confirm(made.pk, by=bela, at=LATER)
    assert figures(job) == ("funded", 200_00, 0, 300_00)
    request.refresh_from_db()
    assert (request.state, request.auto_release_at) == ("open", NOON + 30 * DAY)
    assert Activity.objects.get(kind="support_released").facts["held_minor"] == 300_00


def test_a_refund_the_freelancer_asked_for(
    job: Job, alma: Person, bela: Person, freelancer: Person, client_person: Person
) -> None:
    request = request_release(job)
    made = propose(job, "refund_held", alma, asked_by=freelancer, amount_minor=500_00)
    interventions.confirm(made.pk, by=bela, at=LATER)
    assert figures(job) == ("refunded", 0, 500_00, 0)
    refund = Refund.objects.get()
    assert (refund.refunded_by, refund.reason, refund.of_released) == (bela, BY_FREELANCER, False)
    request.refresh_from_db()
    assert request.state == "voided"
    assert told("support_refunded") == [client_person, freelancer]
    assert kinds_told() == {"support_refunded"}
    assert row(job).last_activity_at == LATER


def test_released_money_the_freelancer_asked_to_give_back(
    job: Job, alma: Person, bela: Person, freelancer: Person, client_person: Person
) -> None:
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    made = propose(job, "refund_released", alma, asked_by=freelancer, amount_minor=100_00)
    assert made.seen_held_minor == 500_00
    interventions.confirm(made.pk, by=bela, at=LATER)
    refund = Refund.objects.get()
    assert (refund.of_released, refund.refunded_by, refund.reason) == (True, bela, BY_FREELANCER)
    line = Activity.objects.get(kind="support_credited")
    assert (line.facts["net_minor"], line.facts["service_fee_minor"]) == (91_25, 8_75)
    assert kinds_told() == {"support_credited"}


def test_a_request_the_freelancer_asked_to_void(
    job: Job, alma: Person, bela: Person, freelancer: Person
) -> None:
    request = request_release(job)
    before = row(job).last_activity_at
    made = propose(job, "void", alma, asked_by=freelancer)
    interventions.confirm(made.pk, by=bela, at=LATER)
    request.refresh_from_db()
    assert (request.state, request.ended_reason) == ("voided", BY_FREELANCER)
    assert figures(job) == ("funded", 0, 0, 500_00)
    assert kinds_told() == {"support_voided"}
    assert row(job).last_activity_at == before  # a void is no Activity (R10.2)


def test_a_clock_the_freelancer_asked_to_extend(
    job: Job, alma: Person, bela: Person, freelancer: Person
) -> None:
    request = request_release(job)
    before = row(job).last_activity_besides_requests_at
    until = NOON + 31 * DAY
    made = propose(job, "extend_release", alma, asked_by=freelancer, until=until)
    interventions.confirm(made.pk, by=bela, at=LATER)
    request.refresh_from_db()
    assert (request.state, request.auto_release_at) == ("open", until)
    assert request.overdue_at == until - 15 * DAY
    now = row(job)
    assert (now.last_activity_at, now.last_activity_besides_requests_at) == (LATER, before)
    assert kinds_told() == {"support_extended_release"}
    sweeping.sweep(at=NOON + 30 * DAY)
    assert figures(job)[0] == "funded"
    sweeping.sweep(at=until)
    assert Release.objects.get().happened_at == until


def test_what_is_overdue_stays_so_and_past_warnings_are_not_repeated(
    job: Job, alma: Person, bela: Person, freelancer: Person
) -> None:
    request = request_release(job)
    at = NOON + 27 * DAY  # warned at day 20 and 25
    sweeping.sweep(at=at)
    made = propose(job, "extend_release", alma, asked_by=freelancer, at=at, until=NOON + 33 * DAY)
    interventions.confirm(made.pk, by=bela, at=at)
    request.refresh_from_db()
    assert (request.state, request.overdue_at) == ("overdue", NOON + 15 * DAY)
    sweeping.sweep(at=NOON + 33 * DAY)
    warned = Activity.objects.filter(kind="release_warning").order_by("pk")
    days = [(line.happened_at - NOON).days for line in warned]
    assert days == [20, 25, 28, 31, 32]
    assert Activity.objects.filter(kind="overdue").count() == 1


def test_an_answer_the_opener_gives_more_time_for(
    job: Job, alma: Person, bela: Person, client_person: Person
) -> None:
    dispute = open_dispute(job, client_person)
    until = NOON + 10 * DAY
    made = propose(job, "extend_answer", alma, asked_by=client_person, until=until)
    interventions.confirm(made.pk, by=bela, at=LATER)
    dispute.refresh_from_db()
    assert (dispute.answer_due_at, dispute.state) == (until, "open")
    sweeping.sweep(at=until - timedelta(seconds=1))
    dispute.refresh_from_db()
    assert dispute.state == "open"
    sweeping.sweep(at=until)
    dispute.refresh_from_db()
    assert (dispute.state, dispute.escalated_at) == ("mediation", until)
    line = Activity.objects.get(kind="dispute_escalated")
    assert "within the time that support had extended" in line.reason


def dormant(job: Job) -> datetime:
    at = NOON + 120 * DAY
    while row(job).state != "dormant":
        due_at = row(job).next_due_at
        assert due_at is not None and due_at < at
        sweeping.sweep(at=due_at)
    return row(job).dormant_at + timedelta(hours=1)  # type: ignore[operator]


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_either_side_has_a_dormant_job_made_active(
    job: Job, alma: Person, bela: Person, role: str
) -> None:
    at = dormant(job)
    made = propose(job, "reactivate", alma, asked_by=getattr(job, role), at=at)
    interventions.confirm(made.pk, by=bela, at=at)
    now = row(job)
    assert (now.state, now.dormant_at, now.last_activity_at) == ("active", at + 60 * DAY, at)
    assert told("support_reactivated") == [job.client, job.freelancer]
    assert Notification.objects.filter(activity__kind="reactivated").count() == 0


# --- For dormancy the act of the party that asked, or nothing (R10) ---


def test_a_release_the_client_asked_for_wakes_the_job(
    job: Job, alma: Person, bela: Person, client_person: Person
) -> None:
    at = dormant(job)
    made = propose(job, "release", alma, asked_by=client_person, amount_minor=100_00, at=at)
    interventions.confirm(made.pk, by=bela, at=at)
    assert row(job).state == "active"


def test_what_reverses_an_error_of_ours_is_nobodys_act(
    job: Job, alma: Person, bela: Person
) -> None:
    at = dormant(job)
    before = row(job)
    made = propose(job, "release", alma, asked_by=None, amount_minor=100_00, at=at)
    assert (made.asked_by, made.asked_how) == (None, "")
    interventions.confirm(made.pk, by=bela, at=at)
    now = row(job)
    assert (now.state, now.last_activity_at) == ("dormant", before.last_activity_at)
    assert Release.objects.get().reason == "By support to reverse an error of ours."
