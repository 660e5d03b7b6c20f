"""What there is on a Job: its Milestones with their requests and Disputes, what is proposed, what is asked."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

DAY = timedelta(hours=24)
CLIENT, FREELANCER = SIDES = ("client", "freelancer")
OVER = ("released", "refunded", "removed")


def other(side: str) -> str:
    return FREELANCER if side == CLIENT else CLIENT


def fee(minor: int) -> int:
    """8.75 % of what was released and not refunded, half-up (R5.2)."""
    return (minor * 875 + 5_000) // 10_000


def business_days_after(at: datetime, days: int) -> datetime:
    """Monday to Friday UTC, at the same time of day (R9.2); the default Policy has no holidays."""
    while days:
        at += DAY
        days -= at.strftime("%a") not in ("Sat", "Sun")
    return at


def end_of(day: date) -> datetime:
    """Dates end at 24:00 UTC (R10.1)."""
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=UTC)


@dataclass
class Request:
    """A Release Request that is not answered; ``stopped_at`` while it is disputed."""

    due_at: datetime
    overdue_at: datetime
    warned_until: datetime
    is_overdue: bool = False
    stopped_at: datetime | None = None
    had_the_minimum: bool = False
    disputed_by: set[str] = field(default_factory=set)

    @classmethod
    def made(cls, at: datetime) -> "Request":
        """Due after 30 days, Overdue 15 days before that (R6.1)."""
        return cls(due_at=at + 30 * DAY, overdue_at=at + 15 * DAY, warned_until=at)

    @property
    def state(self) -> str:
        if self.stopped_at is not None:
            return "disputed"
        return "overdue" if self.is_overdue else "open"


@dataclass
class Dispute:
    """An open one. ``answer_due_at`` is None once it was answered or is with support."""

    opener: str
    answer_due_at: datetime | None
    is_answered: bool = False
    state: str = "open"
    offers: dict[str, int] = field(default_factory=dict)
    limits: dict[str, int] = field(default_factory=dict)
    decision: tuple[int, int] | None = None  # which agent, how much for the Freelancer


@dataclass
class Milestone:
    """Its price and date in the agreed Terms, and its money."""

    price: int
    due_on: date | None = None
    state: str = "unfunded"
    is_agreed: bool = True
    funded: int = 0
    released: int = 0
    refunded: int = 0
    credited: int = 0
    fee_taken: int = 0
    request: Request | None = None
    dispute: Dispute | None = None
    times_returned: int = 0
    # When each side entered limits under seal, in whichever of its Disputes.
    entered: dict[str, list[datetime]] = field(default_factory=lambda: {CLIENT: [], FREELANCER: []})

    @property
    def kept(self) -> int:
        """Released, and not refunded later."""
        return self.released - self.credited

    @property
    def held(self) -> int:
        """By R11.2: funded = released − released and later refunded + all refunded, plus what is held."""
        return self.funded - (self.kept + self.refunded + self.credited)

    def fund(self) -> None:
        self.state, self.funded = "funded", self.price

    def release(self, amount: int) -> int:
        """What the Freelancer gets: the part less the fee on all so far, less the fee taken (R5.2)."""
        self.released += amount
        fee_minor = fee(self.kept) - self.fee_taken
        self.fee_taken += fee_minor
        self._end_when_empty()
        return amount - fee_minor

    def give_back(self, amount: int) -> None:
        """No service fee is taken on money that goes back (R8.1)."""
        self.refunded += amount
        self._end_when_empty()

    def credit(self, amount: int) -> int:
        """What the Freelancer gives: the amount less the fee that comes back (R8.2)."""
        self.credited += amount
        fee_minor = self.fee_taken - fee(self.kept)
        self.fee_taken -= fee_minor
        return amount - fee_minor

    def _end_when_empty(self) -> None:
        """It ends released if anything was released, else refunded (R3.2)."""
        if not self.held:
            self.state = "released" if self.released else "refunded"
            self.request = None


Change = tuple[int, date | None]  # price and date


@dataclass
class Proposal:
    """Open Terms: what becomes of the Milestones that there are (those that are missing are removed),
    and what is added, by the number that it will have.
    """

    version: int
    by: str
    lapses_at: datetime
    changes: dict[int, Change]
    added: dict[int, Change]
    open_ended: bool


@dataclass
class Cancellation:
    """An open request; ``shares`` is how much of each held Milestone is to go to the Freelancer."""

    by: str
    lapses_at: datetime
    shares: dict[int, int]
