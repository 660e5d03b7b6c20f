"""Both servers together, shared by everything that works on one data folder.

`make run`, a `manage.py` command beside it and a test run all enter `running()`. The first to come starts what
is missing, the others use it, the last to go stops it. A run that was killed leaves servers behind; the next
one adopts them.
"""

import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from escrow_site.embedded import postgresql, valkey
from escrow_site.embedded.errors import CannotStart
from escrow_site.embedded.processes import locked

STARTING = "starting.lock"
USERS = "users.lock"
SOCKETS = "sockets"


@contextmanager
def running(
    data: Path, environment: Mapping[str, str], *, durable: bool = True
) -> Iterator[dict[str, str]]:
    """Yields the variables that name the servers. What `environment` names already is not started."""
    own = {name for name in ("DATABASE_URL", "REDIS_URL") if not environment.get(name)}
    if not own:
        yield {}
        return
    make_folder(data)
    with ExitStack() as stack:
        stack.enter_context(locked(data / USERS, shared=True))
        try:
            with locked(data / STARTING):
                started = start(data, own, durable=durable)
            yield started
        finally:
            with locked(data / STARTING):
                stack.close()
                stop_if_unused(data)


def make_folder(data: Path) -> None:
    try:
        if not data.exists():
            data.mkdir(parents=True)
            # No one else may look around in it, but the user nobody may have to pass through.
            data.chmod(0o711)
        (data / STARTING).touch()
    except OSError as error:
        raise CannotStart(
            f"The data folder {data} can't be written: {error.strerror}.\n"
            "Mend its rights, or choose another: ESCROW_DATA_DIR=/some/folder"
        ) from error


def start(data: Path, own: set[str], *, durable: bool) -> dict[str, str]:
    variables = {}
    if "DATABASE_URL" in own:
        database = data / "postgresql"
        sockets = postgresql.running_sockets(database)
        if sockets is None:
            sockets = socket_folder(data)
            postgresql.start(database, sockets=sockets, durable=durable)
        variables["DATABASE_URL"] = postgresql.url(sockets)
    if "REDIS_URL" in own:
        sockets = socket_folder(data)
        if not valkey.answers(sockets):
            valkey.start(data / "valkey", sockets=sockets, durable=durable)
        variables["REDIS_URL"] = valkey.url(sockets)
    return variables


def socket_folder(data: Path) -> Path:
    """A short private folder, as paths of sockets may have 103 letters at most; its name is kept in `data`."""
    note = data / SOCKETS
    if note.exists() and is_private(Path(note.read_text())):
        return Path(note.read_text())
    made = Path(tempfile.mkdtemp(prefix="escrow-"))
    note.write_text(str(made))
    return made


def is_private(folder: Path) -> bool:
    """Whether the folder is still ours: after a restart somebody else may have made one of that name."""
    if folder.is_symlink() or not folder.is_dir():
        return False
    found = folder.stat()
    ours = {os.geteuid(), pwd.getpwnam("nobody").pw_uid} if os.geteuid() == 0 else {os.geteuid()}
    return found.st_uid in ours and stat.S_IMODE(found.st_mode) == 0o700


def stop_if_unused(data: Path) -> None:
    """Ends both servers, unless somebody else is using them."""
    with locked(data / USERS, wait=False) as nobody_else:
        if not nobody_else:
            return
        postgresql.stop(data / "postgresql")
        valkey.stop(data / "valkey")
        note = data / SOCKETS
        if note.exists():
            shutil.rmtree(note.read_text(), ignore_errors=True)
            note.unlink()
