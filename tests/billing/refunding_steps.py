"""Steps that the tests of refunds by the Freelancer share."""

from datetime import datetime, timedelta
from typing import Any

from billing import ledger
from billing.models import Escrow
from billing.moves.credits import Credited
from billing.services import audit, refunding
from jobs.models import Job, Person
from tests.billing.steps import NOON

LATER = NOON + timedelta(days=3)


def escrow_of(job: Job, number: int = 1) -> Escrow:
    return Escrow.objects.get(job=job, number=number)


def available(person: Person | None, currency: str = "USD") -> int:
    assert person is not None
    return ledger.available(person, currency).balance_minor


def refund_held(job: Job, amount_minor: int, **changed: Any) -> int:
    """The Freelancer refunds held money, having seen what is held."""
    given: dict[str, Any] = {"number": 1, "by": job.freelancer, "at": LATER, "reason": ""} | changed
    if "seen_held_minor" not in given:
        given["seen_held_minor"] = escrow_of(job, given["number"]).held_minor
    return refunding.refund_held(job.pk, amount_minor=amount_minor, **given)


def refund_released(job: Job, amount_minor: int, **changed: Any) -> Credited:
    given: dict[str, Any] = {"number": 1, "by": job.freelancer, "at": LATER, "reason": ""} | changed
    return refunding.refund_released(job.pk, amount_minor=amount_minor, **given)


def assert_adds_up(at: datetime = LATER) -> None:
    assert [finding for finding in audit.audit_ledger(at=at) if finding.differences] == []
