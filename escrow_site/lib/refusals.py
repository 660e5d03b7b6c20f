"""The one exception family for "no, and here is why in plain words" (R13).

A refusal is a fact about the world, not a programming error: its message is shown to the person
as it stands. Subclasses are named for the fact and live beside the rule they speak for.
"""

from collections.abc import Sequence


class Refusal(Exception):
    """Something that the rules do not allow now; ``str(refusal)`` is fit for the user."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    @property
    def messages(self) -> list[str]:
        """Every reason by itself, for a page that can show them one below the other."""
        return [self.message]


class SeveralRefusals(Refusal):
    """More than one thing stands against it, and all are told at once."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(" ".join(refusal.message for refusal in refusals))
        self.refusals = tuple(refusals)

    @property
    def messages(self) -> list[str]:
        return [refusal.message for refusal in self.refusals]


class WrongParty(Refusal):
    """The person is not the one who may do this."""


class WrongState(Refusal):
    """The thing is no longer, or not yet, in a state that allows this."""


class StalePage(Refusal):
    """What the person saw is not what there is any more."""


def all_of(refusals: Sequence[Refusal]) -> Refusal | None:
    """None, the only one, or all as one."""
    return SeveralRefusals(refusals) if len(refusals) > 1 else next(iter(refusals), None)


def refuse_if(refusal: Refusal | None) -> None:
    """Raise what a ``may_<verb>`` guard answered, if it answered anything."""
    if refusal is not None:
        raise refusal
