"""Helpers of the tests about money coming in and going out: cards, the bank's answers, what changed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import pytest
from django.db import connection

from billing.gateways import simulated
from billing.gateways.base import Answer, Kind, Status
from billing.models import (
    Account,
    Escrow,
    Payment,
    PaymentMethod,
    Refund,
    SimulatedCharge,
    Transfer,
)
from billing.services import cards, gateway_events, payments
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Person
from tests.scenarios import START
from tests.world import world

NUMBERS = {behaviour: number for number, behaviour in simulated.BEHAVIOURS.items()}
OUR_SIDE_OF_THE_BANK = (PaymentMethod, Refund, SimulatedCharge)


def add_card(person: Person, behaviour: str = "good", *, at: datetime = START) -> PaymentMethod:
    """A card on the person's list, whose bank behaves in this way."""
    return cards.add_card(by=person, number=NUMBERS[behaviour], expires_on=date(2030, 1, 31), at=at)


@contextmanager
def refused(kind: type[Refusal], message: str) -> Iterator[pytest.ExceptionInfo[Refusal]]:
    """What is tried is refused in these words, and balances, documents and history stay the same."""
    with nothing_changes(), pytest.raises(kind) as caught:
        yield caught
    assert caught.value.message == message


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Balances, documents and history are the same afterwards."""
    before = _everything()
    yield
    assert _everything() == before


def _everything() -> dict[str, list[dict[str, Any]]]:
    bank = {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in OUR_SIDE_OF_THE_BANK
    }
    return world() | bank


def escrow_states(job: Job) -> list[str]:
    return [escrow.state for escrow in Escrow.objects.of(job)]


def balance_of(**account: Any) -> int:
    return Account.objects.get(**account).balance_minor


def transfers() -> list[tuple[str, str, int]]:
    """Every transfer: what for, under which reference, how much."""
    rows = Transfer.objects.order_by("pk")
    return [(row.code, row.reference, row.amount_minor) for row in rows]


def history(job: Job) -> list[str]:
    return list(Activity.objects.filter(job=job).order_by("pk").values_list("kind", flat=True))


def told(job: Job, kind: str) -> set[str]:
    """Who has been told of the newest happening of this kind."""
    newest = Activity.objects.filter(job=job, kind=kind).latest("pk")
    return set(newest.notifications.values_list("person__email", flat=True))


def fund(job: Job, *numbers: int, behaviour: str = "good", at: datetime) -> Payment:
    """The Client funds with the card that is on the list; a new one behaves in this way."""
    method = job.client.payment_methods.filter(removed_at__isnull=True).first()
    return payments.fund(
        job.pk,
        numbers=numbers,
        method=method or add_card(job.client, behaviour),
        by=job.client,
        at=at,
    )


def bank_says(payment: Payment, status: Status, *, failure: str = "") -> simulated.SignedEvent:
    """The bank decides on a charge by itself: its books say so, and this is the event that tells it."""
    SimulatedCharge.objects.filter(idempotency_key=payment.idempotency_key).update(
        status=status, failure=failure
    )
    charge = SimulatedCharge.objects.get(idempotency_key=payment.idempotency_key)
    return simulated.sign(
        Answer(
            kind=Kind.CHARGE,
            status=status,
            reference=charge.reference,
            idempotency_key=charge.idempotency_key,
            failure=failure,
            card_authenticated=status == Status.SUCCEEDED,
        )
    )


def deliver(event: simulated.SignedEvent, *, at: datetime) -> None:
    """The event arrives and is worked off."""
    stored = gateway_events.receive("simulated", payload=event.payload, headers=event.headers)
    gateway_events.work_off_one(stored.pk, at=at)


def authenticate(payment: Payment, *, at: datetime) -> None:
    """The holder of the card passes the bank's challenge, and the bank tells us."""
    answer_challenge(payment.gateway_reference, authenticated=True, at=at)


def refuse(payment: Payment, *, at: datetime) -> None:
    """The holder of the card says at the bank that it was not him."""
    answer_challenge(payment.gateway_reference, authenticated=False, at=at)


def answer_challenge(reference: str, *, authenticated: bool, at: datetime) -> None:
    """The holder answers the bank's question, and the bank's event arrives."""
    challenge = simulated.find_challenge(reference)
    assert challenge is not None
    event = simulated.answer_challenge(challenge, authenticated=authenticated)
    assert event is not None
    deliver(event, at=at)


def at_once(*actions: Callable[[], object]) -> list[object]:
    """Run the actions in threads that start together; what each returned or raised, in order."""
    outcomes: list[object] = [None] * len(actions)
    gate = threading.Barrier(len(actions))

    def run(place: int, action: Callable[[], object]) -> None:
        gate.wait()
        try:
            outcomes[place] = action()
        except Exception as error:
            outcomes[place] = error
        finally:
            connection.close()

    threads = [
        threading.Thread(target=run, args=(place, action)) for place, action in enumerate(actions)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes
