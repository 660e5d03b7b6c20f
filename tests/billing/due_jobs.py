"""Thousands of Jobs with something due, written set by set; each as the services leave it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from billing import ledger
from billing.models import DocumentSeries, Release
from jobs.models import Person, Policy
from tests.factories import PersonFactory
from tests.scenarios import good_card

REQUESTED = datetime(2026, 3, 1, 10, tzinfo=UTC)
PEOPLE = 20

# Job n: one funded Milestone of $500 with an open request; a second one is not funded, so that the Job
# goes on. Requests are a millisecond apart.
STATEMENTS = (
    """
    INSERT INTO jobs_job (title, description, kind, currency, client_id, freelancer_id,
        freelancer_email, policy_id, state, drafted_at, awarded_at, activated_at, open_ended,
        last_activity_at, dormant_at, next_due_at, set_aside_reason)
    SELECT 'Due ' || n, '', 'fixed_price', 'USD', (%(clients)s::bigint[])[1 + n %% %(people)s],
           (%(freelancers)s::bigint[])[1 + n %% %(people)s], '', %(policy)s, 'active', %(at)s, %(at)s,
           %(at)s, false, asked_at, asked_at + interval '60 days', asked_at + interval '15 days', ''
      FROM generate_series(0, %(count)s - 1) AS n,
           LATERAL (SELECT %(at)s + n * interval '1 millisecond' AS asked_at) AS clock
    """,
    """
    INSERT INTO billing_escrow (job_id, number, position, title, amount_minor, state, times_returned,
        funded_minor, released_minor, refunded_minor, credited_minor, service_fee_minor,
        processing_fee_minor)
    SELECT job.id, number, number, 'Milestone ' || number, 50000,
           CASE number WHEN 1 THEN 'funded' ELSE 'unfunded' END, 0,
           CASE number WHEN 1 THEN 50000 ELSE 0 END, 0, 0, 0, 0, 0
      FROM jobs_job AS job, generate_series(1, %(milestones)s) AS number WHERE job.title LIKE 'Due %%'
    """,
    """
    INSERT INTO billing_account (kind, currency, gateway, escrow_id, balance_minor)
    SELECT 'escrow', 'USD', '', escrow.id, 0
      FROM billing_escrow AS escrow JOIN jobs_job AS job ON job.id = escrow.job_id
     WHERE job.title LIKE 'Due %%'
    """,
    """
    INSERT INTO billing_payment (job_id, payer_id, method_id, gateway, gateway_reference,
        idempotency_key, amount_minor, currency, state, started_at, lapses_at, succeeded_at, failure)
    SELECT job.id, job.client_id, method.id, 'simulated', 'due:' || job.id, 'due:' || job.id, 50000,
           'USD', 'succeeded', %(at)s, %(at)s + interval '7 days', %(at)s, ''
      FROM jobs_job AS job JOIN billing_paymentmethod AS method ON method.person_id = job.client_id
     WHERE job.title LIKE 'Due %%'
    """,
    """
    INSERT INTO billing_allocation (payment_id, escrow_id, amount_minor, live)
    SELECT payment.id, escrow.id, 50000, true
      FROM billing_payment AS payment
      JOIN billing_escrow AS escrow ON escrow.job_id = payment.job_id AND escrow.number = 1
     WHERE payment.gateway_reference LIKE 'due:%%'
    """,
    """
    INSERT INTO billing_transfer (debit_account_id, credit_account_id, amount_minor, code, reference,
        happened_at, recorded_at)
    SELECT %(cash)s, account.id, 50000, 'fund',
           'payment:' || live.payment_id || ':escrow:' || live.escrow_id, %(at)s, %(at)s
      FROM billing_allocation AS live JOIN billing_account AS account USING (escrow_id)
      JOIN billing_payment AS payment ON payment.id = live.payment_id
     WHERE payment.gateway_reference LIKE 'due:%%'
    """,
    """
    INSERT INTO billing_releaserequest (job_id, escrow_id, requested_by_id, requested_at, comments,
        state, overdue_at, auto_release_at, ended_reason)
    SELECT job.id, escrow.id, job.freelancer_id, job.last_activity_at, '', 'open',
           job.last_activity_at + interval '15 days', job.last_activity_at + interval '30 days', ''
      FROM jobs_job AS job
      JOIN billing_escrow AS escrow ON escrow.job_id = job.id AND escrow.number = 1
     WHERE job.title LIKE 'Due %%'
    """,
    """
    INSERT INTO billing_proforma (request_id, state, amount_minor, service_fee_minor,
        processing_fee_minor, net_minor, issued_at, parties)
    SELECT request.id, 'issued', 50000, 4375, 0, 45625, request.requested_at, '{}'
      FROM billing_releaserequest AS request JOIN jobs_job AS job ON job.id = request.job_id
     WHERE job.title LIKE 'Due %%'
    """,
)


def due_jobs(count: int, *, milestones: int = 2) -> datetime:
    """So many Jobs whose requests were made in March; returns when the last of them is released."""
    clients, freelancers = _people("client"), _people("freelancer")
    for person in freelancers:
        ledger.available(person, "USD")
        DocumentSeries.objects.get_or_create(issuer=person)
    for person in clients:
        good_card(person)
    values: dict[str, Any] = {
        "count": count,
        "milestones": milestones,
        "at": REQUESTED,
        "people": PEOPLE,
        "clients": [person.pk for person in clients],
        "freelancers": [person.pk for person in freelancers],
        "policy": Policy.objects.current().pk,
        "cash": ledger.cash("simulated", "USD").pk,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in STATEMENTS:
            names = {name: value for name, value in values.items() if f"%({name})s" in statement}
            cursor.execute(statement, names)
        # As autovacuum would have by the time that they fall due.
        cursor.execute("ANALYZE")
    return REQUESTED + timedelta(days=30) + count * timedelta(milliseconds=1)


def _people(part: str) -> list[Person]:
    return [PersonFactory(email=f"{part}{number}@example.com") for number in range(PEOPLE)]


def releases_by_job() -> dict[int, int]:
    """How many times the money of each Job was released."""
    counts: dict[int, int] = {}
    for job_id in Release.objects.values_list("job_id", flat=True):
        counts[job_id] = counts.get(job_id, 0) + 1
    return counts
