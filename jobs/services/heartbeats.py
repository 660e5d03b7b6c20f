"""Saying that a recurring job was done. What follows from a long silence is decided by who reads it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from escrow_site.lib import statements
from escrow_site.lib.timing import real_now

# Two runs may end at the same time: each counts, and the later one is the last.
BEAT = """
INSERT INTO jobs_heartbeat AS beat (name, last_at, last_seconds, runs, seconds_total, facts)
VALUES (%(name)s, %(ended_at)s, %(seconds)s, 1, %(seconds)s, %(facts)s::jsonb)
ON CONFLICT (name) DO UPDATE
   SET last_at = greatest(beat.last_at, excluded.last_at),
       last_seconds = excluded.last_seconds,
       runs = beat.runs + 1,
       seconds_total = beat.seconds_total + excluded.last_seconds,
       facts = excluded.facts
"""


def beat(name: str, *, started_at: datetime, ended_at: datetime, **facts: Any) -> None:
    """Note a successful run, in real time; one statement, outside the job's own transactions."""
    seconds = max((ended_at - started_at).total_seconds(), 0.0)
    said = json.dumps(facts)
    statements.run(BEAT, {"name": name, "ended_at": ended_at, "seconds": seconds, "facts": said})


@contextmanager
def beating(name: str) -> Iterator[dict[str, Any]]:
    """Note a run if it succeeds, with the facts that it has put down; one that raises notes nothing."""
    facts: dict[str, Any] = {}
    started_at = real_now()
    yield facts
    beat(name, started_at=started_at, ended_at=real_now(), **facts)
