"""Out of Dormant: the Job is active again, and its 60 days begin anew (R10.4)."""

from datetime import datetime

from billing import timetables
from billing.notices import REACTIVATED
from escrow_site.lib import states
from jobs.models import Job, Person
from jobs.services.activity import Entry


def is_settled(job: Job, *, at: datetime) -> bool:
    """Whether the settlement of a dormant Job's last quiet time is past: A+14 d (R10.3)."""
    table = timetables.of_job(job, [])
    return (
        table.is_freelancer_told and table.settlement_at is not None and table.settlement_at <= at
    )


def reactivate(
    job: Job, *, by: Person | None, at: datetime, reason: str, actor_kind: str = ""
) -> list[Entry]:
    """Make a locked dormant Job active; the line of history about it. Nothing for any other Job.

    The new D counts from this instant, whatever brought it about.
    """
    if job.state != Job.State.DORMANT:
        return []
    states.move([job], "reactivate")
    job.note_activity(at)
    return [
        Entry(
            job=job,
            kind=REACTIVATED,
            by=by,
            at=at,
            actor_kind=actor_kind,
            reason=reason,
            facts={"due_at": job.dormant_at},
        )
    ]
