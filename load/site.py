"""A site in a throw-away folder: database, broker, web server, worker and beat, each of which can be taken away."""

import os
import secrets
import signal
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from escrow_site import local
from escrow_site.embedded import postgresql, services

READY_SECONDS = 60
TOKEN = secrets.token_urlsafe(24)
# Between the worker's end and its return; between the database's.
AWAY_SECONDS = 2


@dataclass
class Site:
    """The running parts, by name; every one is the leader of a group of processes."""

    folder: Path
    port: int
    processes: "dict[str, subprocess.Popen[bytes]]" = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self, name: str) -> None:
        command = local.commands(self.folder, self.port)[name]
        log = (self.folder / f"{name}.log").open("ab")
        self.processes[name] = subprocess.Popen(
            command, cwd=local.CHECKOUT, stdout=log, stderr=log, start_new_session=True
        )

    def kill(self, name: str) -> None:
        """As a machine that loses its power: nobody is told."""
        process = self.processes.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        (self.folder / f"{name}.pid").unlink(missing_ok=True)

    def kill_worker(self) -> None:
        self.kill("worker")
        time.sleep(AWAY_SECONDS)
        self.start("worker")

    def restart_database(self) -> tuple[float, float]:
        """From when to when the database was away."""
        data = self.folder / "postgresql"
        sockets = postgresql.running_sockets(data)
        assert sockets is not None
        began = time.time()
        postgresql.stop(data)
        time.sleep(AWAY_SECONDS)
        postgresql.start(data, sockets=sockets, durable=True)
        return began, time.time()

    def get(self, path: str) -> tuple[int, bytes]:
        asked = urllib.request.Request(
            self.address + path, headers={"Authorization": f"Bearer {TOKEN}"}
        )
        try:
            with urllib.request.urlopen(asked, timeout=10) as answer:
                return answer.status, answer.read()
        except OSError:
            return 0, b""

    def wait(self) -> None:
        ends_at = time.monotonic() + READY_SECONDS
        while self.get("/readyz")[0] != 200:
            for name, process in self.processes.items():
                log = self.folder / f"{name}.log"
                assert process.poll() is None, f"{name} ended: {log.read_text()[-2000:]}"
            assert time.monotonic() < ends_at, "the site does not become ready"
            time.sleep(0.2)

    def alive(self) -> list[str]:
        return [name for name, process in self.processes.items() if process.poll() is None]

    def stop(self) -> None:
        for process in self.processes.values():
            process.terminate()
        for name, process in list(self.processes.items()):
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.kill(name)


@contextmanager
def surroundings(folder: Path, port: int) -> Iterator[None]:
    """Database and broker in the folder, and the variables by which everything finds them."""
    for name in ("DATABASE_URL", "REDIS_URL", "CACHE_URL", "EMAIL_URL"):
        os.environ.pop(name, None)
    os.environ.update(
        ESCROW_LOCAL="1",
        ESCROW_DATA_DIR=str(folder),
        SITE_URL=f"http://127.0.0.1:{port}",
        DJANGO_SETTINGS_MODULE="load.settings",
        STATIC_MANIFEST="0",
        LOG_FORMAT="json",
        METRICS_TOKEN=TOKEN,
        # Everybody calls from an address of his own, as the limits on signing in go by address.
        TRUSTED_PROXY_COUNT="1",
    )
    with services.running(folder, os.environ, durable=True) as variables:
        os.environ.update(variables)
        yield


@contextmanager
def running(folder: Path, port: int) -> Iterator[Site]:
    """Web server, worker and beat; all have ended afterwards."""
    site = Site(folder, port)
    try:
        for name in local.PROCESSES:
            site.start(name)
        site.wait()
        yield site
    finally:
        site.stop()
