"""Hostile input: what nobody types in good faith, and what programs send that want to break something."""

import os
from datetime import date, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.authorisation.stage import NOW

# FUZZ_EXAMPLES=5000 for a long run; each seed (--hypothesis-seed=...) is another one.
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "0"))


def profile(examples: int) -> settings:
    """So many examples in the suite; as many as the environment says in a long run."""
    return settings(
        max_examples=EXAMPLES or examples,
        deadline=None,
        database=None,
        # A failure is shrunk in a long run only: each try costs requests.
        phases=[Phase.generate, Phase.shrink] if EXAMPLES else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


WORDS = [
    "", " ", "\x00", "a\x00b", "\r\n", "\t", "x" * 300, "y" * 20_000, "🦆" * 50, "e\u0301" * 40, "\u202eevil\u202c",
    "\ufeff", "\ud800", "\U0010ffff", "\u2028", "<script>alert(1)</script>", "{{ 7 }}{% load x %}", "' OR 1=1 --",
    "%00", "%s%n{0}", "../../etc/passwd", "None", "null", "undefined", "[]", "{}", "true", "\x1b[31m", "a\nb\r\nc",
]  # fmt: skip
NUMBERS = [
    "0", "-1", "1", "2", "1e5", "1E400", "-0", "0.001", "NaN", "Infinity", "-inf", "1,000.00", "1.000,00", "0x10",
    "9" * 18, "9" * 19, "9" * 40, "9" * 5000, "٣", "½", "1_000", "+5", "  7 ", "$5", "1/0", "2147483648",
    "9223372036854775808", "500.00", "999999999.99", "5.0000",
]  # fmt: skip
DATES = [
    "2026-02-30",
    "0000-00-00",
    "99999-01-01",
    "9999-12-31",
    "0001-01-01",
    "2026-03-13",
    "13/13",
    "12/99",
    "-1-1-1",
]

texts = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(NUMBERS), st.sampled_from(DATES),
    st.text(max_size=60), st.integers().map(str),
)  # fmt: skip

# For services, which are handed values of the right type.
whole_numbers = st.one_of(
    st.integers(-3, 12),
    st.sampled_from([500_00, 1_000_00, 10**9, 2**31, 2**63 - 1, 2**63, 10**30, -(2**63) - 1]),
)
# Nothing falls due meanwhile, as what was due stands even if the act is refused (R6.4).
instants = st.sampled_from([NOW, NOW + timedelta(microseconds=1), NOW + timedelta(seconds=1)])
days = st.sampled_from([date(2026, 3, 9), date(2026, 3, 13), date.min, date.max, date(2020, 2, 29)])


def _is_whole(text: str) -> bool:
    return "\x00" not in text and not any(0xD800 <= ord(letter) <= 0xDFFF for letter in text)


# That a text has no NUL and no half characters is a matter of shape: forms see to it, no service is handed one.
words_for_services = texts.filter(_is_whole)
