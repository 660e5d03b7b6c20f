"""Cancelling a Job while a payment is under way (R8.3, R3.5): it ends here at once, then at the bank."""

from datetime import timedelta

import pytest

from billing.gateways import simulated
from billing.gateways.base import GatewayTimeout, Status
from billing.models import Cancellation, Payment, Refund, SimulatedCharge
from billing.services import audit, cancellations, payments, reconciling
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from tests.billing.banking import (
    add_card,
    at_once,
    authenticate,
    bank_says,
    deliver,
    escrow_states,
    fund,
    history,
    told,
)
from tests.billing.steps import request_release
from tests.scenarios import START, running_job

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

DAY = timedelta(days=1)
ASKED = START + DAY
THEN = ASKED + DAY


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


@pytest.fixture(autouse=True)
def ledger_adds_up(request: pytest.FixtureRequest) -> object:
    request.getfixturevalue("transactional_db")
    yield
    assert [finding for finding in audit.audit_ledger(at=THEN) if finding.differences] == []


def fresh(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def ask(job: Job) -> Cancellation:
    return cancellations.request(job.pk, shares=None, reason="No time.", by=job.client, at=ASKED)


def accept(job: Job) -> Cancellation:
    cancellation = ask(job)
    assert job.freelancer is not None
    return cancellations.accept(cancellation.pk, by=job.freelancer, at=THEN)


def test_what_is_pending_needs_the_other_side(job: Job) -> None:
    fund(job, 1, behaviour="needs_authentication", at=START)
    cancellation = ask(job)
    assert (cancellation.state, cancellation.shares.count()) == ("requested", 0)
    assert fresh(job).state == "active"


def test_a_pending_payment_is_cancelled_here_and_at_the_bank(job: Job) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=START)
    assert escrow_states(job) == ["pending", "unfunded"]
    accept(job)

    payment.refresh_from_db()
    assert (payment.state, payment.ended_at, payment.stop_wanted_at) == ("cancelled", THEN, THEN)
    assert escrow_states(job) == ["removed", "removed"]
    assert history(job)[-5:] == [
        "cancellation_accepted", "payment_cancelled", "removed", "removed", "cancelled",
    ]  # fmt: skip
    assert told(job, "payment_cancelled") == set()

    reconciling.reconcile(at=THEN)
    payment.refresh_from_db()
    charge = SimulatedCharge.objects.get(idempotency_key=payment.idempotency_key)
    assert (charge.status, payment.stop_wanted_at) == ("cancelled", None)
    assert (payment.state, Refund.objects.count()) == ("cancelled", 0)


def test_who_authenticated_before_the_bank_was_told_gets_his_money_back(job: Job) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=START)
    accept(job)
    authenticate(payment, at=THEN)
    payment.refresh_from_db()
    assert payment.state == "returned"
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.state) == (500_00, "succeeded")
    assert refund.reason == (
        "The money arrived when it was no longer wanted: the payment had been cancelled on "
        "3 Mar 2026 10:00 UTC."
    )
    reconciling.reconcile(at=THEN)
    assert Refund.objects.count() == 1
    assert Payment.objects.to_stop().count() == 0


def test_money_that_the_bank_had_taken_already_goes_back(job: Job) -> None:
    payment = fund(job, 1, behaviour="silent", at=START)
    assert payment.state == "started"
    accept(job)
    reconciling.reconcile(at=THEN)
    payment.refresh_from_db()
    assert (payment.state, payment.stop_wanted_at) == ("returned", None)
    assert list(Refund.objects.values_list("amount_minor", "state")) == [(500_00, "succeeded")]
    assert history(job)[-1] == "money_returned"
    assert fresh(job).state == "cancelled"


def test_an_order_that_never_reached_the_bank_is_stopped_for_ever(job: Job) -> None:
    method = add_card(job.client)
    payment = payments.start(job.pk, numbers=[1, 2], method=method, by=job.client, at=START)
    accept(job)
    reconciling.reconcile(at=THEN)
    # The worker that was to send it comes too late.
    payments.carry_out(payment, at=THEN)
    payment.refresh_from_db()
    assert (payment.state, Refund.objects.count()) == ("cancelled", 0)
    assert history(job)[-4:] == ["payment_stopped", "removed", "removed", "cancelled"]


