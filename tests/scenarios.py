"""Jobs in the states that tests begin with, made by calling services."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from billing.models import PaymentMethod
from billing.services import cards, escrows, payments, releases
from billing.services.escrows import EscrowPart
from escrow_site.lib import states
from jobs.models import Job, Person, Policy

START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def running_job(
    client: Person,
    freelancer: Person,
    *,
    amounts_minor: Iterable[int] = (500_00, 1_000_00),
    currency: str = "USD",
    open_ended: bool = False,
    at: datetime = START,
) -> Job:
    """An active fixed-price Job with an Escrow per amount, as billing gets it from the workroom."""
    job = Job.objects.create(
        title="Website", currency=currency, client=client, freelancer=freelancer, drafted_at=at,
        policy=Policy.objects.current(), open_ended=open_ended,
        last_milestone_on=date(2026, 4, 30),
    )  # fmt: skip
    states.move([job], "award", at=at)
    states.move([job], "activate", at=at)
    parts = [
        EscrowPart(
            number=number,
            position=number,
            title=f"Milestone {number}",
            due_on=date(2026, 4, 30),
            amount_minor=amount_minor,
        )
        for number, amount_minor in enumerate(amounts_minor, 1)
    ]
    escrows.open_escrows(job, parts, at=at)
    return job


def good_card(client: Person, *, at: datetime = START) -> PaymentMethod:
    """A card that the bank confirms at once; the same one whenever it is asked for."""
    return PaymentMethod.objects.filter(person=client, removed_at=None).first() or cards.add_card(
        by=client, number="4242424242424242", expires_on=date(2030, 1, 31), at=at
    )


def fund(job: Job, *numbers: int, at: datetime = START) -> None:
    """Fund Milestones of a running Job through the simulated bank."""
    method = good_card(job.client, at=at)
    payments.fund(job.pk, numbers=numbers, method=method, by=job.client, at=at)


def finished_job(client: Person, freelancer: Person, *, at: datetime = START) -> Job:
    """A completed Job with one Milestone, released without a request."""
    job = running_job(client, freelancer, amounts_minor=[500_00], at=at)
    fund(job, 1, at=at)
    releases.release(job.pk, numbers=[1], by=client, at=at)
    return Job.objects.get(pk=job.pk)
