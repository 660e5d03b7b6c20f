"""A person's calendar (iCalendar, RFC 5545): what will happen on all his Jobs if nobody acts.

Each event has one instant, in UTC, and a name that stays the same, so that a calendar moves it and
does not double it.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from icalendar import Calendar, Event

from billing.selectors.foretold import Moment
from escrow_site.lib.display import instant
from jobs.models import Job

# How often a calendar program should look again.
FRESH_FOR = timedelta(hours=1)


def write(jobs: Iterable[tuple[Job, list[Moment]]], *, at: datetime) -> bytes:
    """The calendar of one reader, in the active language and time zone."""
    calendar = Calendar()
    calendar.add("prodid", f"-//{settings.SITE_NAME}//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("x-wr-calname", settings.SITE_NAME)
    calendar.add("name", settings.SITE_NAME)
    calendar.add("refresh-interval", FRESH_FOR, parameters={"value": "DURATION"})
    calendar.add("x-published-ttl", FRESH_FOR)
    for job, moments in jobs:
        for moment in moments:
            calendar.add_component(_event(job, moment, at=at))
    return calendar.to_ical()


def _event(job: Job, moment: Moment, *, at: datetime) -> Event:
    url = settings.SITE_URL + reverse("workroom:job", args=[job.pk])
    event = Event()
    event.add("uid", f"job-{job.pk}-{moment.key}@{urlsplit(settings.SITE_URL).hostname}")
    event.add("dtstamp", at)
    event.add("dtstart", moment.at)
    event.add("summary", f"{moment.title} ({job.title})")
    event.add("description", _description(moment, url))
    event.add("url", url)
    event.add("class", "PRIVATE")
    # It takes no time out of anybody's day.
    event.add("transp", "TRANSPARENT")
    return event


def _description(moment: Moment, url: str) -> str:
    """What happens, who can stop it and how, and where."""
    blocks = [
        [f"If nobody acts, on {instant(moment.at)}:", moment.text, *moment.lines, moment.then]
    ]
    if moment.stops:
        blocks.append(["Until then:", *moment.stops])
    blocks.append([url])
    return "\n\n".join("\n".join(filter(None, block)) for block in blocks)
