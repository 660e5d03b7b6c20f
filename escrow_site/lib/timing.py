"""The clock of the product, and how instants and dates are measured.

Only views, tasks, commands and the admin read the clock; everything below them is handed ``at``.
In local mode the clock can be moved forward through a file (``CLOCK_OFFSET_FILE``) that every process
reads at each ``now()``; ``workroom.services.clock`` moves it.
"""

import fcntl
import math
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings

from escrow_site.lib.refusals import Refusal

DAY = timedelta(hours=24)
SATURDAY = 5
FIXED = "The clock can be moved in local mode only."


class ClockFixed(Refusal):
    """The clock is that of the machine: it can be moved in local mode only."""


def real_now() -> datetime:
    """The machine's own time in UTC: for sign-in, tokens, leases and retries."""
    return datetime.now(UTC)


def offset() -> timedelta:
    """How far the local clock was moved forward, in whole seconds; zero outside local mode."""
    file = settings.CLOCK_OFFSET_FILE
    if not (settings.LOCAL and file):
        return timedelta(0)
    try:
        return timedelta(seconds=int(Path(file).read_text()))
    except FileNotFoundError:
        return timedelta(0)


def now() -> datetime:
    """The product's time in UTC."""
    return real_now() + offset()


def is_movable() -> bool:
    """Whether the clock can be moved: in local mode, and nowhere else whatever is configured."""
    return bool(settings.LOCAL and settings.CLOCK_OFFSET_FILE)


@contextmanager
def moving() -> Iterator[None]:
    """Keeps everybody else who wants to move the clock waiting, in this process and in others; a
    process that dies lets go. Raises ClockFixed.
    """
    if not is_movable():
        raise ClockFixed(FIXED)
    with open(f"{settings.CLOCK_OFFSET_FILE}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def move_to(instant: datetime) -> None:
    """Move the clock forward: ``now()`` is the instant, or less than a second after it; never back.

    Whole seconds, rounded up, so that what is due at the instant is due. To be called inside
    ``moving``. Raises ClockFixed.
    """
    file = settings.CLOCK_OFFSET_FILE
    if not (settings.LOCAL and file):
        raise ClockFixed(FIXED)
    wanted = timedelta(seconds=math.ceil((instant - real_now()) / timedelta(seconds=1)))
    if wanted > offset():
        _write(Path(file), str(int(wanted.total_seconds())))


def _write(file: Path, content: str) -> None:
    """Replace the file as a whole: a reader sees the old content or the new, also after a crash."""
    with NamedTemporaryFile("w", dir=file.parent, prefix=f"{file.name}-", delete=False) as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    Path(new.name).replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def end_of(day: date) -> datetime:
    """The instant at which a date ends: 24:00 UTC (R10.1)."""
    return datetime.combine(day, time.min, tzinfo=UTC) + DAY


def business_days_after(at: datetime, days: int, holidays: Collection[date]) -> datetime:
    """The same UTC time of day so many business days later: Monday to Friday less holidays (R9.2)."""
    at = at.astimezone(UTC)
    while days > 0:
        at += DAY
        if at.weekday() < SATURDAY and at.date() not in holidays:
            days -= 1
    return at


def week_start(day: date) -> date:
    """The Monday of the week that the day belongs to (R4.1)."""
    return day - timedelta(days=day.weekday())
