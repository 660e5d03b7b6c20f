"""Going to every address in every role and telling, in the words of the table, what was met there."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.cookies import SimpleCookie
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from tests.authorisation.stage import Stage, undone
from tests.authorisation.words import (
    ACTS,
    BAD,
    FORBIDDEN,
    HIDDEN,
    LED_ON,
    LOCKED,
    NO_WAY,
    PAGE,
    REFUSED,
    SIGN_IN,
    Door,
    ModelPages,
    Row,
)
from tests.desk import browser_of

WRITES = re.compile(
    r'\b(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO|TRUNCATE)\s+(?:ONLY\s+)?"?([a-z_.]+)', re.I
)
# Sessions hold messages, and who has come; no fact of the product.
OF_NO_ACCOUNT = {"django_session", "of", "skip", "set", "nowait"}
STATUSES = {200: PAGE, 400: BAD, 403: FORBIDDEN, 404: HIDDEN, 405: NO_WAY}
FILLED = re.compile(r"^\{([a-z_]+)\}$")  # a value of the stage
ANY_FILE = "<a file>"
PDF = b"%PDF-1.7\n1 0 obj\n"


# --- Addresses ---


def addresses() -> Iterator[str]:
    """The name of every URL of the project; its route if it has none."""
    yield from _named(get_resolver(), (), "")


def _named(resolver: URLResolver, spaces: tuple[str, ...], route: str) -> Iterator[str]:
    for one in resolver.url_patterns:
        here = route + str(one.pattern).replace(settings.ADMIN_PATH, "admin/")
        if isinstance(one, URLPattern):
            yield ":".join((*spaces, one.name)) if one.name else here
        else:
            inner = (*spaces, one.namespace) if one.namespace else spaces
            yield from _named(one, inner, here)


def pages_of(model: ModelPages) -> list[str]:
    """The names of the six pages, and the old address of a row that leads to it."""
    app, _, name = model.model.partition("_")
    pages = ("changelist", "add", "history", "delete", "change")
    return [
        *(f"admin:{model.model}_{page}" for page in pages),
        f"admin/{app}/{name}/<path:object_id>/",
    ]


def url_of(row: Row, names: dict[str, object]) -> str:
    """Where the row leads on this stage."""
    at = [names.get(part, part) for part in row.at.split()]
    query = f"?{row.query.format(**names)}" if row.query else ""
    if row.name.startswith("/"):
        return row.name + query
    if row.name.startswith("admin/(?P<url>"):
        return reverse("admin:index") + str(at[0]) + query
    if row.name.endswith("/"):
        return f"/{row.name}{query}"
    return reverse(row.name, args=at) + query


def rows_of(model: ModelPages) -> Iterator[Row]:
    """The pages of a model as rows; the key of its first row fills them."""
    kind = apps.get_model(*model.model.split("_", 1))
    first = kind._default_manager.order_by("pk").first()
    assert first is not None, f"the stage has no {model.model}"
    key, name = str(first.pk), f"admin:{model.model}"
    several = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
    gone = {role: ACTS for role, meets in model.delete.items() if meets == PAGE}
    listed = sent(model.look, {PAGE: REFUSED}) | gone
    yield Row(f"{name}_changelist", "", model.look, listed, form=several)
    yield Row(f"{name}_history", key, model.look, sent(model.look, {PAGE: REFUSED}))
    yield Row(f"{name}_change", key, model.look, sent(model.change, {PAGE: REFUSED}))
    yield Row(f"{name}_add", "", model.add, sent(model.add, {PAGE: REFUSED}))
    yield Row(
        f"{name}_delete", key, model.delete, sent(model.delete, {PAGE: ACTS}), form={"post": "yes"}
    )


def sent(door: Door, other: dict[str, str]) -> Door:
    """The door for sending, from that for looking."""
    return {role: other.get(meets, meets) for role, meets in door.items()}


# --- Going there ---


class Visitor:
    """One role with a browser; whatever a request changes is as if it had not been."""

    def __init__(self, role: str, stage: Stage, *, enforce_csrf_checks: bool = False) -> None:
        person = stage.people.get(role)
        self.names = stage.names
        self.browser = browser_of(person) if person else Client()
        self.browser.handler.enforce_csrf_checks = enforce_csrf_checks
        self.browser.raise_request_exception = False
        if role == LOCKED and person:
            person.is_active = False
            person.save()
        self.cookies = {name: one.value for name, one in self.browser.cookies.items()}

    def meets(self, method: str, url: str, form: dict[str, object] | None = None) -> str:
        """What comes of one request, in a word of the table."""
        with undone(), writes() as tables:
            self._begin()
            answer = self.send(method, url, form or {})
            return outcome(method, answer, tables)

    def send(self, method: str, url: str, form: dict[str, object]) -> Any:
        if method != "POST":
            return self.browser.generic(method, url)
        return self.browser.post(url, {name: self._filled(value) for name, value in form.items()})

    # --- For hostile requests ---

    def look(self, url: str) -> Any:
        self._begin()
        return self.browser.get(url)

    def send_pairs(self, url: str, fields: list[tuple[str, object]]) -> Any:
        """A form whose fields may come several times."""
        self._begin()
        sent: dict[str, list[object]] = {}
        for name, value in fields:
            sent.setdefault(name, []).append(self._filled(value))
        return self.browser.post(url, sent)

    def send_raw(self, url: str, body: bytes = b"", **more: Any) -> Any:
        self._begin()
        return self.browser.post(url, body, **({"content_type": "text/plain"} | more))

    def _begin(self) -> None:
        """With the cookies of the beginning, whatever an answer has set."""
        self.browser.cookies = SimpleCookie(self.cookies)

    def _filled(self, value: object) -> object:
        if value == ANY_FILE:
            return SimpleUploadedFile("proof.pdf", PDF)
        return (
            FILLED.sub(lambda named: str(self.names[named[1]]), value)
            if isinstance(value, str)
            else value
        )


@contextmanager
def writes() -> Iterator[set[str]]:
    """The tables that are written to meanwhile."""
    tables: set[str] = set()

    def note(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        found = {name.lower() for name in WRITES.findall(str(sql))}
        tables.update(found - OF_NO_ACCOUNT)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield tables


def outcome(method: str, answer: Any, tables: set[str]) -> str:
    if answer.status_code >= 500:
        return f"{answer.status_code} {getattr(answer, 'exc_info', ('',))[0]}"
    if tables:
        return ACTS
    if answer.status_code in (301, 302, 303):
        place = answer.headers["Location"]
        doors = (reverse("account_login"), reverse("admin:login"))
        met = SIGN_IN if place.startswith(doors) else LED_ON
    else:
        met = STATUSES.get(answer.status_code, str(answer.status_code))
    return REFUSED if method == "POST" and met in (PAGE, LED_ON) else met
