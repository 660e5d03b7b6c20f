"""Amounts of money as integers of a currency's smallest unit ("minor units").

The only place that divides, rounds, parses or formats money. No model, no ledger.
"""

import re
from decimal import Decimal
from functools import cache, lru_cache

from babel.numbers import format_currency, get_currency_precision
from django.utils.translation import get_language

from escrow_site.lib.refusals import Refusal

CURRENCIES = (
    "USD", "EUR", "GBP", "CHF", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK",
    "INR", "SGD", "HKD", "ZAR", "BRL", "MXN", "JPY", "KRW", "KWD", "BHD",
)  # fmt: skip
BASIS_POINTS = 10_000
LARGEST_AMOUNT_MINOR = 10**15
AMOUNT = re.compile(
    r"([0-9]{1,20}|[0-9]{1,3}([, \u00a0][0-9]{3}){1,6})(\.[0-9]{0,10})?|\.[0-9]{1,10}"
)


class BadAmount(Refusal):
    """The text is not an amount that the currency can have (R13)."""


@cache
def digits(currency: str) -> int:
    """How many decimals the currency has: JPY 0, USD 2, KWD 3."""
    return get_currency_precision(currency)


def to_minor(amount: Decimal, currency: str) -> int:
    """Turn an exact amount in whole units into minor units; raise BadAmount when it does not fit."""
    scaled = amount.scaleb(digits(currency))
    if scaled != scaled.to_integral_value():
        decimals = digits(currency)
        raise BadAmount(
            f"{currency} has no decimals: give a whole number."
            if decimals == 0
            else f"{currency} has {decimals} decimals at most."
        )
    return int(scaled)


def parse(text: str, currency: str, *, most_minor: int = LARGEST_AMOUNT_MINOR) -> int:
    """Read a positive amount such as ``1,250.50`` into minor units; raise BadAmount if it is none.

    A comma or space may stand between thousands only: ``12,50`` is refused and not taken for 1,250.
    """
    if not AMOUNT.fullmatch(text.strip()):
        raise BadAmount(
            "Enter an amount above zero with a point for decimals: for example 1,250.50."
        )
    amount = Decimal(re.sub(r"[^\d.]", "", text))
    if amount <= 0:
        raise BadAmount("Enter an amount above zero.")
    if amount.scaleb(digits(currency)) > most_minor:
        raise BadAmount(f"The most that one amount can be is {display(most_minor, currency)}.")
    return to_minor(amount, currency)


def major(amount_minor: int, currency: str) -> Decimal:
    """The amount in whole units, exact: 50000 USD is Decimal('500.00')."""
    return Decimal(amount_minor).scaleb(-digits(currency))


@lru_cache(maxsize=4096)
def _display(amount_minor: int, currency: str, language: str) -> str:
    shown = format_currency(
        major(amount_minor, currency), currency, locale=language.replace("-", "_")
    )
    # A currency without a sign of its own is written by its code, apart from the digits.
    return re.sub(r"(?<=[A-Z])(?=\d)", "\u00a0", shown)


def display(amount_minor: int, currency: str) -> str:
    """The amount as people read it, in the active language: ``$1,250.50``."""
    return _display(amount_minor, currency, get_language() or "en")


def editable(amount_minor: int, currency: str) -> str:
    """The amount as a form field holds it: ``1250.50``."""
    return f"{major(amount_minor, currency):f}"


def share(amount_minor: int, basis_points: int) -> int:
    """A share of an amount, rounded half-up to the smallest unit (R5.2)."""
    assert amount_minor >= 0 and basis_points >= 0
    return (2 * amount_minor * basis_points + BASIS_POINTS) // (2 * BASIS_POINTS)


def fee_on_part(
    part_minor: int, *, released_before_minor: int, taken_before_minor: int, basis_points: int
) -> int:
    """The fee on one part: the rounded fee on all released so far less the fee taken (R5.2)."""
    return share(released_before_minor + part_minor, basis_points) - taken_before_minor


def for_time(rate_minor: int, minutes: int) -> int:
    """What an hourly rate comes to for a time worked, rounded half-up to the smallest unit (R1.3)."""
    assert rate_minor >= 0 and minutes >= 0
    return (2 * rate_minor * minutes + 60) // 120
