"""What an embedded server says when it can't start: a message for the person at the terminal."""


class CannotStart(Exception):
    """Its text says what is wrong and what to do; it is shown without a traceback."""
