"""Steps that the tests of cancellations share."""

from datetime import datetime, timedelta
from typing import Any

from billing.models import Cancellation, Escrow
from billing.services import audit, cancellations
from jobs.models import Activity, Job, Person
from tests.billing.steps import NOON

DAY = timedelta(days=1)
ASKED = NOON + DAY
LAPSES = ASKED + 5 * DAY
BOTH = {"clara@example.com", "frank@example.com"}


def fresh(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def frank(job: Job) -> Person:
    assert job.freelancer is not None
    return job.freelancer


def ask(
    job: Job,
    shares: dict[int, int] | None = None,
    *,
    by: Person | None = None,
    at: datetime = ASKED,
    reason: str = "The shop closes.",
    **options: Any,
) -> Cancellation:
    return cancellations.request(
        job.pk, shares=shares, reason=reason, by=by or job.client, at=at, **options
    )


def accept(cancellation: Cancellation, *, by: Person, at: datetime = ASKED + DAY) -> Cancellation:
    return cancellations.accept(cancellation.pk, by=by, at=at)


def newest(job: Job, kind: str) -> Activity:
    return Activity.objects.filter(job=job, kind=kind).latest("pk")


def sums(job: Job) -> list[tuple[int, int, int]]:
    """Released, refunded and still held, of each Milestone."""
    return [
        (one.released_minor, one.refunded_minor, one.held_minor) for one in Escrow.objects.of(job)
    ]


def assert_adds_up(at: datetime = LAPSES) -> None:
    assert [finding for finding in audit.audit_ledger(at=at) if finding.differences] == []
