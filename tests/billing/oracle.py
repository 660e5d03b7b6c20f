"""R6 and R10 once more, written from the sentences of the rules and from nothing else in the product.

The property test holds the product against it. It knows the default numbers by heart, so that a number
that is changed by mistake is seen too.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

DAY = timedelta(hours=24)
LATE = timedelta(minutes=1)

# (instant, what, Milestone or 0), as the history names them.
Line = tuple[datetime, str, int]


@dataclass
class Milestone:
    amount_minor: int
    state: str = "unfunded"
    requested_at: datetime | None = None
    is_overdue: bool = False
    warned_until: datetime | None = None


@dataclass
class Oracle:
    """A Job with its Milestones by number; ``last_date_ends_at`` is 24:00 UTC of the last date."""

    milestones: dict[int, Milestone]
    last_activity: datetime
    last_date_ends_at: datetime
    open_ended: bool = False
    state: str = "active"
    last_besides_requests: datetime = field(init=False)
    dormant_date: datetime = field(init=False)
    freelancer_told: datetime | None = None

    def __post_init__(self) -> None:
        self.last_besides_requests = self.last_activity
        self._begin_sixty_days()

    # What people do

    def activity(self, at: datetime, *, is_request: bool = False) -> None:
        self.last_activity = max(self.last_activity, at)
        if not is_request:
            self.last_besides_requests = max(self.last_besides_requests, at)
        if self.state == "active":
            self._begin_sixty_days()

    def fund(self, number: int, at: datetime) -> None:
        self.milestones[number].state = "funded"
        self.activity(at)

    def request(self, number: int, at: datetime) -> None:
        milestone = self.milestones[number]
        milestone.requested_at, milestone.is_overdue, milestone.warned_until = at, False, at
        self.activity(at, is_request=True)
        if self.state == "dormant" and all(one.requested_at for one in self.held()):
            self._reactivate(at)

    def void(self, number: int, at: datetime) -> None:
        self.milestones[number].requested_at = None
        if self.state == "dormant" and self._is_settled(at):
            self._reactivate(at)

    def release(self, number: int, at: datetime) -> None:
        self.activity(at)
        self._empty(number, "released")
        if not self._ends(at) and self.state == "dormant":
            self._reactivate(at)

    # What silence does

    def run(self, until: datetime, *, swept_at: datetime | None = None) -> list[Line]:
        """Let nobody act until then; ``swept_at`` is when a late sweep makes up for it."""
        lines: list[Line] = []
        while (due := min(self._due(), default=None)) and due[0] <= until:
            at, _, what, number = due
            lines.append((at, what, number))
            if what == "overdue":
                self.milestones[number].is_overdue = True
            elif what == "release_warning":
                self.milestones[number].warned_until = at
            elif what == "released":
                self._empty(number, "released")
                lines += self._after_money(at)
            elif what == "dormant":
                self.state, self.freelancer_told = "dormant", None
            elif what == "dormant_freelancer":
                is_late = swept_at is not None and swept_at - at > LATE
                self.freelancer_told = swept_at if is_late else at
            elif what == "settled":
                for back in self._never_requested():
                    self._empty(back, "refunded")
                    lines.append((at, "returned", back))
                lines += self._after_money(at)
        return lines

    def _due(self) -> list[tuple[datetime, int, str, int]]:
        """Everything that is to come, each with its place among things of the same instant."""
        if self.state not in ("active", "dormant"):
            return []
        due: list[tuple[datetime, int, str, int]] = []
        for number, milestone in self.milestones.items():
            requested = milestone.requested_at
            if requested is None:
                continue
            if not milestone.is_overdue:
                due.append((requested + 15 * DAY, 1, "overdue", number))
            for day in (20, 25, 28, 29):
                warning = requested + day * DAY
                if milestone.warned_until is not None and warning > milestone.warned_until:
                    due.append((warning, 2, "release_warning", number))
            due.append((requested + 30 * DAY, 3, "released", number))
        if not self.held():
            return due
        if self.state == "active":
            due.append((self.dormant_date, 4, "dormant", 0))
        elif not self._is_freelancer_told():
            due.append((self._quiet_since() + 7 * DAY, 5, "dormant_freelancer", 0))
        elif self._never_requested():
            due.append((self._settlement(), 6, "settled", 0))
        return due

    def held(self) -> list[Milestone]:
        return [one for one in self.milestones.values() if one.state == "funded"]

    def _never_requested(self) -> list[int]:
        return [
            number
            for number, one in self.milestones.items()
            if one.state == "funded" and one.requested_at is None
        ]

    def _quiet_since(self) -> datetime:
        return max(self.dormant_date, self.last_besides_requests)

    def _is_freelancer_told(self) -> bool:
        return (
            self.freelancer_told is not None
            and self.freelancer_told >= self._quiet_since() + 7 * DAY
        )

    def _settlement(self) -> datetime:
        assert self.freelancer_told is not None
        return max(self._quiet_since() + 14 * DAY, self.freelancer_told + 7 * DAY)

    def _is_settled(self, at: datetime) -> bool:
        return self._is_freelancer_told() and self._settlement() <= at

    def _begin_sixty_days(self) -> None:
        self.dormant_date = max(self.last_activity, self.last_date_ends_at) + 60 * DAY

    def _reactivate(self, at: datetime) -> None:
        self.state, self.freelancer_told = "active", None
        self.activity(at)

    def _empty(self, number: int, state: str) -> None:
        milestone = self.milestones[number]
        milestone.state, milestone.requested_at = state, None

    def _ends(self, at: datetime) -> bool:
        over = all(
            one.state in ("released", "refunded", "removed") for one in self.milestones.values()
        )
        if over and not self.open_ended:
            self.state = "completed"
        return self.state == "completed"

    def _after_money(self, at: datetime) -> list[Line]:
        lines: list[Line] = []
        is_empty = self.state == "dormant" and not self.held()
        if is_empty and self._is_settled(at) and not self.open_ended:
            for number, one in self.milestones.items():
                if one.state == "unfunded":
                    one.state = "removed"
                    lines.append((at, "removed", number))
        if self._ends(at):
            return [*lines, (at, "completed", 0)]
        if self.state == "dormant" and not self.held():
            self._reactivate(at)
            lines.append((at, "reactivated", 0))
        return lines
