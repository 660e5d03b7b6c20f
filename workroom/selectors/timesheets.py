"""What the pages about timesheets read."""

from django.db.models import QuerySet, Sum

from jobs.models import Job, Person
from workroom.models import Timesheet


def sendings(job: Job) -> QuerySet[Timesheet]:
    """Every sending with its total, the newest week first."""
    return (
        Timesheet.objects.filter(job=job)
        .annotate(minutes=Sum("entries__minutes", default=0))
        .order_by("-week_starts_on", "-sending")
    )


def seen_timesheets(person: Person) -> QuerySet[Timesheet]:
    """The timesheets that the person may read, each with its Job and its parties (R1.4)."""
    return (
        Timesheet.objects.filter(job__in=Job.objects.seen_by(person))
        .select_related("job__client", "job__freelancer", "job__policy")
        .prefetch_related("entries")
    )


def other_sendings(timesheet: Timesheet) -> list[Timesheet]:
    """The other sendings of the same week, the newest first."""
    if timesheet.current and timesheet.sending == 1:
        return []
    return list(
        Timesheet.objects.filter(job_id=timesheet.job_id, week_starts_on=timesheet.week_starts_on)
        .exclude(pk=timesheet.pk)
        .order_by("-sending")
    )
