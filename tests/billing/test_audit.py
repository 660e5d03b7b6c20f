"""The audit sees what is wrong with Refunds, and what was due and is still there (docs/money.md)."""

from datetime import datetime, timedelta

import pytest

from billing.models import Escrow, Payment, Refund
from billing.moves import refunds
from billing.moves.refunds import Return
from billing.services import audit, disputes, reconciling
from jobs.models import Job, Person
from tests.billing.dispute_steps import open_dispute
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LEFT_BEHIND = "Nothing that was due is left behind."
TRANSFERS = "Every Refund of held money has its transfers."
SUMS = "Every Escrow's refunded sum is that of its Refunds."
UNDER_WAY = "Every Refund under way has its money on its payment's account."


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00, funded by one payment."""
    job = running_job(client_person, freelancer)
    fund(job, 1, 2)
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


@pytest.fixture
def refund(job: Job) -> Refund:
    """Of the first Milestone, less a fee; under way."""
    escrow = Escrow.objects.get(job=job, number=1)
    refunds.give_back(
        [Return(job=job, escrow=escrow, amount_minor=500_00, fee_minor=5_00, at=NOON, reason="x")]
    )
    return Refund.objects.get()


def differences(at: datetime = NOON) -> dict[str, list[str]]:
    """What is wrong, by the name of the law."""
    return {
        finding.check: finding.differences
        for finding in audit.audit_ledger(at=at)
        if finding.differences
    }


# --- Refunds ---


def test_a_refund_under_way_and_a_confirmed_one_are_as_they_should_be(refund: Refund) -> None:
    assert differences() == {}
    reconciling.reconcile(at=NOON)
    assert differences() == {}


def test_a_refund_that_nothing_was_posted_for(job: Job) -> None:
    payment = Payment.objects.get()
    made = Refund.objects.create(
        payment=payment, escrow=Escrow.objects.get(job=job, number=1), amount_minor=1,
        reason="x", started_at=NOON,
    )  # fmt: skip
    escrow = made.escrow
    assert escrow is not None
    assert differences() == {
        TRANSFERS: [f"refund {made.pk}: 1 and fee 0, 0 in the ledger"],
        SUMS: [f"escrow {escrow.pk}: refunded 0, Refunds 1"],
        UNDER_WAY: [f"payment {payment.pk}: account 0, Refunds under way 1"],
    }


def test_money_that_waits_for_no_refund(refund: Refund) -> None:
    Refund.objects.update(state="succeeded")
    assert differences() == {
        UNDER_WAY: [f"payment {refund.payment_id}: account 49500, Refunds under way 0"]
    }


def test_a_refund_of_another_amount_than_was_posted(refund: Refund) -> None:
    Refund.objects.update(fee_minor=4_00)
    assert differences() == {
        TRANSFERS: [f"refund {refund.pk}: 49500 and fee 400, 50000 in the ledger"],
        SUMS: [f"escrow {refund.escrow_id}: refunded 50000, Refunds 49900"],
    }


# --- Due ---


def due_request(job: Job) -> tuple[int, datetime]:
    """The only thing that is due: a request, and when."""
    request = request_release(job)
    Job.objects.update(next_due_at=None)
    return request.pk, request.auto_release_at


def test_a_request_that_was_due_an_hour_ago(job: Job) -> None:
    request, due_at = due_request(job)
    assert differences(due_at + HOUR) == {}
    assert differences(due_at + HOUR + SECOND) == {
        LEFT_BEHIND: [f"release request {request} of job {job.pk} was due 2026-04-08 12:00:00"]
    }


@pytest.mark.parametrize("state", ["open", "overdue"])
def test_in_whichever_state_it_waits(job: Job, state: str) -> None:
    request, due_at = due_request(job)
    job.release_requests.filter(pk=request).update(state=state)
    assert list(differences(due_at + 2 * HOUR)) == [LEFT_BEHIND]


def test_one_that_is_disputed_has_no_clock(job: Job) -> None:
    _, due_at = due_request(job)
    dispute = open_dispute(job, job.client)
    disputes.escalate(dispute.pk, by=job.client, at=NOON)
    Job.objects.update(next_due_at=None)
    assert differences(due_at + 2 * HOUR) == {}


def test_a_job_that_was_due_an_hour_ago(job: Job) -> None:
    Job.objects.update(next_due_at=NOON)
    assert differences(NOON + HOUR) == {}
    assert differences(NOON + HOUR + SECOND) == {
        LEFT_BEHIND: [f"job {job.pk} (active) was due 2026-03-09 12:00:00"]
    }


def test_a_job_that_holds_money_and_is_never_visited_again(job: Job) -> None:
    Job.objects.update(next_due_at=None)
    job.refresh_from_db()
    assert job.dormant_at is not None
    assert differences(job.dormant_at + HOUR) == {}
    assert differences(job.dormant_at + HOUR + SECOND) == {
        LEFT_BEHIND: [
            f"job {job.pk} (active) holds money, was dormant from 2026-06-30 00:00:00, and nobody "
            "looks at it again"
        ]
    }


def test_what_was_set_aside_waits_for_support(job: Job) -> None:
    _, due_at = due_request(job)
    Job.objects.update(next_due_at=NOON, set_aside_at=NOON, set_aside_reason="x")
    assert differences(due_at + 2 * HOUR) == {}
