"""Who sees a row of the money: the two parties of its Job, and support that may read Jobs (R1.4)."""

from typing import TypeVar

from django.db.models import Model, QuerySet

from jobs.models import Job, Person

Row = TypeVar("Row", bound=Model)


def seen_by(person: Person, rows: QuerySet[Row], *, job: str = "job") -> QuerySet[Row]:
    """The rows that the person may see; ``job`` is the path from a row to its Job."""
    if person.reads_as_support:
        return rows
    return rows.filter(**{f"{job}__in": Job.objects.seen_by(person)})
