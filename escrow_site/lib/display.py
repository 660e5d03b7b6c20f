"""How instants, dates and facts are written for a reader. No HTML here."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from babel.dates import format_date
from django.utils import timezone
from django.utils.translation import get_language

from escrow_site.lib import money

# What ``utc`` writes, and some that are no instants at all.
UTC_INSTANT = re.compile(r"\b[0-9]{1,2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2} UTC\b")


def instant(at: datetime) -> str:
    """An absolute instant in the active time zone, the zone named: ``8 Apr 2026, 14:00 CEST``."""
    return ", ".join(day_and_time(at))


def utc(at: datetime) -> str:
    """An absolute instant for everybody and for ever: ``8 Apr 2026 12:00 UTC``."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y %H:%M} UTC"


def with_local_instants(text: str) -> str:
    """A sentence that is kept for ever, its instants in UTC (``utc``), as a reader is shown it: in his zone."""
    return UTC_INSTANT.sub(_local, text)


def _local(found: re.Match[str]) -> str:
    try:
        at = datetime.strptime(found[0], "%d %b %Y %H:%M UTC").replace(tzinfo=UTC)
    except ValueError:
        return found[0]
    local = timezone.localtime(at)
    return f"{day(local.date())} {local:%H:%M} {zone_name(local)}"


def day_and_time(at: datetime) -> tuple[str, str]:
    """The same in two parts, for a narrow column: ``8 Apr 2026`` and ``14:00 CEST``."""
    local = timezone.localtime(at)
    return day(local.date()), f"{local:%H:%M} {zone_name(local)}"


def zone_name(local: datetime) -> str:
    """The zone's abbreviation, or its offset where it has none (``UTC+13``)."""
    name = local.tzname() or "UTC"
    if name[0] in "+-":
        return f"UTC{name[:3]}" + (f":{name[3:]}" if len(name) > 3 else "")
    return name


def day(on: date) -> str:
    """A date: ``8 Apr 2026``."""
    return _day(on, (get_language() or "en").replace("-", "_"))


@lru_cache(maxsize=4096)
def _day(on: date, locale: str) -> str:
    return format_date(on, "d MMM y", locale=locale)


def quoted(titles: Iterable[str]) -> str:
    """Several names in a sentence: ``“Texts”, “Photographs”``."""
    return ", ".join(f"“{title}”" for title in titles)


def readable_facts(facts: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The facts of an Activity ready to read: ``due_at`` becomes ``due``, ``amount_minor`` ``amount``.

    ``at`` keeps its name; with ``days_left`` comes ``left``, such as ``1 day``. A list of facts is
    made ready one by one.
    """
    readable: dict[str, Any] = {}
    for name, value in facts.items():
        if value is None:
            readable[name] = ""
        elif name.endswith("_minor"):
            readable[name.removesuffix("_minor")] = money.display(int(value), currency)
        elif name == "at" or name.endswith("_at"):
            readable[name.removesuffix("_at")] = instant(_parsed(value))
        elif name.endswith("_on"):
            on = value if isinstance(value, date) else date.fromisoformat(value)
            readable[name.removesuffix("_on")] = day(on)
        elif isinstance(value, list):
            readable[name] = [
                readable_facts(one, currency) if isinstance(one, Mapping) else one for one in value
            ]
        else:
            readable[name] = value
            if name == "days_left":
                readable["left"] = "1 day" if value == 1 else f"{value} days"
    return readable


def _parsed(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
