"""The list of a person's Jobs: one statement for the page with its money, one for its number, and one
for the Terms of Jobs that are not agreed yet.

Plain SQL, like the Billing list. What a person typed is only ever a value.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from escrow_site.lib import statements
from jobs.models import Job, Person
from workroom.models import Terms

LAST_AT = "GREATEST(job.drafted_at, job.awarded_at, job.last_activity_at, job.ended_at)"
SORTS = {
    "activity": f"{LAST_AT} ASC",
    "-activity": f"{LAST_AT} DESC",
    "title": "lower(job.title) ASC",
    "-title": "lower(job.title) DESC",
    "state": "job.state ASC",
    "-state": "job.state DESC",
}
FIRST_SORT = "-activity"

AS_CLIENT = "job.client_id = %(person)s"
AS_FREELANCER = "(job.freelancer_id = %(person)s AND job.awarded_at IS NOT NULL)"
ROLES = {
    "": f"({AS_CLIENT} OR {AS_FREELANCER})",
    "client": AS_CLIENT,
    "freelancer": AS_FREELANCER,
}
SEARCHED = ("job.title", "client.name", "freelancer.name", "job.freelancer_email")
# Joined only while words are looked for.
NAMES_FOR_WORDS = """
  JOIN jobs_person AS client ON client.id = job.client_id
  LEFT JOIN jobs_person AS freelancer ON freelancer.id = job.freelancer_id
"""
COUNT = "SELECT count(*) AS jobs FROM jobs_job AS job {names_for_words} WHERE {conditions}"
# The rows of the page are chosen first, so that only theirs are joined and summed up.
FIND = """
WITH page AS (
  SELECT job.id
    FROM jobs_job AS job {names_for_words}
   WHERE {conditions}
   ORDER BY {order}, job.id DESC
   LIMIT %(limit)s OFFSET %(offset)s
)
SELECT {{job}}, {last_at},
       COALESCE(NULLIF(other.name, ''), other.email, job.freelancer_email),
       EXISTS (SELECT FROM billing_fundingrequest AS asked
                 JOIN billing_escrow AS escrow ON escrow.id = asked.escrow_id
                WHERE escrow.job_id = job.id AND asked.closed_at IS NULL),
       (SELECT bool_or(request.state = 'overdue') FROM billing_releaserequest AS request
         WHERE request.job_id = job.id AND request.state IN ('open', 'overdue')),
       money.*
  FROM page
  JOIN jobs_job AS job ON job.id = page.id
  LEFT JOIN jobs_person AS other
    ON other.id = CASE WHEN job.client_id = %(person)s THEN job.freelancer_id ELSE job.client_id END
 CROSS JOIN LATERAL (
    SELECT sum(amount_minor) FILTER (WHERE position < 1000000)::bigint,
           sum(funded_minor - released_minor - refunded_minor)::bigint,
           sum(released_minor)::bigint,
           bool_or(state = 'pending'),
           bool_or(disputed_at IS NOT NULL), bool_or(charged_back_at IS NOT NULL)
      FROM billing_escrow WHERE job_id = job.id AND state <> 'removed'
  ) AS money (total_minor, held_minor, released_minor, is_pending, is_disputed, is_charged_back)
 ORDER BY {order}, job.id DESC
"""
SHOWN = statements.Only(
    Job,
    (
        "id",
        "title",
        "kind",
        "currency",
        "hourly_rate_minor",
        "client_id",
        "freelancer_id",
        "state",
        "activated_at",
        "ended_at",
        "open_proposal_until",
    ),
)
NEWEST_TERMS = """
SELECT DISTINCT ON (terms.job_id) {terms},
       (SELECT COALESCE(sum(amount_minor), 0)::bigint
          FROM workroom_milestone WHERE terms_id = terms.id)
  FROM workroom_terms AS terms
 WHERE terms.job_id = ANY(%s)
 ORDER BY terms.job_id, terms.version DESC
"""


class Found(NamedTuple):
    """A Job of the list as it was read; the amounts are None while no Terms are agreed.

    ``request_is_overdue`` is None if no release is requested, or only by what is disputed.
    """

    job: Job
    last_at: datetime
    other: str
    funding_is_requested: bool
    request_is_overdue: bool | None
    total_minor: int | None
    held_minor: int | None
    released_minor: int | None
    is_pending: bool | None
    is_disputed: bool | None
    is_charged_back: bool | None


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One line of the list; amounts in minor units, None where there is none yet."""

    job: Job
    is_client: bool
    other: str
    note: str
    is_overdue: bool
    last_at: datetime
    total_minor: int | None
    held_minor: int | None
    released_minor: int | None


