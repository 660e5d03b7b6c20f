"""What was never funded goes with the end of its Job, and what asked for its money is closed with it."""

from datetime import datetime

import pytest

from billing.models import Escrow, FundingRequest
from billing.services import cancellations, closing, funding, sweeping
from jobs.models import Job, Person
from tests.billing.dispute_steps import DAY, NOON
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db


def asking(client: Person, freelancer: Person, *, open_ended: bool = False) -> Job:
    """The money for the second Milestone is asked for."""
    job = running_job(client, freelancer, open_ended=open_ended)
    funding.request_funding(job.pk, number=2, by=freelancer, at=NOON)
    assert ends(job) == [None]
    return job


def ends(job: Job) -> list[datetime | None]:
    """When the request was closed, of a Milestone that is gone or still there."""
    requests = FundingRequest.objects.filter(escrow__job=job, escrow__number=2)
    return list(requests.values_list("closed_at", flat=True))


def state_of_second(job: Job) -> str:
    return Escrow.objects.get(job=job, number=2).state


def test_with_a_cancellation(client_person: Person, freelancer: Person) -> None:
    job = asking(client_person, freelancer)
    fund(job, 1, at=NOON)
    made = cancellations.request(job.pk, shares=None, reason="No time.", by=client_person, at=NOON)
    cancellations.accept(made.pk, by=freelancer, at=NOON + DAY)
    assert (state_of_second(job), ends(job)) == ("removed", [NOON + DAY])


def test_with_a_completion_by_hand(client_person: Person, freelancer: Person) -> None:
    job = asking(client_person, freelancer, open_ended=True)
    closing.complete(job.pk, by=client_person, at=NOON + DAY)
    assert (state_of_second(job), ends(job)) == ("removed", [NOON + DAY])


def test_with_the_settlement_of_a_dormant_job(client_person: Person, freelancer: Person) -> None:
    job = asking(client_person, freelancer)
    fund(job, 1, at=NOON)
    job.refresh_from_db()
    quiet = job.dormant_at
    assert quiet is not None
    for days in (0, 7, 14):
        sweeping.sweep(at=quiet + days * DAY)
    assert (state_of_second(job), ends(job)) == ("removed", [quiet + 14 * DAY])
