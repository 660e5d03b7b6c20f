"""Reads the environment variables of `settings.py` and collects everything that is wrong with them.

Nothing here knows what a variable is for. A wrong or missing value becomes a line in `problems`, and
`refuse_problems()` raises them all at once, so that an operator mends one list and not one error after another.
"""

import os
import re
import secrets
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

from django.core.exceptions import ImproperlyConfigured

from escrow_site.weak_secrets import weakness

TRUE_WORDS = {"1", "true", "yes", "on"}
FALSE_WORDS = {"0", "false", "no", "off", ""}


class Environment:
    """Typed reading of a mapping of strings; `default=None` makes a variable obligatory."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.problems: list[str] = []

    def text(self, name: str, *, default: str | None = None) -> str:
        """The variable, or what is in the file that NAME_FILE names: secrets of containers are files."""
        value = self.values.get(name, "").strip() or self._in_file(f"{name}_FILE")
        if value:
            return value
        if default is None:
            self.problems.append(f"{name} is missing")
        return default or ""

    def _in_file(self, name: str) -> str:
        path = self.values.get(name, "").strip()
        if not path:
            return ""
        try:
            return Path(path).read_text().strip()
        except (OSError, UnicodeDecodeError):
            self.problems.append(f"{name} names a file that can't be read")
            return ""

    def flag(self, name: str, *, default: bool) -> bool:
        word = self.values.get(name)
        if word is None:
            return default
        if word.strip().lower() not in TRUE_WORDS | FALSE_WORDS:
            self.problems.append(f"{name} must be 1 or 0, not {word!r}")
        return word.strip().lower() in TRUE_WORDS

    def number(self, name: str, *, default: int, least: int = 0) -> int:
        word = self.text(name, default=str(default))
        if not word.isdecimal() or int(word) < least:
            self.problems.append(f"{name} must be a whole number from {least} up, not {word!r}")
            return default
        return int(word)

    def one_of(self, name: str, choices: Collection[str], *, default: str) -> str:
        word = self.text(name, default=default)
        if word not in choices:
            self.problems.append(f"{name} must be one of {', '.join(choices)}, not {word!r}")
            return default
        return word

    def names(self, name: str, *, default: str | None = None) -> list[str]:
        return [
            part.strip() for part in self.text(name, default=default).split(",") if part.strip()
        ]

    def url(self, name: str, schemes: Collection[str], *, default: str | None = None) -> str:
        """The variable as it stands, once its scheme is one that we can use; empty when it is not."""
        value = self.text(name, default=default)
        if not value or is_usable(value, schemes):
            return value
        known = " or ".join(f"{each}://" for each in schemes)
        # Never the value itself: it may hold a password, and this message goes into logs.
        self.problems.append(f"{name} must be an address that starts with {known}")
        return ""

    def address(self, name: str, *, default: str | None = None) -> str:
        """An e-mail address alone, without a name before it: it stands in links."""
        value = self.text(name, default=default)
        if value and not re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+", value):
            self.problems.append(f"{name} must be an e-mail address, as in help@example.com")
            return ""
        return value

    def path(self, name: str, *, default: str) -> str:
        """A place on the site, with the slash after it that Django's addresses have."""
        value = self.text(name, default=default).strip("/")
        if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", value):
            self.problems.append(f"{name} must be letters, digits, - and _, as in desk-4711/")
            return default
        return f"{value}/"

    def refuse_weak(self, name: str, secret: str, *, least: int, local: Path | None = None) -> None:
        """A secret that can be guessed; `local` is the file of the one that lies open on one's own machine."""
        if not secret:
            return  # missing, which is said already, or not wanted
        if wrong := weakness(secret, least=least):
            self.problems.append(f"{name} {wrong}")
        elif local is not None and local.exists() and local.read_text() == secret:
            self.problems.append(f"{name} is the one of local mode: make another")

    def refuse_weak_login(self, name: str, url: str) -> None:
        """The password in an address; none is needed for a socket, where the system knows who asks."""
        parts = urlsplit(url)
        host = unquote(parts.hostname or "")
        if not url or not host or host.startswith("/"):
            return
        password = unquote(parts.password or "")
        wrong = weakness(password, least=12)
        if password and password in (unquote(parts.username or ""), parts.path.strip("/")):
            wrong = "is the name of the user or of the database"
        if wrong:
            self.problems.append(f"{name} is weak: its password {wrong}")

    def refuse_problems(self) -> None:
        if self.problems:
            listed = "".join(f"\n  - {problem}" for problem in self.problems)
            raise ImproperlyConfigured(
                f"The service can't start, its environment variables need mending:{listed}\n"
                "They are described in README.md. On your own machine: make run, or ESCROW_LOCAL=1."
            )


def is_usable(url: str, schemes: Collection[str]) -> bool:
    try:
        parts = urlsplit(url)
        # Reading the port is what refuses one that is no number.
        return parts.scheme in schemes and "://" in url and parts.port != 0
    except ValueError:
        return False


def email_settings(url: str) -> dict[str, object]:
    """Django's e-mail settings for an EMAIL_URL like `smtp://user:password@host:587?tls=1`."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return {
            "EMAIL_BACKEND": "django.core.mail.backends.filebased.EmailBackend",
            "EMAIL_FILE_PATH": unquote(parts.path),
        }
    if parts.scheme == "console":
        return {"EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend"}
    encrypted_from_the_start = parts.scheme == "smtps"
    upgrades = parse_qs(parts.query).get("tls", ["0"])[0] in TRUE_WORDS
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": parts.hostname or "localhost",
        "EMAIL_PORT": parts.port or (465 if encrypted_from_the_start else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": encrypted_from_the_start,
        "EMAIL_USE_TLS": upgrades and not encrypted_from_the_start,
        "EMAIL_TIMEOUT": 20,
    }


def broker_url(redis_url: str) -> str:
    """The same server in Celery's spelling, which names a Unix socket differently."""
    parts = urlsplit(redis_url)
    if parts.scheme != "unix":
        return redis_url
    return f"redis+socket://{parts.path}?virtual_host={database_number(redis_url)}"


def cache_url(redis_url: str, *, after: int = 1) -> str:
    """The next database of the same server: emptying the cache must not empty the broker's queue."""
    parts = urlsplit(redis_url)
    following = database_number(redis_url) + after
    if parts.scheme == "unix":
        return f"unix://{parts.path}?db={following}"
    return urlunsplit(parts._replace(path=f"/{following}"))


def database_number(redis_url: str) -> int:
    parts = urlsplit(redis_url)
    word = parse_qs(parts.query).get("db", [""])[0] or parts.path.strip("/")
    return int(word) if word.isdecimal() else 0


def kept_secret(path: Path) -> str:
    """The secret in this file, made at the first call. Only local mode keeps its secret in a file."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Written aside and renamed, so that an interrupted start never leaves an empty secret.
        handle, unfinished = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(50))
        Path(unfinished).replace(path)
    return path.read_text()
