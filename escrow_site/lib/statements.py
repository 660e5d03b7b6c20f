"""SQL statements that live beside their service, and how rows are handed to them.

A hot path writes all its rows in one statement: ``releases.sql`` beside ``releases.py``. Rows go in
as one JSON parameter, so that names stand next to their types and the statement is planned once.
"""

import json
from collections.abc import Iterable
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection, models


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
        cursor.execute(statement, parameters or None)
        if cursor.description is None:
            return []
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def read(statement: str, *parameters: Any, **tables: type[models.Model]) -> list[tuple[Any, ...]]:
    """Run a SELECT whose list names tables in braces (``SELECT {job}, {policy} FROM …``).

    Each keyword is the alias of a table in the statement. Returns a tuple per row with one model
    instance per table, in the order of the keywords; None where an outer join found nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(_with_columns(statement, tuple(tables.items())), parameters)
        rows = cursor.fetchall()
    shapes = [_shape(model) for model in tables.values()]
    return [_instances(row, shapes) for row in rows]


Shape = tuple[type[models.Model], list[str], int]


@cache
def _shape(model: type[models.Model]) -> Shape:
    names = [field.attname for field in model._meta.concrete_fields]
    return model, names, names.index(model._meta.pk.attname)


@cache
def _with_columns(statement: str, tables: tuple[tuple[str, type[models.Model]], ...]) -> str:
    return statement.format(
        **{
            alias: ", ".join(f"{alias}.{field.column}" for field in model._meta.concrete_fields)
            for alias, model in tables
        }
    )


def _instances(row: tuple[Any, ...], shapes: list[Shape]) -> tuple[Any, ...]:
    instances: list[models.Model | None] = []
    begin = 0
    for model, names, key in shapes:
        values = row[begin : begin + len(names)]
        begin += len(names)
        instances.append(None if values[key] is None else model.from_db("default", names, values))
    return tuple(instances)
