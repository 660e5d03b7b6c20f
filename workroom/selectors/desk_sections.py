"""Lists of things that wait, for the start page of the support desk: the first rows and how many there are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet, Window

from jobs.models import Job, Person
from jobs.models.job import of_party

ROWS_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """One thing that waits: what it is, where it is looked after, and since when or until when."""

    label: str
    url: str
    detail: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Section:
    """One kind of thing that waits: how many there are, the first of them, and where the rest is."""

    title: str
    count: int
    rows: list[Waiting]
    url: str
    when: str = "since"
    is_urgent: bool = True


def section_of(
    reader: Person,
    rows: QuerySet[Any],
    *,
    order: Iterable[str],
    row: Callable[[Any], Waiting],
    title: str,
    url: str,
    when: str = "since",
    is_urgent: bool = True,
) -> Section | None:
    """Count and first rows in one statement; nothing for who may not see the rows."""
    opts = rows.model._meta
    if not reader.has_perm(f"{opts.app_label}.view_{opts.model_name}"):
        return None
    first = list(rows.annotate(of_all=Window(Count("*"))).order_by(*order)[:ROWS_SHOWN])
    if not first:
        return None
    return Section(
        title=title,
        count=first[0].of_all,
        rows=[row(one) for one in first],
        url=url,
        when=when,
        is_urgent=is_urgent,
    )


def not_of(reader: Person, job_path: str = "job") -> Q:
    """Not of a Job that the reader is a party of: there he is a party at the desk, too."""
    return ~of_party(reader, job_path)


def in_words(job: Job) -> str:
    return f"Job {job.pk}, {job}"


def sections_of_two(
    reader: Person,
    rows: QuerySet[Any],
    *,
    by: str,
    may: bool,
    job_path: str,
    order: Iterable[str],
    row: Callable[[Any], Waiting],
    title: str,
    url: str,
) -> list[Section | None]:
    rows = rows.filter(not_of(reader, job_path))
    mine, others = rows.exclude(**{by: reader.pk}), rows.filter(**{by: reader.pk})
    if not may:
        mine, others = rows.none(), rows
    return [
        section_of(
            reader, mine, order=order, row=row, url=url, title=f"{title} for you to confirm"
        ),
        section_of(
            reader,
            others,
            order=order,
            row=row,
            url=url,
            title=f"{title} that another agent is to confirm",
            is_urgent=False,
        ),
    ]
