"""``make load``: people work on a site of their own while its worker is killed and its database restarted.

``make load ARGS="--people 10 --seconds 20 --no-restarts"``. Exits with an error when anybody got an answer that he
should not have got, or when anything was lost or done twice.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import django
from django.core.management import call_command
from django.db import connection

from load import site

# At which part of the time the worker is killed, and the database restarted.
WORKER_AT, DATABASE_AT = 0.3, 0.6
# Only failures are shown, and not all of a thousand alike.
SHOWN_AT_MOST = 20
STILL_SECONDS = 5

Away = tuple[float, float]


def main() -> None:
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="escrow-load-") as name:
        folder, port = Path(name), free_port()
        # PostgreSQL may run as somebody else, who has to get through.
        folder.chmod(0o711)
        os.environ["LOAD_FOLDER"] = name
        with site.surroundings(folder, port):
            django.setup()
            call_command("migrate", verbosity=0)
            print("Making people and Jobs ...", flush=True)
            cast = import_module("load.population").make(options.people)
            (folder / "cast.json").write_text(json.dumps(cast))
            with site.running(folder, port) as running:
                print(f"{options.people} people, {options.seconds} seconds ...", flush=True)
                away = work(running, options)
                failures = judge(running, options.seconds, away)
            if options.keep:
                keep(folder, Path(options.keep))
    sys.exit(failures)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument(
        "--no-restarts", action="store_true", help="leave the worker and the database alone"
    )
    parser.add_argument("--keep", metavar="FOLDER", help="copy what was logged into this folder")
    return parser.parse_args()


def work(running: site.Site, options: argparse.Namespace) -> Away | None:
    """Let people work for the time; meanwhile take parts of the site away."""
    command = [
        sys.executable,
        "-m",
        "locust",
        "-f",
        "load/people.py",
        "--headless",
        "--only-summary",
    ]
    command += ["--host", running.address, "--users", str(options.people)]
    command += ["--spawn-rate", "10", "--run-time", f"{options.seconds}s", "--stop-timeout", "20"]
    with (running.folder / "locust.log").open("wb") as log:
        began = time.monotonic()
        people = subprocess.Popen(command, stdout=log, stderr=log)
        away = None if options.no_restarts else take_away(running, began, options.seconds)
        people.wait(timeout=options.seconds + 60)
    time.sleep(STILL_SECONDS)  # what was handed to the worker is done by then
    return away


def take_away(running: site.Site, began: float, seconds: int) -> Away:
    """Kill the worker, later restart the database; from when to when that was away."""
    sleep_until(began + seconds * WORKER_AT)
    print("The worker is killed and started again.", flush=True)
    running.kill_worker()
    sleep_until(began + seconds * DATABASE_AT)
    print("The database is restarted.", flush=True)
    return running.restart_database()


def judge(running: site.Site, seconds: int, away: Away | None) -> int:
    """Print what it was like; whether anything went wrong, as the exit status."""
    connection.close()  # ours was cut by the restart as well
    verdict = import_module("load.verdict")
    requests = verdict.read(running.folder / "requests.jsonl")
    acts = verdict.read(running.folder / "acts.jsonl")
    status, metrics = running.get("/metrics")
    counted = verdict.requests_counted(metrics) if status == 200 else 0
    answered = sum(one["status"] > 0 for one in requests)
    failures = [
        *verdict.failed_answers(requests, away),
        *verdict.lost_and_doubled(acts),
        *verdict.differences_in_money(),
        *[f"{name} has ended" for name in running.processes if name not in running.alive()],
        *([] if counted >= answered > 0 else [f"{answered} answers, {counted} counted"]),
    ]
    done = [act["what"] for act in acts if act["state"] == "done"]
    kinds = ", ".join(f"{what} {done.count(what)}" for what in sorted(set(done)))
    sent_away = sum(verdict.was_away(one, away) for one in requests)
    print(f"\n{verdict.table(requests, seconds)}")
    print(f"{len(done)} acts confirmed ({kinds}), each found once")
    if away:
        print(
            f"database away for {away[1] - away[0]:.1f} s: {sent_away} times “try again in a moment”"
        )
    for failure in failures[:SHOWN_AT_MOST]:
        print(f"FAILED  {failure}")
    print(f"{len(failures)} failures" if failures else "Nothing failed, was lost or done twice.")
    return int(bool(failures))


def sleep_until(instant: float) -> None:
    time.sleep(max(0.0, instant - time.monotonic()))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def keep(folder: Path, where: Path) -> None:
    where.mkdir(parents=True, exist_ok=True)
    for pattern in ("*.log", "*.jsonl"):
        for file in folder.glob(pattern):
            (where / file.name).write_bytes(file.read_bytes())


if __name__ == "__main__":
    main()
