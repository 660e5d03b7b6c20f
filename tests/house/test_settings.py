"""Settings come from the environment; a wrong one stops the start and says which."""

import os
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

CHECKOUT = Path(__file__).parents[2]
SETTINGS = str(CHECKOUT / "escrow_site" / "settings.py")
PRODUCTION = {
    "SECRET_KEY": "tb0cW7n5oR3-yVYl9qPzKfUe2_Hs8DgXjM4aIwQv6LrNkJpS1ET",
    "DATABASE_URL": "postgres://service:uJ7fQ2xVt9Lr@db.example.com/escrow",
    "REDIS_URL": "redis://broker.example.com:6379/0",
    "ALLOWED_HOSTS": "escrow.example.com",
    "SITE_URL": "https://escrow.example.com",
    "EMAIL_URL": "smtp://mailer:p%40ss@mail.example.com:587?tls=1",
    "FILES_DIR": "/data/files",
    "SUPPORT_EMAIL": "help@example.com",
}
KNOWN = [
    *PRODUCTION,
    "ESCROW_LOCAL",
    "ESCROW_DATA_DIR",
    "DEBUG",
    "CACHE_URL",
    "CACHE_KEY_PREFIX",
    "CELERY_QUEUE",
    "STATIC_MANIFEST",
    "STATIC_ROOT",
    "LOG_FORMAT",
    "METRICS_TOKEN",
    "ADMIN_HOST",
    "ADMIN_PATH",
    "SECRET_KEY_FALLBACKS",
    "TRUSTED_PROXY_COUNT",
]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Reads settings.py with exactly these variables."""

    def read(**variables: str) -> dict[str, Any]:
        for name in KNOWN:
            monkeypatch.delenv(name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return runpy.run_path(SETTINGS)

    return read


def test_production_names_everything_that_is_missing(load: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load()

    for name in PRODUCTION:
        assert f"{name} is missing" in str(refusal.value)


def test_production_is_locked_down(load: Any) -> None:
    settings = load(**PRODUCTION)

    assert settings["DEBUG"] is False
    assert settings["SESSION_COOKIE_SECURE"] is True
    assert settings["CSRF_COOKIE_SECURE"] is True
    assert settings["SECURE_SSL_REDIRECT"] is True
    assert settings["SECURE_HSTS_SECONDS"] == 31_536_000
    assert settings["CLOCK_OFFSET_FILE"] is None
    assert settings["EMAIL_HOST_PASSWORD"] == "p@ss"
    assert settings["EMAIL_USE_TLS"] is True
    assert settings["CACHES"]["default"]["LOCATION"] == "redis://broker.example.com:6379/1"
    assert settings["SECURE_PROXY_SSL_HEADER"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "mysql://db.example.com/escrow"),
        ("DATABASE_URL", "db.example.com"),
        ("DATABASE_URL", "postgres://db.example.com:port/escrow"),
        ("REDIS_URL", "amqp://broker.example.com"),
        ("EMAIL_URL", "mail.example.com"),
        ("EMAIL_URL", "console://"),
        ("EMAIL_URL", "file:///data/mail"),
        ("DEBUG", "1"),
        ("SITE_URL", "http://escrow.example.com"),
        ("GATEWAY", "cash"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_POOL_SIZE", "0"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("HSTS_SECONDS", "a year"),
        ("SSL_REDIRECT", "maybe"),
        ("METRICS_TOKEN", "too-short"),
        ("LOG_FORMAT", "console"),
        ("ADMIN_PATH", "desk of ours"),
        ("ADMIN_PATH", "../"),
        ("ADMIN_HOST", "escrow.example.com"),
        ("SUPPORT_EMAIL", "the second door on the left"),
        ("SUPPORT_EMAIL", "Help <help@example.com>"),
    ],
)
def test_a_wrong_value_is_named(load: Any, name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(**{**PRODUCTION, name: value})

    assert f"- {name} " in str(refusal.value)


def test_a_refusal_shows_no_password(load: Any) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(**{**PRODUCTION, "DATABASE_URL": "mysql://service:hunter2@db.example.com/escrow"})

    assert "hunter2" not in str(refusal.value)


def test_local_mode_needs_only_its_servers(load: Any, tmp_path: Path) -> None:
    variables = {
        "ESCROW_LOCAL": "1",
        "ESCROW_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "postgres://postgres@%2Ftmp%2Fsockets/escrow",
        "REDIS_URL": "unix:///tmp/sockets/valkey?db=0",
    }
    settings = load(**variables)

    assert settings["SECRET_KEY"] == (tmp_path / "secret_key").read_text()
    assert settings["SECRET_KEY"] == load(**variables)["SECRET_KEY"]
    assert settings["SESSION_COOKIE_SECURE"] is False
    assert settings["SECURE_SSL_REDIRECT"] is False
    assert settings["EMAIL_FILE_PATH"] == str(tmp_path / "mail")
    assert settings["CLOCK_OFFSET_FILE"] == tmp_path / "clock"
    assert settings["SUPPORT_EMAIL"] == "support@localhost"
    assert settings["DATABASES"]["default"]["HOST"] == "/tmp/sockets"
    assert settings["CELERY_BROKER_URL"] == "redis+socket:///tmp/sockets/valkey?virtual_host=0"
    assert settings["CACHES"]["default"]["LOCATION"] == "unix:///tmp/sockets/valkey?db=1"


def test_timers_expire_before_they_are_due_again(load: Any) -> None:
    schedule = load(**PRODUCTION)["CELERY_BEAT_SCHEDULE"]

    for entry in schedule.values():
        assert entry["options"]["expires"] < interval_seconds(entry["schedule"])


def interval_seconds(schedule: Any) -> float:
    """A crontab of ours fires once a day."""
    return schedule.total_seconds() if hasattr(schedule, "total_seconds") else 86_400


GOOD = PRODUCTION["SECRET_KEY"]


@pytest.mark.parametrize(
    "weak",
    [
        "too-short",
        GOOD[:49],
        "k" * 60,
        "abcdefghijklm" * 5,
        "django-insecure-" + GOOD,
        "change-me-" + GOOD,
        "python3 -c import secrets print secrets token_urlsafe 50",
    ],
)
def test_a_weak_secret_is_refused_and_not_said(load: Any, weak: str) -> None:
    for name, value in (("SECRET_KEY", weak), ("SECRET_KEY_FALLBACKS", f"{GOOD},{weak}")):
        with pytest.raises(ImproperlyConfigured) as refusal:
            load(**{**PRODUCTION, name: value})
        assert f"- {name} " in str(refusal.value)
        assert weak not in str(refusal.value)


def test_the_secret_of_local_mode_is_not_one_for_a_server(load: Any, tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text(GOOD)
    with pytest.raises(ImproperlyConfigured, match="SECRET_KEY is the one of local mode"):
        load(**PRODUCTION, ESCROW_DATA_DIR=str(tmp_path))


@pytest.mark.parametrize(
    "login",
    [
        "service@db.example.com",
        "service:@db.example.com",
        "service:short@db.example.com",
        "service:postgres-4711-x@db.example.com",
        "service:the-service-password-again@db.example.com",
        "service:aaaaaaaaaaaaaaaa@db.example.com",
        "workroom-db-user:workroom-db-user@db.example.com",
        ":@db.example.com",
    ],
)
def test_a_weak_password_of_the_database_is_refused(load: Any, login: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        load(**{**PRODUCTION, "DATABASE_URL": f"postgres://{login}/escrow"})
    assert "- DATABASE_URL is weak: its password " in str(refusal.value)
    assert login not in str(refusal.value)


def test_a_socket_needs_no_password(load: Any) -> None:
    """There the system knows who asks."""
    load(**{**PRODUCTION, "DATABASE_URL": "postgres://service@%2Frun%2Fpostgresql/escrow"})


def test_secrets_may_be_files(load: Any, tmp_path: Path) -> None:
    given = dict(PRODUCTION)
    for name in ("SECRET_KEY", "DATABASE_URL", "EMAIL_URL"):
        (tmp_path / name).write_text(given.pop(name) + "\n")
        given[f"{name}_FILE"] = str(tmp_path / name)
    settings = load(**given)
    assert settings["SECRET_KEY"] == GOOD
    assert settings["DATABASES"]["default"]["PASSWORD"] == "uJ7fQ2xVt9Lr"
    assert settings["EMAIL_HOST_PASSWORD"] == "p@ss"


def test_a_secret_in_a_file_that_is_not_there(load: Any, tmp_path: Path) -> None:
    given = {name: value for name, value in PRODUCTION.items() if name != "SECRET_KEY"}
    with pytest.raises(
        ImproperlyConfigured, match="SECRET_KEY_FILE names a file that can't be read"
    ):
        load(**given, SECRET_KEY_FILE=str(tmp_path / "nothing"))


def test_the_desk_may_have_a_path_and_a_host_of_its_own(load: Any) -> None:
    settings = load(**PRODUCTION)
    assert (settings["ADMIN_PATH"], settings["ADMIN_HOST"]) == ("admin/", "")
    settings = load(**PRODUCTION, ADMIN_PATH="/desk-4711", ADMIN_HOST="desk.example.com")
    assert settings["ADMIN_PATH"] == "desk-4711/"
    assert settings["ALLOWED_HOSTS"] == ["escrow.example.com", "desk.example.com"]
    assert "https://desk.example.com" in settings["CSRF_TRUSTED_ORIGINS"]


def test_a_forwarded_host_is_never_believed(load: Any) -> None:
    settings = load(**PRODUCTION, TRUSTED_PROXY_COUNT="2")
    assert settings["USE_X_FORWARDED_HOST"] is False
    assert settings["ALLAUTH_TRUSTED_PROXY_COUNT"] == 2
    assert settings["SECURE_PROXY_SSL_HEADER"] == ("HTTP_X_FORWARDED_PROTO", "https")


def test_django_finds_nothing_to_say_about_a_server() -> None:
    """`check --deploy`, every warning of it, in a process with the environment of a server."""
    servers = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL")}
    checked = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=CHECKOUT,
        env={
            **PRODUCTION,
            **servers,
            "PATH": os.environ["PATH"],
            "ALLOW_SIMULATED_GATEWAY": "1",
            "ESCROW_LOCAL": "0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")
    assert checked.stdout == "System check identified no issues (0 silenced).\n"
