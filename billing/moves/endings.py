"""Jobs end and get their Closing Statements: as many statements for one as for hundreds (R11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from billing.models import ClosingStatement
from billing.notices import CANCELLED, COMPLETED
from billing.services import documents, statement_lines
from escrow_site.lib import statements, states
from jobs.models import Job, Person
from jobs.notices import Kind
from jobs.services.activity import Entry

NOTHING_LEFT_TO_DO = "Every Milestone of the agreed Terms is released, refunded or removed."
# What was written is not read back.
ISSUED = statements.Only(ClosingStatement, ("id", "job_id", "number", "replaces_id", "issued_at"))


@dataclass(frozen=True, kw_only=True)
class Ending:
    """That a locked Job is over, by whom and since when; ``by`` is None when by itself (R11.1)."""

    job: Job
    by: Person | None
    at: datetime
    actor_kind: str = ""
    reason: str = ""


def complete_all(endings: Sequence[Ending]) -> list[Entry]:
    """Complete locked Jobs, each at its own instant, and issue their Closing Statements (R11.2).

    At most one Ending per Job; the number of statements does not depend on theirs. Returns what the
    caller is to record. Raises LostRace, django_fsm.TransitionNotAllowed, and AssertionError when the
    sums of a Statement do not come to zero.
    """
    return _end_all(endings, "complete", COMPLETED)


def cancel_all(endings: Sequence[Ending]) -> list[Entry]:
    """As complete_all, for Jobs that both sides gave up or that nothing was paid into (R8.3)."""
    return _end_all(endings, "cancel", CANCELLED)


def _end_all(endings: Sequence[Ending], verb: str, kind: Kind) -> list[Entry]:
    states.move_each(((ending.job, {"at": ending.at}) for ending in endings), verb)
    issued = _issue_statements([(ending.job, ending.at) for ending in endings])
    return [
        _entry(ending, statement, kind) for ending, statement in zip(endings, issued, strict=True)
    ]


def _entry(ending: Ending, statement: ClosingStatement, kind: Kind) -> Entry:
    return Entry(
        job=ending.job,
        kind=kind,
        by=ending.by,
        at=ending.at,
        actor_kind=ending.actor_kind,
        reason=ending.reason or ("" if ending.by else NOTHING_LEFT_TO_DO),
        facts={"statement": statement.name, "statement_id": statement.pk},
    )


def issue_statement(job: Job, *, at: datetime) -> ClosingStatement:
    """Freeze all escrow payments of a locked, ended Job into its next numbered Statement (R11.2).

    Raises AssertionError when the sums do not come to zero: then nothing is committed.
    """
    (statement,) = _issue_statements([(job, at)])
    return statement


def _issue_statements(ended: Sequence[tuple[Job, datetime]]) -> list[ClosingStatement]:
    """The next Statement of each Job, at its instant, in their order."""
    if not ended:
        return []
    lines = statement_lines.lines([job for job, _ in ended])
    totals = statement_lines.totals(lines)
    for job_id, said in lines.items():
        statement_lines.check(said, totals[job_id])
    rows = [
        {
            "place": place,
            "job_id": job.pk,
            "issued_at": at,
            "parties": documents.parties(job),
            "lines": lines[job.pk],
            "totals": totals[job.pk],
        }
        for place, (job, at) in enumerate(ended)
    ]
    issued = statements.read(
        statements.beside(__file__), statements.as_json(rows), statement=ISSUED
    )
    return [statement for (statement,) in issued]
