"""SQL statements that live beside their service, and how rows are handed to them.

A hot path writes all its rows in one statement: ``releases.sql`` beside ``releases.py``. Rows go in
as one JSON parameter, so that names stand next to their types and the statement is planned once.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.db import connection, models
from django.db.models.base import ModelState
from psycopg import pq


@cache
def beside(module_file: str, name: str = "") -> str:
    """The statement beside a module: ``beside(__file__)`` reads the file of the same name."""
    path = Path(module_file)
    return (path.with_name(name) if name else path.with_suffix(".sql")).read_text()


def as_json(rows: Iterable[dict[str, Any]]) -> str:
    """Rows as the one parameter that ``jsonb_to_recordset`` takes; instants keep microseconds."""
    return json.dumps(list(rows), default=_iso)


def _iso(value: object) -> str:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def run(statement: str, *parameters: Any) -> list[dict[str, Any]]:
    """Run one statement; its rows as dicts, or nothing when it returns none."""
    with connection.cursor() as cursor:
        cursor.execute(statement, _given(parameters))
        if cursor.description is None:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


class Only(NamedTuple):
    """A table of which just these columns are read; what else is asked of its instances is fetched."""

    model: type[models.Model]
    columns: tuple[str, ...]


Table = type[models.Model] | Only


def read(statement: str, /, *parameters: Any, **tables: Table) -> list[tuple[Any, ...]]:
    """Run a SELECT whose list names tables in braces (``SELECT {job}, {policy} FROM …``).

    Each keyword is the alias of a table in the statement. Returns a tuple per row with one model
    instance per table, in the order of the keywords; None where an outer join found nothing. What
    the list names after the tables comes last, as it is.
    """
    with connection.cursor() as cursor:
        if not any(_shape(table).converters for table in tables.values()):
            # Nothing to parse then. JSON is left to the loader that Django has set.
            cursor.cursor.format = pq.Format.BINARY
        cursor.execute(_with_columns(statement, tuple(tables.items())), _given(parameters))
        rows = cursor.fetchall()
    shapes = [_shape(table) for table in tables.values()]
    return [_instances(row, shapes) for row in rows]


def _given(parameters: tuple[Any, ...]) -> Any:
    """The values for the places of a statement; one dict when the places have names."""
    match parameters:
        case (dict() as named,):
            return named
    return parameters or None


def attach(row: models.Model, related_name: str, related: list[Any]) -> None:
    """Give a row the related rows that were read with it, for ``all()``; nothing else works then."""
    kept: dict[str, Any] = row.__dict__.setdefault("_prefetched_objects_cache", {})
    kept[related_name] = related


class Shape(NamedTuple):
    """How the columns of one table become an instance; ``converters`` are those of its fields that
    the driver leaves as text (JSON), by their place.
    """

    model: type[models.Model]
    names: list[str]
    key: int
    converters: list[tuple[int, Callable[..., Any]]]


@cache
def _shape(table: Table) -> Shape:
    model = table.model if isinstance(table, Only) else table
    fields = _fields(table)
    return Shape(
        model=model,
        names=[field.attname for field in fields],
        key=[field.primary_key for field in fields].index(True),
        converters=[
            (place, field.from_db_value)
            for place, field in enumerate(fields)
            if hasattr(field, "from_db_value")
        ],
    )


def _fields(table: Table) -> list[Any]:
    if isinstance(table, Only):
        return [
            field for field in table.model._meta.concrete_fields if field.attname in table.columns
        ]
    return list(table._meta.concrete_fields)


@cache
def _with_columns(statement: str, tables: tuple[tuple[str, Table], ...]) -> str:
    return statement.format(
        **{
            alias: ", ".join(f"{alias}.{field.column}" for field in _fields(table))
            for alias, table in tables
        }
    )


def _instances(row: tuple[Any, ...], shapes: list[Shape]) -> tuple[Any, ...]:
    instances: list[Any] = []
    begin = 0
    for shape in shapes:
        end = begin + len(shape.names)
        instances.append(_instance(row[begin:end], shape))
        begin = end
    return (*instances, *row[begin:])


def _instance(values: Sequence[Any], shape: Shape) -> models.Model | None:
    if values[shape.key] is None:
        return None
    if shape.converters:
        values = list(values)
        for place, convert in shape.converters:
            values[place] = convert(values[place], None, connection)
    # What ``Model.from_db`` does, without a descriptor's work for each column.
    instance = shape.model.__new__(shape.model)
    instance.__dict__.update(zip(shape.names, values, strict=True))
    instance._state = ModelState()
    instance._state.adding, instance._state.db = False, "default"
    return instance
