"""Steps that the tests of re-authentication share."""

from typing import Any

from django.urls import reverse

from billing.services import releases
from jobs.models import Job, Person
from tests.billing.dispute_steps import NOON, funded_job

IBAN = "DE12 5001 0517 0648 4898 90"
Step = tuple[Person, str, dict[str, Any]]


def paid_job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00 are funded, and 500.00 of them released."""
    job = funded_job(client_person, freelancer, 1, 2)
    releases.release_part(
        job.pk, number=2, amount_minor=500_00, by=job.client, at=NOON, seen_held_minor=1_000_00
    )
    return job


def pay_out(job: Job) -> Step:
    form = {
        "currency": "USD", "amount": "10.00", "destination": IBAN, "idempotency_key": "k" * 32,
    }  # fmt: skip
    return job.freelancer, reverse("billing:pay_out"), form  # type: ignore[return-value]
