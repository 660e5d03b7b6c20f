"""Who lives in the demo world."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import Group
from django.db import transaction

from jobs.models import Person

PASSWORD = "escrow-demo-2026"
# Of every agent's authenticator app: the codes stand on a page of local mode (escrow_site/codes.py).
SECRET = "ESCROWDEMOESCROWDEMOESCROWDEMO23"


@dataclass(frozen=True)
class Character:
    """One of them."""

    email: str
    name: str
    time_zone: str
    part: str
    billing_address: str = ""
    tax_id: str = ""
    group: str = ""  # Of the support desk; whoever has one is staff.


CHARACTERS = (
    Character(
        "clara@example.com", "Clara Moreno", "Europe/Madrid", "Client",
        "Panadería Moreno\nCalle Mayor 12\n28013 Madrid\nSpain", "ES B12345674",
    ),
    Character(
        "ben@example.com", "Ben Carter", "America/New_York", "Client",
        "Carter & Sons\n48 Pearl Street\nNew York, NY 10004\nUSA",
    ),
    Character(
        "nora@example.com", "Nora Lindqvist", "Europe/Stockholm", "Client: an agency that forgets to answer",
        "Lindqvist & Co\nBirger Jarlsgatan 18\n114 34 Stockholm\nSweden", "SE 556677889901",
    ),
    Character(
        "frank@example.com", "Frank Okafor", "Africa/Lagos", "Freelancer, and Client on one Job",
        "7 Marina Road\nLagos Island\nNigeria", "NG 20304050-0001",
    ),
    Character(
        "yuki@example.com", "Yuki Tanaka", "Asia/Tokyo", "Freelancer",
        "2-11-3 Meguro\nTokyo 153-0063\nJapan",
    ),
    Character(
        "lena@example.com", "Lena Fischer", "Europe/Berlin", "Freelancer",
        "Studio Fischer\nOranienstraße 25\n10999 Berlin\nGermany", "DE 811907980",
    ),
    Character(
        "agent@example.com", "Alma Reyes", "UTC", "Support agent: asks and decides", group="Agent"
    ),
    Character(
        "senior@example.com", "Viktor Novak", "UTC", "Senior support agent: confirms decisions",
        group="Senior agent",
    ),
)  # fmt: skip
SENIOR = CHARACTERS[-1]


def make_people() -> dict[str, Person]:
    """All who are in the stories, made where they are missing; by the first part of the address."""
    return {one.email.split("@")[0]: _make(one) for one in CHARACTERS if one is not SENIOR}


def make_senior() -> Person:
    """The senior agent: made last, so that his account says that the world is complete."""
    return _make(SENIOR)


def is_complete() -> bool:
    """Whether the demo world has been made to its end."""
    return Person.objects.filter(email=SENIOR.email).exists()


def strangers_exist() -> bool:
    """Whether people of flesh and blood have accounts here, and none of the demo's."""
    people = Person.objects.all()
    return people.exists() and not people.filter(email__endswith="@example.com").exists()


@transaction.atomic
def _make(character: Character) -> Person:
    person = Person.objects.filter(email=character.email).first()
    if person is not None:
        return person
    person = Person.objects.create_user(
        character.email,
        PASSWORD,
        name=character.name,
        time_zone=character.time_zone,
        billing_address=character.billing_address,
        tax_id=character.tax_id,
        is_staff=bool(character.group),
    )
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    if character.group:
        person.groups.add(Group.objects.get(name=character.group))
        TOTP.activate(person, SECRET)
    return person


def give_second_factors() -> None:
    """To agents of a demo world that was made before agents needed one."""
    agents = [character.email for character in CHARACTERS if character.group]
    for person in Person.objects.filter(email__in=agents, authenticator=None):
        TOTP.activate(person, SECRET)


def directory() -> str:
    """The people and their password, for the terminal."""
    lines = [f"{'':4}{one.email:20}{one.name:16}{one.part}" for one in CHARACTERS]
    password = f"{'':4}password: {PASSWORD}; the agents' codes are on /local/codes/"
    return "\n".join([*lines, password])
