"""The local run: what it refuses, what it cleans up, and one whole run from an empty folder to Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from escrow_site import local
from escrow_site.embedded.processes import command_line, locked, wait_until

CHECKOUT = Path(__file__).parents[2]
REPLACED = ("DATABASE_URL", "REDIS_URL", "ESCROW_TEST_DIR", "FILES_DIR", "CELERY_QUEUE")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(data: Path, *, port: object) -> subprocess.Popen[str]:
    """`make run` without make, on its own servers and not on those of the tests."""
    inherited = {name: value for name, value in os.environ.items() if name not in REPLACED}
    return subprocess.Popen(
        [sys.executable, "-m", "escrow_site.local", "run"],
        cwd=CHECKOUT,
        env={**inherited, "ESCROW_DATA_DIR": str(data), "PORT": str(port)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def what_it_says(data: Path, *, port: object) -> str:
    """The output of a run that is expected to refuse."""
    process = start(data, port=port)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in output
    return output


def test_a_taken_port(tmp_path: Path, taken_port: int) -> None:
    output = what_it_says(tmp_path, port=taken_port)

    assert f"Port {taken_port} is taken by another program" in output
    assert f"make run PORT={taken_port + 1}" in output


@pytest.mark.parametrize("port", ["eighty", "0", "65536"])
def test_a_port_that_is_none(tmp_path: Path, port: str) -> None:
    assert "PORT must be a number from 1 to 65535" in what_it_says(tmp_path, port=port)


def test_a_second_run_on_the_same_data(tmp_path: Path, free_port: int) -> None:
    (tmp_path / local.ADDRESS).write_text("http://localhost:8000")
    with locked(tmp_path / "run.lock"):
        output = what_it_says(tmp_path, port=free_port)

    assert "It is running already: http://localhost:8000" in output


def test_processes_of_a_killed_run_are_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    leftover = subprocess.Popen([sys.executable, "-c", "'escrow_site'; input()"], stdin=-1)
    # Between its start and its first instruction a process has no command line yet.
    assert wait_until(lambda: "escrow_site" in command_line(leftover.pid), timeout_seconds=10)
    (tmp_path / "worker.pid").write_text(f"{leftover.pid}\n")
    # The number of a process of somebody else's, that came after ours.
    (tmp_path / "web.pid").write_text(f"{os.getppid()}\n")

    local.end_leftovers(tmp_path)

    assert command_line(leftover.pid) == ""
    assert command_line(os.getppid()) != ""
    assert list(tmp_path.glob("*.pid")) == []
    assert "Ending the worker process" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, True),
        ({"ESCROW_LOCAL": "1", "DATABASE_URL": "postgres://db"}, True),
        ({"DATABASE_URL": "postgres://db"}, False),
        ({"ESCROW_LOCAL": "0"}, False),
    ],
)
def test_commands_work_on_the_local_database(variables: dict[str, str], expected: bool) -> None:
    assert local.is_wanted(variables) is expected


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGHUP])
def test_a_whole_run(tmp_path: Path, free_port: int, ending: signal.Signals) -> None:
    process = start(tmp_path, port=free_port)
    try:
        address = f"http://localhost:{free_port}"
        assert wait_until(lambda: answers(f"{address}/accounts/login/"), timeout_seconds=90)
        assert answers(f"{address}/local/mail/")
        process.send_signal(ending)
        output, _ = process.communicate(timeout=30)
    finally:
        # Not killed: when a line above has failed, it must still stop its servers.
        process.terminate()
        process.wait(30)

    assert process.returncode == 0
    assert "Demo people" in output
    assert f"is running:  {address}" in output
    assert "Stopped. Your data is kept in" in output
    assert processes_that_mention(str(tmp_path)) == []


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=10) as response:
            return response.status == 200
    except OSError:
        return False


def processes_that_mention(word: str) -> list[str]:
    listed = [path.name for path in Path("/proc").glob("[0-9]*")]
    commands = [command_line(int(process_id)) for process_id in listed]
    return [command for command in commands if word in command]
