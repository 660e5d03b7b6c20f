"""Hostile requests to every address of the table: never a crash, never a change without an act.

What is tried comes from tests/authorisation/table.py, so a new address is fuzzed from the day of its row. The form of
a row is taken as a browser would send it and then spoilt: fields are lost, repeated, swapped for hostile ones, added.

That it can fail was tried out: a view that reads ``int(request.POST["seen_minor"])``, and a refusal that is raised
after the row was written and the transaction committed, were both found within the suite's own number of examples.
"""

from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.authorisation.stage import Stage, undone
from tests.authorisation.table import TABLE
from tests.authorisation.test_table import every_row
from tests.authorisation.visits import Visitor, url_of, writes
from tests.authorisation.words import ACTS, CLIENT, FREELANCER, NO_POST, PAGE, SUPERUSER, Row
from tests.fuzz.hostile import WORDS, profile, texts
from tests.fuzz.typed import kept, without_surrogates
from tests.world import world

pytestmark = pytest.mark.django_db

WHO = (CLIENT, FREELANCER, SUPERUSER)
FORMS = [row for row in TABLE if row.send is not NO_POST and ACTS in row.send.values()]
NAMES = [
    "escrow", "amount", "seen_minor", "reason", "card", "page", "q", "o", "p", "state", "role", "sort", "next", "with",
    "bill", "week", "job", "currency", "show", "choose", "words", "step", "answering", "email", "_popup", "_to_field",
    "all", "e", "client__id__exact", "job__client__password__startswith", "pk__in", "id__regex", "drafted_at__year",
    "_changelist_filters", "_facets", "date__gte", "kind", "has_set_aside_at",
]  # fmt: skip
names = st.one_of(st.sampled_from(NAMES), texts)
queries = st.lists(st.tuples(names, texts), max_size=4)
BODIES = [
    ("application/json", b'{"a": NaN}'),
    ("application/json", b"[" * 5000),
    ("multipart/form-data", b"no boundary"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a'),
    ("multipart/form-data; boundary=" + "x" * 300, b"--x--"),
    ("application/x-www-form-urlencoded", b"a=%ff%00&a&&=&" + b"b=" * 50),
    ("text/plain", b"\xff\xfe\x00"),
    ("nonsense", b"\x00"),
    ("", b"escrow=1"),
]
HEADERS = [
    {"cookie": "sessionid=%00; csrftoken=\xff"},
    {"cookie": "sessionid=" + "x" * 5000},
    {"cookie": 'messages=[["__json_message",0,999,1]]'},
    {"accept-language": "xx-" + "y" * 200},
    {"x-forwarded-for": "1.2.3.4, ' OR 1"},
    {"x-forwarded-host": "evil.example"},
    {"host": "evil.example:99999"},
    {"referer": "\x01://"},
    {"hx-request": "true", "hx-current-url": "\x00", "hx-current-url-uri-autoencoded": "true"},
    {
        "if-modified-since": "Sat, 99 Foo 99999 99:99:99 GMT",
        "range": "bytes=9-1",
        "if-none-match": '"',
    },
    {"x-request-id": "x" * 3000},
    {"content-length": "-5"},
]


@st.composite
def spoilt(draw: st.DrawFn, row: Row) -> list[tuple[str, Any]]:
    """The fields of a form, some of them lost, repeated, swapped or made hostile."""
    fields: list[tuple[str, Any]] = []
    for name, value in row.form.items():
        what = draw(st.sampled_from(["keep", "keep", "hostile", "hostile", "lose", "repeat"]))
        if what in ("keep", "repeat"):
            fields.append((name, value))
        if what in ("hostile", "repeat"):
            fields.append((name, draw(texts)))
    return fields + draw(st.lists(st.tuples(names, texts), max_size=2))


def visitors(stage: Stage) -> dict[str, Visitor]:
    return {role: Visitor(role, stage) for role in WHO}


def survives(answer: Any, what: object) -> None:
    assert answer.status_code < 500, (what, getattr(answer, "exc_info", None))


def test_hostile_forms(stage: Stage) -> None:
    browsers, rows, before = visitors(stage), [*FORMS, *_model_forms()], world()

    @profile(350)
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        row, role = data.draw(st.sampled_from(rows)), data.draw(st.sampled_from(WHO))
        fields = data.draw(spoilt(row))
        sent = without_surrogates(fields)
        with undone(), writes() as tables:
            answer = browsers[role].send_pairs(url_of(row, stage.names), sent)
            survives(answer, (row.name, role, fields))
            if answer.status_code != 302 and tables and row.guarded:
                assert world() == before, (row.name, role, fields, tables)
            assert kept(sent, answer) == [], (row.name, role, fields)

    send()
    assert world() == before


def _model_forms() -> list[Row]:
    return [row for row in every_row() if row.name.startswith("admin:") and row.form][:40]


def test_hostile_queries(stage: Stage) -> None:
    browsers = visitors(stage)
    pages = [(row, role) for row in every_row() for role in WHO if row.look[role] == PAGE]
    before = world()

    @profile(400)
    @given(data=st.data())
    def look(data: st.DataObject) -> None:
        row, role = data.draw(st.sampled_from(pages))
        query = without_surrogates(data.draw(queries))
        url = url_of(row, stage.names).split("?")[0]
        with undone(), writes() as tables:
            answer = browsers[role].look(f"{url}?{urlencode(query)}")
            survives(answer, (row.name, role, query))
            assert not tables, (row.name, query, tables)

    look()
    assert world() == before


def test_broken_requests(stage: Stage) -> None:
    browsers = visitors(stage)
    rows = [row for row in every_row() if row.send is not NO_POST]
    before = world()

    @profile(200)
    @given(data=st.data())
    def send(data: st.DataObject) -> None:
        row, role = data.draw(st.sampled_from(rows)), data.draw(st.sampled_from(WHO))
        content_type, body = data.draw(st.sampled_from(BODIES))
        headers = data.draw(st.sampled_from(HEADERS))
        with undone():
            answer = browsers[role].send_raw(
                url_of(row, stage.names), body, content_type=content_type, headers=headers
            )
            survives(answer, (row.name, role, content_type, body, headers))

    send()
    assert world() == before


def test_hostile_addresses(stage: Stage) -> None:
    """Ids that are nobody's, too large or no numbers, wherever an address has one."""
    browsers = visitors(stage)
    rows = [row for row in TABLE if row.at]

    @profile(150)
    @given(data=st.data())
    def look(data: st.DataObject) -> None:
        row, role = data.draw(st.sampled_from(rows)), data.draw(st.sampled_from(WHO))
        url = url_of(row, stage.names).split("?")[0]
        part = data.draw(st.sampled_from([piece for piece in url.split("/") if piece]))
        hostile = data.draw(
            st.sampled_from(
                ["0", "987654321", "9" * 25, "9" * 5000, "-1", "%00", "x", "%ff", "1.0"]
            )
        )
        with undone():
            browser = browsers[role]
            for answer in (
                browser.look(url.replace(part, hostile, 1)),
                browser.send_raw(url.replace(part, hostile, 1)),
            ):
                survives(answer, (row.name, role, part, hostile))

    look()


@pytest.mark.parametrize("word", WORDS)
def test_every_search_takes_any_word(stage: Stage, word: str) -> None:
    browser = Visitor(SUPERUSER, stage)
    lists = [row for row in every_row() if row.name.endswith("_changelist")]
    place = WORDS.index(word) % 6  # every list gets some of them, every one of them some lists
    for row in lists[place::6]:
        query = urlencode(without_surrogates([("q", word)]))
        survives(browser.look(f"{url_of(row, stage.names)}?{query}"), (row.name, word))
