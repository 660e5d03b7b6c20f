"""Random people and a random clock: the ledger holds, and what was foretold comes true (R6, R10).

Both sides do what they like, the clock takes steps of a second to eighty days, and sweeps come in time or
after an outage. After each step the ledger's laws hold, money has moved only by an action or by one of
the two rules, and the history says exactly what ``tests.billing.oracle`` (written from the rules, not
from the code) and the product's own forecast had said.

That it can fail is shown by ``test_a_broken_rule_is_caught``: with a settlement one second early, or with
work that keeps no Job awake, it fails.
"""

import copy
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from billing import timers
from billing.forecast import forecast
from billing.models import Escrow, Refund, Release, ReleaseRequest, Transfer
from billing.selectors import timetables
from billing.services import audit, catching_up, funding, release_requests, releases, sweeping
from escrow_site.lib.timing import end_of
from jobs.models import Activity, Job
from jobs.services import activity
from tests.billing.oracle import Line, Milestone, Oracle
from tests.factories import PersonFactory
from tests.scenarios import fund, running_job

BEGIN = datetime(2026, 3, 1, 10, tzinfo=UTC)
LAST_DATE = date(2026, 4, 30)
FAR = datetime(2099, 1, 1, tzinfo=UTC)
STEPS = st.sampled_from(
    [
        timedelta(seconds=1),
        timedelta(hours=7),
        *(timedelta(days=days) for days in (1, 6, 15, 31, 80)),
    ]
)
# What the timers write into the history, and the lines of the two rules that move money.
FORETOLD = {
    timers.What.OVERDUE: "overdue",
    timers.What.WARNING: "release_warning",
    timers.What.RELEASE: "released",
    timers.What.DORMANT: "dormant",
    timers.What.FREELANCER_TOLD: "dormant_freelancer",
    timers.What.SETTLEMENT: "settled",
    timers.What.RETURN: "returned",
    timers.What.REMOVAL: "removed",
    timers.What.REACTIVATION: "reactivated",
    timers.What.COMPLETION: "completed",
}
ABOUT_THE_JOB = {"dormant", "dormant_freelancer", "settled", "reactivated", "completed"}


