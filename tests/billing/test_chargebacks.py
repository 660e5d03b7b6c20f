"""A chargeback freezes what is held of its payment, alerts support, and is told to both (R8.4)."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from billing.gateways.base import Answer, Kind, Status
from billing.gateways.simulated import sign
from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Chargeback, Escrow, GatewayEvent, Payment, Refund
from billing.services import (
    cancellations,
    catching_up,
    disputes,
    escrow_changes,
    gateway_events,
    mediation,
    offers,
    payments,
    refunding,
    refunds,
    release_requests,
    releases,
    sealed,
    sweeping,
)
from billing.services.escrows import EscrowPart
from jobs.models import Activity, Job, Person
from tests.billing.banking import authenticate, balance_of, deliver, fund, told
from tests.billing.charging_back import BOTH, FROZEN, LATE, begin, end, platform
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    agent_named,
    differences,
    figures,
    funded_job,
    open_dispute,
    refused,
)
from tests.billing.steps import request_release
from tests.scenarios import good_card, running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    return funded_job(client_person, freelancer, 1)


# --- It begins ---


def test_it_freezes_alerts_and_tells(job: Job, caplog: pytest.LogCaptureFixture) -> None:
    request = request_release(job)
    with caplog.at_level(logging.ERROR):
        made = begin(job)
    assert (made.state, made.amount_minor, made.opened_at) == ("open", 500_00, NOON + DAY)
    assert Escrow.objects.get(job=job, number=1).charged_back_at == NOON + DAY
    request.refresh_from_db()
    assert (request.state, request.clock_stopped_at) == ("disputed", NOON + DAY)
    line = Activity.objects.get(kind="chargeback_opened")
    assert (line.actor_kind, line.facts["held_minor"], line.facts["payment"]) == (
        "system", 500_00, made.payment_id,
    )  # fmt: skip
    assert told(job, "chargeback_opened") == BOTH
    assert [record.message for record in caplog.records] == ["payment_charged_back"]
    assert figures(job) == ("funded", 0, 0, 500_00)
    assert differences(NOON + DAY) == []


def test_the_same_word_again_changes_nothing(job: Job) -> None:
    begin(job, times=3)
    assert Chargeback.objects.count() == 1
    assert Activity.objects.filter(kind="chargeback_opened").count() == 1


def test_no_timer_moves_it(job: Job) -> None:
    """Neither the 30-day rule nor dormancy, of which it keeps the whole Job."""
    request_release(job)
    begin(job)
    sweeping.sweep(at=LATE)
    job.refresh_from_db()
    assert figures(job) == ("funded", 0, 0, 500_00)
    assert job.state == "active"


def test_other_payments_of_the_job_go_on(client_person: Person, freelancer: Person) -> None:
    job = funded_job(client_person, freelancer, 1)
    request_release(job, at=NOON)
    begin(job)
    from_another = good_card(client_person)
    catching_up.carry_out_due([job.pk], at=NOON + 2 * DAY)

    payments.fund(job.pk, numbers=[2], method=from_another, by=client_person, at=NOON + 2 * DAY)
    request_release(job, 2, at=NOON + 2 * DAY)
    sweeping.sweep(at=NOON + 33 * DAY)
    assert figures(job, 1) == ("funded", 0, 0, 500_00)
    assert figures(job, 2) == ("released", 1_000_00, 0, 0)


def test_before_the_money_came_the_word_waits(client_person: Person, freelancer: Person) -> None:

    job = running_job(client_person, freelancer)
    payment = fund(job, 1, behaviour="needs_authentication", at=NOON)
    deliver(charge_back(payment.gateway_reference), at=NOON)
    event = GatewayEvent.objects.latest("pk")
    assert (event.handled_at, event.attempts) == (None, 1)
    assert Chargeback.objects.count() == 0
    authenticate(payment, at=NOON + HOUR)

    gateway_events.work_off(at=NOON + 2 * HOUR)
    assert Chargeback.objects.get().state == "open"


def test_of_what_went_back_already_there_is_nothing_to_take(
    job: Job, freelancer: Person, caplog: pytest.LogCaptureFixture
) -> None:
    refunding.refund_held(
        job.pk, number=1, amount_minor=500_00, by=freelancer, at=NOON, reason="",
        seen_held_minor=500_00,
    )  # fmt: skip
    refunds.carry_out(Refund.objects.get(), at=NOON)
    payment = Payment.objects.get()
    nothing = Answer(
        kind=Kind.CHARGEBACK,
        status=Status.PROCESSING,
        reference="chargeback_of_nothing",
        idempotency_key=payment.idempotency_key,
    )
    deliver(sign(nothing), at=NOON + DAY)
    assert Chargeback.objects.count() == 0
    assert "chargeback_of_nothing" in caplog.text


def test_released_money_is_not_taken(job: Job, client_person: Person, freelancer: Person) -> None:
    releases.release_part(
        job.pk, number=1, amount_minor=200_00, by=client_person, at=NOON, seen_held_minor=500_00
    )
    begin(job)
    line = Activity.objects.get(kind="chargeback_opened")
    assert (line.facts["held_minor"], line.facts["released_minor"]) == (300_00, 200_00)
    end("lost")
    assert balance_of(kind="available", person=freelancer, currency="USD") == 182_50
    assert figures(job) == ("released", 200_00, 300_00, 0)
    assert platform("chargebacks") == -200_00
    assert differences(NOON + 6 * DAY) == []


# --- Nothing moves meanwhile ---

ACTS: dict[str, Callable[[Job, Person, Person], Any]] = {
    "release": lambda job, client, freelancer: releases.release(
        job.pk, numbers=[1], by=client, at=NOON + 2 * DAY
    ),
    "release a part": lambda job, client, freelancer: releases.release_part(
        job.pk, number=1, amount_minor=1_00, by=client, at=NOON + 2 * DAY, seen_held_minor=500_00
    ),
    "refund": lambda job, client, freelancer: refunding.refund_held(
        job.pk, number=1, amount_minor=500_00, by=freelancer, at=NOON + 2 * DAY, reason="",
        seen_held_minor=500_00,
    ),
    "refund a part": lambda job, client, freelancer: refunding.refund_held(
        job.pk, number=1, amount_minor=1_00, by=freelancer, at=NOON + 2 * DAY, reason="",
        seen_held_minor=500_00,
    ),
    "dispute": lambda job, client, freelancer: open_dispute(job, client, at=NOON + 2 * DAY),
    "request": lambda job, client, freelancer: request_release(job, at=NOON + 2 * DAY),
}  # fmt: skip


@pytest.mark.parametrize("act", ACTS)
def test_nobody_moves_it(job: Job, client_person: Person, freelancer: Person, act: str) -> None:
    begin(job)
    assert refused(lambda: ACTS[act](job, client_person, freelancer)) == FROZEN


def test_its_request_is_neither_voided_nor_sent_back(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    request = request_release(job)
    begin(job)
    at = NOON + 2 * DAY
    assert refused(lambda: release_requests.void(request.pk, by=freelancer, at=at)) == (
        "This Release Request is disputed, so it cannot be voided."
    )
    assert (
        refused(
            lambda: release_requests.request_changes(
                request.pk, comment="Red.", by=client_person, at=at
            )
        )
        == "This Release Request is disputed, so it cannot be sent back."
    )


def test_no_change_of_terms_touches_it(job: Job) -> None:
    begin(job)
    (old,) = escrow_changes.standing(job, [1])
    lock = escrow_changes.lock_on(old)
    assert lock is not None
    assert (lock.is_whole, lock.why) == (True, FROZEN)
    part = EscrowPart(number=1, position=1, title="M", due_on=None, amount_minor=1_00)
    assert escrow_changes.plan(job, [old], [part]).refusals != []


def test_released_money_is_not_refunded_to_a_card_whose_bank_takes_it_anyway(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    begin(job)
    assert (
        refused(
            lambda: refunding.refund_released(
                job.pk, number=1, amount_minor=1_00, by=freelancer, at=NOON + 2 * DAY, reason=""
            )
        )
        == FROZEN
    )


def test_a_cancellation_is_not_accepted(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    made = cancellations.request(job.pk, shares=None, reason="No time.", by=client_person, at=NOON)
    begin(job)
    assert (
        refused(lambda: cancellations.accept(made.pk, by=freelancer, at=NOON + 2 * DAY)) == FROZEN
    )


def test_a_dispute_about_it_is_not_settled(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    dispute = open_dispute(job, client_person)
    offer = offers.make(dispute.pk, to_freelancer_minor=100_00, by=freelancer, at=NOON + HOUR)
    begin(job)
    at = NOON + DAY + HOUR
    assert refused(lambda: offers.accept(offer.pk, by=client_person, at=at)) == FROZEN
    assert (
        refused(lambda: sealed.enter(dispute.pk, limit_minor=1_00, by=freelancer, at=at)) == FROZEN
    )
    disputes.escalate(dispute.pk, by=client_person, at=at)
    ada, ben = agent_named("Ada"), agent_named("Ben")
    decision = mediation.decide(
        dispute.pk, to_freelancer_minor=0, reasons="Nothing came.", by=ada, at=at
    )
    assert refused(lambda: mediation.confirm(decision.pk, by=ben, at=at)) == FROZEN
