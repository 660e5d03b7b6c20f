"""The history of a Job as its readers see it: one line per Activity, what, who, when, why.

The sentences stand in the table of kinds; here they meet their facts. Nothing is written here.
"""

from collections.abc import Iterable
from typing import Any, TypedDict

from django.db.models import QuerySet

from escrow_site.lib import display, statements
from jobs.models import Activity, Job, Person
from jobs.notices import KINDS, names_for_support

OF_JOB = """
SELECT {activity}, {actor}
  FROM jobs_activity AS activity
  LEFT JOIN jobs_person AS actor ON actor.id = activity.actor_id
 WHERE activity.job_id = %s AND activity.kind <> ALL(%s)
 ORDER BY activity.happened_at DESC, activity.id DESC
 LIMIT %s OFFSET %s
"""
COUNT_OF_JOB = """
SELECT count(*) AS lines FROM jobs_activity WHERE job_id = %s AND kind <> ALL(%s)
"""


class HistoryLine(TypedDict):
    """One line, ready to show; ``sentence`` is ``what`` after the actor's name."""

    what: str
    who: str
    when: str
    why: str
    sentence: str


def of_job(job: Job, *, limit: int | None = None, offset: int = 0) -> list[Activity]:
    """The history as the parties read it, newest first, with its actors; all unless there is a limit."""
    rows = statements.read(
        OF_JOB, job.pk, names_for_support(), limit, offset, activity=Activity, actor=Person
    )
    for activity, actor in rows:
        activity.actor = actor
    return [activity for activity, _ in rows]


def for_parties(job: Job) -> QuerySet[Activity]:
    """The lines of a Job that its parties may read, to look for some of them."""
    return Activity.objects.filter(job=job).exclude(kind__in=names_for_support())


def acted_since(activity: Activity) -> bool:
    """Whether anybody has done anything on the Job after it: what it foretold may not come true any more."""
    later = for_parties(activity.job).filter(pk__gt=activity.pk, actor__isnull=False)
    return later.exists()


def count_of_job(job: Job) -> int:
    """How many lines the parties read in the history."""
    return int(statements.run(COUNT_OF_JOB, job.pk, names_for_support())[0]["lines"])


def lines(activities: Iterable[Activity], job: Job, viewer: Person) -> list[HistoryLine]:
    """Lines of one Job, whose row is at hand already."""
    described = []
    for activity in activities:
        activity.job = job
        described.append(describe(activity, viewer))
    return described


def describe(activity: Activity, viewer: Person | None) -> HistoryLine:
    """One line of history in the active language and time zone.

    A fact that is missing shows as a dash and a kind that nobody knows by its name: history must
    stay readable whatever happens to the table of kinds.
    """
    who = actor_name(activity, viewer)
    words = _words(activity)
    return {
        "what": words[:1].upper() + words[1:],
        "who": who,
        "when": display.instant(activity.happened_at),
        "why": why(activity),
        "sentence": f"{who} {words}",
    }


def why(activity: Activity) -> str:
    """What a person typed stays as it is; the timers' sentences are kept in UTC and read in the reader's zone."""
    if activity.actor_id is not None:
        return activity.reason
    return display.with_local_instants(activity.reason)


def actor_name(activity: Activity, viewer: Person | None) -> str:
    """Who did it, in the viewer's words."""
    if activity.actor_kind == Activity.Actor.TIMER:
        return "The timer"
    if activity.actor is None:
        return activity.get_actor_kind_display()
    if viewer is not None and activity.actor_id == viewer.pk:
        return "You"
    if activity.actor_kind == Activity.Actor.SUPPORT:
        return f"{activity.actor} (support)"
    return str(activity.actor)


def _words(activity: Activity) -> str:
    kind = KINDS.get(activity.kind)
    if kind is None:
        return activity.kind.replace("_", " ")
    return kind.sentence.format_map(_KnownFacts(_facts(activity)))


def _facts(activity: Activity) -> dict[str, Any]:
    """Each fact ready to read; one that cannot be read as its name says stays as it is."""
    readable: dict[str, Any] = {"job": activity.job.title}
    for name, value in activity.facts.items():
        try:
            readable |= display.readable_facts({name: value}, activity.job.currency)
        except (TypeError, ValueError):
            readable[name] = value
    # The lines of a payment from before its Milestones were named one by one.
    readable.setdefault("milestones", f"“{readable.get('escrow', '–')}”")
    return readable


class _KnownFacts(dict[str, Any]):
    """Facts for a sentence; what is not known is a dash."""

    def __missing__(self, name: str) -> str:
        return "–"
