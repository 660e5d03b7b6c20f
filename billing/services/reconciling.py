"""Asking the provider about everything that is under way, in case an answer was lost (R3.5)."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from billing.gateways.base import GatewayError
from billing.models import Payment, Payout, Refund
from billing.services import payments, payouts, refunds
from escrow_site.lib.refusals import Refusal

logger = logging.getLogger(__name__)


def reconcile(*, at: datetime) -> int:
    """Ask about every payment, refund and payout under way, and stop the payments that are not wanted
    any more; how many have ended by that.

    One that cannot be asked about is logged and does not keep the others. Safe to run twice at once.
    """
    started = Payout.objects.filter(state=Payout.State.STARTED).select_related("person")
    return (
        _ask_all(Payment.objects.under_way().select_related("method"), payments.ask, at=at)
        + _ask_all(Payment.objects.to_stop().select_related("method"), payments.stop, at=at)
        + _ask_all(Refund.objects.under_way().select_related("payment"), refunds.ask, at=at)
        + _ask_all(started, payouts.ask, at=at)
    )


def _ask_all(rows: Iterable[Any], ask: Callable[..., object], *, at: datetime) -> int:
    ended = 0
    for row in list(rows):
        try:
            ask(row, at=at)
            row.refresh_from_db()
        except (GatewayError, Refusal) as silence:
            logger.warning("no_answer_from_provider", extra=_about(row, silence))
        except Exception as error:
            logger.exception("not_reconciled", extra=_about(row, error))
        else:
            ended += row.ended_at is not None or row.state == Payment.State.SUCCEEDED
    return ended


def _about(row: Any, error: Exception) -> dict[str, object]:
    return {"what": type(row).__name__, "row": row.pk, "error": type(error).__name__}
