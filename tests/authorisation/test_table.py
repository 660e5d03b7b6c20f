"""Every address, every role, every method, against the one table of who may (tests/authorisation/table.py)."""

from itertools import product

import pytest

from tests.authorisation.stage import Stage
from tests.authorisation.table import MODELS, TABLE
from tests.authorisation.visits import Visitor, addresses, pages_of, rows_of, url_of
from tests.authorisation.words import (
    AGENT,
    ANONYMOUS,
    CLIENT,
    LED_ON,
    NO_POST,
    NO_WAY,
    PAGE,
    ROLES,
    SUPERUSER,
    Row,
)
from tests.world import world

# The stage stands below the transaction of each test: what a test does is undone, the stage stays.
pytestmark = pytest.mark.django_db

# HEAD runs the same code as GET: whole pages are asked for with it by these two, refusals by everybody.
WITH_HEAD = (CLIENT, AGENT)
ODD_METHODS = ("PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE")


def every_row() -> list[Row]:
    return [*TABLE, *(row for model in MODELS for row in rows_of(model))]


def complain(wrong: list[object]) -> None:
    """All that is wrong, each in its line and in full."""
    if wrong:
        pytest.fail("\n".join(map(str, wrong)), pytrace=False)


# --- The table is whole ---


def test_every_address_is_in_the_table_and_every_row_has_its_address() -> None:
    rows = [row.name for row in TABLE if not row.name.startswith("/")]
    rows += [page for model in MODELS for page in pages_of(model)]
    found = list(addresses())
    missing = [
        f'{name} is in no table: add Row("{name}", "<what fills it>", <who looks>, <who sends>)'
        for name in found
        if name not in rows
    ]
    gone = [
        f"{name} is no address any more: take its row away" for name in rows if name not in found
    ]
    complain([*missing, *gone])
    assert len(rows) == len(set(rows))


# --- Who may ---


@pytest.mark.parametrize("role", ROLES)
def test_each_role_meets_what_the_table_says(stage: Stage, role: str) -> None:
    visitor = Visitor(role, stage)
    before, wrong = world(), []
    for row in every_row():
        url = url_of(row, stage.names)
        expected = {"GET": row.look[role], "POST": row.send[role]}
        if (row.head and role in WITH_HEAD) or row.look[role] not in (PAGE, LED_ON):
            expected["HEAD"] = row.look[role]
        for method, meets in expected.items():
            met = visitor.meets(method, url, row.form)
            if met != meets:
                wrong.append(f"{row.name}: {method} {url} by {role} is “{met}”, not “{meets}”")
    complain(wrong)
    assert world() == before


@pytest.mark.parametrize("role", [ANONYMOUS, CLIENT, SUPERUSER])
def test_other_methods_are_nobodys(stage: Stage, role: str) -> None:
    visitor = Visitor(role, stage)
    wrong = [
        (row.name, method, met)
        for row, method in product(every_row(), ODD_METHODS)
        if (met := visitor.meets(method, url_of(row, stage.names))) != NO_WAY
    ]
    complain(wrong)


@pytest.mark.parametrize("role", [CLIENT, SUPERUSER])
def test_no_form_is_taken_without_its_token(stage: Stage, role: str) -> None:
    visitor = Visitor(role, stage, enforce_csrf_checks=True)
    sending = [row for row in every_row() if row.guarded and row.send is not NO_POST]
    wrong = [
        (row.name, met)
        for row in sending
        if (met := visitor.meets("POST", url_of(row, stage.names), row.form)) != "forbidden"
    ]
    complain(wrong)
