"""Tells a secret that anybody could guess from one that was made by chance, without ever saying it."""

# What stands in examples, tutorials and the defaults of other programs. Long enough to be in no random secret.
KNOWN_WORDS = (
    "change-me",
    "change_me",
    "changeme",
    "default",
    "escrow",
    "example",
    "insecure",
    "letmein",
    "passwort",
    "password",
    "postgres",
    "qwerty",
    "replace",
    "secret",
    "123456",
)


def weakness(secret: str, *, least: int) -> str | None:
    """What is wrong with it, to be read after its name; None for a good one of at least `least` characters."""
    if not secret:
        return "is empty"
    if len(secret) < least:
        return f"must have at least {least} characters"
    if any(word in secret.lower() for word in KNOWN_WORDS):
        return "has a word in it that stands in examples: take random characters"
    if len(set(secret)) < min(10, least // 2) or _repeats_itself(secret):
        return "repeats itself: take random characters"
    return None


def _repeats_itself(secret: str) -> bool:
    """Whether it is one shorter piece, written again and again."""
    return any(
        secret == (secret[:length] * len(secret))[: len(secret)]
        for length in range(1, len(secret) // 2 + 1)
    )
