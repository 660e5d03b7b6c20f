"""How rows change their state: every change of a state field in the product goes through here.

The allowed moves are the ``@transition`` methods of the models and stand nowhere else.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.db import models


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
    """Call the transition ``verb`` on each row, then write the change, one UPDATE per equal change.

    Raises django_fsm.TransitionNotAllowed when a row may not make the move, LostRace when a row in
    the database is not in the state it was read in. After either the rows are to be thrown away.
    """
    groups: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
    model: type[models.Model] | None = None
    for row in rows:
        before = snapshot(row)
        getattr(row, verb)(**arguments)
        changes = changed_values(row, before)
        model = type(row)
        groups[(before["state"], tuple(changes.items()))].append(row.pk)
    for (source, changes), keys in groups.items():
        assert model is not None
        written = model._default_manager.filter(pk__in=keys, state=source).update(**dict(changes))
        if written != len(keys):
            raise LostRace(f"{model.__name__} {verb}: {written} of {len(keys)} rows were {source}")


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
