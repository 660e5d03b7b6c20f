"""Celery's way into the money: each task reads the clock and calls one service."""

import logging

from celery import shared_task

from billing.services import audit, gateway_events, reconciling
from escrow_site.lib import timing
from jobs.services import heartbeats

logger = logging.getLogger(__name__)


@shared_task(name="billing.tasks.work_off_events")
def work_off_events() -> None:
    """Work off the providers' events that wait."""
    with heartbeats.beating("work_off_events"):
        gateway_events.work_off(at=timing.now())


@shared_task(name="billing.tasks.reconcile")
def reconcile() -> None:
    """Ask the providers about everything under way."""
    with heartbeats.beating("reconcile"):
        reconciling.reconcile(at=timing.now())


@shared_task(name="billing.tasks.audit_ledger")
def audit_ledger() -> None:
    """Hold every law of the ledger against what is there; a difference is logged as an error."""
    with heartbeats.beating("audit_ledger") as facts:
        found = audit.differences(audit.audit_ledger(at=timing.now()))
        facts |= audit.summary(found)
    for difference in found:
        logger.error("ledger_differs", extra={"difference": difference})
