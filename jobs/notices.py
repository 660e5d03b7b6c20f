"""The one table of what can happen on a Job: sentence, readers, mail subject, Activity or not.

Each app adds its own kinds in its ``notices`` module. The mail of a kind is
``templates/notices/<name>.txt``. No database here.
"""

from dataclasses import dataclass
from enum import Enum


class Audience(Enum):
    """Who is told."""

    NOBODY = "nobody"
    CLIENT = "client"
    FREELANCER = "freelancer"
    BOTH = "both"
    OTHER_PARTY = "the party across from the actor"
    ADDRESS = "an address without an account, given when it is recorded"


@dataclass(frozen=True)
class Kind:
    """One kind of Activity.

    ``sentence`` follows the actor's name in the history ("Ann *funded “Design”*"); ``subject`` is
    the notice's headline and the mail's subject. Both may name facts in braces; ``{amount}`` is
    made from ``amount_minor``, ``{due}`` from ``due_at``. ``counts`` says whether a person doing
    this keeps the Job awake (R10.2); ``release_request`` marks the one kind that R10.3 sets apart.

    A notice links to the page ``url_name``; ``url_facts`` name the facts that its address is made
    of, where ``job`` is the Job's id. ``for_support`` marks what neither side is to know.
    """

    name: str
    sentence: str
    audience: Audience = Audience.NOBODY
    subject: str = ""
    counts: bool = False
    release_request: bool = False
    url_name: str = "workroom:job"
    url_facts: tuple[str, ...] = ("job",)
    for_support: bool = False

    @property
    def template_name(self) -> str:
        return f"notices/{self.name}.txt"


KINDS: dict[str, Kind] = {}


def kind(
    name: str,
    sentence: str,
    audience: Audience = Audience.NOBODY,
    subject: str = "",
    *,
    counts: bool = False,
    release_request: bool = False,
    url_name: str = "workroom:job",
    url_facts: tuple[str, ...] = ("job",),
    for_support: bool = False,
) -> Kind:
    """Add a kind to the table; a name stands in it once."""
    assert name not in KINDS, f"notice kind {name} is registered twice"
    assert bool(subject) == (audience is not Audience.NOBODY), f"{name}: subject iff readers"
    assert not (for_support and subject), f"{name} is for support and has readers"
    KINDS[name] = Kind(
        name, sentence, audience, subject, counts, release_request, url_name, url_facts, for_support
    )
    return KINDS[name]


def names_for_support() -> list[str]:
    """The kinds that support alone reads."""
    return [known.name for known in KINDS.values() if known.for_support]
