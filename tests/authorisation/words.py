"""The words in which the table is written: who comes, what he meets, and the usual doors.

A *door* says for every role what it meets. ``parties(client=PAGE)`` is a page of a Job: the Client sees it, the
Freelancer too unless the row says otherwise, whoever is not signed in is asked to sign in, and to everybody else
the Job does not exist (R1.4).
"""

from dataclasses import dataclass, field

# --- Who comes ---

ANONYMOUS = "anonymous"
LOCKED = "locked"  # the Client, whose account was locked while he was signed in
STRANGER = "stranger"
OTHER = "other"  # a party of another Job, with the same Freelancer
CLIENT = "client"
FREELANCER = "freelancer"
AGENT = "agent"
SENIOR = "senior"
AUDITOR = "auditor"
SUPERUSER = "superuser"

OUTSIDE = (ANONYMOUS, LOCKED)
PARTIES = (CLIENT, FREELANCER)
DESK = (AGENT, SENIOR, AUDITOR, SUPERUSER)
ROLES = (*OUTSIDE, STRANGER, OTHER, *PARTIES, *DESK)

# --- What he meets ---

PAGE = "page"  # 200, and nothing has changed
LED_ON = "led on"  # 302 to a page of this site
SIGN_IN = "sign in"  # 302 to the sign-in page
HIDDEN = "hidden"  # 404: to him it does not exist
FORBIDDEN = "forbidden"  # 403
BAD = "bad"  # 400: this is no message of ours
NO_WAY = "no way"  # 405: nobody asks for it like that
ACTS = "acts"  # something has changed
REFUSED = "refused"  # nothing has changed, and a page or a message says why

Door = dict[str, str]


def everyone(meets: str, **others: str) -> Door:
    return dict.fromkeys(ROLES, meets) | others


def signed_in(meets: str, **others: str) -> Door:
    """Whoever is signed in, whoever he is."""
    return everyone(meets) | dict.fromkeys(OUTSIDE, SIGN_IN) | others


def parties(meets: str = HIDDEN, **others: str) -> Door:
    """Both parties of a Job, or one of them: ``parties(client=PAGE, freelancer=LED_ON)``."""
    return signed_in(HIDDEN) | dict.fromkeys(PARTIES, meets) | others


def read(meets: str = PAGE, **others: str) -> Door:
    """A page of the money or of a Dispute: for both parties, and for the desk to read (R1.4)."""
    return parties(meets) | dict.fromkeys(DESK, PAGE) | others


def asked(**who: str) -> Door:
    """The page on which a party acts; the desk comes as far as the thing itself, and is led to it."""
    return parties(**who) | dict.fromkeys(DESK, LED_ON)


def done(**who: str) -> Door:
    """The act itself: the desk is told that it is for the parties."""
    return parties(**who) | dict.fromkeys(DESK, REFUSED)


def owner(role: str, meets: str) -> Door:
    """What belongs to one person alone: his cards, his payments, his notices."""
    return signed_in(HIDDEN, **{role: meets})


def desk(meets: str, **others: str) -> Door:
    """The support desk: whoever is not staff is sent to its sign-in."""
    return everyone(SIGN_IN) | dict.fromkeys(DESK, meets) | others


NO_POST = everyone(NO_WAY)

# --- A row ---


@dataclass(frozen=True)
class Row:
    """One address: what each role meets who looks (GET, HEAD) and who sends (POST).

    ``at`` fills the address with names of the stage, ``query`` follows it, ``form`` is what a browser of the one who
    may would send: if anybody else got through with it, something would happen.
    """

    name: str
    at: str
    look: Door
    send: Door = field(default_factory=lambda: NO_POST)
    query: str = ""
    form: dict[str, object] = field(default_factory=dict)
    head: bool = True  # not asked for where Django's own page answers HEAD with its form
    guarded: bool = True  # by the token against forged forms


@dataclass(frozen=True)
class ModelPages:
    """The pages that the desk has of every model: list, row, history; and add, change, delete."""

    model: str
    key: str = "1"
    look: Door = field(default_factory=lambda: desk(PAGE))
    add: Door = field(default_factory=lambda: desk(FORBIDDEN))
    change: Door = field(default_factory=lambda: desk(FORBIDDEN))
    delete: Door = field(default_factory=lambda: desk(FORBIDDEN))
