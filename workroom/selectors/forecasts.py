"""What happens if nobody acts, read for pages, mails and calendars (R10.6).

What will happen is decided in ``billing.forecast``, its words stand in ``billing.selectors.foretold``.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from billing.forecast import Foreseen, forecast
from billing.selectors import foretold
from billing.selectors.escrow_rows import Row, rows_of
from billing.selectors.foretold import Moment, Outcome, Proposal
from billing.timetables import What
from escrow_site.lib import statements
from jobs.models import Job, Person, Policy
from workroom.models import Terms

OPEN_PROPOSALS = """
SELECT job_id, version, proposed_by_id
  FROM workroom_terms WHERE job_id = ANY(%s) AND state = 'proposed'
"""
JOBS_OF = """
SELECT {job}, {client}, {freelancer}, {policy}
  FROM jobs_job AS job
  JOIN jobs_person AS client ON client.id = job.client_id
  LEFT JOIN jobs_person AS freelancer ON freelancer.id = job.freelancer_id
  JOIN jobs_policy AS policy ON policy.id = job.policy_id
 WHERE (job.client_id = %(person)s OR job.freelancer_id = %(person)s)
   AND job.state IN ('awarded', 'active', 'dormant')
 ORDER BY job.id
"""


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """The timeline of a Job for one reader; a Dormant one says first what becomes of its money."""

    moments: list[Moment]
    outcomes: list[Outcome]


def of_page(
    job: Job, *, escrows: list[Any], viewer: Person, at: datetime, terms: Terms | None = None
) -> Forecast:
    """For the overview, which has read the money (``overview.money_of``), and maybe the Terms."""
    foreseen = _foreseen(job, escrows, at=at)
    moments = _moments(job, foreseen, viewer=viewer, terms=terms)
    is_dormant = job.state == Job.State.DORMANT
    return Forecast(
        moments=foretold.without_repetition(moments),
        outcomes=foretold.outcomes(job, foreseen, role=job.role_of(viewer)) if is_dormant else [],
    )


def of_tab(job: Job, *, escrows: list[Any], viewer: Person, at: datetime) -> list[Moment]:
    """The timeline alone."""
    moments = _moments(job, _foreseen(job, escrows, at=at), viewer=viewer, terms=None)
    return foretold.without_repetition(moments)


def _foreseen(job: Job, escrows: list[Any], *, at: datetime) -> list[Foreseen]:
    return forecast(job, [escrow.timetable_row for escrow in escrows], at=at)


def _moments(
    job: Job, foreseen: list[Foreseen], *, viewer: Person, terms: Terms | None
) -> list[Moment]:
    proposal = _open_proposal(job, terms, foreseen)
    return foretold.moments(job, foreseen, role=job.role_of(viewer), proposal=proposal)


def read_for_mails(jobs: Iterable[Any]) -> None:
    """Read for all Jobs of a batch what ``of_mail`` needs of each. Two statements."""
    jobs = [job for job in jobs if not job.has_ended]
    keys = {job.pk for job in jobs}
    rows, proposals = rows_of(keys), proposals_of(keys)
    for job in jobs:
        job.foretold_from = (rows[job.pk], proposals.get(job.pk))


def of_mail(job: Any, *, role: str | None, at: datetime) -> list[Moment]:
    """For a mail, as it is when the mail is sent; a Job that was not read in a batch is read now."""
    if job.has_ended:
        return []
    rows, proposal = _foretold_from(job)
    moments = foretold.moments(job, forecast(job, rows, at=at), role=role, proposal=proposal)
    # That somebody will be told is no news for a mail.
    shown = [one for one in moments if one.what is not What.FREELANCER_TOLD]
    return foretold.without_repetition(shown)


def ways_with(job: Any, request_id: int, *, role: str | None, at: datetime) -> set[str]:
    """What a party can still do about one of its Job's Release Requests: names of ``stopping.Action``.
    Nothing, when it was answered or is due.
    """
    if job.has_ended:
        return set()
    rows, _ = _foretold_from(job)
    return {
        stop.how.name
        for one in forecast(job, rows, at=at)
        if one.what is What.RELEASE and one.request_id == request_id and not one.at_once
        for stop in one.stops
        if stop.by.value in (role, "both")
    }


def _foretold_from(job: Any) -> tuple[list[Row], Proposal | None]:
    if not hasattr(job, "foretold_from"):
        read_for_mails([job])
    rows, proposal = job.foretold_from
    return rows, proposal


def of_calendar(person: Person, *, at: datetime) -> Iterator[tuple[Job, list[Moment]]]:
    """Every Job of a person that is not over, each release by itself. Three statements in all."""
    jobs = _jobs_of(person)
    keys = [job.pk for job in jobs]
    rows, proposals = rows_of(keys), proposals_of(keys)
    for job in jobs:
        yield (
            job,
            foretold.moments(
                job,
                forecast(job, rows[job.pk], at=at),
                role=job.role_of(person),
                proposal=proposals.get(job.pk),
                together=False,
            ),
        )


def proposals_of(job_ids: Collection[int]) -> dict[int, Proposal]:
    """The open proposals of some Jobs; a Job has one at most."""
    return {
        row["job_id"]: Proposal(version=row["version"], proposed_by_id=row["proposed_by_id"])
        for row in statements.run(OPEN_PROPOSALS, list(job_ids))
    }


def _open_proposal(job: Job, terms: Terms | None, foreseen: list[Foreseen]) -> Proposal | None:
    """Read only if something is said about it and the page has not read it."""
    if terms is not None and terms.state == Terms.State.PROPOSED:
        return Proposal(version=terms.version, proposed_by_id=terms.proposed_by_id)
    if any(one.what in (What.AWARD_EXPIRES, What.PROPOSAL_LAPSES) for one in foreseen):
        return proposals_of([job.pk]).get(job.pk)
    return None


def _jobs_of(person: Person) -> list[Job]:
    """The Jobs that a person is a party of, without drafts and those that are over."""
    jobs = []
    for job, client, freelancer, policy in statements.read(
        JOBS_OF, {"person": person.pk}, job=Job, client=Person, freelancer=Person, policy=Policy
    ):
        job.client, job.freelancer, job.policy = client, freelancer, policy
        jobs.append(job)
    return jobs
