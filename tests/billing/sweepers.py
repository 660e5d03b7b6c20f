"""Sweeps in processes of their own, which can be killed and can run at the same moment."""

import os
import subprocess
import sys
import time
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


def start_sweep(*, at: datetime) -> "subprocess.Popen[str]":
    """``manage.py sweep --at …``, running."""
    command = [sys.executable, str(MANAGE), "sweep", "--at", at.isoformat()]
    return subprocess.Popen(
        command,
        env=on_this_database(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> str:
    """What the process says, once it has ended well."""
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    return said


def count_said(said: str, what: str) -> int:
    """How many of a thing a sweep says that it did: ``    1,234  release``."""
    found = [line.split("  ")[-2] for line in said.splitlines() if line.endswith(f"  {what}")]
    return int(found[0].replace(",", "")) if found else 0


def wait_for_lock_waiters(count: int) -> None:
    """Until so many other processes wait for a lock in this database."""
    assert wait_until(lambda: lock_waiters() == count, timeout_seconds=60)


def lock_waiters() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


def ledger_differences() -> list[str]:
    """Everything that the audit of the ledger finds."""
    return [one for finding in audit.audit_ledger() for one in finding.differences]


def settle_down() -> None:
    """What a killed process had under way is given up by the database a moment later."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND state <> 'idle' AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )

    def nobody_is_busy() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(query)
            return bool(cursor.fetchone()[0] == 0)

    assert wait_until(nobody_is_busy, timeout_seconds=20)
    time.sleep(0.1)
