"""The web server as `make run` and the image start it: several workers, whose counts and lines are one."""

import json
import subprocess
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from prometheus_client.parser import text_string_to_metric_families

from escrow_site import local
from tests.billing.sweepers import on_this_database
from tests.mail_server import free_port, read, wait_until

TOKEN = "a-token-of-twenty-letters"
LOOKS = 12


class Server(NamedTuple):
    port: int
    log: Path

    def get(self, path: str) -> str:
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            text: str = answer.read().decode()
            return text

    def answers(self) -> bool:
        try:
            return self.get("/healthz") == "ok\n"
        except OSError:
            return False


@pytest.fixture
def server(transactional_db: None, tmp_path: Path) -> Iterator[Server]:
    port = free_port()
    command = local.commands(tmp_path, port)["web"]
    environment = on_this_database() | {"METRICS_TOKEN": TOKEN, "LOG_FORMAT": "json"}
    with tempfile.NamedTemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        try:
            running = Server(port, Path(said.name))
            assert wait_until(running.answers, timeout_seconds=30), read(said)  # type: ignore[arg-type]
            yield running
        finally:
            process.terminate()
            process.wait(timeout=30)


def test_the_workers_count_together_and_log_alike(server: Server) -> None:
    for _ in range(LOOKS):
        assert "Rules" in server.get("/rules/?q=nora@example.com")
    assert counted(server.get("/metrics"), view="workroom:rules") == LOOKS
    lines = [json.loads(line) for line in server.log.read_text().splitlines()]
    loggers = Counter(line["logger"] for line in lines)
    assert loggers["escrow_site.request_log"] == LOOKS
    assert loggers["gunicorn.error"] >= 3
    assert "nora" not in server.log.read_text()


def counted(metrics: str, *, view: str) -> int:
    """How many requests for this view all workers have counted."""
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.name == "escrow_request_seconds_count" and sample.labels["view"] == view
    )
