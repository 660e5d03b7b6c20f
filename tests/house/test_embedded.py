"""The embedded servers mend what an interruption, a crash or a killed run left behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import redis

from escrow_site.embedded import postgresql, services, valkey
from escrow_site.embedded.errors import CannotStart
from escrow_site.embedded.processes import command_line, end_process, named_process, wait_until

NOTHING_NAMED: dict[str, str] = {}


def write_row(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        connection.execute("INSERT INTO kept VALUES (7)")


def read_row(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT id FROM kept").fetchone()
    assert row is not None
    return row[0]


def test_data_survives_a_stop(tmp_path: Path) -> None:
    with services.running(tmp_path, NOTHING_NAMED) as first:
        write_row(first["DATABASE_URL"])
        redis.Redis.from_url(first["REDIS_URL"]).rpush("queue", "task")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first["DATABASE_URL"])

    with services.running(tmp_path, NOTHING_NAMED) as second:
        assert read_row(second["DATABASE_URL"]) == 7
        assert redis.Redis.from_url(second["REDIS_URL"]).lrange("queue", 0, -1) == [b"task"]


def test_what_the_environment_names_is_not_started(tmp_path: Path) -> None:
    named = {"DATABASE_URL": "postgres://db.example.com/escrow", "REDIS_URL": "redis://b"}
    with services.running(tmp_path, named) as started:
        assert started == {}
        assert list(tmp_path.iterdir()) == []


def test_an_interrupted_initdb_is_done_again(tmp_path: Path) -> None:
    unfinished = tmp_path / "postgresql.unfinished"
    (unfinished / "base").mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")

    with services.running(tmp_path, NOTHING_NAMED) as started:
        write_row(started["DATABASE_URL"])

    assert not unfinished.exists()


def test_a_folder_that_is_no_database_is_kept_aside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "postgresql").mkdir()
    (tmp_path / "postgresql" / "notes.txt").write_text("mine")

    with services.running(tmp_path, NOTHING_NAMED) as started:
        write_row(started["DATABASE_URL"])

    (kept,) = tmp_path.glob("postgresql.set-aside-*")
    assert (kept / "notes.txt").read_text() == "mine"
    assert "is kept as" in capsys.readouterr().out


def test_a_database_of_another_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgresql" / "global").mkdir(parents=True)
    (tmp_path / "postgresql" / "global" / "pg_control").touch()
    (tmp_path / "postgresql" / "PG_VERSION").write_text("17\n")

    with (
        pytest.raises(CannotStart, match="made by PostgreSQL 17"),
        services.running(tmp_path, NOTHING_NAMED),
    ):
        pass


def test_a_crash_of_both_servers_loses_nothing(tmp_path: Path) -> None:
    with services.running(tmp_path, NOTHING_NAMED) as first:
        write_row(first["DATABASE_URL"])
        kill(postgresql.running_process(tmp_path / "postgresql"))
        kill(named_process(valkey.pid_file(tmp_path / "valkey"), word="valkey"))

    with services.running(tmp_path, NOTHING_NAMED) as second:
        assert read_row(second["DATABASE_URL"]) == 7


def test_the_number_of_a_dead_server_in_use_by_another_process(tmp_path: Path) -> None:
    with services.running(tmp_path, NOTHING_NAMED) as first:
        write_row(first["DATABASE_URL"])
    (tmp_path / "postgresql" / "postmaster.pid").write_text(f"{os.getpid()}\n/nowhere\n")

    with services.running(tmp_path, NOTHING_NAMED) as second:
        assert read_row(second["DATABASE_URL"]) == 7


def test_the_servers_of_a_killed_run_are_adopted(tmp_path: Path) -> None:
    killed = another_user(tmp_path)
    killed.kill()
    killed.wait()
    left_behind = postgresql.running_process(tmp_path / "postgresql")
    assert left_behind is not None

    with services.running(tmp_path, NOTHING_NAMED) as started:
        assert postgresql.running_process(tmp_path / "postgresql") == left_behind
        assert redis.Redis.from_url(started["REDIS_URL"]).ping() is True

    assert postgresql.running_process(tmp_path / "postgresql") is None
    assert command_line(left_behind) == ""


def test_the_last_user_stops_the_servers(tmp_path: Path) -> None:
    other = another_user(tmp_path)
    with services.running(tmp_path, NOTHING_NAMED) as started:
        pass
    with psycopg.connect(started["DATABASE_URL"]):
        pass

    other.communicate("\n", timeout=30)

    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(started["DATABASE_URL"])


def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with (
        pytest.raises(CannotStart, match="can't be written"),
        services.running(tmp_path / "file" / "data", NOTHING_NAMED),
    ):
        pass


def test_a_process_that_ignores_its_signal_is_killed() -> None:
    stubborn = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert stubborn.stdout is not None
    stubborn.stdout.readline()

    end_process(stubborn.pid, with_signal=signal.SIGTERM, timeout_seconds=0.2)

    assert command_line(stubborn.pid) == ""


def another_user(data: Path) -> subprocess.Popen[str]:
    """Another process that works on the same folder until it gets a line, or is killed."""
    program = (
        "import pathlib, sys\n"
        "from escrow_site.embedded import services\n"
        "with services.running(pathlib.Path(sys.argv[1]), {}):\n"
        "    print('ready', flush=True)\n"
        "    sys.stdin.readline()\n"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", program, str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "ready\n"
    return user


def kill(process_id: int | None) -> None:
    assert process_id is not None
    os.kill(process_id, signal.SIGKILL)
    assert wait_until(lambda: not command_line(process_id), timeout_seconds=10)
