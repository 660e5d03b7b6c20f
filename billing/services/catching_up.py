"""What is due, is due at its instant (R6.4): every service that touches a Job starts here.

``locked_job`` serves one action on one Job, ``carry_out_due`` a sweep over many: both carry out what
``billing.timers`` says, by the same ``moves.due``.
"""

import logging
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import OperationalError, transaction

from billing.moves import due
from billing.timetables import What
from escrow_site.lib import statements
from escrow_site.lib.refusals import Refusal, refuse_if
from jobs.models import Job, Person, Policy

logger = logging.getLogger(__name__)

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
# Only what is still due once locked; a Job that somebody works on is left to the next sweep.
LOCK_DUE = (
    LOCK.replace(
        " ORDER BY", "   AND job.next_due_at <= %s AND job.set_aside_at IS NULL\n ORDER BY"
    ).rstrip()
    + " SKIP LOCKED\n"
)


STUCK = (
    "Something that is due on this Job could not be carried out. Support has been told; until they "
    "have looked at it nothing can be done on the Job."
)


class JobGone(Refusal):
    """The Job was a draft, and somebody has discarded it meanwhile."""


class JobSetAside(Refusal):
    """Something that is due on the Job cannot be carried out; support has been told."""


@contextmanager
def locked_job(job_id: int, *, at: datetime, durable: bool = False) -> Iterator[Job]:
    """A transaction with the Job locked and everything carried out that is due on it by ``at``.

    What was due is committed before: it stands, whatever becomes of the action. ``durable`` refuses
    to run inside another transaction. Raises JobGone, JobSetAside.
    """
    while True:
        with transaction.atomic(durable=durable):
            job = _lock_one(job_id)
            if not is_due(job, at=at):
                yield job
                return
            refuse_if(_refuse_set_aside(job))
        _catch_up(job_id, at=at)


def is_due(job: Job, *, at: datetime) -> bool:
    """Whether the Job is to be looked at; one that is set aside waits for support."""
    return job.next_due_at is not None and job.next_due_at <= at


def carry_out_due(job_ids: Collection[int], *, at: datetime) -> Counter[What]:
    """Carry out what is due by ``at`` on these Jobs, in one transaction; how much of what was done.

    Jobs that are locked by somebody else, or set aside, are left out. Raises whatever a bad row
    raises; then nothing is done.
    """
    with transaction.atomic():
        jobs = _lock(LOCK_DUE, list(job_ids), at)
        return due.carry_out(jobs, at=at) if jobs else Counter()


def _catch_up(job_id: int, *, at: datetime) -> None:
    """Carry out what is due on one Job; if that fails the next sweep sets it aside (DESIGN 4)."""
    try:
        with transaction.atomic():
            jobs = [job for job in _lock(LOCK, [job_id]) if is_due(job, at=at)]
            due.carry_out(jobs, at=at)
    except OperationalError:
        raise
    except Exception as error:
        logger.exception("job_not_caught_up", extra={"job": job_id})
        raise JobSetAside(STUCK) from error
    assert not any(is_due(job, at=at) for job in jobs), f"Job {job_id} is due for ever"


def _refuse_set_aside(job: Job) -> Refusal | None:
    return JobSetAside(STUCK) if job.set_aside_at is not None else None


def _lock_one(job_id: int) -> Job:
    jobs = _lock(LOCK, [job_id])
    if not jobs:
        raise JobGone("This Job is not there any more: its draft was discarded.")
    return jobs[0]


def _lock(statement: str, *parameters: object) -> list[Job]:
    """The Jobs as they are once locked, in id order, each with its parties and Policy."""
    rows = statements.read(
        statement, *parameters, job=Job, client=Person, freelancer=Person, policy=Policy
    )
    for job, *related in rows:
        for name, instance in zip(("client", "freelancer", "policy"), related, strict=True):
            # After a wait for the lock the Job is newer than what was joined to it.
            if instance is not None and instance.pk == getattr(job, f"{name}_id"):
                setattr(job, name, instance)
    return [row[0] for row in rows]
