"""Sweeps in processes of their own, which can be killed and can run at the same moment."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection

from billing.services import audit
from tests.mail_server import wait_until

MANAGE = settings.BASE_DIR / "manage.py"


def on_this_database() -> dict[str, str]:
    """The environment of a process that works on the database of this test."""
    database = settings.DATABASES["default"]["NAME"]
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl()
    return {**os.environ, "DATABASE_URL": url}


@contextmanager
def running_sweep(*, at: datetime) -> "Iterator[subprocess.Popen[str]]":
    """``manage.py sweep --at …`` in a process of its own, which does not outlive the test."""
    command = [sys.executable, str(MANAGE), "sweep", "--at", at.isoformat()]
    process = subprocess.Popen(
        command,
        env=on_this_database(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        kill(process)
        assert process.stdout is not None
        process.stdout.close()


def kill(process: "subprocess.Popen[str]") -> None:
    process.kill()
    process.wait()


def wait_until_idle() -> None:
    """What a killed process had under way the database gives up a moment later."""
    assert wait_until(lambda: activity_of_others("state <> 'idle'") == 0, timeout_seconds=20)


def finish(process: "subprocess.Popen[str]") -> str:
    """What the process says, once it has ended well."""
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def count_said(said: str, what: str) -> int:
    """How many of a thing a sweep says that it did: ``    1,234  release``."""
    found = [line.split("  ")[-2] for line in said.splitlines() if line.endswith(f"  {what}")]
    return int(found[0].replace(",", "")) if found else 0


def wait_for_lock_waiters(count: int) -> None:
    """Until so many other connections wait for a lock in this database."""
    waiting = "wait_event_type = 'Lock'"
    assert wait_until(lambda: activity_of_others(waiting) == count, timeout_seconds=60)


def activity_of_others(condition: str) -> int:
    """How many other connections to this database are like that at the moment."""
    with connection.cursor() as cursor:
        # A transaction would be shown the same all the time.
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND " + condition
        )
        return int(cursor.fetchone()[0])


def ledger_differences(*, at: datetime) -> list[str]:
    """Everything that the audit of the ledger finds."""
    return [one for finding in audit.audit_ledger(at=at) for one in finding.differences]