def test_the_order_that_reaches_the_bank_first_is_paid_and_sent_back(job: Job) -> None:
    method = add_card(job.client)
    payment = payments.start(job.pk, numbers=[1, 2], method=method, by=job.client, at=START)
    accept(job)
    payments.carry_out(payment, at=THEN)
    reconciling.reconcile(at=THEN)
    payment.refresh_from_db()
    assert (payment.state, payment.stop_wanted_at) == ("returned", None)
    assert Refund.objects.get().amount_minor == 1_500_00


def test_a_silent_bank_is_told_again(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=START)
    accept(job)

    def say_nothing(*_: object) -> None:
        raise GatewayTimeout("No answer")

    with monkeypatch.context() as patch:
        patch.setattr(simulated.SimulatedGateway, "cancel_charge", say_nothing)
        reconciling.reconcile(at=THEN)
    payment.refresh_from_db()
    assert payment.stop_wanted_at == THEN
    reconciling.reconcile(at=THEN)
    payment.refresh_from_db()
    assert payment.stop_wanted_at is None


def test_funded_after_the_request_it_is_overtaken(job: Job) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=START)
    cancellation = ask(job)
    deliver(bank_says(payment, Status.SUCCEEDED), at=THEN)
    cancellation.refresh_from_db()
    assert (cancellation.state, escrow_states(job)[0]) == ("stale", "funded")


# --- Several hands at once ---


def outcomes_of(*outcomes: object) -> list[str]:
    """What each came to: the state of a cancellation, or a refusal."""
    return sorted(
        one.state if isinstance(one, Cancellation) else type(one).__name__ for one in outcomes
    )


def test_two_tabs_accept_at_once(job: Job) -> None:
    fund(job, 1, 2, at=START)
    request_release(job, 1, at=START)
    cancellation = ask(job)
    freelancer = fresh(job).freelancer
    assert freelancer is not None
    outcomes = at_once(*[lambda: cancellations.accept(cancellation.pk, by=freelancer, at=THEN)] * 6)
    assert outcomes_of(*outcomes) == ["WrongState"] * 5 + ["accepted"]
    assert sorted(Refund.objects.values_list("amount_minor", flat=True)) == [500_00, 1_000_00]


def test_accepted_and_withdrawn_at_once(job: Job) -> None:
    fund(job, 1, 2, at=START)
    cancellation = ask(job)
    client, freelancer = fresh(job).client, fresh(job).freelancer
    assert freelancer is not None
    outcomes = at_once(
        lambda: cancellations.accept(cancellation.pk, by=freelancer, at=THEN),
        lambda: cancellations.withdraw(cancellation.pk, by=client, at=THEN),
    )
    ended = outcomes_of(*outcomes)
    assert ended in (["WrongState", "accepted"], ["WrongState", "withdrawn"])
    assert Refund.objects.count() == (2 if "accepted" in ended else 0)
    assert fresh(job).state == ("cancelled" if "accepted" in ended else "active")


def test_both_sides_ask_at_once(job: Job) -> None:
    fund(job, 1, at=START)
    row = fresh(job)
    freelancer = row.freelancer
    assert freelancer is not None
    outcomes = at_once(
        lambda: cancellations.request(job.pk, shares=None, reason="A", by=row.client, at=ASKED),
        lambda: cancellations.request(job.pk, shares=None, reason="B", by=freelancer, at=ASKED),
    )
    assert outcomes_of(*outcomes) == ["WrongState", "requested"]


def test_accepted_while_the_money_of_a_payment_arrives(job: Job) -> None:
    """Either the money is Funded and the request overtaken, or the Job is cancelled and it goes back."""
    payment = fund(job, 1, behaviour="needs_authentication", at=START)
    cancellation = ask(job)
    freelancer = fresh(job).freelancer
    assert freelancer is not None
    event = bank_says(payment, Status.SUCCEEDED)
    outcomes = at_once(
        lambda: cancellations.accept(cancellation.pk, by=freelancer, at=THEN),
        lambda: deliver(event, at=THEN),
    )
    reconciling.reconcile(at=THEN)
    payment.refresh_from_db()
    if isinstance(outcomes[0], Refusal):
        assert (payment.state, fresh(job).state) == ("succeeded", "active")
    else:
        assert (payment.state, fresh(job).state) == ("returned", "cancelled")
        assert Refund.objects.get().state == "succeeded"
