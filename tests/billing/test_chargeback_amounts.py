"""What the bank takes is what the bank says: of what is held no more goes to it, what is refused on its
way to the card covers it, and nothing of it is put on the Client's balance a second time (R8.4, R8.1).
"""

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, transaction

from billing import gateways
from billing.gateways.base import Status
from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Chargeback, Dispute, Escrow, GatewayEvent, Payment, Refund
from billing.selectors.payments import with_payer_minor
from billing.services import gateway_events, payments, reconciling, refunding, refunds, sweeping
from jobs.models import Job, Person
from tests.billing.banking import (
    balance_of,
    bank_says,
    deliver,
    fund,
    history,
    transfers,
)
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    differences,
    figures,
    open_dispute,
)
from tests.billing.steps import request_release
from tests.billing.test_chargebacks import begin, end, platform
from tests.scenarios import running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded from a card that takes no money back."""
    job = running_job(client_person, freelancer)
    fund(job, 1, behaviour="closed", at=NOON)
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


@pytest.fixture(autouse=True)
def ledger_adds_up(db: None) -> Iterator[None]:
    yield
    assert differences(NOON + 9 * DAY) == []


def refund_part(job: Job) -> Refund:
    """100.00 is on its way back to the card; the bank has not heard of it."""
    assert job.freelancer is not None
    made = refunding.refund_held(
        job.pk, number=1, amount_minor=100_00, by=job.freelancer, at=NOON, reason="",
        seen_held_minor=500_00,
    )  # fmt: skip
    return Refund.objects.get(pk=made)


def balance_of_client(job: Job) -> int:
    found = job.client.accounts.filter(kind="available").first()
    return found.balance_minor if found else 0


def states_of_refunds() -> list[str]:
    return list(Refund.objects.order_by("pk").values_list("state", flat=True))


# --- A refund that the card refuses ---


def test_while_the_chargeback_is_open_a_refusal_waits(job: Job) -> None:
    refund = refund_part(job)
    assert begin(job).amount_minor == 500_00
    refunds.carry_out(refund, at=NOON + 2 * DAY)
    assert (states_of_refunds(), balance_of_client(job)) == (["started"], 0)
    assert balance_of(kind="refunding", payment=refund.payment) == 100_00


def test_won_it_is_the_client_s(job: Job) -> None:
    refund = refund_part(job)
    begin(job)
    refunds.carry_out(refund, at=NOON + 2 * DAY)
    end("won")
    reconciling.reconcile(at=NOON + 6 * DAY)
    assert (states_of_refunds(), balance_of_client(job)) == (["failed"], 100_00)
    assert history(job)[-1] == "refund_refused"


@pytest.mark.parametrize("is_early", [True, False])
def test_lost_it_covers_what_the_bank_took(job: Job, is_early: bool) -> None:
    refund = refund_part(job)
    begin(job)
    if is_early:
        refunds.carry_out(refund, at=NOON + 2 * DAY)
    end("lost")
    assert platform("chargebacks") == -100_00
    reconciling.reconcile(at=NOON + 6 * DAY)
    assert (platform("chargebacks"), balance_of_client(job)) == (0, 0)
    assert states_of_refunds() == ["failed", "succeeded"]
    assert history(job)[-1] == "refund_covers_chargeback"


def test_what_covers_nothing_is_the_client_s(job: Job) -> None:
    """The bank takes what is held alone: the refund is beside it."""
    refund = refund_part(job)
    deliver(charge_back(refund.payment.gateway_reference, amount_minor=340_00), at=NOON + DAY)
    end("lost")
    assert figures(job) == ("funded", 0, 440_00, 60_00)
    reconciling.reconcile(at=NOON + 6 * DAY)
    assert (platform("chargebacks"), balance_of_client(job)) == (0, 100_00)


def test_what_was_refused_before_stays_with_the_client_and_the_platform_bears_it(job: Job) -> None:
    refunds.carry_out(refund_part(job), at=NOON)
    assert begin(job).amount_minor == 500_00
    end("lost")
    assert (platform("chargebacks"), balance_of_client(job)) == (-100_00, 100_00)
    assert with_payer_minor(Payment.objects.get()) == 100_00


def test_of_money_that_was_sent_back_in_vain_it_is_recorded_too(job: Job) -> None:
    method = job.client.payment_methods.get()
    payment = payments.start(job.pk, numbers=[2], method=method, by=job.client, at=NOON)
    gateways.get("simulated").start_charge(payments._order(payment))
    deliver(bank_says(payment, Status.CANCELLED), at=NOON)
    deliver(bank_says(payment, Status.SUCCEEDED), at=NOON + HOUR)
    deliver(charge_back(Payment.objects.get(pk=payment.pk).gateway_reference), at=NOON + DAY)
    made = Chargeback.objects.get()
    assert (made.payment_id, made.amount_minor) == (payment.pk, 1_000_00)
    end("lost")
    assert (platform("chargebacks"), balance_of_client(job)) == (-1_000_00, 1_000_00)
    assert Payment.objects.get(pk=payment.pk).state == "returned"
    assert figures(job) == ("funded", 0, 0, 500_00)


# --- A part ---


def test_what_the_bank_does_not_take_stays_held_and_its_clock_goes_on(job: Job) -> None:
    request = request_release(job)
    dispute = open_dispute(job, job.client, at=NOON + HOUR)
    payment = Payment.objects.get()
    deliver(charge_back(payment.gateway_reference, amount_minor=300_00), at=NOON + DAY)
    assert Chargeback.objects.get().amount_minor == 300_00
    end("lost", at=NOON + 3 * DAY)
    assert figures(job) == ("funded", 0, 300_00, 200_00)
    request.refresh_from_db()
    assert (request.state, Dispute.objects.get(pk=dispute.pk).state) == ("open", "settled")
    assert request.auto_release_at > NOON + 30 * DAY
    assert Escrow.objects.get(job=job, number=1).charged_back_at is None
    assert Payment.objects.get().state == "succeeded"
    assert platform("chargebacks") == 0
    assert transfers()[-1] == (
        "chargeback",
        f"chargeback:{Chargeback.objects.get().pk}:taken",
        300_00,
    )


# --- Before the money, as far as we know ---


@pytest.mark.parametrize("ended_by", [Status.CANCELLED, Status.FAILED])
def test_one_of_a_payment_that_ended_here_waits_for_its_money(
    client_person: Person, freelancer: Person, ended_by: Status
) -> None:
    job = running_job(client_person, freelancer)
    payment = fund(job, 1, behaviour="needs_authentication", at=NOON)
    deliver(bank_says(payment, ended_by), at=NOON + HOUR)
    deliver(charge_back(payment.gateway_reference, amount_minor=500_00), at=NOON + 2 * HOUR)
    event = GatewayEvent.objects.latest("pk")
    assert (event.handled_at, event.attempts, Chargeback.objects.count()) == (None, 1, 0)
    deliver(bank_says(payment, Status.SUCCEEDED), at=NOON + 3 * HOUR)
    gateway_events.work_off(at=NOON + 4 * HOUR)
    assert Chargeback.objects.get().amount_minor == 500_00
    sweeping.sweep(at=NOON + 8 * DAY)


# --- The database ---


@pytest.mark.parametrize(
    ("change", "guard"),
    [
        ({"confirmed_by": "ada"}, "chargeback_confirmed_by_a_second_agent"),
        ({"state": "won"}, "chargeback_confirmed_when_it_counts"),
        ({"recorded_by": None}, "chargeback_confirmed_when_it_counts"),
        ({"confirmed_by": None}, "chargeback_confirmed_when_it_counts"),
    ],
)
def test_the_database_wants_two_agents(job: Job, change: dict[str, str], guard: str) -> None:
    begin(job)
    ended = end("lost")
    agents = {"ada": ended.recorded_by}
    columns = {name: agents.get(str(value), value) for name, value in change.items()}
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        Chargeback.objects.filter(pk=ended.pk).update(**columns)
