"""The audit sees a freeze that no Dispute and no chargeback stands for, and one that is missing."""

import pytest
from django.db import connection

from billing.models import Chargeback, Dispute, Escrow, Payment, ReleaseRequest
from billing.services import chargebacks, disputes
from jobs.models import Job, Person
from tests.billing.charging_back import begin
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    agent_named,
    differences,
    funded_job,
    open_dispute,
)
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db

DISPUTES = "Every open Dispute freezes its Milestone, and nothing else counts as disputed."
CHARGEBACKS = (
    "Every open chargeback freezes what its payment is there for, and nothing else is charged back."
)
CLOCKS = "The clock of a Release Request stands still while its Milestone is frozen, and only then."
TAKEN = "What a lost chargeback took is in the ledger."


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer, 1)


def found() -> list[str]:
    """The laws that are broken."""
    return [finding.check for finding in differences(NOON + 2 * DAY)]


def run(statement: str) -> None:
    """As somebody with psql would; exactly one row."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        assert cursor.rowcount == 1


# --- Disputes ---


def test_a_dispute_is_right_at_every_stage(job: Job, freelancer: Person) -> None:
    request_release(job)
    dispute = open_dispute(job, job.client)
    assert found() == []
    disputes.answer(dispute.pk, text="It is done.", by=freelancer, at=NOON + HOUR)
    assert found() == []
    disputes.escalate(dispute.pk, by=freelancer, at=NOON + HOUR)
    assert found() == []
    disputes.withdraw(dispute.pk, by=job.client, at=NOON + HOUR)
    assert found() == []


def test_a_freeze_without_a_dispute(job: Job) -> None:
    escrow = Escrow.objects.get(job=job, number=1)
    run(f"UPDATE billing_escrow SET disputed_at = '2026-03-09 12:00Z' WHERE id = {escrow.pk}")
    assert found() == [DISPUTES]


@pytest.mark.parametrize(
    "change",
    [
        "disputed_at = NULL, disputed_by_id = NULL, answer_due_at = NULL",
        "disputed_at = disputed_at + interval '1 second'",
        "disputed_by_id = NULL",
        "answer_due_at = NULL",
    ],
)
def test_a_dispute_that_freezes_otherwise(job: Job, change: str) -> None:
    dispute = open_dispute(job, job.client)
    run(f"UPDATE billing_escrow SET {change} WHERE id = {dispute.escrow_id}")
    assert found() == [DISPUTES]


def test_a_dispute_that_was_ended_by_hand(job: Job) -> None:
    dispute = open_dispute(job, job.client)
    run(
        "UPDATE billing_dispute SET state = 'withdrawn', ended_at = opened_at, ended_reason = 'x' "
        f"WHERE id = {dispute.pk}"
    )
    assert Dispute.objects.get().state == "withdrawn"
    assert found() == [DISPUTES]


@pytest.mark.parametrize("state", ["open", "overdue"])
def test_a_clock_that_runs_under_a_dispute(job: Job, state: str) -> None:
    request_release(job)
    dispute = open_dispute(job, job.client)
    run(f"UPDATE billing_releaserequest SET state = '{state}' WHERE id = {dispute.request_id}")
    assert found() == [CLOCKS]


def test_a_clock_that_stands_still_for_nothing(job: Job) -> None:
    request = request_release(job)
    run(f"UPDATE billing_releaserequest SET state = 'disputed' WHERE id = {request.pk}")
    assert found() == [CLOCKS]


# --- Chargebacks ---


def test_a_chargeback_is_right_at_every_stage(job: Job) -> None:
    request_release(job)
    row, ada, ben = begin(job), agent_named("Ada"), agent_named("Ben")
    assert found() == []
    chargebacks.record(row.pk, outcome="lost", reason="Letter.", by=ada, at=NOON + DAY)
    assert found() == []
    chargebacks.confirm(row.pk, seen_outcome="lost", by=ben, at=NOON + DAY)
    assert found() == []


@pytest.mark.parametrize(
    "change", ["charged_back_at = NULL", "charged_back_at = charged_back_at - interval '1 day'"]
)
def test_a_chargeback_that_freezes_otherwise(job: Job, change: str) -> None:
    begin(job)
    run(f"UPDATE billing_escrow SET {change} WHERE charged_back_at IS NOT NULL")
    assert found() == [CHARGEBACKS]


def test_a_freeze_without_a_chargeback(job: Job) -> None:
    run("UPDATE billing_escrow SET charged_back_at = now() WHERE number = 1")
    assert found() == [CHARGEBACKS]


def test_a_clock_that_runs_under_a_chargeback(job: Job) -> None:
    request_release(job)
    begin(job)
    run("UPDATE billing_releaserequest SET state = 'open'")
    assert ReleaseRequest.objects.get().state == "open"
    assert found() == [CLOCKS]


def test_one_that_is_lost_without_a_transfer(job: Job) -> None:
    begin(job)
    run("UPDATE billing_escrow SET charged_back_at = NULL WHERE number = 1")
    ada, ben = agent_named("Ada"), agent_named("Ben")
    run(
        "UPDATE billing_chargeback SET state = 'lost', outcome = 'lost', ended_at = opened_at, "
        f"recorded_by_id = {ada.pk}, confirmed_by_id = {ben.pk}"
    )
    assert Chargeback.objects.get().state == "lost"
    assert Payment.objects.get().state == "succeeded"
    assert found() == [TAKEN]
