"""The simulated gateway keeps the promises of the Protocol (billing.gateways.base)."""

from datetime import date

import pytest
from django.db import transaction

from billing import gateways
from billing.gateways import UnknownGateway, simulated
from billing.gateways.base import (
    BadEvent,
    CardEntry,
    ChargeOrder,
    GatewayError,
    GatewayTimeout,
    Kind,
    PayoutOrder,
    RefundOrder,
    Status,
)
from billing.gateways.simulated import SIGNATURE_HEADER, SimulatedGateway
from billing.models import SimulatedCharge
from tests.billing.banking import NUMBERS, at_once

gateway = SimulatedGateway()


def card(behaviour: str) -> str:
    entry = CardEntry(number=NUMBERS[behaviour], expires_on=date(2030, 1, 31))
    return gateway.save_card(entry).reference


def order(behaviour: str = "good", *, key: str = "key", reference: str = "") -> ChargeOrder:
    return ChargeOrder(
        idempotency_key=key,
        card_reference=reference or card(behaviour),
        amount_minor=500_00,
        currency="USD",
    )


def refund_order(charge: str, *, key: str = "back", amount_minor: int = 500_00) -> RefundOrder:
    return RefundOrder(
        idempotency_key=key, charge_reference=charge, amount_minor=amount_minor, currency="USD"
    )


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("behaviour", "status"),
    [
        ("good", Status.SUCCEEDED),
        ("closed", Status.SUCCEEDED),
        ("needs_authentication", Status.REQUIRES_AUTHENTICATION),
        ("declined", Status.FAILED),
        ("insufficient_funds", Status.FAILED),
    ],
)
def test_a_card_does_what_its_number_says(behaviour: str, status: Status) -> None:
    answer = gateway.start_charge(order(behaviour))
    assert (answer.kind, answer.status) == (Kind.CHARGE, status)
    assert bool(answer.failure) == (status == Status.FAILED)
    assert bool(answer.authentication_url) == (status == Status.REQUIRES_AUTHENTICATION)


@pytest.mark.django_db
def test_a_silent_bank_has_done_it_all_the_same() -> None:
    with pytest.raises(GatewayTimeout):
        gateway.start_charge(order("silent"))
    assert gateway.look_up(Kind.CHARGE, idempotency_key="key").status == Status.SUCCEEDED


@pytest.mark.django_db
def test_one_key_is_one_charge() -> None:
    first = order("good")
    assert gateway.start_charge(first) == gateway.start_charge(first)
    assert SimulatedCharge.objects.count() == 1


@pytest.mark.django_db
def test_what_never_arrived_is_not_found_and_once_cancelled_never_charged() -> None:
    assert gateway.look_up(Kind.CHARGE, idempotency_key="key").status == Status.NOT_FOUND
    never = order("good")
    assert gateway.cancel_charge(never).status == Status.CANCELLED
    assert gateway.start_charge(never).status == Status.CANCELLED


@pytest.mark.django_db
def test_a_charge_that_waits_is_cancelled_and_one_that_succeeded_is_not() -> None:
    waits = order("needs_authentication")
    gateway.start_charge(waits)
    assert gateway.cancel_charge(waits).status == Status.CANCELLED
    good = order("good", key="other")
    gateway.start_charge(good)
    assert gateway.cancel_charge(good).status == Status.SUCCEEDED


@pytest.mark.django_db
def test_the_holder_answers_once() -> None:
    waits = order("needs_authentication")
    reference = gateway.start_charge(waits).reference
    challenge = simulated.find_challenge(reference)
    assert challenge is not None
    assert (challenge.is_open, challenge.amount_minor) == (True, 500_00)

    event = simulated.answer_challenge(challenge, authenticated=True)
    assert event is not None
    answer = gateway.read_event(gateway.verify_event(event.payload, event.headers).body)
    assert answer == gateway.look_up(Kind.CHARGE, idempotency_key="key")
    assert simulated.answer_challenge(challenge, authenticated=False) is None
    again = order(key="again", reference=waits.card_reference)
    assert gateway.start_charge(again).status == Status.SUCCEEDED


