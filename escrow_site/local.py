"""The local run: `python -m escrow_site.local run` is what `make run` calls.

Starts the embedded servers, prepares the database, then runs web, worker and beat in one terminal until Ctrl-C
stops all of them. `surroundings()` gives a `manage.py` command the same servers and variables.
"""

import errno
import multiprocessing
import os
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from honcho.manager import Manager
from honcho.printer import Message, Printer

from escrow_site.embedded import services
from escrow_site.embedded.errors import CannotStart
from escrow_site.embedded.processes import end_process, locked, named_process

CHECKOUT = Path(__file__).resolve().parent.parent
PROCESSES = ("web", "worker", "beat")
ADDRESS = "address"
BANNER = """
  {name} is running:  {address}

  Sign in     as one of the demo people listed above, or sign up
  Mail        {address}/local/mail/  (nothing leaves this machine)
  Codes       {address}/local/codes/  (second factor of the demo's support agents)
  Your data   {data}
  Stop        Ctrl-C
"""


def is_wanted(environment: Mapping[str, str]) -> bool:
    """Whether a command is meant for this machine's own database."""
    asked = environment.get("ESCROW_LOCAL")
    return asked == "1" or (asked is None and "DATABASE_URL" not in environment)


def data_folder() -> Path:
    return Path(os.environ.get("ESCROW_DATA_DIR") or CHECKOUT / ".local").absolute()


@contextmanager
def surroundings() -> Iterator[None]:
    """Local mode, with the embedded servers for whatever the environment doesn't name."""
    os.umask(0o077)
    os.environ["ESCROW_LOCAL"] = "1"
    os.environ["ESCROW_DATA_DIR"] = str(data_folder())
    with services.running(data_folder(), os.environ) as variables:
        os.environ.update(variables)
        yield


def run() -> None:
    """Everything, until a signal or the end of one part; every part has ended when this returns."""
    stop_gently()
    port = chosen_port()
    data = data_folder()
    services.make_folder(data)
    with locked(data / "run.lock", wait=False) as alone:
        if not alone:
            raise CannotStart(f"It is running already: {known_address(data)}\nStop that one first.")
        end_leftovers(data)
        refuse_taken_port(port)
        os.environ.setdefault("SITE_URL", f"http://localhost:{port}")
        (data / ADDRESS).write_text(os.environ["SITE_URL"])
        with surroundings():
            prepare()
            supervise(data, port)
    print(f"Stopped. Your data is kept in {data}", flush=True)


def stop_gently() -> None:
    """A closed terminal and a plain `kill` end the run as Ctrl-C does."""

    def ask_to_terminate(signal_number: int, frame: FrameType | None) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGHUP, ask_to_terminate)


def chosen_port() -> int:
    word = os.environ.get("PORT") or "8000"
    if not word.isdecimal() or not 0 < int(word) < 65536:
        raise CannotStart(f"PORT must be a number from 1 to 65535, not {word!r}.")
    return int(word)


def refuse_taken_port(port: int) -> None:
    with socket.socket() as probe:
        # As the web server does: a port that is only cooling down after the last run is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            taken = error.errno == errno.EADDRINUSE
            reason = "is taken by another program" if taken else error.strerror
            raise CannotStart(
                f"Port {port} {reason}. Choose another one, for instance: make run PORT={port + 1}"
            ) from error


def end_leftovers(data: Path) -> None:
    """Ends what a killed run left behind; it would hold the port and do every task a second time."""
    for name in PROCESSES:
        pid_file = data / f"{name}.pid"
        process_id = named_process(pid_file, word="escrow_site")
        if process_id is not None:
            print(f"Ending the {name} process that an earlier run left behind.")
            end_process(process_id, with_signal=signal.SIGTERM, timeout_seconds=10)
        pid_file.unlink(missing_ok=True)


def known_address(data: Path) -> str:
    note = data / ADDRESS
    return note.read_text() if note.exists() else ""


def prepare() -> None:
    """In a process of its own: this one stays small, and forks no threads of a connection pool."""
    command = [sys.executable, "-m", "escrow_site.prepare"]
    prepared = subprocess.run(command, cwd=CHECKOUT, check=False)
    if prepared.returncode:
        raise CannotStart("The database could not be prepared; what went wrong stands above.")


def supervise(data: Path, port: int) -> None:
    # Fork on every system: the watchers must inherit how we treat signals.
    multiprocessing.set_start_method("fork", force=True)
    manager = Manager(CalmPrinter(banner(data)))
    for name, command in commands(data, port).items():
        # `exec`: a signal must reach the program and not the shell in front of it.
        manager.add_process(name, f"exec {shlex.join(command)}", cwd=str(CHECKOUT))
    manager.loop()
    asked_to_stop = manager.returncode in (130, 143)
    if not asked_to_stop:
        raise CannotStart(
            "One of the processes ended by itself, so all were stopped; the reason stands above."
        )


def commands(data: Path, port: int) -> dict[str, list[str]]:
    python = [sys.executable, "-m"]
    celery = [*python, "celery", "-A", "escrow_site", "--quiet"]
    quick_start = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    return {
        "web": [
            *[*python, "gunicorn", "escrow_site.wsgi", "--pid", str(data / "web.pid")],
            *["--config", "python:escrow_site.web_server"],
            *["--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"],
            "--no-control-socket",
        ],
        "worker": [
            *[*celery, "worker", "--pidfile", str(data / "worker.pid"), "--concurrency", "2"],
            *quick_start,
        ],
        "beat": [*celery, "beat", "--pidfile", str(data / "beat.pid")],
    }


def banner(data: Path) -> str:
    return BANNER.format(
        name=os.environ.get("SITE_NAME", "Escrow Workroom"),
        address=os.environ["SITE_URL"],
        data=data,
    )


class CalmPrinter(Printer):
    """Shows what the processes say, without the supervisor's own remarks, and the banner once pages can be had."""

    def __init__(self, text: str) -> None:
        # The lines of the log bear their own time.
        super().__init__(sys.stdout, time_format="")
        self.banner: str | None = text

    def write(self, message: Message) -> None:
        if message.name == "system":
            return
        try:
            super().write(message)
            if self.banner and message.name == "web" and b"Booting worker" in message.data:
                print(self.banner, flush=True)
                self.banner = None
        except OSError:
            # The terminal was closed. The processes must still be stopped in order.
            pass


def main() -> None:
    if sys.argv[1:] != ["run"]:
        sys.exit("Usage: python -m escrow_site.local run")
    try:
        run()
    except CannotStart as error:
        sys.exit(f"\n{error}\n")
    except KeyboardInterrupt:
        print("Stopped.")


if __name__ == "__main__":
    main()
