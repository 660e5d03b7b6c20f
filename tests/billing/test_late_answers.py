"""Answers about a payment that come late, twice, in the wrong order, or not at all (R3.4, R3.5)."""

from datetime import datetime, timedelta

import pytest

from billing import gateways
from billing.gateways import simulated
from billing.gateways.base import Status
from billing.models import Refund
from billing.services import gateway_events, payments, reconciling, refunds, sweeping
from billing.services.payments import AlreadyUnderWay
from escrow_site.lib import states, timing
from escrow_site.lib.refusals import WrongParty, WrongState
from jobs.models import Activity, Job, Person
from tests.billing.banking import (
    add_card,
    authenticate,
    balance_of,
    bank_says,
    deliver,
    escrow_states,
    fund,
    history,
    nothing_changes,
    refused,
    told,
    transfers,
)
from tests.scenarios import running_job
from workroom import tasks

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=3)
BOTH = {"clara@example.com", "frank@example.com"}


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


# --- No answer ---


def test_a_bank_that_does_not_answer_leaves_the_payment_under_way(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="silent", at=at)

    assert payment.state == "started"
    assert escrow_states(job)[0] == "unfunded"
    assert history(job) == ["funding_requested"]
    with refused(AlreadyUnderWay, "A payment for “Milestone 1” is under way.") as caught:
        fund(job, 1, at=at)
    assert caught.value.payment_id == payment.pk


def test_the_reconcile_task_asks_and_funds(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="silent", at=at)

    assert reconciling.reconcile(at=at + LATER) == 1
    payment.refresh_from_db()
    assert (payment.state, payment.succeeded_at) == ("succeeded", at + LATER)
    assert len(transfers()) == 1
    with nothing_changes():
        assert reconciling.reconcile(at=at + 2 * LATER) == 0


def test_an_intent_that_never_reached_the_bank_is_sent_by_the_reconcile_task(
    job: Job, at: datetime
) -> None:
    payment = payments.start(job.pk, numbers=[1], method=add_card(job.client), by=job.client, at=at)
    assert payment.state == "started"

    reconciling.reconcile(at=at + LATER)
    payment.refresh_from_db()
    assert payment.state == "succeeded"
    assert escrow_states(job)[0] == "funded"


def test_a_pending_payment_stays_pending_when_asked_about(job: Job, at: datetime) -> None:
    fund(job, 1, behaviour="needs_authentication", at=at)
    with nothing_changes():
        assert reconciling.reconcile(at=at + LATER) == 0


@pytest.mark.parametrize("days", [5, 8])
def test_whom_the_bank_asks_late_has_seven_days_from_then(
    job: Job, at: datetime, days: int
) -> None:
    method = add_card(job.client, "needs_authentication")
    payment = payments.start(job.pk, numbers=[1], method=method, by=job.client, at=at)
    asked_at = at + timedelta(days=days)
    reconciling.reconcile(at=asked_at)
    for day in range(8):
        sweeping.sweep(at=asked_at + timedelta(days=day))

    lines = Activity.objects.filter(job=job, facts__payment=payment.pk).order_by("pk")
    assert [(line.kind, (line.happened_at - asked_at).days) for line in lines] == [
        ("payment_pending", 0),
        ("authentication_reminder", 3),
        ("authentication_reminder", 6),
        ("payment_lapsed", 7),
    ]


# --- Twice, late, in the wrong order (R3.5) ---