@pytest.mark.django_db
def test_a_refund_goes_back_once_and_never_more_than_was_charged() -> None:
    charge = gateway.start_charge(order("good")).reference
    part = refund_order(charge, amount_minor=300_00)
    assert gateway.refund(part).status == Status.SUCCEEDED
    assert gateway.refund(part) == gateway.refund(part)
    with pytest.raises(GatewayError, match="More would go back than was charged"):
        gateway.refund(refund_order(charge, key="more", amount_minor=200_01))
    rest = refund_order(charge, key="rest", amount_minor=200_00)
    assert gateway.refund(rest).status == Status.SUCCEEDED
    assert SimulatedCharge.objects.filter(kind=Kind.REFUND).count() == 2


@pytest.mark.django_db
def test_what_was_not_charged_does_not_go_back() -> None:
    charge = gateway.start_charge(order("declined")).reference
    with pytest.raises(GatewayError):
        gateway.refund(refund_order(charge))
    assert not SimulatedCharge.objects.filter(kind=Kind.REFUND).exists()


@pytest.mark.django_db
def test_a_closed_card_takes_no_money_back() -> None:
    charge = gateway.start_charge(order("closed")).reference
    answer = gateway.refund(refund_order(charge))
    assert (answer.status, answer.failure) == (
        Status.FAILED, "The card was closed: its bank takes no money back.",
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("destination", "status"),
    [("DE1234567890", Status.SUCCEEDED), ("DE12345670000", Status.FAILED)],
)
def test_a_bank_account_does_what_its_end_says(destination: str, status: Status) -> None:
    payout = PayoutOrder(
        idempotency_key="key", destination=destination, amount_minor=1_00, currency="USD"
    )
    assert gateway.pay_out(payout).status == status
    assert gateway.pay_out(payout) == gateway.pay_out(payout)
    assert SimulatedCharge.objects.count() == 1


@pytest.mark.django_db
def test_only_what_was_signed_is_believed() -> None:
    signed = simulated.sign(gateway.start_charge(order("good")))
    assert gateway.verify_event(signed.payload, signed.headers).kind == "charge.succeeded"
    for payload, headers in (
        (signed.payload + b" ", signed.headers),
        (signed.payload, {}),
        (signed.payload, {SIGNATURE_HEADER: "é"}),
        (signed.payload, {SIGNATURE_HEADER: "0" * 64}),
    ):
        with pytest.raises(BadEvent, match="The signature is wrong"):
            gateway.verify_event(payload, headers)


def test_what_is_signed_but_no_event_is_refused() -> None:
    for payload in (b"", b"[]", b"{}", b'"x"', b'{"id": 1}', b"\xff"):
        headers = {SIGNATURE_HEADER: simulated._signature(payload)}
        with pytest.raises(BadEvent, match="The event cannot be read"):
            gateway.verify_event(payload, headers)
    for body in ({}, {"object": 1}, {"object": {"kind": "charge", "status": "odd"}}):
        with pytest.raises(BadEvent, match="The event cannot be read"):
            gateway.read_event(body)


@pytest.mark.django_db(transaction=True)
def test_a_gateway_is_never_called_inside_a_transaction() -> None:
    with transaction.atomic(), pytest.raises(RuntimeError):
        gateways.get("simulated")
    assert gateways.get("simulated").name == "simulated"
    assert gateways.current().name == "simulated"
    with pytest.raises(UnknownGateway):
        gateways.get("elsewhere")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_calls_at_once_with_one_key_are_one_charge() -> None:
    one = order("good")
    answers = at_once(*[lambda: gateway.start_charge(one)] * 8)
    assert answers == [gateway.start_charge(one)] * 8
    assert SimulatedCharge.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_refunds_at_once_never_exceed_the_charge() -> None:
    charge = gateway.start_charge(order("good")).reference
    answers = at_once(
        *[
            lambda key=key: gateway.refund(refund_order(charge, key=key, amount_minor=200_00))
            for key in "abcd"
        ]
    )
    assert sum(isinstance(answer, GatewayError) for answer in answers) == 2
    assert SimulatedCharge.objects.filter(kind=Kind.REFUND).count() == 2
