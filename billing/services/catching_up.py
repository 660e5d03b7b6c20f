"""What is due, is due at its instant (R6.4): every service that touches a Job starts here."""

from collections.abc import Collection
from datetime import datetime

from escrow_site.lib import statements
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person, Policy

# Ordered, so that two batches cannot deadlock; NO KEY, so that rows pointing to a Job are not held up.
LOCK = """
SELECT {job}, {client}, {freelancer}, {policy}
  FROM jobs_job AS job
  JOIN jobs_person AS client ON client.id = job.client_id
  LEFT JOIN jobs_person AS freelancer ON freelancer.id = job.freelancer_id
  LEFT JOIN jobs_policy AS policy ON policy.id = job.policy_id
 WHERE job.id = ANY(%s)
 ORDER BY job.id FOR NO KEY UPDATE OF job
"""


class JobGone(Refusal):
    """The Job was a draft, and somebody has discarded it meanwhile."""


def lock_job(job_id: int, *, at: datetime) -> Job:
    """Lock the Job, carry out what is due for it by ``at``, and return it as it is then.

    To be called first in a transaction. Raises JobGone.
    """
    jobs = _lock([job_id])
    if not jobs:
        raise JobGone("This Job is not there any more: its draft was discarded.")
    catch_up(jobs[0], at=at)
    return jobs[0]


def catch_up(job: Job, *, at: datetime) -> None:
    """Carry out what is due for a locked Job by ``at``, in order, each thing dated by its instant.

    Nothing has a due instant yet, so ``next_due_at`` is never set; the comparison is the whole cost
    when nothing is due.
    """
    assert job.next_due_at is None or job.next_due_at > at, f"Job {job.pk} has something due"


def _lock(job_ids: Collection[int]) -> list[Job]:
    """The Jobs as they are once locked, in id order, each with its parties and Policy."""
    rows = statements.read(
        LOCK, list(job_ids), job=Job, client=Person, freelancer=Person, policy=Policy
    )
    for job, *related in rows:
        for name, instance in zip(("client", "freelancer", "policy"), related, strict=True):
            # After a wait for the lock the Job is newer than what was joined to it.
            if instance is not None and instance.pk == getattr(job, f"{name}_id"):
                setattr(job, name, instance)
    return [row[0] for row in rows]
