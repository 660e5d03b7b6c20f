"""What holds for an account whatever it wants to do (R1.5)."""

from escrow_site.lib.refusals import Refusal, WrongParty
from jobs.models import Person


def refuse_locked(person: Person) -> Refusal | None:
    """A locked account can do nothing."""
    if not person.is_active:
        return WrongParty("This account is locked.")
    return None
