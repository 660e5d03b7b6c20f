"""Jobs in the states that tests begin with, made by calling services."""

from collections.abc import Iterable
from datetime import UTC, date, datetime

from billing import ledger
from billing.models import Allocation, Escrow, Payment, PaymentMethod, Transfer
from billing.services import escrows, releases
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


def fund(job: Job, *numbers: int, at: datetime = START) -> None:
    """Fund Milestones of a running Job."""
    rows = list(Escrow.objects.of(job).filter(number__in=numbers).select_related("account"))
    method, _ = PaymentMethod.objects.get_or_create(
        person=job.client, gateway="simulated", gateway_reference=f"card-{job.client_id}",
        brand="Visa", last_four="4242", expires_on=date(2030, 1, 31),
        defaults={"added_at": at, "authenticated_at": at},
    )
    payment = Payment.objects.create(
        job=job, payer=job.client, method=method, gateway="simulated", currency=job.currency,
        amount_minor=sum(escrow.amount_minor for escrow in rows), started_at=at, lapses_at=at,
    )
    Allocation.objects.bulk_create(
        Allocation(payment=payment, escrow=escrow, amount_minor=escrow.amount_minor)
        for escrow in rows
    )
    states.move([payment], "succeed", at=at)
    states.move(rows, "fund")
    ledger.post(
        ledger.Posting(
            debit=ledger.cash("simulated", job.currency), credit=escrow.account,
            amount_minor=escrow.amount_minor, code=Transfer.Code.FUND,
            reference=f"payment:{payment.pk}:escrow:{escrow.pk}", at=at,
        ) for escrow in rows
    )


def finished_job(client: Person, freelancer: Person, *, at: datetime = START) -> Job:
    """A completed Job with one Milestone, released without a request."""
    job = running_job(client, freelancer, amounts_minor=[500_00], at=at)
    fund(job, 1, at=at)
    releases.release(job.pk, numbers=[1], by=client, at=at)
    return Job.objects.get(pk=job.pk)
