"""How the parties of a Job are named to whoever reads about it: the reader is "you"."""

from collections.abc import Sequence

from billing.stopping import BOTH, CLIENT, FREELANCER, Party
from escrow_site.lib import money
from jobs.models import Job


class Voice:
    """How the parties are named to a reader: ``role`` is 'client', 'freelancer', or '' for others."""

    def __init__(self, job: Job, role: str | None) -> None:
        self.job = job
        self.role = role or ""
        self.client = "you" if role == CLIENT.value else str(job.client)
        self.freelancer = (
            "you" if role == FREELANCER.value else str(job.freelancer or job.freelancer_email)
        )
        self.both = "both of you" if self.role else "both"
        self.either = "either of you" if self.role else "either party"

    def is_reader(self, party: Party) -> bool:
        return self.role == party.value

    def name(self, party: Party) -> str:
        if party is BOTH:
            return self.either
        return self.client if party is CLIENT else self.freelancer

    def amount(self, amount_minor: int) -> str:
        return money.display(amount_minor, self.job.currency)


def begin(sentence: str) -> str:
    """With a capital letter, whatever name it begins with."""
    return (
        sentence[:1].upper() + sentence[1:]
        if sentence.startswith(("you ", "both", "either"))
        else sentence
    )


def in_days(days: int) -> str:
    return "1 day" if days == 1 else f"{days} days"


def at_most(times: int) -> str:
    words = {1: "once", 2: "twice"}
    return f"at most {words.get(times, f'{times} times')}"


def either_of(ways: Sequence[str]) -> str:
    """“release it, request changes or open a Dispute”."""
    *first, last = ways
    return f"{', '.join(first)} or {last}" if first else last
