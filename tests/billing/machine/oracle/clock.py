"""What silence does to a Job: the 30-day rule, dormancy, and what lapses (R6, R10)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.billing.machine.oracle.rows import (
    DAY,
    OVER,
    Cancellation,
    Milestone,
    Proposal,
    end_of,
)

LATE = timedelta(minutes=1)

# (instant, what, Milestone or 0, how much money moves), as the history names them.
Line = tuple[datetime, str, int, int]


@dataclass
class Oracle:
    """A Job with its Milestones by number."""

    milestones: dict[int, Milestone]
    last_activity: datetime
    open_ended: bool = False
    state: str = "active"
    last_besides_requests: datetime = field(init=False)
    dormant_date: datetime = field(init=False)
    freelancer_told: datetime | None = None
    dispute_ended: datetime | None = None
    available: int = 0  # of the Freelancer
    version: int = 1  # the agreed Terms
    versions: int = 1
    highest: int = field(init=False)
    proposal: Proposal | None = None
    cancellation: Cancellation | None = None
    was_to_be_cancelled: bool = False
    statements: int = 0

    def __post_init__(self) -> None:
        self.last_besides_requests = self.last_activity
        self.highest = max(self.milestones)
        self._begin_sixty_days()

    # What there is

    @property
    def is_running(self) -> bool:
        return self.state in ("active", "dormant")

    def agreed(self) -> dict[int, Milestone]:
        return {number: one for number, one in self.milestones.items() if one.is_agreed}

    def held(self) -> list[Milestone]:
        return [one for one in self.milestones.values() if one.state == "funded"]

    # What follows from what people do

    def activity(self, at: datetime, *, is_request: bool = False) -> None:
        """What R10.2 lists was done by a party."""
        if not self.is_running:
            return
        self.last_activity = max(self.last_activity, at)
        if not is_request:
            self.last_besides_requests = max(self.last_besides_requests, at)
        if self.state == "active":
            self._begin_sixty_days()

    def reactivate(self, at: datetime) -> None:
        """Active, 60 days anew (R10.4); nothing when it is not dormant."""
        if self.state == "dormant":
            self.state, self.freelancer_told = "active", None
            self.activity(at)

    def ends(self) -> bool:
        """A Job completes by itself, unless its end is to be determined or Terms are open (R11.1)."""
        over = all(one.state in OVER for one in self.milestones.values())
        if self.is_running and over and not self.open_ended and self.proposal is None:
            self.end("completed")
        return not self.is_running

    def end(self, state: str) -> None:
        """Both get the Closing Statement; nothing is open any more (R11.2)."""
        self.state, self.statements = state, 1
        self.proposal = self.cancellation = None
        for one in self.milestones.values():
            if one.state == "unfunded":
                one.state = "removed"

    def held_changed(self) -> None:
        """A request to cancel the Job ends as stale (R8.3)."""
        self.cancellation = None

    def left_without_balance(self, at: datetime) -> None:
        """It is active again or, by R11, ended (R10.4)."""
        if not self.ends() and not self.held():
            self.reactivate(at)

    # What silence does

    def run(self, until: datetime, *, swept_at: datetime | None = None) -> list[Line]:
        """Let nobody act until then; ``swept_at`` is when a late sweep makes up for it."""
        lines: list[Line] = []
        while (due := min(self._due(), default=None)) and due[0] <= until:
            at, _, what, number = due
            lines += self._happen(at, what, number, swept_at=swept_at)
        return lines

    def _happen(
        self, at: datetime, what: str, number: int, *, swept_at: datetime | None
    ) -> list[Line]:
        line = (at, what, number, 0)
        match what:
            case "terms_lapsed":
                self.proposal = None
                return [line, *self._completed(at)]
            case "cancellation_lapsed":
                self.cancellation = None
            case "dispute_escalated":
                dispute = self.milestones[number].dispute
                assert dispute is not None
                dispute.answer_due_at, dispute.state = None, "mediation"
            case "dormant":
                self.state, self.freelancer_told = "dormant", None
            case "dormant_freelancer":
                is_late = swept_at is not None and swept_at - at > LATE
                self.freelancer_told = swept_at if is_late else at
            case "settled":
                return [line, *self._settle(at)]
            case _:
                return self._of_request(at, what, number)
        return [line]

    def _of_request(self, at: datetime, what: str, number: int) -> list[Line]:
        milestone = self.milestones[number]
        assert milestone.request is not None
        if what == "released":
            amount = milestone.held
            self.available += milestone.release(amount)
            return [(at, what, number, amount), *self._after_money(at)]
        if what == "overdue":
            milestone.request.is_overdue = True
        else:
            milestone.request.warned_until = at
        return [(at, what, number, 0)]

    def _settle(self, at: datetime) -> list[Line]:
        """Milestones never requested go back to the Client (R10.3)."""
        lines: list[Line] = []
        for number in self._never_requested():
            amount = self.milestones[number].held
            self.milestones[number].give_back(amount)
            lines.append((at, "returned", number, amount))
        return lines + self._after_money(at)

    def _after_money(self, at: datetime) -> list[Line]:
        lines: list[Line] = []
        if self.cancellation is not None:
            self.cancellation = None
            lines.append((at, "cancellation_stale", 0, 0))
        if self.state == "dormant" and not self.held() and self.is_settled(at):
            lines += self._remove_unfunded(at)
        if completed := self._completed(at):
            return lines + completed
        if self.state == "dormant" and not self.held():
            self.reactivate(at)
            lines.append((at, "reactivated", 0, 0))
        return lines

    def _remove_unfunded(self, at: datetime) -> list[Line]:
        if self.open_ended or self.proposal is not None:
            return []
        unfunded = [number for number, one in self.milestones.items() if one.state == "unfunded"]
        for number in unfunded:
            self.milestones[number].state = "removed"
        return [(at, "removed", number, 0) for number in unfunded]

    def _completed(self, at: datetime) -> list[Line]:
        return [(at, "completed", 0, 0)] if self.is_running and self.ends() else []

    def _due(self) -> list[tuple[datetime, int, str, int]]:
        """Everything that is to come, each with its place among things of the same instant."""
        if not self.is_running:
            return []
        due: list[tuple[datetime, int, str, int]] = []
        if self.proposal is not None:
            due.append((self.proposal.lapses_at, 1, "terms_lapsed", 0))
        if self.cancellation is not None:
            due.append((self.cancellation.lapses_at, 2, "cancellation_lapsed", 0))
        for number, milestone in self.milestones.items():
            if milestone.dispute is not None and milestone.dispute.answer_due_at is not None:
                due.append((milestone.dispute.answer_due_at, 3, "dispute_escalated", number))
            due += self._due_on_request(number, milestone)
        return due + self._due_by_dormancy()

    def _due_on_request(
        self, number: int, milestone: Milestone
    ) -> list[tuple[datetime, int, str, int]]:
        """A dispute on a Release Request stops its clock (R9.1)."""
        request = milestone.request
        if request is None or request.stopped_at is not None:
            return []
        due = [(request.due_at, 6, "released", number)]
        if not request.is_overdue:
            due.append((request.overdue_at, 4, "overdue", number))
        for days in (10, 5, 2, 1):
            warning = request.due_at - days * DAY
            if warning > request.warned_until:
                due.append((warning, 5, "release_warning", number))
        return due

    def _due_by_dormancy(self) -> list[tuple[datetime, int, str, int]]:
        """An open Dispute keeps the Job from becoming dormant and from being settled; what fell due
        meanwhile is dated by its end (R10.1).
        """
        if not self.held() or any(one.dispute for one in self.held()):
            return []
        if self.state == "active":
            return [(self._after_disputes(self.dormant_date), 7, "dormant", 0)]
        if not self._is_freelancer_told():
            return [(self._told_due(), 8, "dormant_freelancer", 0)]
        if self._never_requested():
            return [(self._settlement(), 9, "settled", 0)]
        return []

    def _after_disputes(self, at: datetime) -> datetime:
        return max(at, self.dispute_ended or at)

    def _never_requested(self) -> list[int]:
        return [
            number
            for number, one in self.milestones.items()
            if one.state == "funded" and one.request is None
        ]

    def _quiet_since(self) -> datetime:
        return max(self.dormant_date, self.last_besides_requests)

    def _told_due(self) -> datetime:
        return self._after_disputes(self._quiet_since() + 7 * DAY)

    def _is_freelancer_told(self) -> bool:
        return self.freelancer_told is not None and self.freelancer_told >= self._told_due()

    def _settlement(self) -> datetime:
        assert self.freelancer_told is not None
        due_at = max(self._quiet_since() + 14 * DAY, self.freelancer_told + 7 * DAY)
        return self._after_disputes(due_at)

    def is_settled(self, at: datetime) -> bool:
        return self._is_freelancer_told() and self._settlement() <= at

    def _begin_sixty_days(self) -> None:
        """From the later of the last date in the agreed Terms and the last Activity (R10.1)."""
        dates = [end_of(one.due_on) for one in self.agreed().values() if one.due_on]
        self.dormant_date = max([self.last_activity, *dates]) + 60 * DAY
