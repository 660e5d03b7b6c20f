"""Doing a thing many times, in one process or in several, and in pgbench."""

import multiprocessing
import os
import re
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import django
from django.utils.module_loading import import_string

from escrow_site.embedded import postgresql


def _client(
    work_name: str, items: Sequence[Any], warm_up: int, start: Any, seconds: Any, place: int
) -> None:
    django.setup()
    work = import_string(work_name)
    for item in items[:warm_up]:
        work(item)
    start.wait()
    began = time.perf_counter()
    for item in items[warm_up:]:
        work(item)
    seconds[place] = time.perf_counter() - began


def per_second(work: str, items: Sequence[Any], *, clients: int, warm_up: int = 20) -> float:
    """How many a second (``work`` is a dotted name), each in its own transaction, by processes that begin together."""
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(clients)
    seconds = context.Array("d", clients)
    shares = [items[place::clients] for place in range(clients)]
    processes = [
        context.Process(target=_client, args=(work, share, warm_up, start, seconds, place))
        for place, share in enumerate(shares)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
        assert process.exitcode == 0, "a client of the benchmark failed"
    return sum(len(share) - warm_up for share in shares) / max(seconds)


def floor_per_second(script: Path, *, clients: int, times: int) -> float:
    """The same durable work as one prepared statement, sent by a C client."""
    url = urlsplit(os.environ["DATABASE_URL"])
    done = subprocess.run(
        [
            postgresql.binary("pgbench"), "-n", "-M", "prepared", "-f", str(script),
            "-c", str(clients), "-j", str(clients), "-t", str(times // clients),
            "-h", unquote(url.hostname or url.netloc.split("@")[-1]), "-U", url.username or "postgres",
            url.path.lstrip("/"),
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    found = re.search(r"tps = ([\d.]+) \(without", done.stdout)
    assert found and "failed transactions: 0" in done.stdout, done.stderr
    return float(found.group(1))