def test_an_answer_that_comes_twice_posts_once(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    authenticate(payment, at=at + LATER)
    with nothing_changes():
        deliver(bank_says(payment, Status.SUCCEEDED), at=at + 2 * LATER)
        payments.ask(payment, at=at + 2 * LATER)


def test_what_was_authenticated_in_time_does_not_lapse_in_an_outage(
    job: Job, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workers are down for ten days; the event of the third day waits for them."""
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    challenge = simulated.find_challenge(payment.gateway_reference)
    assert challenge is not None
    event = simulated.answer_challenge(challenge, authenticated=True)
    assert event is not None
    stored = gateway_events.receive("simulated", payload=event.payload, headers=event.headers)
    monkeypatch.setattr(timing, "real_now", lambda: stored.received_at + timedelta(days=7))
    monkeypatch.setattr(timing, "now", lambda: at + timedelta(days=10))
    tasks.sweep()

    payment.refresh_from_db()
    assert (payment.state, payment.succeeded_at) == ("succeeded", at + timedelta(days=3))
    assert history(job)[-1] == "funded"
    assert Job.objects.get(pk=job.pk).last_activity_at == at + timedelta(days=3)


def test_answers_in_the_wrong_order_change_nothing(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    asks = bank_says(payment, Status.REQUIRES_AUTHENTICATION)
    fails = bank_says(payment, Status.FAILED)
    cancels = bank_says(payment, Status.CANCELLED)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at)
    with nothing_changes():
        for event in (asks, fails, cancels):
            deliver(event, at=at + LATER)


@pytest.mark.parametrize("first", [Status.FAILED, Status.CANCELLED])
def test_money_that_arrives_late_goes_back_to_its_source(
    job: Job, at: datetime, first: Status
) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    deliver(bank_says(payment, first), at=at)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at + LATER)

    payment.refresh_from_db()
    assert payment.state == "returned"
    assert escrow_states(job)[0] == "unfunded"
    refund = Refund.objects.get()
    assert (refund.state, refund.amount_minor, refund.escrow) == ("succeeded", 500_00, None)
    assert transfers() == [
        ("unwanted", f"payment:{payment.pk}:unwanted", 500_00),
        ("refund_paid", f"refund:{refund.pk}:paid", 500_00),
    ]
    assert balance_of(payment=payment) == 0
    assert history(job)[-1] == "money_returned"
    assert told(job, "money_returned") == BOTH
    with nothing_changes():
        deliver(bank_says(payment, Status.SUCCEEDED), at=at + 2 * LATER)
        reconciling.reconcile(at=at + 2 * LATER)


def test_money_for_a_payment_that_has_lapsed_goes_back(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    states.move([payment], "lapse", at=at)
    states.move([job.escrows.get(number=1)], "fall_back")
    payment.allocations.update(live=False)
    authenticate(payment, at=at + LATER)

    payment.refresh_from_db()
    assert payment.state == "returned"
    assert escrow_states(job)[0] == "unfunded"
    assert [code for code, _, _ in transfers()] == ["unwanted", "refund_paid"]


def test_late_money_for_a_milestone_paid_otherwise_goes_back(job: Job, at: datetime) -> None:
    late = fund(job, 1, behaviour="needs_authentication", at=at)
    deliver(bank_says(late, Status.CANCELLED), at=at)
    good = payments.fund(job.pk, numbers=[1], method=add_card(job.client), by=job.client, at=at)
    deliver(bank_says(late, Status.SUCCEEDED), at=at + LATER)

    late.refresh_from_db()
    assert (good.state, late.state) == ("succeeded", "returned")
    assert balance_of(escrow=job.escrows.get(number=1)) == 500_00


def test_money_for_a_job_that_has_ended_goes_back(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    Job.objects.filter(pk=job.pk).update(state="cancelled", ended_at=at)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at + LATER)

    payment.refresh_from_db()
    assert (payment.state, payment.failure) == (
        "returned", "The money arrived when it was no longer wanted: the Job was cancelled.",
    )  # fmt: skip
    assert escrow_states(job)[0] == "unfunded"
    assert history(job)[-1] == "money_returned"


def test_a_price_that_changed_meanwhile_sends_the_money_back(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    job.escrows.filter(number=1).update(amount_minor=400_00)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at + LATER)

    payment.refresh_from_db()
    assert payment.state == "returned"
    assert escrow_states(job)[0] == "unfunded"


def test_a_source_that_takes_no_money_back_credits_the_payer(job: Job, at: datetime) -> None:
    method = add_card(job.client, "closed")
    payment = payments.start(job.pk, numbers=[1], method=method, by=job.client, at=at)
    gateways.get("simulated").start_charge(payments._order(payment))
    deliver(bank_says(payment, Status.CANCELLED), at=at)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at + LATER)

    refund = Refund.objects.get()
    assert (refund.state, refund.ended_at) == ("failed", at + LATER)
    assert [code for code, _, _ in transfers()] == ["unwanted", "refund_refused"]
    assert balance_of(person=job.client, currency="USD") == 500_00
    assert balance_of(payment=payment) == 0
    assert history(job)[-2:] == ["money_returned", "refund_refused"]
    assert told(job, "refund_refused") == {"clara@example.com"}


def test_a_refund_without_an_answer_is_asked_about(job: Job, at: datetime) -> None:
    method = add_card(job.client, "silent")
    payment = payments.fund(job.pk, numbers=[1], method=method, by=job.client, at=at)
    deliver(bank_says(payment, Status.FAILED), at=at)
    deliver(bank_says(payment, Status.SUCCEEDED), at=at + LATER)
    refund = Refund.objects.get()
    assert refund.state == "started"
    assert balance_of(payment=payment) == 500_00

    assert reconciling.reconcile(at=at + 2 * LATER) == 1
    refund.refresh_from_db()
    assert (refund.state, refund.ended_at) == ("succeeded", at + 2 * LATER)
    assert balance_of(payment=payment) == 0
    with nothing_changes():
        refunds.carry_out(refund, at=at + 3 * LATER)


# --- Cancelling ---


def test_the_client_cancels_a_pending_payment(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    payment = payments.cancel(payment, by=job.client, at=at + LATER)

    assert (payment.state, payment.ended_at) == ("cancelled", at + LATER)
    assert escrow_states(job)[0] == "unfunded"
    line = Activity.objects.get(job=job, kind="payment_cancelled")
    assert line.actor == job.client
    assert told(job, "payment_cancelled") == BOTH
    again = fund(job, 1, at=at + 2 * LATER)
    assert again.state == "authenticating"


def test_a_bank_that_was_faster_makes_the_cancelled_payment_funded(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="silent", at=at)
    payment = payments.cancel(payment, by=job.client, at=at + LATER)

    assert payment.state == "succeeded"
    assert escrow_states(job)[0] == "funded"
    assert history(job)[-1] == "funded"


def test_a_payment_that_never_reached_the_bank_is_cancelled_for_ever(
    job: Job, at: datetime
) -> None:
    payment = payments.start(job.pk, numbers=[1], method=add_card(job.client), by=job.client, at=at)
    cancelled = payments.cancel(payment, by=job.client, at=at + LATER)
    assert cancelled.state == "cancelled"
    assert history(job)[-1] == "payment_stopped"
    with nothing_changes():
        payments.carry_out(payment, at=at + LATER)


def test_what_is_over_cannot_be_cancelled(job: Job, at: datetime) -> None:
    payment = fund(job, 1, at=at)
    with refused(WrongState, "This payment has succeeded: there is nothing to cancel."):
        payments.cancel(payment, by=job.client, at=at)


def test_nobody_but_the_payer_cancels(job: Job, freelancer: Person, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    with refused(WrongParty, "Only the Client who pays can cancel a payment."):
        payments.cancel(payment, by=freelancer, at=at)
