"""Helpers of the tests about money coming in and going out: cards, the bank's answers, what changed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

from django.db import connection

from billing.gateways import simulated
from billing.gateways.base import Answer, Kind, Status
from billing.models import (
    Account,
    Allocation,
    Document,
    Escrow,
    FundingRequest,
    Payment,
    PaymentMethod,
    Payout,
    ProForma,
    Refund,
    SimulatedCharge,
    Transfer,
)
from billing.services import cards, gateway_events
from jobs.models import Activity, Job, Notification, Person
from tests.scenarios import START

NUMBERS = {behaviour: number for number, behaviour in simulated.BEHAVIOURS.items()}
KEPT_IN_STEP = (
    Account, Allocation, Document, Escrow, FundingRequest, Payment, PaymentMethod, Payout,
    ProForma, Refund, SimulatedCharge, Transfer, Activity, Notification, Job,
)  # fmt: skip


def add_card(person: Person, behaviour: str = "good", *, at: datetime = START) -> PaymentMethod:
    """A card on the person's list, whose bank behaves in this way."""
    return cards.add_card(
        by=person, number=NUMBERS[behaviour], expires_on=date(2030, 1, 31), at=at
    )


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows that money, documents and history consist of."""
    return {
        model.__name__: list(model.objects.order_by("pk").values())  # type: ignore[attr-defined]
        for model in KEPT_IN_STEP
    }


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Balances, documents and history are the same afterwards."""
    before = everything()
    yield
    assert everything() == before


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
    deliver(_answered(payment.gateway_reference, authenticated=True), at=at)


def refuse(payment: Payment, *, at: datetime) -> None:
    """The holder of the card says at the bank that it was not him."""
    deliver(_answered(payment.gateway_reference, authenticated=False), at=at)


def _answered(reference: str, *, authenticated: bool) -> simulated.SignedEvent:
    challenge = simulated.find_challenge(reference)
    assert challenge is not None
    event = simulated.answer_challenge(challenge, authenticated=authenticated)
    assert event is not None
    return event


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
