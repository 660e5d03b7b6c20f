"""Rules broken on purpose: the time machine is worth something if it finds them out."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from billing import timetables
from billing.models import Escrow
from billing.moves import cancellations, disputes
from billing.services import escrow_changes, refunding, release_requests, sealed
from jobs.models import Job
from tests.billing.machine.changing import Changing
from tests.billing.machine.disputing import Disputing
from tests.billing.machine.ending import Ending
from tests.billing.machine.moving import Moving
from tests.billing.machine.waiting import Waiting


@dataclass(frozen=True)
class Break:
    """A rule that is broken, and how it comes out: in a story about little else than these subjects,
    by this step, as a breach of this law. ``story`` is the number of the first that tells it soon.
    """

    break_it: Callable[[pytest.MonkeyPatch], None]
    often: tuple[type, ...]
    story: int
    step: str
    law: str

    def __str__(self) -> str:
        return self.break_it.__name__


def a_settlement_one_second_early(monkeypatch: pytest.MonkeyPatch) -> None:
    right = timetables.Timetable.settlement_at.fget
    assert right is not None
    early = property(lambda table: (at := right(table)) and at - timedelta(seconds=1))
    monkeypatch.setattr(timetables.Timetable, "settlement_at", early)


def work_that_keeps_no_job_awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Job, "note_activity", lambda job, at, release_request=False: None)


def a_clock_that_goes_on_without_its_seven_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """R9.4."""
    monkeypatch.setattr(
        disputes,
        "time_left",
        lambda job, request: request.auto_release_at - request.clock_stopped_at,
    )


def seven_days_after_every_dispute(monkeypatch: pytest.MonkeyPatch) -> None:
    """R9.4: the minimum holds once per request."""
    right = disputes.time_left

    def always(job: Job, request: Any) -> timedelta:
        request.minimum_granted_at = None
        return right(job, request)

    monkeypatch.setattr(disputes, "time_left", always)


def a_part_refunded_while_disputed(monkeypatch: pytest.MonkeyPatch) -> None:
    """R9.1."""
    monkeypatch.setattr(refunding, "may_refund_part", refunding.may_refund_held)


def a_cancellation_split_wrong_by_one_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    """R8.3."""
    right = cancellations.carry_out

    def wrong(job: Job, divided: Any, **about: Any) -> Any:
        shifted = [
            dataclasses.replace(one, to_freelancer_minor=max(0, one.to_freelancer_minor - 1))
            for one in divided
        ]
        return right(job, shifted, **about)

    monkeypatch.setattr(cancellations, "carry_out", wrong)


def a_cancellation_that_is_never_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """R8.3: if a held amount changes meanwhile it ends as stale."""
    monkeypatch.setattr(cancellations, "is_overtaken", lambda cancellation: False)


def terms_that_send_the_whole_difference_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """R2.3: the old price less the new one, though a part had gone back before."""

    def wrong(escrow: Escrow, new: Any) -> int:
        if escrow.state != Escrow.State.FUNDED:
            return 0
        price_minor = new.amount_minor if new else 0
        return min(escrow.held_minor, escrow.amount_minor - price_minor)

    monkeypatch.setattr(escrow_changes, "_refund_minor", wrong)


def a_midpoint_rounded_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """R9.6."""
    right = sealed.settling.settle

    def wrong(dispute: Any, *, to_freelancer_minor: int, rule: str, **about: Any) -> None:
        if rule == sealed.RULE:
            to_freelancer_minor = min(to_freelancer_minor + 1, dispute.escrow.held_minor)
        right(dispute, to_freelancer_minor=to_freelancer_minor, rule=rule, **about)

    monkeypatch.setattr(sealed.settling, "settle", wrong)


def changes_asked_for_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """R7.3: at most twice per Milestone."""
    monkeypatch.setattr(release_requests, "returns_left", lambda request: 1)


FORECAST = "the forecast is what the rules say"
JOB = "the job is as the rules say"
CLOCKS = "milestones and clocks are as the rules say"
SUMS = "every milestone adds up"
REFUSED = "what is not allowed is refused"
DONE = "what is allowed is done"

ALL = [
    Break(a_settlement_one_second_early, (Waiting,), 0, "wait", FORECAST),
    Break(work_that_keeps_no_job_awake, (Moving,), 0, "", JOB),
    Break(a_clock_that_goes_on_without_its_seven_days, (Disputing,), 3, "quarrel", CLOCKS),
    Break(seven_days_after_every_dispute, (Disputing,), 27, "quarrel", CLOCKS),
    Break(a_part_refunded_while_disputed, (Disputing,), 0, "touch_what_is_frozen", REFUSED),
    Break(a_cancellation_split_wrong_by_one_unit, (Ending,), 2, "accept_cancellation", SUMS),
    Break(a_cancellation_that_is_never_overtaken, (Ending, Moving), 3, "release", JOB),
    Break(terms_that_send_the_whole_difference_back, (Changing,), 9, "accept", DONE),
    Break(a_midpoint_rounded_up, (Disputing,), 0, "enter_", SUMS),
    Break(changes_asked_for_again_and_again, (Moving,), 3, "request_changes_once_more", REFUSED),
]
