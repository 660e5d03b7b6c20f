"""Sweeping: carrying out what is due on every Job, whether anybody looks at it or not (R6.4).

What falls due on a Job is in ``timers``, how it is carried out in ``catching_up``; here is how all Jobs
are visited, and what becomes of one that cannot be carried out: it is set aside for support, and the
rest goes on. Restartable at any point: what is done is committed batch by batch, and is due no more.
"""

import gc
import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import InterfaceError, OperationalError, connection, transaction

from billing.notices import TAKEN_UP_AGAIN
from billing.selectors import due
from billing.services import catching_up
from billing.timetables import What
from escrow_site.lib.refusals import Refusal, WrongState, refuse_if
from escrow_site.lib.timing import real_now
from jobs.models import Activity, Job, Person
from jobs.services import activity, words
from jobs.services.agents import refuse_non_agent

logger = logging.getLogger(__name__)

PERMISSION = "jobs.take_up_job_again"
REASON_CHARACTERS = 500

# How long to wait before a batch is tried again that failed through no fault of its Jobs.
PAUSES_SECONDS = (0.1, 0.5, 2)
# Classes of SQLSTATE: connection lost, deadlock, no resources, statement cancelled or server stopping;
# 55P03 is a lock that was not to be had. A connection that is lost in the middle has no SQLSTATE.
PASSING = ("08", "40", "53", "57", "55P03")
# When as many Jobs of one batch fail as this, and they are most of it, the fault is not theirs.
TOO_MANY = 20


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What a sweep did: Jobs visited, things done, ids of the Jobs set aside, how long it took."""

    jobs: int
    done: Counter[What]
    set_aside: list[int]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Failure:
    """Why a Job could not be carried out, as support reads it, and where in the code that was."""

    reason: str
    where: list[str]


class SweepFailed(Exception):
    """So many Jobs failed together that the fault must be ours: none of them was set aside."""


AfterBatch = Callable[[list[int], "Counter[What]"], None]


def sweep(
    *,
    at: datetime,
    batch: int = due.BATCH,
    run_for: timedelta | None = None,
    after_batch: AfterBatch | None = None,
) -> Swept:
    """Carry out what is due on every Job by ``at``, each thing dated by its own instant (R6.4).

    Any number may run at once: a Job that another one holds, or a person's click, is left to the next
    sweep. Ends early after ``run_for``; ``after_batch`` is told of each batch. Raises OperationalError
    when the database is away, SweepFailed at the end when the Jobs of a whole batch failed.
    """
    began = time.monotonic()
    jobs, done, set_aside, unexplained = 0, Counter[What](), list[int](), list[Failure]()

    def swept() -> Swept:
        seconds = time.monotonic() - began
        return Swept(jobs=jobs, done=done, set_aside=set_aside, seconds=seconds)

    try:
        for job_ids in due.job_ids(at=at, batch=batch):
            batch_done, failures = _carry_out(job_ids, at=at)
            if len(failures) >= max(TOO_MANY, len(job_ids) // 2):
                unexplained += list(failures.values())[:1]
            else:
                set_aside += _set_aside(failures, at=at)
            jobs += len(job_ids)
            done += batch_done
            if after_batch is not None:
                after_batch(job_ids, batch_done)
            if run_for is not None and time.monotonic() - began >= run_for.total_seconds():
                break
    finally:
        _log(swept())
    if unexplained:
        raise SweepFailed(f"Whole batches of Jobs failed; the first: {unexplained[0].reason}")
    return swept()


def _log(swept: Swept) -> None:
    """One line for what was done; a sweep that found nothing is not worth it on a server."""
    level = logging.INFO if swept.done or swept.set_aside else logging.DEBUG
    what_was_done = {what.name.lower(): swept.done[what] for what in sorted(swept.done)}
    about = {
        "done": what_was_done,
        "jobs": swept.jobs,
        "set_aside": swept.set_aside,
        "seconds": round(swept.seconds, 3),
    }
    logger.log(level, "sweep", extra=about)


# --- One batch ---


def _carry_out(job_ids: list[int], *, at: datetime) -> tuple[Counter[What], dict[int, Failure]]:
    """Carry out a batch; one that fails is run again in halves, down to the Jobs that fail alone."""
    try:
        return _try(job_ids, at=at), {}
    except Exception as error:
        if _is_passing(error):
            raise
        if len(job_ids) == 1:
            return Counter(), {job_ids[0]: _failure(error)}
    middle = len(job_ids) // 2
    done, failures = _carry_out(job_ids[:middle], at=at)
    more_done, more_failures = _carry_out(job_ids[middle:], at=at)
    return done + more_done, failures | more_failures


def _try(job_ids: list[int], *, at: datetime) -> Counter[What]:
    """Carry out a batch; after a deadlock or a lost connection again, a few times."""
    for pause_seconds in PAUSES_SECONDS:
        try:
            with _no_collecting():
                return catching_up.carry_out_due(job_ids, at=at)
        except Exception as error:
            if not _is_passing(error):
                raise
            about = {"reason": describe(error), "error": type(error).__name__}
            logger.warning("sweep_tries_again", extra=about)
            connection.close_if_unusable_or_obsolete()
            time.sleep(pause_seconds)
    return catching_up.carry_out_due(job_ids, at=at)


@contextmanager
def _no_collecting() -> Iterator[None]:
    """A batch makes many rows and hardly a cycle; the collector would look at them all the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _is_passing(error: Exception) -> bool:
    """Whether it is no Job's fault and may be gone in a moment."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return str(state).startswith(PASSING)


# --- Setting aside ---


def _failure(error: Exception) -> Failure:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "site-packages" not in frame.filename]
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in ours]
    return Failure(reason=describe(error), where=where)


def describe(error: Exception) -> str:
    """What went wrong: type and message, 500 characters, without the row that a database error shows."""
    diagnosis = getattr(error.__cause__, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or str(error)
    return f"{type(error).__name__}: {message}".replace("\0", "")[:REASON_CHARACTERS]


def _set_aside(failures: dict[int, Failure], *, at: datetime) -> list[int]:
    """Stop the clocks of the Jobs that cannot be carried out; those of them that still are due."""
    return [key for key, failure in failures.items() if _set_one_aside(key, failure, at=at)]


def _set_one_aside(job_id: int, failure: Failure, *, at: datetime) -> bool:
    """Stop the clocks of one Job, in real time, and raise the alarm for support; returns whether it
    was this sweep that did.
    """
    with transaction.atomic(durable=True):
        due_still = Job.objects.filter(pk=job_id, set_aside_at=None, next_due_at__lte=at)
        changed = due_still.update(set_aside_at=real_now(), set_aside_reason=failure.reason)
    if changed:
        about = {"job": job_id, "reason": failure.reason, "where": failure.where}
        logger.error("job_set_aside", extra=about)
    return bool(changed)


def may_take_up_again(job: Job, *, by: Person) -> Refusal | None:
    """Support takes up what was set aside, never on a Job of its own."""
    if refusal := refuse_non_agent(job, by=by, permission=PERMISSION, act="take it up again"):
        return refusal
    if job.set_aside_at is None:
        return WrongState(f"Job {job.pk} is not set aside: its clocks are running.")
    return None


def take_up_again(job_id: int, *, by: Person, at: datetime, reason: str) -> Swept:
    """Let the clocks of a set-aside Job run again, and carry out at once what is due by ``at``.

    If that fails again the Job is set aside again: ``Swept.set_aside`` names it then. Locks the Job.
    Raises the Refusal of may_take_up_again, NothingSaid.
    """
    began = time.monotonic()
    with transaction.atomic():
        job = Job.objects.locked().get(pk=job_id)
        refuse_if(may_take_up_again(job, by=by))
        reason = words.check(reason, what="the reason", at_most=REASON_CHARACTERS)
        Job.objects.filter(pk=job_id).update(set_aside_at=None, set_aside_reason="")
        activity.record(
            job, TAKEN_UP_AGAIN, by=by, actor_kind=Activity.Actor.SUPPORT, at=at, reason=reason
        )
    done, failures = _carry_out([job_id], at=at)
    set_aside = _set_aside(failures, at=at)
    swept = Swept(jobs=1, done=done, set_aside=set_aside, seconds=time.monotonic() - began)
    _log(swept)
    return swept
