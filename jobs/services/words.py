"""Words that have to be said: a statement, a reason, an answer. Checked in one way, whoever writes them."""

from escrow_site.lib.refusals import Refusal

# A reason or an answer of a support agent.
REASON_AT_MOST = 1000


class NothingSaid(Refusal):
    """Words that are needed are missing, too many, or not plain text."""


def check(text: str, *, what: str, at_most: int = REASON_AT_MOST) -> str:
    """The words without blanks around them. Raises NothingSaid."""
    text = text.strip()
    if not any(letter.isprintable() and not letter.isspace() for letter in text):
        raise NothingSaid(f"Write {what}.")
    if len(text) > at_most or "\x00" in text:
        raise NothingSaid(f"Write {what} in at most {at_most:,} plain characters.")
    return text