def count(person: Person, *, role: str = "", state: str = "", words: str = "") -> int:
    """How many of the person's Jobs meet the filters."""
    filled, values = _fill(COUNT, person, role, state, words)
    return int(statements.run(filled, values)[0]["jobs"])


def find(
    person: Person,
    *,
    role: str = "",
    state: str = "",
    words: str = "",
    sort: str = "",
    limit: int | None = None,
    offset: int = 0,
) -> list[Found]:
    """The person's Jobs that meet the filters; ``last_at`` is when something last happened."""
    order = SORTS.get(sort, SORTS[FIRST_SORT])
    filled, values = _fill(FIND, person, role, state, words, order=order, last_at=LAST_AT)
    rows = statements.read(filled, values | {"limit": limit, "offset": offset}, job=SHOWN)
    return [Found(*row) for row in rows]


def _fill(
    statement: str, person: Person, role: str, state: str, words: str, **parts: str
) -> tuple[str, dict[str, Any]]:
    """The statement with its conditions, and the values for their places."""
    values: dict[str, Any] = {"person": person.pk}
    conditions = [ROLES[role]]
    if state:
        conditions.append("job.state = %(state)s")
        values["state"] = state
    for place, word in enumerate(words.split()):
        name = f"word{place}"
        looks = " OR ".join(f"{column} ILIKE %({name})s" for column in SEARCHED)
        conditions.append(f"({looks})")
        values[name] = "%" + re.sub(r"([\\%_])", r"\\\1", word) + "%"
    filled = statement.format(
        conditions=" AND ".join(conditions),
        names_for_words=NAMES_FOR_WORDS if words.split() else "",
        **parts,
    )
    return filled, values


def rows(found: Iterable[Found], person: Person, *, at: datetime) -> list[JobRow]:
    """The Jobs of one page with their money and whose turn it is."""
    found = list(found)
    terms = _newest_terms([one.job for one in found if one.job.activated_at is None])
    return [
        JobRow(
            job=one.job,
            is_client=one.job.client_id == person.pk,
            other=one.other,
            note=_note(one, terms.get(one.job.pk), person, at=at),
            is_overdue=bool(one.request_is_overdue),
            last_at=one.last_at,
            **_amounts(one, terms.get(one.job.pk)),
        )
        for one in found
    ]


def _newest_terms(jobs: list[Job]) -> dict[int, Terms]:
    if not jobs:
        return {}
    newest = {}
    for terms, total_minor in statements.read(NEWEST_TERMS, [job.pk for job in jobs], terms=Terms):
        terms.total_minor = total_minor
        newest[terms.job_id] = terms
    return newest


def _amounts(found: Found, terms: Terms | None) -> dict[str, int | None]:
    if found.job.kind == Job.Kind.HOURLY:
        return {"total_minor": None, "held_minor": None, "released_minor": None}
    if found.total_minor is not None:
        return {
            "total_minor": found.total_minor,
            "held_minor": found.held_minor,
            "released_minor": found.released_minor,
        }
    proposed_minor = terms.total_minor if terms else 0  # type: ignore[attr-defined]
    return {"total_minor": proposed_minor, "held_minor": None, "released_minor": None}


def _note(found: Found, terms: Terms | None, person: Person, *, at: datetime) -> str:
    """What waits for an answer."""
    job = found.job
    if job.is_running:
        if found.is_charged_back:
            return "Charged back"
        if found.is_disputed:
            return "Disputed"
        if found.request_is_overdue is not None:
            return "Release requested"
        if found.is_pending:
            return "Pending"
        if job.open_proposal_until is not None and job.open_proposal_until > at:
            return "Changed Terms are open"
        return "Funding requested" if found.funding_is_requested else ""
    if job.state != Job.State.AWARDED or terms is None:
        return ""
    terms.job = job
    if terms.state != Terms.State.PROPOSED:
        return "No open proposal"
    if terms.has_lapsed(at=at):
        return "Not answered in time"
    if terms.proposed_by_id != person.pk:
        return "Waits for your answer"
    return "Waits for their answer" if job.freelancer_id else "Invited, no account yet"
