"""The demo world: everything that can be reached is there, as if the timers had always been running."""

from collections import Counter
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction

from billing.models import (
    Cancellation,
    Decision,
    Dispute,
    Document,
    Escrow,
    Offer,
    Payment,
    ReleaseRequest,
)
from billing.services import audit, mediation, sweeping
from billing.timetables import What
from escrow_site.lib import timing
from jobs.models import Activity, Job, Notification
from tests.reference_data import ensure_reference_data
from workroom.demo.people import CHARACTERS, make_people, make_senior
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


def test_the_command_twice(settings: Any) -> None:
    settings.LOCAL = True
    call_command("demo", stdout=StringIO())
    lines, said = Activity.objects.count(), StringIO()

    call_command("demo", stdout=said)

    assert Activity.objects.count() == lines
    assert said.getvalue().startswith("Demo people:")
    assert all(one.email in said.getvalue() for one in CHARACTERS)


@pytest.fixture(scope="module")
def told(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """The demo world, told once for this file: it takes seconds. What a test does to it is rolled back."""
    around_all = transaction.atomic()
    # As Django marks its own, so that durable blocks may be within.
    around_all._from_testcase = True
    with django_db_blocker.unblock(), around_all:
        ensure_reference_data()
        world = World(make_people(), now=timing.now())
        tell_all(world)
        yield world
        transaction.set_rollback(True)


@pytest.fixture
def world(told: World, db: None) -> World:
    return told


def by_timers(job: Job) -> list[str]:
    lines = Activity.objects.filter(job=job, actor_kind=Activity.Actor.TIMER)
    return list(lines.values_list("kind", flat=True))


def test_every_state_that_can_be_reached_is_there(world: World) -> None:
    assert set(Job.objects.values_list("state", flat=True)) == set(Job.State)
    assert set(ReleaseRequest.objects.values_list("state", flat=True)) == set(ReleaseRequest.State)
    assert set(Escrow.objects.values_list("state", flat=True)) == set(Escrow.State)
    assert set(Payment.objects.values_list("state", flat=True)) >= {
        "authenticating", "succeeded", "lapsed",
    }  # fmt: skip


def test_the_timers_have_been_at_work(world: World) -> None:
    jobs = {job.title: job for job in Job.objects.filter(title__in=TIMED)}
    assert {title: (jobs[title].state, sorted(by_timers(jobs[title]))) for title in TIMED} == {
        title: (state, sorted(done)) for title, (state, done) in TIMED.items()
    }

    woken = jobs["Donation page"]
    assert Activity.objects.filter(job=woken, kind="reactivated").count() == 1
    assert woken.release_requests.get(state="open").escrow.number == 2
    assert Payment.objects.get(state="authenticating").lapses_at > world.now


def test_two_sides_who_do_not_agree_at_once(world: World) -> None:
    def of(title: str) -> Job:
        return Job.objects.get(title=title)

    disputes = Dispute.objects.order_by("job__title").values_list("job__title", "state")
    assert list(disputes) == [
        ("Engraved door sign", "open"),
        ("Map of the old town", "open"),
        ("Price list and menu", "settled"),
        ("Recordings for a language course", "decided"),
    ]
    assert of("Engraved door sign").disputes.get().answered_at is None
    offers = Offer.objects.filter(dispute__job=of("Map of the old town"), state="open")
    assert set(offers.values_list("by", flat=True)) == {world["nora"].pk, world["yuki"].pk}

    cancellations = Cancellation.objects.order_by("pk").values_list("job__title", "state")
    assert list(cancellations) == [
        ("Web shop for plants", "requested"),
        ("Podcast about rivers", "accepted"),
    ]
    assert of("Podcast about rivers").state == "cancelled"

    change = Terms.objects.get(job__title="Guide to the neighbourhood", state="proposed")
    assert change.lapses_at > world.now

    cookbook = Escrow.objects.filter(job=of("Layout of a cookbook")).order_by("number")
    assert [(one.held_minor, one.refunded_minor, one.credited_minor) for one in cookbook] == [
        (0, 0, 50_00), (1400_00, 200_00, 0),
    ]  # fmt: skip
    assert Document.objects.filter(kind="credit_note").count() == 1
    in_part = of("Plan of a roof garden").release_requests.get()
    assert (in_part.state, in_part.escrow.held_minor) == ("open", 400_00)
    sent_back = of("Brochure for a harbour").release_requests.get()
    assert (sent_back.state, sent_back.escrow.times_returned) == ("returned", 1)


def test_the_senior_agent_confirms_what_waits(world: World) -> None:
    decision = Decision.objects.get(state="proposed")
    senior = make_senior()

    assert mediation.may_check(decision, by=world["agent"], at=world.now) is not None
    mediation.confirm(decision.pk, by=senior, at=world.now)

    assert Escrow.objects.get(pk=decision.dispute.escrow_id).state == "released"


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
    assert 1 <= waiting.count() <= 30
    assert waiting.filter(address="nadia@example.com").count() == 1
    # Nobody is warned today of what was released days ago.
    icons = waiting.filter(activity__job__title="Icons for a transport app")
    assert set(icons.values_list("activity__kind", flat=True)) == {"released"}


def test_an_interrupted_telling_is_taken_up_and_none_is_told_twice(world: World) -> None:
    told = Job.objects.count(), Activity.objects.count(), Notification.objects.count()
    draft = Job.objects.get(title="Newsletter templates")
    drafts.discard_draft(draft, by=draft.client, at=world.now)

    tell_all(World(make_people(), now=timing.now()))

    assert told == (Job.objects.count(), Activity.objects.count(), Notification.objects.count())
