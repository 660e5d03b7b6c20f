"""Small questions about processes, locks and logs that the embedded servers and the local run ask."""

import fcntl
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def named_process(pid_file: Path, *, word: str) -> int | None:
    """The process of a pid file, if it lives and its command holds the word.

    The number alone proves nothing: after a crash or in a new container another process may bear it.
    """
    try:
        process_id = int(pid_file.read_text().split()[0])
    except (FileNotFoundError, IndexError, ValueError):
        return None
    return process_id if word in command_line(process_id) else None


def command_line(process_id: int) -> str:
    """Empty when there is no such process."""
    if Path("/proc/self").exists():
        try:
            return (
                Path(f"/proc/{process_id}/cmdline").read_text(errors="replace").replace("\0", " ")
            )
        except OSError:
            return ""
    listed = subprocess.run(
        ["ps", "-o", "command=", "-p", str(process_id)], capture_output=True, text=True, check=False
    )
    return listed.stdout


def end_process(process_id: int, *, with_signal: signal.Signals, timeout_seconds: float) -> None:
    """Signals the process and waits for its end; after the time-out it is killed."""
    try:
        os.kill(process_id, with_signal)
        if not wait_until(lambda: has_ended(process_id), timeout_seconds=timeout_seconds):
            os.kill(process_id, signal.SIGKILL)
            wait_until(lambda: has_ended(process_id), timeout_seconds=5)
    except ProcessLookupError:
        pass


def has_ended(process_id: int) -> bool:
    try:
        # A child of ours stays in the table until it is waited for.
        if os.waitpid(process_id, os.WNOHANG)[0]:
            return True
    except ChildProcessError:
        pass
    return not command_line(process_id)


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
    """Whether the condition came true in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Holds a lock on the file; yields False when it is taken and `wait` is false.

    These are the record locks of POSIX: they end with the process, however it ends, and children that a fork
    leaves behind don't keep them.
    """
    with path.open("a+") as file:
        kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
        try:
            fcntl.lockf(file, kind | (0 if wait else fcntl.LOCK_NB))
        except OSError:
            yield False
            return
        yield True


def last_lines(path: Path, *, count: int = 15) -> str:
    """The end of a log, for a message."""
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return "\n".join(f"    {line}" for line in lines[-count:])
