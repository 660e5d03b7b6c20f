"""Several hands on one Milestone's money at the same moment: one charge, one posting (R3.5)."""

from datetime import datetime

import pytest

from billing.gateways import simulated
from billing.gateways.base import Status
from billing.models import Allocation, GatewayEvent, Payment, PaymentMethod, Refund, SimulatedCharge
from billing.services import audit, cards, gateway_events, payments, reconciling
from billing.services.payments import AlreadyUnderWay
from escrow_site.lib.refusals import Refusal, WrongState
from jobs.models import Job, Person
from tests.billing.banking import (
    add_card,
    at_once,
    bank_says,
    deliver,
    escrow_states,
    fund,
    history,
    transfers,
)
from tests.scenarios import START, running_job

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


@pytest.fixture(autouse=True)
def ledger_adds_up(request: pytest.FixtureRequest) -> object:
    """Whatever was raced for, the ledger adds up afterwards."""
    request.getfixturevalue("transactional_db")
    yield
    assert [finding for finding in audit.audit_ledger(at=START) if finding.differences] == []


def charges() -> list[str]:
    rows = SimulatedCharge.objects.filter(kind="charge")
    return list(rows.order_by("pk").values_list("status", flat=True))


def test_eight_tabs_fund_one_milestone(job: Job, at: datetime) -> None:
    method = add_card(job.client)
    outcomes = at_once(
        *[
            lambda: payments.fund(
                job.pk, numbers=[1], method=method, by=job.client, at=at, seen_minor=500_00
            )
        ]
        * 8
    )
    assert sum(isinstance(outcome, Payment) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AlreadyUnderWay) for outcome in outcomes) == 7
    assert charges() == ["succeeded"]
    assert len(transfers()) == 1
    assert history(job) == ["funding_requested", "funded"]
    assert Allocation.objects.count() == 1


def test_overlapping_choices_fund_no_milestone_twice(job: Job, at: datetime) -> None:
    method = add_card(job.client)
    choices = [[1], [1, 2], [2], [2, 1]] * 2
    outcomes = at_once(
        *[
            lambda numbers=numbers: payments.fund(
                job.pk, numbers=numbers, method=method, by=job.client, at=at
            )
            for numbers in choices
        ]
    )
    assert all(isinstance(outcome, Payment | AlreadyUnderWay) for outcome in outcomes)
    assert escrow_states(job) == ["funded", "funded"]
    assert sum(amount for _, _, amount in transfers()) == 1_500_00


def test_an_event_and_look_ups_at_once_post_once(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    event = bank_says(payment, Status.SUCCEEDED)
    outcomes = at_once(
        *[lambda: deliver(event, at=at)] * 4,
        *[lambda: payments.ask(payment, at=at)] * 2,
        *[lambda: reconciling.reconcile(at=at)] * 2,
    )
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert GatewayEvent.objects.count() == 1
    assert len(transfers()) == 1
    assert history(job) == ["funding_requested", "payment_pending", "funded"]


def test_several_workers_work_the_same_events_off(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    for _ in range(5):
        event = bank_says(payment, Status.SUCCEEDED)
        gateway_events.receive("simulated", payload=event.payload, headers=event.headers)
    outcomes = at_once(*[lambda: gateway_events.work_off(at=at)] * 4)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    assert GatewayEvent.objects.waiting().count() == 0  # type: ignore[attr-defined]
    assert len(transfers()) == 1


@pytest.mark.parametrize("turn", range(6))
def test_cancelling_against_the_bank(job: Job, at: datetime, turn: int) -> None:
    """Whoever wins, the bank's books and ours say the same."""
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    challenge = simulated.find_challenge(payment.gateway_reference)
    assert challenge is not None

    def authenticate() -> None:
        event = simulated.answer_challenge(challenge, authenticated=True)
        if event is not None:
            deliver(event, at=at)

    def cancel() -> object:
        return payments.cancel(payment, by=job.client, at=at)

    both = [authenticate, cancel] if turn % 2 else [cancel, authenticate]
    outcomes = at_once(*both)
    payment.refresh_from_db()
    assert not any(
        isinstance(outcome, Exception) and not isinstance(outcome, WrongState)
        for outcome in outcomes
    )
    assert (charges(), payment.state, escrow_states(job)[0]) in (
        (["succeeded"], "succeeded", "funded"),
        (["cancelled"], "cancelled", "unfunded"),
    )
    assert not Refund.objects.exists()


def test_money_that_is_late_goes_back_once(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    deliver(bank_says(payment, Status.FAILED), at=at)
    events = [bank_says(payment, Status.SUCCEEDED) for _ in range(6)]
    outcomes = at_once(
        *[lambda event=event: deliver(event, at=at) for event in events],
        lambda: reconciling.reconcile(at=at),
    )
    assert not any(isinstance(outcome, Exception) for outcome in outcomes)
    refund = Refund.objects.get()
    assert refund.state == "succeeded"
    assert [code for code, _, _ in transfers()] == ["unwanted", "refund_paid"]
    assert SimulatedCharge.objects.filter(kind="refund").count() == 1


def test_one_card_added_by_eight_clicks_is_one_card(client_person: Person, at: datetime) -> None:
    outcomes = at_once(*[lambda: add_card(client_person)] * 8)
    assert sum(isinstance(outcome, PaymentMethod) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, WrongState) for outcome in outcomes) == 7


@pytest.mark.parametrize("turn", range(4))
def test_a_card_is_removed_or_charged_but_not_both(job: Job, at: datetime, turn: int) -> None:
    method = add_card(job.client, "needs_authentication")
    outcomes = at_once(
        lambda: cards.remove_card(method, by=job.client, at=at),
        lambda: payments.fund(job.pk, numbers=[1], method=method, by=job.client, at=at),
    )
    assert sum(isinstance(outcome, Refusal) for outcome in outcomes) == 1
    method.refresh_from_db()
    assert (method.removed_at is None) == Payment.objects.exists()
