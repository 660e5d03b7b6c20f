"""What is due, is due at its instant (R6.4): every service that touches a Job starts here."""

from datetime import datetime

from jobs.models import Job


def lock_job(job_id: int, *, at: datetime) -> Job:
    """Lock the Job, carry out what is due for it by ``at``, and return it as it is then.

    To be called first in a transaction. Raises Job.DoesNotExist.
    """
    job = Job.objects.select_related("client", "freelancer", "policy").locked().get(pk=job_id)
    catch_up(job, at=at)
    return job


def catch_up(job: Job, *, at: datetime) -> None:
    """Carry out what is due for a locked Job by ``at``, in order, each thing dated by its instant.

    Nothing has a due instant yet, so ``next_due_at`` is never set; the comparison is the whole cost
    when nothing is due.
    """
    assert job.next_due_at is None or job.next_due_at > at, f"Job {job.pk} has something due"
