"""Notices as their readers see them: headline, text, link (R12).

What is the same in the app and in a mail. Mails are made in ``workroom.services.mail``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from escrow_site.lib import statements
from escrow_site.lib.display import readable_facts
from jobs.models import Activity, Notification, Person
from jobs.notices import KINDS
from jobs.selectors import history

# A count above this is not worth its exact number, and counting stops there.
MOST_COUNTED = 99
# Stands between the two parts of layout_brief.txt.
BRIEF_SEPARATOR = "=" * 40
# Every page counts them.
COUNT_UNREAD = """
SELECT count(*) AS unread
  FROM (SELECT 1 FROM jobs_notification WHERE person_id = %s AND read_at IS NULL LIMIT %s) AS counted
"""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One notice in the list of its reader."""

    id: int
    headline: str
    happened: str
    otherwise: str
    job: str
    at: datetime
    unread: bool


def of_person(person: Person, *, unread_only: bool = False) -> QuerySet[Notification]:
    """The notices of a person, newest first, with all that their lines need."""
    notices = with_all_they_name(Notification.objects.filter(person=person))
    if unread_only:
        notices = notices.filter(read_at__isnull=True)
    return notices.order_by("-pk")


def with_all_they_name(notices: QuerySet[Notification]) -> QuerySet[Notification]:
    """Join what a headline, a text and a link are made of: one query whatever the number."""
    return notices.select_related(
        "person",
        "activity__actor",
        "activity__job__client",
        "activity__job__freelancer",
        "activity__job__policy",
    )


def lines(notices: Iterable[Notification]) -> list[Line]:
    """The notices of one page, ready to show to their reader."""
    return [_line(notice) for notice in notices]


def newest(person: Person) -> int | None:
    """The id of the person's newest notice."""
    keys = Notification.objects.filter(person=person).order_by("-pk").values_list("pk", flat=True)
    return keys.first()


def count_unread(person: Person) -> int | str:
    """How many notices the person has not read; ``99+`` above 99."""
    [row] = statements.run(COUNT_UNREAD, person.pk, MOST_COUNTED + 1)
    count: int = row["unread"]
    return count if count <= MOST_COUNTED else f"{MOST_COUNTED}+"


def headline(activity: Activity) -> str:
    """The notice in one line, in the active language; also the subject of the mail."""
    text = KINDS[activity.kind].subject.format_map(_WithGaps(_facts(activity)))
    # A title may hold what a mail's header must not.
    return " ".join(text.split())


def target(activity: Activity) -> str:
    """The path of the thing that the notice is about; of its Job if a fact is missing."""
    kind = KINDS[activity.kind]
    known = activity.facts | {"job": activity.job_id}
    if all(known.get(name) for name in kind.url_facts):
        return reverse(kind.url_name, args=[known[name] for name in kind.url_facts])
    return reverse("workroom:job", args=[activity.job_id])


def context(activity: Activity, *, reader: Person | None) -> dict[str, Any]:
    """What the template of a kind may name, in the active language and time zone.

    ``reader`` is None for an address without an account.
    """
    job = activity.job
    facts = _facts(activity)
    return {
        **facts,
        "facts": facts,
        "job": job,
        "reader": reader,
        "reader_is_client": reader is not None and reader.pk == job.client_id,
        "reader_is_actor": reader is not None and reader.pk == activity.actor_id,
        "actor": actor_name(activity),
        "reason": history.why(activity),
        "happened_at": activity.happened_at,
        "headline": headline(activity),
    }


def brief(notice: Notification) -> tuple[str, str]:
    """What happened, and what happens if nobody acts: each as one plain paragraph."""
    known = context(notice.activity, reader=notice.person) | {"layout": "notices/layout_brief.txt"}
    text = render_to_string(KINDS[notice.activity.kind].template_name, known)
    happened, _, otherwise = text.rpartition(BRIEF_SEPARATOR)
    return " ".join(happened.split()), " ".join(otherwise.split())


def actor_name(activity: Activity) -> str:
    """Who did it, in words; the timers are part of the system."""
    return "The system" if activity.actor is None else history.actor_name(activity, None)


class _WithGaps(dict[str, Any]):
    """A fact that is missing leaves a gap in the headline, and not a notice unsent."""

    def __missing__(self, name: str) -> str:
        return "…"


def _facts(activity: Activity) -> dict[str, Any]:
    job = activity.job
    return {
        "job": job.title,
        "client": str(job.client),
        "freelancer": str(job.freelancer) if job.freelancer else job.freelancer_email,
        **readable_facts(activity.facts, job.currency),
    }


def _line(notice: Notification) -> Line:
    happened, otherwise = brief(notice)
    return Line(
        id=notice.pk,
        headline=headline(notice.activity),
        happened=happened,
        otherwise=otherwise,
        job=notice.activity.job.title,
        at=notice.activity.happened_at,
        unread=notice.read_at is None,
    )
