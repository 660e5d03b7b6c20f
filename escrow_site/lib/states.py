"""How rows change their state: every change of a state field in the product goes through here.

The allowed moves are the ``@transition`` methods of the models and stand nowhere else.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import connection, models

from escrow_site.lib import statements

Changes = dict[str, Any]


class LostRace(Exception):
    """A row was no longer in the state it was read in: the transaction must be given up."""


def changed_values(row: models.Model, before: dict[str, Any]) -> dict[str, Any]:
    """The columns whose value in memory differs from ``before``."""
    return {
        name: row.__dict__[name] for name, value in before.items() if row.__dict__[name] != value
    }


def snapshot(row: models.Model) -> dict[str, Any]:
    """The loaded column values of a row."""
    names = (field.attname for field in row._meta.concrete_fields)
    return {name: row.__dict__[name] for name in names if name in row.__dict__}


def move(rows: Iterable[Any], verb: str, **arguments: Any) -> None:
    """Call the transition ``verb`` on each row, then write the changes: see ``move_each``."""
    move_each(((row, arguments) for row in rows), verb)


def move_each(moves: Iterable[tuple[Any, dict[str, Any]]], verb: str) -> None:
    """Call the transition ``verb`` on each row with arguments of its own, then write the changes: one
    UPDATE for all rows that were in one state and change the same columns.

    Raises django_fsm.TransitionNotAllowed when a row may not make the move, LostRace when a row in
    the database is not in the state it was read in. After either the rows are to be thrown away.
    """
    groups: dict[tuple[str, tuple[str, ...]], dict[Any, Changes]] = defaultdict(dict)
    model: type[models.Model] | None = None
    for row, arguments in moves:
        before = snapshot(row)
        getattr(row, verb)(**arguments)
        changes = changed_values(row, before)
        model = type(row)
        groups[(before["state"], tuple(changes))][row.pk] = changes
    for (source, _), changed in groups.items():
        assert model is not None
        written = _write(model, source, changed)
        if written != len(changed):
            raise LostRace(
                f"{model.__name__} {verb}: {written} of {len(changed)} rows were {source}"
            )


def _write(model: type[models.Model], source: str, changed: dict[Any, Changes]) -> int:
    """Write the changes of rows that are in the state ``source``; how many rows were."""
    first, *others = changed.values()
    if all(changes == first for changes in others):
        return model._default_manager.filter(pk__in=list(changed), state=source).update(**first)
    return _write_different(model, source, changed)


def _write_different(model: type[models.Model], source: str, changed: dict[Any, Changes]) -> int:
    """Each row gets values of its own; they go in as one parameter (see ``statements``)."""
    fields = [_field(model, name) for name in next(iter(changed.values()))]
    columns = {field.column: field.db_type(connection) for field in fields}
    quote = connection.ops.quote_name
    key: Any = model._meta.pk
    statement = f"""
        UPDATE {quote(model._meta.db_table)} AS moved
           SET {", ".join(f"{quote(column)} = given.{quote(column)}" for column in columns)}
          FROM jsonb_to_recordset(%s::jsonb) AS given(
            moved_key {key.rel_db_type(connection)},
            {", ".join(f"{quote(column)} {kind}" for column, kind in columns.items())})
         WHERE moved.{quote(key.column)} = given.moved_key AND moved.state = %s
           AND moved.{quote(key.column)} = ANY (%s)
        RETURNING given.moved_key
    """
    rows = [
        {"moved_key": pk, **{field.column: _stored(field, changes) for field in fields}}
        for pk, changes in changed.items()
    ]
    return len(statements.run(statement, statements.as_json(rows), source, list(changed)))


def _field(model: type[models.Model], name: str) -> Any:
    return next(field for field in model._meta.concrete_fields if field.attname == name)


def _stored(field: Any, changes: Changes) -> Any:
    value = changes[field.attname]
    # In JSON a JSON value needs no preparation.
    if isinstance(field, models.JSONField):
        return value
    return field.get_db_prep_save(value, connection)


class StateMixin:
    """``refresh_from_db`` for a model whose state is protected against assignment.

    django-fsm's own mixin takes the protection off the class while it runs, for every thread.
    """

    def refresh_from_db(self: Any, *args: Any, fields: Any = None, **options: Any) -> None:
        if fields is not None:
            assert "state" not in fields, "read the row anew to learn its state"
            super().refresh_from_db(*args, fields=fields, **options)  # type: ignore[misc]
            return
        newest = type(self)._base_manager.get(pk=self.pk)
        for field in self._meta.concrete_fields:
            self.__dict__[field.attname] = newest.__dict__[field.attname]
        for field in (*self._meta.concrete_fields, *self._meta.related_objects):
            if field.is_relation and field.is_cached(self):
                field.delete_cached_value(self)
        self._prefetched_objects_cache: dict[str, Any] = {}
