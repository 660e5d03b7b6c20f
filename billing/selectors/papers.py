"""What a paper says: the one form in which page and PDF get an invoice or a Closing Statement.

Only words, ready to read; every instant is in UTC, the zone named, so that both parties hold the same
paper. What stands on which paper is in
``documents`` and ``statements`` beside this; how it looks is in the templates and in ``billing.pdf``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import wraps
from typing import ParamSpec

from django.utils import timezone

Given = ParamSpec("Given")


@dataclass(frozen=True)
class Party:
    """A party as the snapshot of the paper knows it; ``label`` says which part it plays."""

    label: str
    name: str
    lines: list[str]


@dataclass(frozen=True)
class Fact:
    """A label and what there is to say; ``url`` is for the page only."""

    label: str
    value: str
    url: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table; ``share`` is its part of the width in hundredths."""

    label: str
    share: int
    is_number: bool = False


@dataclass(frozen=True)
class Cell:
    """What stands in a table; ``note`` is a smaller second line."""

    text: str
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Rows that belong together, with a title above and their sums below, if there are any."""

    rows: list[list[Cell]]
    title: str = ""
    sums: list[Cell] | None = None


@dataclass(frozen=True)
class Table:
    """A table; a title makes it a section of its own."""

    columns: list[Column]
    groups: list[Group]
    title: str = ""


@dataclass(frozen=True)
class Total:
    """One line of the totals; the ``grand`` one is what the paper is about."""

    label: str
    amount: str
    grand: bool = False


@dataclass(frozen=True, kw_only=True)
class Paper:
    """One invoice, receipt, credit note or Closing Statement, ready to be shown or printed."""

    kind: str
    number: str
    issued_at: datetime
    issuer: str
    issuer_note: str
    parties: list[Party]
    facts: list[Fact]
    tables: list[Table]
    totals: list[Total]
    notes: list[str]
    state: str = ""
    state_label: str = ""
    is_void: bool = False


def read_in_utc(read: Callable[Given, Paper]) -> Callable[Given, Paper]:
    """Whoever reads a paper, wherever he is, reads the same instants."""

    @wraps(read)
    def read_the_same(*args: Given.args, **options: Given.kwargs) -> Paper:
        with timezone.override(UTC):
            return read(*args, **options)

    return read_the_same


def party(label: str, snapshot: Mapping[str, str]) -> Party:
    """A party from the snapshot that the paper keeps (``billing.services.documents``)."""
    lines = [line.strip() for line in snapshot["billing_address"].splitlines() if line.strip()]
    lines.append(snapshot["email"])
    if snapshot["tax_id"]:
        lines.append(f"Tax id {snapshot['tax_id']}")
    return Party(label, snapshot["name"], lines)
