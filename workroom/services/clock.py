"""Moving the product's clock forward, so that a newcomer can watch the timers. In local mode only.

The clock goes from due instant to due instant and what is due is carried out at each, as it would be
had the time really passed. The one service that reads the clock: it is its subject.
"""

import time
from datetime import UTC, datetime, timedelta

from django.db.models import Max, Min, QuerySet

from billing.services import sweeping
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal, refuse_if
from jobs.models import Activity, Job, Person
from workroom.selectors.clock import Advanced, happened_after, seen_by

LATEST = datetime(2200, 1, 1, tzinfo=UTC)
# After this time the rest is carried out in one go: by R6.4 the outcome is the same, but for late notices.
PATIENCE_SECONDS = 20.0
# A Job that a worker's own sweep holds at this moment is waited for, a second at most.
TRIES = 20
PAUSE_SECONDS = 0.05


class NotForward(Refusal):
    """Time only moves forward, and not without end."""


def may_advance(*, by: timedelta) -> Refusal | None:
    """Whether the clock can be moved forward by so much."""
    if not timing.is_movable():
        return timing.ClockFixed(timing.FIXED)
    if by <= timedelta(0):
        return NotForward("Time only moves forward.")
    if by > LATEST - timing.now():
        return NotForward(f"The clock goes to the year {LATEST.year} and no further.")
    return None


def advance(*, by: timedelta) -> Advanced:
    """The clock is forward by so much, and what fell due on the way is carried out at its instant.

    Keeps out everybody else who moves the clock meanwhile. Raises ClockFixed, NotForward.
    """
    refuse_if(may_advance(by=by))
    with timing.moving():
        began_at, last_line_before = timing.now(), _last_line()
        is_complete = _run_to(began_at + by, gives_up_at=time.monotonic() + PATIENCE_SECONDS)
        return Advanced(
            began_at=began_at,
            ended_at=timing.now(),
            last_line_before=last_line_before,
            was_cut_short=not is_complete,
        )


def advance_to_next_event(*, viewer: Person | None = None) -> Advanced:
    """The clock is at the next instant at which a timer did something on a Job that the viewer sees,
    or on any Job when nobody is named.

    A due instant is a lower bound: a visit may find nothing, and the clock goes on to the next.
    Raises ClockFixed.
    """
    refuse_if(may_advance(by=timedelta(seconds=1)))
    watched = seen_by(viewer) if viewer else Job.objects.all()
    with timing.moving():
        began_at, last_line_before = timing.now(), _last_line()
        gives_up_at = time.monotonic() + PATIENCE_SECONDS
        _carry_out_due()
        is_complete, due_at = True, _next_due_at(watched)
        happened = happened_after(last_line_before).filter(job__in=watched)
        while is_complete and due_at is not None and not happened.exists():
            is_complete = _run_to(due_at, gives_up_at=gives_up_at)
            due_at = _next_due_at(watched)
        return Advanced(
            began_at=began_at,
            ended_at=timing.now(),
            last_line_before=last_line_before,
            is_nothing_left=due_at is None,
            was_cut_short=not is_complete,
        )


def _run_to(target: datetime, *, gives_up_at: float) -> bool:
    """Step to the target; whether there was time to stop at each due instant."""
    _carry_out_due()
    is_complete = True
    while (due_at := _next_due_at(Job.objects.all())) is not None and due_at < target:
        if time.monotonic() > gives_up_at:
            is_complete = False
            break
        timing.move_to(due_at)
        _carry_out_due()
    timing.move_to(target)
    _carry_out_due()
    return is_complete


def _carry_out_due() -> None:
    """Sweep at the clock's time until nothing is due that another worker had in hand."""
    for _ in range(TRIES):
        sweeping.sweep(at=timing.now())
        if not Job.objects.filter(set_aside_at=None, next_due_at__lte=timing.now()).exists():
            return
        time.sleep(PAUSE_SECONDS)


def _next_due_at(jobs: QuerySet[Job]) -> datetime | None:
    """The next instant at which something may fall due. Later than now, so that each step is forward
    and there is an end even if a Job stays due.
    """
    waiting = jobs.filter(set_aside_at=None, next_due_at__gt=timing.now(), next_due_at__lt=LATEST)
    return waiting.aggregate(next=Min("next_due_at"))["next"]


def _last_line() -> int:
    return Activity.objects.aggregate(last=Max("pk"))["last"] or 0
