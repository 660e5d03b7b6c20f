"""The files of a server are right as far as that can be told without an engine to build and run them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from compose_spec import PyCompose, PyOptions
from django.conf import settings

from escrow_site.embedded import postgresql, services
from escrow_site.local import commands

CHECKOUT = Path(__file__).parents[2]
OURS = ("release", "web", "worker", "beat")


@pytest.fixture(scope="module")
def compose() -> PyCompose:
    """The file after what `docker compose` does first: putting in the variables."""
    text = (CHECKOUT / "docker-compose.yml").read_text()
    with_defaults = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    complete = re.sub(r"\$\{\w+:\?[^}]*\}", "secret", with_defaults)
    return PyOptions(apply_merge=True).from_yaml(complete)


def test_compose_file_is_valid(compose: PyCompose) -> None:
    compose.validate()

    assert set(compose.service_names()) == {
        "postgres",
        "redis",
        "release",
        "web",
        "worker",
        "beat",
    }


def test_compose_variables_are_in_the_example() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text()
    example = (CHECKOUT / ".env.example").read_text()

    for name in set(re.findall(r"\$\{(\w+):\?", text)):
        assert f"\n{name}=" in example


def test_dockerfile_pleases_its_linter() -> None:
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert linter is not None

    linted = subprocess.run(
        [linter, str(CHECKOUT / "Dockerfile")], capture_output=True, text=True, check=False
    )

    assert (linted.returncode, linted.stdout) == (0, "")


# --- What the containers may ---


def test_every_container_is_locked_up(compose: PyCompose) -> None:
    """It writes to its volumes and to memory alone, gains no rights, and has none that it does not need."""
    for name, service in services_of(compose).items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["pids_limit"] > 0, name
        assert "privileged" not in service, name
    for name in OURS:
        assert "cap_add" not in services_of(compose)[name]
        assert "noexec" in services_of(compose)[name]["tmpfs"][0]


def test_what_runs_knows_no_password_of_the_owner(compose: PyCompose) -> None:
    """`.env` is handed to all of ours; whoever gets into a process of the service reads what it was handed."""
    given = {name: services_of(compose)[name].get("environment", {}) for name in OURS}
    assert "secret" in given.pop("release")["DATABASE_URL"]
    for name, variables in given.items():
        assert variables == {"OWNER_PASSWORD": "", "SERVICE_PASSWORD": ""}, name


def test_only_the_web_port_is_published_and_only_to_this_machine(compose: PyCompose) -> None:
    published = {
        name: service["ports"]
        for name, service in services_of(compose).items()
        if "ports" in service
    }
    assert published == {"web": ["127.0.0.1:8000:8000"]}


def test_database_and_broker_reach_nobody_outside(compose: PyCompose) -> None:
    assert compose.to_dict()["networks"]["inside"] == {"internal": True}
    for name in ("postgres", "redis", "release"):
        assert services_of(compose)[name]["networks"] == ["inside"]


def test_the_image_runs_as_nobody() -> None:
    """The last USER is a number, so that an engine can see that it is not root."""
    lines = (CHECKOUT / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("USER")] == ["USER 10001:10001"]
    assert "--require-hashes" in " ".join(lines)


def test_the_web_server_has_limits_of_ours() -> None:
    """In the image and on one's own machine."""
    config = "python:escrow_site.web_server"
    checked = subprocess.run(
        [sys.executable, "-m", "gunicorn", "--config", config, "--print-config", "nothing:here"],
        cwd=CHECKOUT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    printed = dict(re.findall(r"^(limit_\w+)\s+= (\d+)$", checked.stdout, re.MULTILINE))
    assert printed == {
        "limit_request_line": "4094",
        "limit_request_fields": "64",
        "limit_request_field_size": "8190",
    }
    assert config in (CHECKOUT / "Dockerfile").read_text()
    assert config in commands(CHECKOUT, 8000)["web"]


def services_of(compose: PyCompose) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose.to_dict()["services"]
    return found


# --- What the database allows the service ---


@pytest.fixture(scope="module")
def database_of_a_server(
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,
    django_db_blocker: Any,
) -> Iterator[str]:
    """The tables of this product, in a database that deploy/database-roles.sh was run on."""
    folder = tmp_path_factory.mktemp("server")
    with services.running(folder, {"REDIS_URL": "not needed"}, durable=False) as variables:
        owner = variables["DATABASE_URL"]
        make_roles(owner)
        with psycopg.connect(owner) as database:
            database.execute(schema_of_the_product())
        make_roles(owner)  # again, over the tables
        yield owner


def make_roles(owner: str) -> None:
    host = psycopg.conninfo.conninfo_to_dict(owner)["host"]
    script = subprocess.run(
        ["sh", str(CHECKOUT / "deploy" / "database-roles.sh")],
        env={
            "PATH": f"{Path(postgresql.binary('psql')).parent}:{os.environ['PATH']}",
            "PGHOST": str(host),
            "POSTGRES_USER": "postgres",
            "POSTGRES_DB": postgresql.DATABASE,
            "SERVICE_PASSWORD": "it's a secret",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert script.returncode == 0, script.stderr


def schema_of_the_product() -> Any:
    """What `migrate` made for these tests: tables, guards, functions."""
    database = settings.DATABASES["default"]
    dumped = subprocess.run(
        [
            *[postgresql.binary("pg_dump"), "--schema-only", "--no-owner", "--no-privileges"],
            *["--host", database["HOST"], "--username", database["USER"], database["NAME"]],
        ],
        capture_output=True,
        text=True,
        check=True,
        env={"PGPASSWORD": database["PASSWORD"], "PATH": os.environ["PATH"]},
    )
    # Without the lines for psql alone.
    return "\n".join(line for line in dumped.stdout.splitlines() if not line.startswith("\\"))


@pytest.mark.parametrize(
    "forbidden",
    [
        "TRUNCATE billing_transfer",
        "TRUNCATE billing_account CASCADE",
        "DROP TABLE billing_transfer",
        "ALTER TABLE billing_transfer DISABLE TRIGGER ALL",
        "ALTER TABLE billing_account DROP CONSTRAINT billing_account_pkey",
        "ALTER TABLE billing_account ADD COLUMN more integer",
        "DROP SCHEMA public CASCADE",
        "CREATE TABLE public.another (id integer)",
        "CREATE TEMPORARY TABLE billing_account (id integer)",
        "CREATE SCHEMA elsewhere",
        "CREATE FUNCTION public.harmless() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE TRIGGER mine BEFORE UPDATE ON billing_transfer FOR EACH ROW "
        "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "SET session_replication_role = replica",
        "CREATE ROLE helper",
        "ALTER ROLE escrow_service SUPERUSER",
        "COPY billing_transfer TO PROGRAM 'cat'",
        "SELECT pg_read_file('/etc/hostname')",
    ],
)
def test_the_service_owns_nothing(database_of_a_server: str, forbidden: str) -> None:
    with (
        psycopg.connect(database_of_a_server, user="escrow_service", autocommit=True) as service,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        service.execute(forbidden)


def test_no_guard_can_be_dropped_by_the_service(database_of_a_server: str) -> None:
    """Each trigger that there is, by its name."""
    with psycopg.connect(database_of_a_server, user="escrow_service", autocommit=True) as service:
        guards = service.execute(
            "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
        ).fetchall()
        for name, table in guards:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                service.execute(f'DROP TRIGGER "{name}" ON {table}')
    assert len(guards) > 10


def test_the_service_writes_rows_and_the_guards_hold(database_of_a_server: str) -> None:
    """What it needs it has; and the ledger is refused to it as to everybody."""
    with psycopg.connect(database_of_a_server, user="escrow_service", autocommit=True) as service:
        new_account = "INSERT INTO billing_account (kind, currency, gateway, balance_minor) VALUES "
        service.execute(new_account + "('service_fees', 'EUR', '', 0)")
        service.execute("UPDATE django_session SET session_data = ''")
        service.execute("DELETE FROM django_session")
        with pytest.raises(psycopg.Error, match="start"):
            service.execute(new_account + "('available', 'EUR', '', 500)")
