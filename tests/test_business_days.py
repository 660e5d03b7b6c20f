"""Business days: Monday to Friday UTC less the Policy's holidays, at the same UTC time (R9.2)."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from escrow_site.lib.timing import business_days_after

# 9 March 2026 is a Monday.
EASTER = [date(2026, 4, 3), date(2026, 4, 6)]


def march(day: int, hour: int = 12, minute: int = 0) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("opened_at", "due_at"),
    [
        (march(9), march(11)),
        (march(10), march(12)),
        (march(11), march(13)),
        (march(12), march(16)),
        (march(13), march(17)),
        (march(14), march(17)),
        (march(15), march(17)),
        (march(13, 23, 59), march(17, 23, 59)),
        (march(14, 0), march(17, 0)),
    ],
)
def test_weekends_are_no_business_days(opened_at: datetime, due_at: datetime) -> None:
    assert business_days_after(opened_at, 2, []) == due_at


def test_holidays_are_no_business_days() -> None:
    """Thursday before Easter: Good Friday and Easter Monday do not count."""
    thursday = datetime(2026, 4, 2, 9, 30, tzinfo=UTC)
    assert business_days_after(thursday, 2, EASTER) == datetime(2026, 4, 8, 9, 30, tzinfo=UTC)
    assert business_days_after(thursday, 2, []) == datetime(2026, 4, 6, 9, 30, tzinfo=UTC)


def test_a_holiday_on_a_weekend_changes_nothing() -> None:
    assert business_days_after(march(13), 2, [date(2026, 3, 14)]) == march(17)


def test_the_day_is_that_of_utc() -> None:
    """Friday evening in New York is Saturday in UTC."""
    new_york = timezone(timedelta(hours=-4))
    friday_evening = datetime(2026, 3, 13, 22, tzinfo=new_york)
    assert business_days_after(friday_evening, 2, []) == datetime(2026, 3, 17, 2, tzinfo=UTC)


def test_no_days_are_at_once() -> None:
    assert business_days_after(march(14), 0, []) == march(14)
