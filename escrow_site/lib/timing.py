"""The clock of the product, and how instants and dates are measured.

Only views, tasks, commands and the admin read the clock; everything below them is handed ``at``.
In local mode the clock can be moved forward through a file (``CLOCK_OFFSET_FILE``).
"""

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from django.conf import settings

DAY = timedelta(hours=24)


def real_now() -> datetime:
    """The machine's own time in UTC: for sign-in, tokens, leases and retries."""
    return datetime.now(UTC)


def offset() -> timedelta:
    """How far the local clock was moved forward; zero in production."""
    file = settings.CLOCK_OFFSET_FILE
    if not file:
        return timedelta(0)
    try:
        return timedelta(seconds=int(Path(file).read_text()))
    except FileNotFoundError:
        return timedelta(0)


def now() -> datetime:
    """The product's time in UTC."""
    return real_now() + offset()


def end_of(day: date) -> datetime:
    """The instant at which a date ends: 24:00 UTC (R10.1)."""
    return datetime.combine(day, time.min, tzinfo=UTC) + DAY


def week_start(day: date) -> date:
    """The Monday of the week that the day belongs to (R4.1)."""
    return day - timedelta(days=day.weekday())
