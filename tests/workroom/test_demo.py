"""The demo world: everything that can be reached is there, as if the timers had always been running."""

from collections import Counter
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from billing.models import Escrow, Payment, ReleaseRequest
from billing.services import audit, sweeping
from billing.timers import What
from escrow_site.lib import timing
from jobs.models import Activity, Job, Notification
from workroom.demo.people import CHARACTERS, make_parties
from workroom.demo.telling import RECENT, tell_all
from workroom.demo.world import World
from workroom.models import StatusReport, Terms
from workroom.services import drafts

pytestmark = pytest.mark.django_db

# Job, its state, and what the timers have done on it.
TIMED = {
    "Posters for a film festival": ("expired", ["award_expired"]),
    "Translation of a handbook": ("active", ["authentication_reminder"]),
    "Subtitles for a lecture series": (
        "active",
        ["authentication_reminder", "authentication_reminder", "payment_lapsed"],
    ),
    "Booking form for a clinic": ("active", ["overdue"]),
    "Annual report, 48 pages": ("active", ["overdue", "release_warning", "release_warning"]),
    "Icons for a transport app": (
        "active",
        ["overdue", *["release_warning"] * 4, "released"],
    ),
    "Audio guide for a museum": ("dormant", ["dormant"]),
    "Exhibition catalogue": ("dormant", ["dormant", "dormant_freelancer"]),
    "Campaign microsite": (
        "completed",
        ["dormant", "dormant_freelancer", "returned", "settled", "removed", "completed"],
    ),
    "Donation page": ("active", ["dormant", "dormant_freelancer"]),
}


@pytest.fixture
def world() -> World:
    world = World(make_parties(), now=timing.now())
    tell_all(world)
    return world


def by_timers(job: Job) -> list[str]:
    lines = Activity.objects.filter(job=job, actor_kind=Activity.Actor.TIMER)
    return list(lines.values_list("kind", flat=True))


def test_every_state_that_can_be_reached_is_there(world: World) -> None:
    # Nothing leads to a cancelled Job, or to a request that is disputed, returned or settled.
    assert set(Job.objects.values_list("state", flat=True)) == set(Job.State) - {"cancelled"}
    assert set(ReleaseRequest.objects.values_list("state", flat=True)) == {
        "open", "overdue", "released", "voided",
    }  # fmt: skip
    assert set(Escrow.objects.values_list("state", flat=True)) == set(Escrow.State)
    assert set(Payment.objects.values_list("state", flat=True)) >= {
        "authenticating", "succeeded", "lapsed",
    }  # fmt: skip

    jobs = {job.title: job for job in Job.objects.filter(title__in=TIMED)}
    assert {title: (jobs[title].state, sorted(by_timers(jobs[title]))) for title in TIMED} == {
        title: (state, sorted(done)) for title, (state, done) in TIMED.items()
    }

    woken = jobs["Donation page"]
    assert Activity.objects.filter(job=woken, kind="reactivated").count() == 1
    assert woken.release_requests.get(state="open").escrow.number == 2
    assert Payment.objects.get(state="authenticating").lapses_at > world.now


def test_all_of_it_is_past_and_in_order_and_adds_up(world: World) -> None:
    assert not Activity.objects.filter(happened_at__gt=world.now).exists()
    assert not StatusReport.objects.filter(sent_at__gt=world.now).exists()
    assert not Terms.objects.filter(proposed_at__gt=world.now).exists()
    for job in Job.objects.all():
        lines = Activity.objects.filter(job=job).order_by("pk")
        instants = list(lines.values_list("happened_at", flat=True))
        assert instants == sorted(instants), job
    assert not any(finding.differences for finding in audit.audit_ledger(at=world.now))
    assert sweeping.sweep(at=world.now).done == Counter[What]()
    assert not Job.objects.exclude(set_aside_at=None).exists()


def test_the_first_mails_are_about_what_is_new(world: World) -> None:
    """Weeks of notices in one go would be a flood, and say what is long past."""
    waiting = Notification.objects.filter(state="queued")
    old = Notification.objects.filter(activity__happened_at__lt=world.now - RECENT)

    assert set(old.values_list("state", flat=True)) == {"sent"}
    assert not old.filter(read_at=None).exists()
    assert 1 <= waiting.count() <= 25
    assert waiting.filter(address="nadia@example.com").count() == 1
    # Nobody is warned today of what was released days ago.
    icons = waiting.filter(activity__job__title="Icons for a transport app")
    assert set(icons.values_list("activity__kind", flat=True)) == {"released"}


def test_an_interrupted_telling_is_taken_up_and_none_is_told_twice(world: World) -> None:
    told = Job.objects.count(), Activity.objects.count(), Notification.objects.count()
    draft = Job.objects.get(title="Newsletter templates")
    drafts.discard_draft(draft, by=draft.client, at=world.now)

    tell_all(World(make_parties(), now=timing.now()))

    assert told == (Job.objects.count(), Activity.objects.count(), Notification.objects.count())


def test_the_command_twice(settings: Any) -> None:
    settings.LOCAL = True
    call_command("demo", stdout=StringIO())
    lines, said = Activity.objects.count(), StringIO()

    call_command("demo", stdout=said)

    assert Activity.objects.count() == lines
    assert said.getvalue().startswith("Demo people:")
    assert all(one.email in said.getvalue() for one in CHARACTERS)
