"""What to say after the clock was moved: how far it went, and what happened meanwhile."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from jobs.models import Activity, Job, Person
from jobs.selectors import history

LINES_AT_MOST = 5


@dataclass(frozen=True, kw_only=True)
class Advanced:
    """How the clock was moved. What happened are the lines of Activity after ``last_line_before``.

    ``is_nothing_left``: no Job has anything that could fall due. ``was_cut_short``: there was more
    than could be carried out instant by instant.
    """

    began_at: datetime
    ended_at: datetime
    last_line_before: int
    is_nothing_left: bool = False
    was_cut_short: bool = False

    @property
    def happened(self) -> QuerySet[Activity]:
        """What timers and the system did meanwhile, in its order."""
        return happened_after(self.last_line_before).order_by("happened_at", "pk")


def seen_by(person: Person) -> QuerySet[Job]:
    """The Jobs that a person may know of (R1.4)."""
    return Job.objects.all() if person.is_staff else Job.objects.seen_by(person)


def happened_after(last_line: int) -> QuerySet[Activity]:
    """What timers and the system did after a line of history; what people do is no event."""
    impersonal = (Activity.Actor.TIMER, Activity.Actor.SYSTEM)
    return Activity.objects.filter(pk__gt=last_line, actor_kind__in=impersonal)


def told(advanced: Advanced, *, jobs: QuerySet[Job], viewer: Person | None = None) -> list[str]:
    """Lines of plain text. Of Jobs that are not among ``jobs`` there is only a number (R1.4)."""
    seen = advanced.happened.filter(job__in=jobs).select_related("job", "actor")
    seen_count, count = seen.count(), advanced.happened.count()
    later = f"{elapsed(advanced.ended_at - advanced.began_at)} later"
    lines = [f"{later}: {_summary(advanced, count)}"]
    # The newest: what ends a matter, like a release, comes last.
    lines += [_line(activity, viewer) for activity in seen.reverse()[:LINES_AT_MOST]][::-1]
    if seen_count > LINES_AT_MOST:
        lines.append(f"And {seen_count - LINES_AT_MOST:,} more before.")
    if seen_count < count:
        lines.append(f"{_things(count - seen_count)} on Jobs that are not yours to see.")
    if advanced.was_cut_short:
        lines.append(_cut_short(advanced, count))
    return lines


def elapsed(span: timedelta) -> str:
    """A span of time in days and hours, or in minutes when it is short: ``2 days and 3 hours``."""
    minutes = round(span / timedelta(minutes=1))
    days, hours = divmod(round(minutes / 60), 24)
    parts = [_count(days, "day"), _count(hours, "hour")]
    said = " and ".join(part for part in parts if part)
    if minutes < 60 or not said:
        return _count(minutes, "minute") or "A moment"
    return said


def _summary(advanced: Advanced, count: int) -> str:
    if count:
        return "one thing happened by itself." if count == 1 else f"{_things(count)} by themselves."
    if advanced.is_nothing_left:
        return "nothing happened, and nothing is left that could."
    return "nothing fell due."


def _line(activity: Activity, viewer: Person | None) -> str:
    line = history.describe(activity, viewer)
    return f"{line['when']} · {activity.job.title}: {line['what']}."


def _things(count: int) -> str:
    return "One thing happened" if count == 1 else f"{count:,} things happened"


def _cut_short(advanced: Advanced, count: int) -> str:
    if count:
        return "So much fell due that the last of it was carried out at once."
    return "There was much to go through: go on to the next event once more."


def _count(number: int, unit: str) -> str:
    return f"{number:,} {unit}{'' if number == 1 else 's'}" if number else ""
