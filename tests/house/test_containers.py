"""The files of a server are right as far as that can be told without an engine to build and run them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from compose_spec import PyCompose, PyOptions

from escrow_site.embedded import postgresql, services

CHECKOUT = Path(__file__).parents[2]


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


@pytest.fixture
def database_of_a_server(tmp_path: Path) -> Iterator[str]:
    """A database after deploy/database-roles.sh, which the image of PostgreSQL runs as the owner."""
    with services.running(tmp_path, {"REDIS_URL": "not needed"}, durable=False) as variables:
        owner = variables["DATABASE_URL"]
        host = psycopg.conninfo.conninfo_to_dict(owner)["host"]
        script = subprocess.run(
            ["sh", str(CHECKOUT / "deploy" / "database-roles.sh")],
            env={
                "PATH": f"{Path(postgresql.binary('psql')).parent}:{os.environ['PATH']}",
                "PGHOST": host,
                "POSTGRES_USER": "postgres",
                "POSTGRES_DB": postgresql.DATABASE,
                "SERVICE_PASSWORD": "it's a secret",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert script.returncode == 0, script.stderr
        yield owner


@pytest.mark.parametrize(
    "forbidden",
    [
        "TRUNCATE ledger",
        "DROP TABLE ledger",
        "ALTER TABLE ledger DISABLE TRIGGER ALL",
        "CREATE TABLE another (id int)",
    ],
)
def test_the_service_owns_nothing(database_of_a_server: str, forbidden: str) -> None:
    with psycopg.connect(database_of_a_server) as owner:
        owner.execute("CREATE TABLE ledger (id bigint GENERATED ALWAYS AS IDENTITY, amount int)")

    with psycopg.connect(database_of_a_server, user="escrow_service", autocommit=True) as service:
        service.execute("INSERT INTO ledger (amount) VALUES (1)")
        service.execute("UPDATE ledger SET amount = 2")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute(forbidden)
