"""Settings come from the environment; a wrong one stops the start and says which."""

import runpy
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

SETTINGS = str(Path(__file__).parents[2] / "escrow_site" / "settings.py")
PRODUCTION = {
    "SECRET_KEY": "k" * 60,
    "DATABASE_URL": "postgres://service:secret@db.example.com/escrow",
    "REDIS_URL": "redis://broker.example.com:6379/0",
    "ALLOWED_HOSTS": "escrow.example.com",
    "SITE_URL": "https://escrow.example.com",
    "EMAIL_URL": "smtp://mailer:p%40ss@mail.example.com:587?tls=1",
    "FILES_DIR": "/data/files",
}
KNOWN = [
    *PRODUCTION,
    "ESCROW_LOCAL",
    "ESCROW_DATA_DIR",
    "CACHE_KEY_PREFIX",
    "CELERY_QUEUE",
    "STATIC_MANIFEST",
    "STATIC_ROOT",
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
        ("SITE_URL", "http://escrow.example.com"),
        ("GATEWAY", "cash"),
        ("LOG_LEVEL", "LOUD"),
        ("DATABASE_POOL_SIZE", "0"),
        ("TRUSTED_PROXY_COUNT", "-1"),
        ("HSTS_SECONDS", "a year"),
        ("SSL_REDIRECT", "maybe"),
        ("SECRET_KEY", "too-short"),
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
