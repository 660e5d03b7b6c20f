"""Locked Jobs with their rows, and what fell due on each by its timetable."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from billing import timers, timetables
from billing.models import Escrow, Payment, ReleaseRequest
from billing.selectors import escrow_rows
from billing.selectors.escrow_rows import Row
from billing.timetables import Event, Timetable
from jobs.models import Job
from jobs.services.activity import Entry


class Happened(NamedTuple):
    """Something that fell due, and its line of history."""

    event: Event
    entry: Entry


@dataclass(kw_only=True)
class Case:
    """A Job, what fell due on it in order, and its timetable after that; ``dormant_at`` is D before."""

    job: Job
    escrows: dict[int, Escrow]
    requests: dict[int, ReleaseRequest]
    payments: dict[int, Payment]
    table: Timetable
    events: list[Event]
    dormant_at: datetime | None
    happened: list[Happened] = field(default_factory=list)


def read(jobs: Sequence[Job], *, at: datetime) -> list[Case]:
    """The Jobs with everything that falls due on them by ``at``; nothing is written."""
    rows_of = escrow_rows.rows_of([job.pk for job in jobs])
    return [_case(job, rows_of[job.pk], at=at) for job in jobs]


def _case(job: Job, rows: list[Row], *, at: datetime) -> Case:
    table = timetables.of_job(job, rows)
    for escrow, request, payment in rows:
        escrow.job = job
        if request is not None:
            request.job, request.escrow = job, escrow
        if payment is not None:
            payment.job = job
    return Case(
        job=job,
        escrows={escrow.number: escrow for escrow, _, _ in rows},
        requests={request.pk: request for _, request, _ in rows if request},
        payments={payment.pk: payment for _, _, payment in rows if payment},
        events=timers.run(table, now=at, until=at),
        table=table,
        dormant_at=job.dormant_at,
    )
