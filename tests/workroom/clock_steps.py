"""Steps that the tests of the movable clock share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse

from escrow_site.lib import timing
from escrow_site.lib.timing import DAY
from jobs.models import Activity, Job, Person
from tests.billing.steps import request_release
from tests.scenarios import fund, running_job

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
# What a test may take between two looks at the clock.
SOON = timedelta(seconds=30)


def requested(client: Person, freelancer: Person, *, at: datetime, title: str = "Website") -> Job:
    """A Job with a Release Request for its first Milestone."""
    job = running_job(client, freelancer, at=NOON - DAY)
    Job.objects.filter(pk=job.pk).update(title=title)
    fund(job, 1, at=NOON - DAY)
    request_release(job, 1, at=at)
    return Job.objects.get(pk=job.pk)


def by_timers() -> list[tuple[str, datetime]]:
    lines = Activity.objects.filter(actor_kind=Activity.Actor.TIMER)
    return list(lines.order_by("happened_at", "pk").values_list("kind", "happened_at"))


def is_at(instant: datetime) -> bool:
    return instant <= timing.now() < instant + SOON


# --- The bar ---


def press(browser: Client, step: str, **fields: str) -> Any:
    return browser.post(reverse("local_clock"), {"step": step, **fields}, follow=False)