class TimeMachine(RuleBasedStateMachine):
    """One Job with up to four Milestones, its oracle, and the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.savepoint: Any = transaction.atomic()
        self.savepoint._from_testcase = True  # so that durable transactions may run within it
        self.savepoint.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize(
        amounts_minor=st.lists(st.integers(1, 10_000_00), min_size=1, max_size=4),
        open_ended=st.booleans(),
        all_funded=st.booleans(),
    )
    def begin(self, amounts_minor: list[int], open_ended: bool, all_funded: bool) -> None:
        self.at = BEGIN
        self.client, self.freelancer = PersonFactory(), PersonFactory()
        self.job = running_job(
            self.client,
            self.freelancer,
            amounts_minor=amounts_minor,
            open_ended=open_ended,
            at=BEGIN,
        )
        milestones = {
            number: Milestone(amount_minor) for number, amount_minor in enumerate(amounts_minor, 1)
        }
        # Nothing has been done by a person yet: the Terms were agreed to above the money.
        with catching_up.locked_job(self.job.pk, at=BEGIN) as job:
            self.oracle = Oracle(milestones, BEGIN, end_of(LAST_DATE), open_ended=open_ended)
            job.note_activity(BEGIN)
            activity.record(job, funding.FUNDING_REQUESTED, by=self.freelancer, at=BEGIN,
                            escrow="", number=1, amount_minor=1)  # fmt: skip
        self.asked: set[int] = {1}
        for number in milestones if all_funded else []:
            fund(self.job, number, at=BEGIN)
            self.oracle.fund(number, BEGIN)
        self.seen = Activity.objects.filter(job=self.job).count()

    # --- What people do ---

    def numbers(self, *, state: str, requested: bool | None = None) -> list[int]:
        return [
            number
            for number, one in self.oracle.milestones.items()
            if one.state == state and requested in (None, one.requested_at is not None)
        ]

    def is_running(self) -> bool:
        return self.oracle.state in ("active", "dormant")

    @precondition(lambda self: self.is_running() and self.numbers(state="unfunded"))
    @rule(data=st.data())
    def fund(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.numbers(state="unfunded")))
        fund(self.job, number, at=self.at)
        self.oracle.fund(number, self.at)

    @precondition(lambda self: self.is_running() and self.numbers(state="funded", requested=False))
    @rule(data=st.data())
    def request(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.numbers(state="funded", requested=False)))
        with catching_up.locked_job(self.job.pk, at=self.at) as job:
            escrow = Escrow.objects.get(job=job, number=number)
            release_requests.request_release(job, [escrow], by=self.freelancer, at=self.at)
        self.oracle.request(number, self.at)

    @precondition(lambda self: self.numbers(state="funded", requested=True))
    @rule(data=st.data())
    def void(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.numbers(state="funded", requested=True)))
        request = ReleaseRequest.objects.unanswered().get(
            escrow__job=self.job, escrow__number=number
        )
        release_requests.void(request.pk, by=self.freelancer, at=self.at)
        self.oracle.void(number, self.at)

    @precondition(lambda self: self.is_running() and self.numbers(state="funded"))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(self.numbers(state="funded")))
        releases.release(self.job.pk, numbers=[number], by=self.client, at=self.at)
        self.oracle.release(number, self.at)

    @precondition(
        lambda self: self.is_running() and set(self.numbers(state="unfunded")) - self.asked
    )
    @rule(data=st.data())
    def ask_for_money(self, data: st.DataObject) -> None:
        """A Funding Request: Activity that wakes nobody up."""
        number = data.draw(
            st.sampled_from(sorted(set(self.numbers(state="unfunded")) - self.asked))
        )
        funding.request_funding(self.job.pk, number=number, by=self.freelancer, at=self.at)
        self.asked.add(number)
        self.oracle.activity(self.at)

    # --- What the clock does ---

    @rule(step=STEPS)
    def wait_while_sweeps_run(self, step: timedelta) -> None:
        """Sweeps come in time: one at each instant at which something is due."""
        until = self.at + step
        foretold = self.foretold(until)
        expected = self.oracle.run(until)
        assert foretold == expected
        for at in sorted({at for at, _, _ in expected}):
            sweeping.sweep(at=at)
        sweeping.sweep(at=until)
        self.at = until
        assert self.new_lines_of_timers() == expected

    @precondition(lambda self: copy.deepcopy(self.oracle).run(FAR))
    @rule(events=st.integers(1, 3), seconds=st.integers(-1, 3600))
    def wait_for_something(self, events: int, seconds: int) -> None:
        """To one of the next instants at which something is due, or a second before it."""
        coming = copy.deepcopy(self.oracle).run(FAR)
        instant = coming[min(events, len(coming)) - 1][0] + timedelta(seconds=seconds)
        self.wait_while_sweeps_run(max(instant - self.at, timedelta(0)))

    @rule(step=STEPS)
    def wait_through_an_outage(self, step: timedelta) -> None:
        """One sweep, late: everything is dated by its own instant all the same."""
        self.at += step
        expected = self.oracle.run(self.at, swept_at=self.at)
        sweeping.sweep(at=self.at)
        assert self.new_lines_of_timers() == expected

    @precondition(lambda self: self.is_running())
    @rule(step=STEPS)
    def wait_until_somebody_comes(self, step: timedelta) -> None:
        """No sweep at all: whoever locks the Job next finds it as the sweep would have left it."""
        self.at += step
        expected = self.oracle.run(self.at, swept_at=self.at)
        with catching_up.locked_job(self.job.pk, at=self.at):
            pass
        assert self.new_lines_of_timers() == expected

    def foretold(self, until: datetime) -> list[Line]:
        """What the Job page says, up to then."""
        job = self.fresh()
        rows = timetables.rows_of([job.pk])[job.pk]
        return [
            (
                one.at,
                FORETOLD[one.what],
                0 if FORETOLD[one.what] in ABOUT_THE_JOB else one.number or 0,
            )
            for one in forecast(job, rows, at=self.at)
            if one.at <= until
        ]

    def new_lines_of_timers(self) -> list[Line]:
        lines = Activity.objects.filter(job=self.job).order_by("pk")[self.seen :]
        self.seen += len(lines)
        return [
            (
                line.happened_at,
                line.kind,
                0 if line.kind in ABOUT_THE_JOB else line.facts["number"],
            )
            for line in lines
            if line.actor_kind in (Activity.Actor.TIMER, Activity.Actor.SYSTEM)
        ]

    def fresh(self) -> Job:
        return Job.objects.select_related("client", "freelancer", "policy").get(pk=self.job.pk)

    # --- What holds at every step ---

    @invariant()
    def the_ledger_holds(self) -> None:
        assert [one for one in audit.audit_ledger(at=self.at) if one.differences] == []

    @invariant()
    def the_job_is_as_the_rules_say(self) -> None:
        job, oracle = self.fresh(), self.oracle
        assert job.state == oracle.state
        rows = Escrow.objects.filter(job=job).order_by("number")
        assert {row.number: (row.state, row.held_minor) for row in rows} == {
            number: (one.state, one.amount_minor if one.state == "funded" else 0)
            for number, one in oracle.milestones.items()
        }
        if self.is_running():
            assert job.dormant_at == oracle.dormant_date
            table = timers.timetable(job, timetables.rows_of([job.pk])[job.pk])
            following = timers.next_event(copy.deepcopy(table))
            if following is not None:
                assert job.next_due_at is not None and job.next_due_at <= following.at
        self.seen = Activity.objects.filter(job=self.job).count()

    @invariant()
    def silence_moves_money_by_two_rules_only(self) -> None:
        for release in Release.objects.filter(job=self.job, released_by=None):
            assert release.reason.startswith("30-day rule: requested ")
        for refund in Refund.objects.filter(escrow__job=self.job):
            assert refund.reason.startswith("Dormancy rule: ")
        moved = Transfer.objects.filter(debit_account__escrow__job=self.job)
        assert set(moved.values_list("code", flat=True)) <= {"release", "service_fee", "refund"}


def run_machine(*, examples: int, steps: int, seed: bool = True) -> None:
    run_state_machine_as_test(
        TimeMachine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=seed,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
            database=None,
        ),
    )


@pytest.mark.django_db
def test_what_was_foretold_comes_true() -> None:
    run_machine(examples=40, steps=25)


def a_settlement_one_second_early(monkeypatch: pytest.MonkeyPatch) -> None:
    right = timers.Timetable.settlement_at.fget
    assert right is not None
    early = property(lambda table: (at := right(table)) and at - timedelta(seconds=1))
    monkeypatch.setattr(timers.Timetable, "settlement_at", early)


def work_that_keeps_no_job_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "note_activity", lambda job, at, release_request=False: None)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "break_a_rule", [a_settlement_one_second_early, work_that_keeps_no_job_awake]
)
def test_a_broken_rule_is_caught(
    break_a_rule: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    break_a_rule(monkeypatch)
    with pytest.raises(AssertionError):
        run_machine(examples=40, steps=25)
