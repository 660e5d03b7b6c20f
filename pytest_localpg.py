"""A pytest plugin: the embedded PostgreSQL and broker for the tests, unless DATABASE_URL and REDIS_URL name others.

Loaded by `-p pytest_localpg` in pyproject.toml: a conftest.py would come too late, as pytest-django reads the
settings before it. Under xdist the first process starts the servers and its workers inherit the variables.
"""

import atexit
import os
import shutil
import string
from contextlib import ExitStack
from pathlib import Path

import pytest

from escrow_site.embedded import services, valkey
from escrow_site.embedded.errors import CannotStart
from escrow_site.embedded.processes import locked
from escrow_site.environment import cache_url
from scripts.install_chromium import NOT_FOUND

TEST_RUNS = Path(__file__).parent / ".local" / "tests"
IN_USE = "in-use.lock"
started = ExitStack()


def start() -> None:
    """Starts the servers in a folder of this run, which goes with them."""
    folder = TEST_RUNS / str(os.getpid())
    remove_leftovers()
    # Not a hook: those are not called when the settings or a conftest.py can't be read.
    atexit.register(started.close)
    folder.mkdir(parents=True, exist_ok=True)
    started.callback(shutil.rmtree, folder, ignore_errors=True)
    started.enter_context(locked(folder / IN_USE, shared=True))
    os.environ.update(started.enter_context(services.running(folder, os.environ, durable=False)))
    os.environ["ESCROW_TEST_DIR"] = str(folder)


def remove_leftovers() -> None:
    """Ends the servers of test runs that were killed."""
    for folder in TEST_RUNS.glob("*"):
        with locked(folder / IN_USE, wait=False) as unused:
            pass
        if unused:
            services.stop_if_unused(folder)
            shutil.rmtree(folder, ignore_errors=True)


def set_up_worker() -> None:
    """What each xdist worker has for itself: files, mail, a cache to empty and a task queue."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    number = int("0" + worker.strip(string.ascii_letters))
    folder = Path(os.environ["ESCROW_TEST_DIR"]) / worker
    os.environ.update(
        ESCROW_LOCAL="1",
        ESCROW_DATA_DIR=str(folder),
        FILES_DIR=str(folder / "files"),
        CACHE_KEY_PREFIX=f"test-{worker}",
        CACHE_URL=cache_url(os.environ["REDIS_URL"], after=1 + number % (valkey.DATABASES - 1)),
        CELERY_QUEUE=f"test-{worker}",
        # Pages link to plain names: nothing has to be collected before a test.
        STATIC_MANIFEST="0",
        STATIC_ROOT=str(folder / "staticfiles"),
        # Playwright runs an event loop in the thread of the test.
        DJANGO_ALLOW_ASYNC_UNSAFE="1",
    )
    (folder / "staticfiles").mkdir(parents=True, exist_ok=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NOT_FOUND in str(report.longrepr) for report in skipped):
        terminalreporter.write_sep("!", "NO CHROMIUM: the tests in a browser did not run", red=True)


if "PYTEST_XDIST_WORKER" not in os.environ:
    try:
        start()
    except CannotStart as error:
        raise pytest.UsageError(str(error)) from error
set_up_worker()
