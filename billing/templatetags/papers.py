"""What the pages of papers need besides the usual filters."""

from collections.abc import Iterable

from django import template

from billing.selectors.papers import Cell, Column

register = template.Library()


@register.filter
def beside(columns: list[Column], row: list[Cell]) -> Iterable[tuple[Column, Cell]]:
    """Each cell with its column: on a phone the column's name stands in front of the value."""
    return zip(columns, row, strict=True)
