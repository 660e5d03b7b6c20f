"""The private calendar of a person: a secret link, made on demand, which its owner can take back."""

import secrets
from datetime import datetime

from jobs.models import Person

# 256 bits: who has the link reads the calendar, with no password asked.
TOKEN_BYTES = 32


def open_feed(person: Person, *, at: datetime) -> str:
    """Make the person's calendar link and return its token; an older link is gone at once."""
    person.calendar_token = secrets.token_urlsafe(TOKEN_BYTES)
    person.calendar_opened_at = at
    person.save(update_fields=["calendar_token", "calendar_opened_at"])
    return person.calendar_token


def revoke(person: Person, *, at: datetime) -> None:
    """Take the link back: from ``at`` on it leads nowhere. Harmless when there is none."""
    person.calendar_token = ""
    person.calendar_opened_at = None
    person.save(update_fields=["calendar_token", "calendar_opened_at"])
