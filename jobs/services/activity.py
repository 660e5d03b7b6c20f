"""Writing history: the one way in which anything that happens on a Job is recorded and told.

A line of history, the notices to its readers and the Job's clocks are written together, in the
caller's transaction (R12). Delivery is not here.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from celery import current_app
from django.core.cache import cache

from escrow_site.lib import statements
from escrow_site.lib.refusals import WrongParty
from escrow_site.lib.transactions import once_after_commit
from jobs.models import Activity, Job, Person
from jobs.notices import Audience, Kind

Actor = Activity.Actor
WOKEN = "delivery-woken"
WOKEN_SECONDS = 15


class AccountLocked(WrongParty):
    """Whoever wants to do something has a locked account (R1.5)."""

    def __init__(self) -> None:
        super().__init__("This account is locked.")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing that happened. ``by`` is None for the system and the timers.

    ``untold`` are readers who are told of something newer at the same time (R6.4).
    ``as_release_request``: for R10.3 it counts as the request that it makes, and as nothing more.
    ``asked_by`` is the party at whose recorded request support did it: it counts as his act (R9.7).
    """

    job: Job
    kind: Kind
    by: Person | None
    at: datetime
    actor_kind: str = ""
    reason: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    address: str = ""
    untold: frozenset[int] = frozenset()
    as_release_request: bool = False
    asked_by: Person | None = None

    @property
    def actor(self) -> str:
        """Who did it: a party, a support agent, the system or a timer."""
        if self.actor_kind:
            return self.actor_kind
        if self.by is None:
            return Actor.SYSTEM
        return Actor.PERSON if self.job.role_of(self.by) else Actor.SUPPORT

    @property
    def readers(self) -> set[int]:
        """The ids of the people who are told."""
        job, audience = self.job, self.kind.audience
        if audience in (Audience.NOBODY, Audience.ADDRESS):
            return set()
        if audience is Audience.OTHER_PARTY:
            assert self.by is not None, f"{self.kind.name} needs a person"
            other = job.freelancer_id if self.by.pk == job.client_id else job.client_id
            return {other} if other else set()
        parties: dict[Audience, set[int | None]] = {
            Audience.CLIENT: {job.client_id},
            Audience.FREELANCER: {job.freelancer_id},
            Audience.BOTH: {job.client_id, job.freelancer_id},
        }
        return {reader for reader in parties[audience] if reader is not None}

    def quiet(self) -> "Entry":
        """The same line of history, which tells nobody: another one at the same instant does."""
        return replace(self, untold=frozenset(self.readers))

    @property
    def tells(self) -> list[dict[str, Any]]:
        """One notice each, the Client's first: to people by id, to somebody without an account by address."""
        client_first = sorted(
            self.readers - self.untold, key=lambda reader: (reader != self.job.client_id, reader)
        )
        notices = [{"person_id": reader, "address": ""} for reader in client_first]
        if self.address:
            notices.append({"person_id": None, "address": self.address})
        return notices


def record(
    job: Job,
    kind: Kind,
    *,
    by: Person | None,
    at: datetime,
    actor_kind: str = "",
    reason: str = "",
    address: str = "",
    **facts: Any,
) -> None:
    """Record one thing that happened on a Job that the caller has locked.

    ``address`` tells somebody who has no account yet. ``facts``: see Activity.
    """
    entry = Entry(
        job=job, kind=kind, by=by, at=at, actor_kind=actor_kind, reason=reason, facts=facts,
        address=address,
    )  # fmt: skip
    record_all([entry])


def record_all(entries: Iterable[Entry]) -> None:
    """Record several things in one statement; all entries of one Job share its instance.

    Raises AccountLocked when whoever acts was locked while he waited for the Job: nobody is on record
    with what he did after his lock (R1.5).
    """
    entries = list(entries)
    if not entries:
        return
    for entry in entries:
        if entry.kind.counts and (entry.actor == Actor.PERSON or entry.asked_by):
            is_request = entry.kind.release_request or entry.as_release_request
            entry.job.note_activity(entry.at, release_request=is_request)
        if entry.actor != Actor.TIMER:  # the timers have reckoned exactly what is due next
            entry.job.note_own_dues(after=entry.at)
    jobs = {entry.job.pk: entry.job for entry in entries}.values()
    written = statements.run(
        statements.beside(__file__),
        statements.as_json(map(_history, entries)),
        statements.as_json(map(_clocks, jobs)),
    )
    if any(row["is_by_a_locked_account"] for row in written):
        raise AccountLocked()
    if any(entry.tells for entry in entries):
        once_after_commit(wake_delivery)


def wake_delivery() -> None:
    """Ask a worker to send what is waiting; by name, as delivery is known above only.

    A burst of commits needs one wake-up: the worker takes it before it looks at what is waiting,
    so whatever is committed after its look wakes it again.
    """
    if cache.add(WOKEN, True, timeout=WOKEN_SECONDS):
        current_app.send_task("workroom.tasks.deliver_notices")


def take_wake_up() -> None:
    """The worker is about to look: whatever is committed from here on must wake it again."""
    cache.delete(WOKEN)


def _history(entry: Entry) -> dict[str, Any]:
    return {
        "job_id": entry.job.pk,
        "kind": entry.kind.name,
        "actor_kind": entry.actor,
        "actor_id": entry.by.pk if entry.by else None,
        "happened_at": entry.at,
        "reason": entry.reason,
        "facts": entry.facts,
        "readers": entry.tells,
    }


def _clocks(job: Job) -> dict[str, Any]:
    return {
        "job_id": job.pk,
        "last_activity_at": job.last_activity_at,
        "last_activity_besides_requests_at": job.last_activity_besides_requests_at,
        "dormant_at": job.dormant_at,
        "freelancer_told_dormant_at": job.freelancer_told_dormant_at,
        "next_due_at": job.next_due_at,
    }
