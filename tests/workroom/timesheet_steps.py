"""Steps that the tests of timesheets share: the Jobs, and sending by the service."""

from datetime import UTC, date, datetime
from typing import Any

from jobs.models import Activity, Job, Notification, Person
from tests.scenarios import running_job
from workroom.models import Timesheet, TimesheetEntry
from workroom.services import timesheets
from workroom.services.timesheets import Entry

# A Wednesday.
NOW = datetime(2026, 3, 11, 12, tzinfo=UTC)
MONDAY = date(2026, 3, 9)


def hourly_job(client: Person, freelancer: Person) -> Job:
    job = running_job(client, freelancer, amounts_minor=[])
    Job.objects.filter(pk=job.pk).update(kind="hourly", hourly_rate_minor=33_33)
    return Job.objects.get(pk=job.pk)


def send(job: Job, *entries: Entry, week: date = MONDAY, **said: Any) -> Timesheet:
    assert job.freelancer is not None
    said = {"by": job.freelancer, "at": NOW, **said}
    return timesheets.submit_timesheet(job, week_starts_on=week, entries=entries, **said)


def everything() -> list[Any]:
    return [
        list(Timesheet.objects.order_by("pk").values()),
        list(TimesheetEntry.objects.order_by("pk").values()),
        list(Activity.objects.order_by("pk").values()),
        list(Job.objects.order_by("pk").values()),
        Notification.objects.count(),
    ]
