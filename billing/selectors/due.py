"""What is due on all Jobs: which ones, how many, and what a sweep would do. Reads without locking."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from billing import timers, timetables
from billing.selectors import escrow_rows
from billing.timetables import Event
from escrow_site.lib import statements
from jobs.models import Job

BATCH = 250
BEGINNING = datetime.min.replace(tzinfo=UTC)
# By key and never by OFFSET: a page costs the same, wherever in the index it is.
DUE = """
SELECT id, next_due_at
  FROM jobs_job
 WHERE next_due_at IS NOT NULL AND set_aside_at IS NULL AND next_due_at <= %(at)s
   AND (next_due_at, id) > (%(after_at)s, %(after_id)s)
 ORDER BY next_due_at, id
 LIMIT %(batch)s
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class DueEvent:
    """One thing that is due on a Job; ``title`` is its Milestone's, empty when it is about none."""

    job: Job
    event: Event
    title: str


def job_ids(*, at: datetime, batch: int = BATCH) -> Iterator[list[int]]:
    """The ids of the Jobs that are to be visited by ``at``, earliest first, a batch at a time."""
    after_at, after_id = BEGINNING, 0
    while rows := statements.run(
        DUE, {"at": at, "after_at": after_at, "after_id": after_id, "batch": batch}
    ):
        yield [row["id"] for row in rows]
        after_at, after_id = rows[-1]["next_due_at"], rows[-1]["id"]


def count_jobs(*, at: datetime) -> int:
    """How many Jobs are to be visited by ``at``."""
    return Job.objects.filter(next_due_at__lte=at, set_aside_at=None).count()


def events(keys: list[int], *, at: datetime) -> Iterator[DueEvent]:
    """What a sweep at ``at`` would carry out on these Jobs, each in its order. Two statements."""
    rows_of = escrow_rows.rows_of(keys)
    jobs = Job.objects.select_related("policy").in_bulk(keys)
    for key, rows in rows_of.items():
        job = jobs.get(key)
        if job is None or job.policy is None or job.has_ended:
            continue
        titles = {escrow.number: escrow.title for escrow, _, _ in rows}
        for event in timers.run(timetables.of_job(job, rows), now=at, until=at):
            yield DueEvent(job=job, event=event, title=titles.get(event.number or 0, ""))
