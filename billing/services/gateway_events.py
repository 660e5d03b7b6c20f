"""Events from payment providers: stored as they come, worked off afterwards (R3.5).

What an event does is decided by the use case that it is about; nothing here knows a provider.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

from celery import current_app
from django.db import DataError, transaction
from django.db.models import F
from django.db.models.functions import Least

from billing import gateways
from billing.gateways.base import Answer, BadEvent, Kind, Status
from billing.models import GatewayEvent
from billing.services import cards, chargebacks, payments, payouts, refunds
from billing.timers import ON_TIME
from escrow_site.lib import timing
from escrow_site.lib.transactions import once_after_commit

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 100
EVENTS_A_RUN = 500
NOT_KNOWN = "Nothing here is known to the provider by this reference."


def receive(gateway_name: str, *, payload: bytes, headers: Mapping[str, str]) -> GatewayEvent:
    """Verify an event and store it once per id; a worker is woken after the commit.

    Raises BadEvent when the signature is wrong or the event cannot be stored, UnknownGateway.
    """
    event = gateways.get(gateway_name).verify_event(payload, headers)
    if not 0 < len(event.event_id) <= 120:
        raise BadEvent("The event has no proper id.")
    if b"\\u0000" in payload:
        raise BadEvent("The event contains NUL characters.")
    try:
        with transaction.atomic():
            stored, _ = GatewayEvent.objects.get_or_create(
                gateway=gateway_name,
                event_id=event.event_id,
                defaults={"kind": str(event.kind)[:60], "body": event.body},
            )
            once_after_commit(wake_worker)
    except (DataError, UnicodeError) as error:
        # Signed, and yet no JSON that the database takes: NaN, infinities, lone surrogates.
        raise BadEvent("The event cannot be stored.") from error
    return stored


def wake_worker() -> None:
    """Ask a worker to work events off; by name, as tasks are above services."""
    current_app.send_task("billing.tasks.work_off_events")


def work_off(*, at: datetime) -> int:
    """Work off the events that wait, those that failed before last; how many were done.

    Every event in transactions of its own; several workers at once do nothing twice.
    """
    waiting = GatewayEvent.objects.waiting().filter(attempts__lt=MOST_ATTEMPTS)
    keys = waiting.order_by("attempts", "pk").values_list("pk", flat=True)[:EVENTS_A_RUN]
    return sum(work_off_one(key, at=at) for key in list(keys))


def work_off_one(event_key: int, *, at: datetime) -> bool:
    """Work one event off; a failure is kept with it and tried again later. Whether it is done."""
    event = GatewayEvent.objects.get(pk=event_key)
    if event.handled_at is not None:
        return True
    own = GatewayEvent.objects.filter(pk=event_key)
    attempts = Least(F("attempts") + 1, MOST_ATTEMPTS)
    try:
        is_known = _hand_on(event, at=at)
    except Exception as error:
        logger.exception("gateway_event_failed", extra={"gateway_event": event.pk})
        own.update(attempts=attempts, failure=f"{type(error).__name__}: {error}"[:2000])
        return False
    own.update(
        attempts=attempts, failure="" if is_known else NOT_KNOWN, handled_at=timing.real_now()
    )
    return True


def _hand_on(event: GatewayEvent, *, at: datetime) -> bool:
    """Hand the event to its use case; whether that knows what it is about."""
    answer = gateways.get(event.gateway).read_event(event.body)
    return answer is not None and apply(
        event.gateway, answer, at=at, came_at=_came_at(event, at=at)
    )


def _came_at(event: GatewayEvent, *, at: datetime) -> datetime:
    """When an event came that is worked off at ``at``: it may have waited for a worker."""
    waited = timing.real_now() - event.received_at
    return at - waited if waited > ON_TIME else at


def apply(gateway: str, answer: Answer, *, at: datetime, came_at: datetime) -> bool:
    """Enter what a provider says about a charge, refund, payout, card or chargeback; whether it is ours.

    Money that was expected is there since the answer came, so that an outage lets no payment lapse
    that was authenticated in time (R3.4, R6.4).
    """
    match answer.kind:
        case Kind.CARD:
            return cards.record_answer(gateway, answer, at=at)
        case Kind.CHARGE:
            if payment := payments.find(gateway, answer):
                has_arrived = answer.status == Status.SUCCEEDED and payment.is_under_way
                payments.record_answer(payment, answer, at=came_at if has_arrived else at)
                return True
        case Kind.CHARGEBACK:
            if payment := payments.find(gateway, answer):
                chargebacks.enter(payment.pk, answer, at=at)
                return True
        case Kind.REFUND:
            if refund := refunds.find(gateway, answer):
                refunds.record_answer(refund.pk, answer, at=at)
                return True
        case Kind.PAYOUT:
            if payout := payouts.find(gateway, answer):
                payouts.record_answer(payout.pk, answer, at=at)
                return True
    return False
