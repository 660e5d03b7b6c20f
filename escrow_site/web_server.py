"""What the web server does by itself; `gunicorn --config python:escrow_site.web_server`.

It logs as the application does: its own way would quote addresses and the words of errors. Its workers count requests
into files that they share (`escrow_site.metrics`). What is longer than its limits never reaches Django.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from escrow_site import logs
from escrow_site.environment import TRUE_WORDS

COUNTS = "PROMETHEUS_MULTIPROC_DIR"

# Our longest address is a sign-in that leads on to a page with filters; browsers and proxies send some thirty headers.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# The settings are not read yet: they are the workers' own, and may refuse to start.
is_local = os.environ.get("ESCROW_LOCAL", "").lower() in TRUE_WORDS
logconfig_dict = logs.configure(
    level=os.environ.get("LOG_LEVEL") or "INFO",
    as_json=not is_local or os.environ.get("LOG_FORMAT") == "json",
)


def on_starting(server: Any) -> None:
    """A folder of our own for the counts, as those of an earlier run would be added to them."""
    server.counts = tempfile.mkdtemp(prefix="counts-", dir=os.environ.get(COUNTS))
    os.environ[COUNTS] = server.counts


def on_exit(server: Any) -> None:
    shutil.rmtree(Path(server.counts), ignore_errors=True)
