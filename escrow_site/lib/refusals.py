"""The one exception family for "no, and here is why in plain words" (R13).

A refusal is a fact about the world, not a programming error: its message is shown to the person
as it stands. Subclasses are named for the fact and live beside the rule they speak for.
"""


class Refusal(Exception):
    """Something that the rules do not allow now; ``str(refusal)`` is fit for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class WrongParty(Refusal):
    """The person is not the one who may do this."""


class WrongState(Refusal):
    """The thing is no longer, or not yet, in a state that allows this."""


class StalePage(Refusal):
    """What the person saw is not what there is any more."""


def refuse_if(refusal: Refusal | None) -> None:
    """Raise what a ``may_<verb>`` guard answered, if it answered anything."""
    if refusal is not None:
        raise refusal
