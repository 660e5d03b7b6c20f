"""Hostile values of the right type: what a service may be handed, made from its annotations."""

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile, UploadedFile
from django.db.models import Model
from hypothesis import strategies as st

from tests.authorisation.stage import Stage
from tests.fuzz.hostile import days, instants, whole_numbers, words_for_services

MANY = (Iterable, Sequence, Collection, list, tuple, set, frozenset)
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: whole_numbers,
    str: words_for_services,
    bool: st.booleans(),
    date: days,
    datetime: instants,
    type(None): st.none(),
    UploadedFile: st.builds(
        SimpleUploadedFile,
        st.sampled_from(["a.pdf", "b.exe", "\u202efdp.pdf", "x" * 300 + ".pdf", "../c.pdf"]),
        st.sampled_from([b"%PDF-1.7\n1 0 obj\n", b"", b"MZ\x90"]),
    ),
}
# What an agent or a party chooses from; now and then he gets it wrong.
CHOICES = {
    "asks": ["refund", "release"],
    "currency": ["USD", "JPY", "KWD", "XXX"],
    "kind": ["fixed_price", "hourly", "release", "refund", "void", "extend"],
    "outcome": ["won", "lost"],
    "seen_outcome": ["won", "lost"],
    "basis": ["request", "error"],
    "number": ["4242424242424242", "4000002760003184", "1"],
    "time_zone": ["UTC", "Europe/Berlin"],
}


class CannotMake(AssertionError):
    """An annotation that nothing is known for: add it to PLAIN."""


def arguments(service: Callable[..., Any], stage: Stage) -> st.SearchStrategy[dict[str, Any]]:
    """All the arguments of a service, those with a default now and then."""
    hints = typing.get_type_hints(service)
    needed, optional = {}, {}
    for name, parameter in inspect.signature(service).parameters.items():
        where = needed if parameter.default is inspect.Parameter.empty else optional
        where[name] = value_of(name, hints[name], stage)
    return st.fixed_dictionaries(needed, optional=optional)


def value_of(name: str, kind: Any, stage: Stage) -> st.SearchStrategy[Any]:
    if name.endswith("_id") and kind is int:
        keys = [one for one in stage.names.values() if isinstance(one, int)]
        return st.one_of(st.sampled_from(keys), st.sampled_from(keys), whole_numbers)
    if kind is str and name in CHOICES:
        return st.one_of(st.sampled_from(CHOICES[name]), words_for_services)
    if kind in PLAIN:
        return PLAIN[kind]
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        return st.one_of(*(value_of(name, one, stage) for one in inner))
    if origin in MANY:
        return st.lists(value_of(name, inner[0], stage), max_size=4).map(tuple)
    if origin in (Mapping, dict):
        keys, values = (value_of("", one, stage) for one in inner)
        return st.dictionaries(keys, values, max_size=3)
    if isinstance(kind, type) and issubclass(kind, Model):
        return st.deferred(lambda: st.sampled_from(rows_of(kind)))
    if dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        made = {
            one.name: value_of(one.name, hints[one.name], stage) for one in dataclasses.fields(kind)
        }
        return st.builds(kind, **made)
    raise CannotMake(f"{name}: {kind}")


def rows_of(kind: type[Model]) -> list[Any]:
    """The keys of rows of everybody; each example reads its own."""
    return [Kept(kind, key) for key in kind._default_manager.values_list("pk", flat=True)[:40]]


@dataclasses.dataclass(frozen=True)
class Kept:
    """A row to be read when it is handed over: services change what they are given."""

    kind: type[Model]
    key: Any

    def read(self) -> Model:
        return self.kind._default_manager.get(pk=self.key)


def handed(value: Any) -> Any:
    """The value with its rows read."""
    if isinstance(value, Kept):
        return value.read()
    if isinstance(value, tuple):
        return tuple(handed(one) for one in value)
    return value
