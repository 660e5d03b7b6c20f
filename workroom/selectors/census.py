"""The numbers that operators watch: how many, how much, how old. `escrow_site.metrics` shows them to Prometheus.

Two kinds. What an alarm hangs on is asked at each look, from partial indexes that hold no more rows than there is
trouble. What is counted over whole tables is counted at most every five minutes, whoever looks and however often, and
says how old it is: at a million Jobs that is half a second on all the cores there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.cache import cache
from django.db import transaction

from billing.models import Dispute, Payment
from escrow_site.lib import statements
from escrow_site.lib.timing import real_now
from jobs.models import Job

KEPT = "census"
KEPT_SECONDS = 300
# Rather no numbers than a database that is busy with counting.
COUNTING_AT_MOST = "SET LOCAL statement_timeout = '20s'"

COUNT = """
SELECT 'jobs' AS what, state AS label, '' AS currency, count(*) AS number FROM jobs_job GROUP BY state
 UNION ALL
SELECT 'payments', state, '', count(*) FROM billing_payment GROUP BY state
 UNION ALL
SELECT 'disputes', state, '', count(*) FROM billing_dispute GROUP BY state
 UNION ALL
SELECT 'money', kind, currency, sum(balance_minor)::bigint FROM billing_account
 WHERE kind IN ('escrow', 'available', 'refunding', 'paying_out') AND balance_minor > 0
 GROUP BY kind, currency
"""

# One row; each column reads a partial index.
URGENT = """
SELECT (SELECT min(auto_release_at) FROM billing_releaserequest
         WHERE state IN ('open', 'overdue')) AS request_due_at,
       (SELECT min(next_due_at) FROM jobs_job
         WHERE next_due_at IS NOT NULL AND set_aside_at IS NULL) AS job_due_at,
       (SELECT count(*) FROM jobs_job WHERE set_aside_at IS NOT NULL) AS set_aside,
       waiting.notices AS notices_waiting,
       (SELECT recorded_at FROM jobs_activity WHERE id = waiting.oldest_id) AS notice_written_at,
       (SELECT count(*) FROM jobs_notification WHERE state = 'failed') AS notices_failed,
       (SELECT min(started_at) FROM billing_payment
         WHERE state IN ('started', 'authenticating')) AS payment_started_at,
       (SELECT min(received_at) FROM billing_gatewayevent
         WHERE handled_at IS NULL) AS event_received_at
  FROM (SELECT count(*) AS notices, min(activity_id) AS oldest_id FROM jobs_notification
         WHERE state IN ('queued', 'sending')) AS waiting
"""


@dataclass(frozen=True, kw_only=True)
class Census:
    """What was counted over whole tables, at ``counted_at`` in real time."""

    counted_at: datetime
    jobs: dict[str, int]
    payments: dict[str, int]
    disputes: dict[str, int]
    money_minor: dict[tuple[str, str], int]  # by kind of account and currency


@dataclass(frozen=True, kw_only=True)
class Urgent:
    """What an alarm hangs on. Ages are in seconds, 0 when nothing waits."""

    request_overdue_seconds: float
    job_overdue_seconds: float
    jobs_set_aside: int
    notices_waiting: int
    oldest_notice_seconds: float
    notices_failed: int
    oldest_payment_seconds: float
    oldest_event_seconds: float


def census() -> Census:
    """Counted now, or within the last five minutes."""
    kept = cache.get(KEPT)
    if kept is None:
        with transaction.atomic():
            statements.run(COUNTING_AT_MOST)
            kept = (real_now(), statements.run(COUNT))
        cache.set(KEPT, kept, timeout=KEPT_SECONDS)
    counted_at, rows = kept
    money = [row for row in rows if row["what"] == "money"]
    return Census(
        counted_at=counted_at,
        jobs=_by_label(rows, "jobs", Job.State.values),
        payments=_by_label(rows, "payments", Payment.State.values),
        disputes=_by_label(rows, "disputes", Dispute.State.values),
        money_minor={(row["label"], row["currency"]): row["number"] for row in money},
    )


def urgent(*, at: datetime) -> Urgent:
    """What waits, and for how long: Jobs by the product's clock, deliveries in real time."""
    (row,) = statements.run(URGENT)
    now = real_now()
    return Urgent(
        request_overdue_seconds=_age(row["request_due_at"], at),
        job_overdue_seconds=_age(row["job_due_at"], at),
        jobs_set_aside=row["set_aside"],
        notices_waiting=row["notices_waiting"],
        oldest_notice_seconds=_age(row["notice_written_at"], now),
        notices_failed=row["notices_failed"],
        oldest_payment_seconds=_age(row["payment_started_at"], at),
        oldest_event_seconds=_age(row["event_received_at"], now),
    )


def _by_label(rows: Iterable[dict[str, Any]], what: str, known: Iterable[str]) -> dict[str, int]:
    """Also what there is none of: a series that is missing raises no alarm."""
    counted = {row["label"]: row["number"] for row in rows if row["what"] == what}
    return dict.fromkeys(known, 0) | counted


def _age(since: datetime | None, at: datetime) -> float:
    return max((at - since).total_seconds(), 0.0) if since else 0.0
