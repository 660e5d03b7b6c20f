"""How instants are written: absolute, in the reader's zone, the zone named (R6.1)."""

from datetime import UTC, date, datetime

import pytest
from django.utils import timezone

from escrow_site.lib import display, timing

DUE = datetime(2026, 4, 8, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "shown"),
    [
        ("UTC", "8 Apr 2026, 12:00 UTC"),
        ("Europe/Berlin", "8 Apr 2026, 14:00 CEST"),
        ("Asia/Kathmandu", "8 Apr 2026, 17:45 UTC+05:45"),
        ("Pacific/Apia", "9 Apr 2026, 01:00 UTC+13"),
        ("Pacific/Pago_Pago", "8 Apr 2026, 01:00 SST"),
    ],
)
def test_instant(zone: str, shown: str) -> None:
    with timezone.override(zone):
        assert display.instant(DUE) == shown


def test_facts_are_made_ready_by_their_unit() -> None:
    facts = {
        "escrow": "Design", "amount_minor": 500_00, "due_at": "2026-04-08T12:00:00+00:00",
        "due_on": "2026-04-30", "number": 1, "nothing": None, "days_left": 2,
    }  # fmt: skip
    with timezone.override("UTC"):
        assert display.readable_facts(facts, "USD") == {
            "escrow": "Design", "amount": "$500.00", "due": "30 Apr 2026", "number": 1,
            "nothing": "", "days_left": 2, "left": "2 days",
        }  # fmt: skip


def test_a_date_ends_at_midnight_utc() -> None:
    assert timing.end_of(date(2026, 4, 30)) == datetime(2026, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize("day", [date(2026, 3, 2), date(2026, 3, 5), date(2026, 3, 8)])
def test_a_week_begins_on_monday(day: date) -> None:
    assert timing.week_start(day) == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("kept", "shown"),
    [
        (f"No answer by {display.utc(DUE)}.", "No answer by 9 Apr 2026 01:00 UTC+13."),
        (
            "31 Feb 2026 12:00 UTC and 8 Apr 2026 29:00 UTC",
            "31 Feb 2026 12:00 UTC and 8 Apr 2026 29:00 UTC",
        ),
        ("Nothing of it.", "Nothing of it."),
    ],
)
def test_a_kept_sentence_is_shown_in_the_readers_zone(kept: str, shown: str) -> None:
    with timezone.override("Pacific/Apia"):
        assert display.with_local_instants(kept) == shown
