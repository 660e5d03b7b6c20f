"""Writing columns of a Job that is not its state and not its clocks."""

from jobs.models import Job


def set_columns(job: Job, **columns: object) -> None:
    """Set the columns in memory and in the row, these only; the caller has locked the Job."""
    for name, value in columns.items():
        setattr(job, name, value)
    Job.objects.filter(pk=job.pk).update(**columns)
