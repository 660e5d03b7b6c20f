"""The clock takes steps of a second to eighty days, and sweeps come in time or after an outage."""

import copy
from datetime import UTC, datetime, timedelta

from billing.forecast import forecast
from billing.selectors import escrow_rows
from billing.services import catching_up, sweeping
from billing.timetables import What
from jobs.models import Activity
from tests.billing.machine.base import MOVES_MONEY, Base, law, line, possible
from tests.billing.machine.oracle.clock import Line

FAR = datetime(2099, 1, 1, tzinfo=UTC)
STEPS = [
    timedelta(seconds=1),
    timedelta(hours=7),
    *(timedelta(days=days) for days in (1, 1, 3, 6, 15, 31, 80)),
]
# What the timers write into the history, and the lines of the two rules that move money.
FORETOLD = {
    What.PROPOSAL_LAPSES: "terms_lapsed",
    What.CANCELLATION_LAPSES: "cancellation_lapsed",
    What.CANCELLATION_STALE: "cancellation_stale",
    What.DISPUTE_ESCALATES: "dispute_escalated",
    What.OVERDUE: "overdue",
    What.WARNING: "release_warning",
    What.RELEASE: "released",
    What.DORMANT: "dormant",
    What.FREELANCER_TOLD: "dormant_freelancer",
    What.SETTLEMENT: "settled",
    What.RETURN: "returned",
    What.REMOVAL: "removed",
    What.REACTIVATION: "reactivated",
    What.COMPLETION: "completed",
}
OF_ITSELF = (Activity.Actor.TIMER, Activity.Actor.SYSTEM)


class Waiting(Base):
    """Nobody acts: what was foretold comes true, in whatever way it is carried out."""

    weight = (1, 2)

    @possible(lambda self: True)
    def wait(self) -> None:
        """In time, after an outage, or until somebody comes."""
        until, how = self.at + self.chance.choice(STEPS), self.chance.randrange(3)
        if how == 0:
            self.wait_while_sweeps_run(until)
        else:
            self.wait_without_sweeps(until, somebody_comes=how == 1)

    @possible(lambda self: copy.deepcopy(self.oracle).run(FAR))
    def wait_for_something(self) -> None:
        """To one of the next instants at which something is due, or a second before it."""
        events, seconds = self.chance.randint(1, 3), self.chance.randint(-1, 3600)
        coming = copy.deepcopy(self.oracle).run(FAR)
        instant = coming[min(events, len(coming)) - 1][0] + timedelta(seconds=seconds)
        self.wait_while_sweeps_run(max(instant, self.at))

    def wait_while_sweeps_run(self, until: datetime) -> None:
        """Sweeps come in time: one at each instant at which something is due."""
        foretold = self.foretold(until)
        expected = self.oracle.run(until)
        with law("the forecast is what the rules say"):
            assert foretold == expected
        for at in sorted({at for at, *_ in expected}):
            sweeping.sweep(at=at)
        sweeping.sweep(at=until)
        self.at = until
        self.came_true(expected)

    def wait_without_sweeps(self, until: datetime, *, somebody_comes: bool) -> None:
        """One sweep, late, or none: whoever locks the Job next finds it as sweeps would have left it,
        and everything is dated by its own instant all the same.
        """
        self.at = until
        expected = self.oracle.run(until, swept_at=until)
        if somebody_comes and self.oracle.is_running:
            with catching_up.locked_job(self.job.pk, at=until):
                pass
        else:
            sweeping.sweep(at=until)
        self.came_true(expected)

    def came_true(self, expected: list[Line]) -> None:
        with law("what was foretold comes true"):
            assert self.new_lines(*OF_ITSELF) == expected
        self.moved_by_silence += [one for one in expected if one[1] in MOVES_MONEY]

    def foretold(self, until: datetime) -> list[Line]:
        """What the Job page says, up to then."""
        job = self.fresh()
        rows = escrow_rows.rows_of([job.pk])[job.pk]
        return [
            line(one.at, FORETOLD[one.what], one.number, one.amount_minor)
            for one in forecast(job, rows, at=self.at)
            if one.at <= until
        ]
