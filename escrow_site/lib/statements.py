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

from django.db import connection


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
