"""HTML of rows that a page has many of, put together without a template."""

import html
from collections.abc import Iterable

from django.utils.safestring import SafeString


def fill(pattern: str, **values: str) -> SafeString:
    """``format_html`` for plain strings; it takes a tenth of the time, which fifty rows notice."""
    return SafeString(pattern.format(**{name: escaped(value) for name, value in values.items()}))


def escaped(value: str) -> str:
    """The text as HTML, unless it is HTML already."""
    return value if isinstance(value, SafeString) else html.escape(value)


def together(parts: Iterable[SafeString]) -> SafeString:
    """Parts that are HTML, one after the other."""
    return SafeString("".join(parts))
