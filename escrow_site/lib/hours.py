"""Time worked, as whole minutes. Reads what people type and writes what they read."""

import re
from decimal import ROUND_HALF_UP, Decimal

from escrow_site.lib.refusals import Refusal

DAY_MINUTES = 24 * 60

CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
DECIMAL = re.compile(r"[0-9]{0,2}(?:[.,][0-9]{1,2})?")


class BadHours(Refusal):
    """The text is not a time worked on one day."""


def parse(text: str) -> int:
    """Read ``7:30``, ``7.5`` or ``7,5`` into minutes, at most a day; raise BadHours if it is none."""
    cleaned = text.strip()
    if clock := CLOCK.fullmatch(cleaned):
        minutes = int(clock[1]) * 60 + int(clock[2])
    elif cleaned and DECIMAL.fullmatch(cleaned):
        in_hours = Decimal(cleaned.replace(",", "."))
        minutes = int((in_hours * 60).to_integral_value(rounding=ROUND_HALF_UP))
    else:
        raise BadHours("Enter hours such as 7.5 or 7:30.")
    if minutes > DAY_MINUTES:
        raise BadHours("A day has 24 hours.")
    return minutes


def display(minutes: int) -> str:
    """Minutes as people read them: 450 is ``7:30``."""
    return f"{minutes // 60}:{minutes % 60:02d}"
