"""How often somebody may do something: counted in the database, for all processes together.

allauth's own limits are in the shared cache, which may be away; these hold then too.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

from escrow_site.lib.timing import DAY
from jobs.models.attempt import Attempt

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Limit:
    """At most so many within that time."""

    name: str
    most: int
    within: timedelta


# Wrong ones only. At the door: per address and network, so that nobody elsewhere can use up what its owner
# has; and per address alone, much higher. Of who is signed in: per person.
WRONG_PASSWORDS = Limit("wrong password", 30, HOUR)
WRONG_PASSWORDS_ANYWHERE = Limit("wrong password anywhere", 300, HOUR)
WRONG_OWN_PASSWORDS = Limit("wrong own password", 10, HOUR)
WRONG_CODES = Limit("wrong code", 20, HOUR)
# A code of an app, per person and code: it is valid for 90 seconds, and counts once.
USED_CODES = Limit("used code", 1, timedelta(minutes=2))
# Archives that cost the server something, per person.
CASE_FILES = Limit("case file", 20, HOUR)
EXPORTS = Limit("export", 3, HOUR)


def is_reached(limit: Limit, who: object, *, at: datetime) -> bool:
    """Whether it was done as often as it may be."""
    since = at - limit.within
    made = Attempt.objects.filter(key=_key(limit, who), made_at__gt=since)
    return made.count() >= limit.most


def note(limit: Limit, who: object, *, at: datetime) -> None:
    """It was done once more. What is too old to count for anything goes."""
    Attempt.objects.filter(made_at__lt=at - DAY).delete()
    Attempt.objects.create(key=_key(limit, who), made_at=at)


@transaction.atomic
def take(limit: Limit, who: object, *, at: datetime) -> bool:
    """Note it unless the limit is reached; whether it may be done. Two at once are counted one by one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [_key(limit, who)])
    if is_reached(limit, who, at=at):
        return False
    note(limit, who, at=at)
    return True


def forget(limit: Limit, who: object) -> None:
    """Begin to count anew: the person has shown otherwise who he is."""
    Attempt.objects.filter(key=_key(limit, who)).delete()


def _key(limit: Limit, who: object) -> str:
    words = f"{limit.name}: {str(who).strip().lower()}"
    return hashlib.blake2b(words.encode(), digest_size=32).hexdigest()
