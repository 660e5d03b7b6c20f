"""The people and Jobs that the benchmarks work on, written in bulk; states as services leave them."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

from allauth.account.models import EmailAddress

from billing import ledger, models
from billing.services.amounts import quote
from billing.services.documents import parties
from jobs.models import Job, Person, Policy

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
PEOPLE = 40
AMOUNT_MINOR = 500_00
BATCH = 2_000


def people(kind: str) -> list[Person]:
    """Forty people; the same ones whenever they are asked for."""
    Person.objects.bulk_create(
        [
            Person(name=f"{kind} {number}", email=f"{kind}{number}@bench.example", password="!")
            for number in range(PEOPLE)
        ],
        ignore_conflicts=True,
    )
    made = Person.objects.filter(email__startswith=kind, email__endswith="@bench.example")
    EmailAddress.objects.bulk_create(
        [
            EmailAddress(user=person, email=person.email, verified=True, primary=True)
            for person in made
        ],
        ignore_conflicts=True,
    )
    return list(made.order_by("pk"))


def running_jobs(count: int) -> list[Job]:
    """Active Jobs spread over the people."""
    clients, freelancers = people("client"), people("freelancer")
    for freelancer in freelancers:
        ledger.available(freelancer, "USD")
        models.DocumentSeries.objects.get_or_create(issuer=freelancer)
    policy = Policy.objects.current()
    return Job.objects.bulk_create(
        [
            Job(
                title=f"Job {number}",
                currency="USD",
                client=clients[number % PEOPLE],
                freelancer=freelancers[number // PEOPLE % PEOPLE],
                policy=policy,
                state=Job.State.ACTIVE,
                drafted_at=BEGIN,
                awarded_at=BEGIN,
                activated_at=BEGIN,
                last_activity_at=BEGIN,
                last_milestone_on=date(2026, 4, 30),
            )
            for number in range(count)
        ],
        batch_size=BATCH,
    )


def escrows(jobs: Iterable[Job], *, number: int) -> list[models.Escrow]:
    """One unfunded Escrow a Job, with its account."""
    rows = models.Escrow.objects.bulk_create(
        [
            models.Escrow(
                job=job,
                number=number,
                position=number,
                title=f"Milestone {number}",
                amount_minor=AMOUNT_MINOR,
            )
            for job in jobs
        ],
        batch_size=BATCH,
    )
    ledger.open_escrow_accounts(rows, currency="USD")
    return rows


def fund(rows: list[models.Escrow]) -> None:
    """Fund Escrows as a payment that has succeeded for each does."""
    _pay(rows)
    cash = ledger.cash("simulated", "USD")
    accounts = models.Account.objects.in_bulk([row.pk for row in rows], field_name="escrow_id")
    ledger.post(
        ledger.Posting(
            debit=cash,
            credit=accounts[row.pk],
            amount_minor=AMOUNT_MINOR,
            code=models.Transfer.Code.FUND,
            reference=f"bench:{row.pk}",
            at=BEGIN,
        )
        for row in rows
    )
    models.Escrow.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=models.Escrow.State.FUNDED, funded_minor=AMOUNT_MINOR
    )


def _pay(rows: list[models.Escrow]) -> None:
    """The payments: on empty tables the planner would choose to read them whole, for good."""
    cards = {
        client_id: card(client_id, "simulated") for client_id in {r.job.client_id for r in rows}
    }
    payments = models.Payment.objects.bulk_create(
        [
            models.Payment(
                job=row.job,
                payer_id=row.job.client_id,
                method=cards[row.job.client_id],
                gateway="simulated",
                gateway_reference=f"bench:{row.pk}",
                amount_minor=AMOUNT_MINOR,
                currency="USD",
                state=models.Payment.State.SUCCEEDED,
                started_at=BEGIN,
                lapses_at=BEGIN + timedelta(days=7),
                succeeded_at=BEGIN,
            )
            for row in rows
        ],
        batch_size=BATCH,
    )
    models.Allocation.objects.bulk_create(
        [
            models.Allocation(payment=payment, escrow=row, amount_minor=AMOUNT_MINOR)
            for payment, row in zip(payments, rows, strict=True)
        ],
        batch_size=BATCH,
    )


def card(client_id: int, gateway: str) -> models.PaymentMethod:
    """An authenticated card; the same one whenever it is asked for."""
    return models.PaymentMethod.objects.get_or_create(
        gateway_reference=f"card:{gateway}:{client_id}",
        defaults={
            "person_id": client_id,
            "gateway": gateway,
            "brand": "Visa",
            "last_four": "0000",
            "expires_on": date(2030, 1, 31),
            "added_at": BEGIN,
            "authenticated_at": BEGIN,
        },
    )[0]


def request_release(rows: list[models.Escrow]) -> None:
    """An open Release Request and its pro-forma for each funded Escrow."""
    requests = models.ReleaseRequest.objects.bulk_create(
        [
            models.ReleaseRequest(
                job=row.job,
                escrow=row,
                requested_by=row.job.freelancer,
                requested_at=BEGIN,
                overdue_at=BEGIN + timedelta(days=15),
                auto_release_at=BEGIN + timedelta(days=30),
            )
            for row in rows
        ],
        batch_size=BATCH,
    )
    for row in rows:
        row.funded_minor = AMOUNT_MINOR
    policy = Policy.objects.current()
    models.ProForma.objects.bulk_create(
        [
            models.ProForma(
                request=request,
                amount_minor=AMOUNT_MINOR,
                service_fee_minor=quote(request.escrow, policy=policy).service_fee_minor,
                processing_fee_minor=0,
                net_minor=quote(request.escrow, policy=policy).net_minor,
                issued_at=BEGIN,
                parties=parties(request.job),
            )
            for request in requests
        ],
        batch_size=BATCH,
    )
