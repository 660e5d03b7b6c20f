"""Amounts: parsing, formatting, and the rounding of fees (R5.2, R13)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from escrow_site.lib import money


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("500", "USD", 500_00),
        ("1,250.50", "USD", 1_250_50),
        (" 1 250.5 ", "EUR", 1_250_50),
        ("0.01", "USD", 1),
        ("1001", "JPY", 1001),
        ("10.005", "KWD", 10_005),
        ("1,250", "USD", 1_250_00),
        (".5", "USD", 50),
    ],
)
def test_parse(text: str, currency: str, minor: int) -> None:
    assert money.parse(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency", "message"),
    [
        ("", "USD", "Enter an amount above zero with a point"),
        ("abc", "USD", "Enter an amount above zero with a point"),
        ("１２", "USD", "Enter an amount above zero with a point"),
        ("5\x00", "USD", "Enter an amount above zero with a point"),
        ("9" * 31, "USD", "Enter an amount above zero with a point"),
        ("nan", "USD", "Enter an amount above zero"),
        ("Infinity", "USD", "Enter an amount above zero"),
        ("-5", "USD", "Enter an amount above zero"),
        ("1e3", "USD", "with a point for decimals"),
        ("12,50", "USD", "with a point for decimals"),
        ("1,25,000", "USD", "with a point for decimals"),
        ("1.250,50", "USD", "with a point for decimals"),
        ("0", "USD", "Enter an amount above zero"),
        ("0.001", "USD", "USD has 2 decimals at most"),
        ("1.5", "JPY", "JPY has no decimals"),
        ("1.2345", "KWD", "KWD has 3 decimals at most"),
        ("9" * 20, "USD", "The most that one amount can be"),
        ("1000000.01", "USD", "The most that one amount can be is $1,000,000.00"),
    ],
)
def test_parse_refuses(text: str, currency: str, message: str) -> None:
    with pytest.raises(money.BadAmount, match=message.replace("$", r"\$")):
        money.parse(text, currency, most_minor=1_000_000_00)


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (500_00, "USD", "$500.00"),
        (1_250_50, "EUR", "€1,250.50"),
        (1001, "JPY", "¥1,001"),
        (10_005, "KWD", "KWD 10.005"),
        (0, "USD", "$0.00"),
    ],
)
def test_display(minor: int, currency: str, shown: str) -> None:
    assert money.display(minor, currency).replace("\u00a0", " ") == shown


amounts = st.integers(min_value=1, max_value=10**12)
fees = st.integers(min_value=0, max_value=10_000)


@given(amount=amounts, basis_points=fees)
def test_a_share_is_rounded_half_up(amount: int, basis_points: int) -> None:
    exact = Fraction(amount * basis_points, 10_000)
    rounded = money.share(amount, basis_points)
    assert exact - Fraction(1, 2) < rounded <= exact + Fraction(1, 2)


@given(parts=st.lists(st.integers(1, 10**9), min_size=1, max_size=12), basis_points=fees)
def test_fees_on_parts_add_up_to_the_fee_on_the_whole(parts: list[int], basis_points: int) -> None:
    released = taken = 0
    for part in parts:
        fee = money.fee_on_part(
            part,
            released_before_minor=released,
            taken_before_minor=taken,
            basis_points=basis_points,
        )
        assert 0 <= fee <= part
        released += part
        taken += fee
    assert taken == money.share(sum(parts), basis_points)


@given(amount=amounts, currency=st.sampled_from(money.CURRENCIES))
def test_what_a_form_shows_reads_back_the_same(amount: int, currency: str) -> None:
    assert money.parse(money.editable(amount, currency), currency) == amount
