"""Support locks an account, with a reason: the other sides understand, and no clock stops (R1.5)."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from billing.models import Release
from billing.services import payouts, releases, sweeping
from jobs.models import Activity, Job, Notification, Person
from jobs.services import accounts, calendars
from tests.billing.dispute_steps import funded_job, refused
from tests.billing.intervening import agent_in
from tests.billing.steps import NOON, request_release
from tests.desk import browser_of
from tests.factories import PASSWORD, PersonFactory
from tests.scenarios import finished_job

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 10, 9, tzinfo=UTC)


@pytest.fixture
def alma(db: None) -> Person:
    return agent_in("Agent", "Alma")


def lock(person: Person, by: Person) -> Person:
    return accounts.lock(person.pk, by=by, at=AT, reason="Stolen laptop")


def test_both_sides_of_open_jobs_read_it_without_the_reason(
    client_person: Person, freelancer: Person, alma: Person
) -> None:
    job = funded_job(client_person, freelancer)
    finished_job(client_person, PersonFactory())
    told = Notification.objects.count()
    before = Job.objects.get(pk=job.pk)
    assert not lock(client_person, alma).is_active
    (line,) = Activity.objects.filter(kind="account_locked")
    assert (line.job, line.actor, line.actor_kind, line.reason) == (job, alma, "support", "")
    assert line.facts == {"person": "Clara Client"}
    assert Notification.objects.count() == told
    after = Job.objects.get(pk=job.pk)
    assert (after.last_activity_at, after.next_due_at) == (
        before.last_activity_at, before.next_due_at,
    )  # fmt: skip
    page = browser_of(freelancer).get(reverse("workroom:activity", args=[job.pk]))
    assert "ocked the account of Clara Client: the clocks go on" in page.content.decode()
    accounts.unlock(client_person.pk, by=alma, at=AT, reason="It was found")
    assert Person.objects.get(pk=client_person.pk).is_active
    assert Activity.objects.filter(kind="account_unlocked").count() == 1


def test_a_lock_stops_no_clock(client_person: Person, freelancer: Person, alma: Person) -> None:
    job = funded_job(client_person, freelancer)
    request_release(job)
    lock(client_person, alma)
    due_at = NOON + timedelta(days=30)
    sweeping.sweep(at=due_at)
    assert Release.objects.get().happened_at == due_at


def test_what_waited_for_the_lock_is_not_done(
    client_person: Person, freelancer: Person, alma: Person
) -> None:
    """The page had asked before, with the account as it was then."""
    job = funded_job(client_person, freelancer)
    before_lock = Person.objects.get(pk=client_person.pk)
    lock(client_person, alma)
    said = refused(lambda: releases.release(job.pk, numbers=[1], by=before_lock, at=AT))
    assert said == "This account is locked."


def test_a_payout_that_waited_for_the_lock_is_not_made(freelancer: Person, alma: Person) -> None:
    finished_job(PersonFactory(), freelancer)
    before_lock = Person.objects.get(pk=freelancer.pk)
    lock(freelancer, alma)
    said = refused(
        lambda: payouts.pay_out(
            before_lock,
            currency="USD",
            amount_minor=1_00,
            destination="DE02120300000000202051",
            at=AT,
        )
    )
    assert said == "This account is locked."


def test_who_may_not_lock_whom(client_person: Person, freelancer: Person, alma: Person) -> None:
    bela, root = agent_in("Senior agent", "Bela"), agent_in("Agent", "Rita")
    Person.objects.filter(pk=root.pk).update(is_superuser=True)
    root = Person.objects.get(pk=root.pk)
    cases = [
        (client_person, agent_in("Auditor", "Otto"), "Only a support agent can lock"),
        (client_person, freelancer, "Only a support agent can lock"),
        (alma, alma, "This is your own account"),
        (root, root, "This is your own account"),
        (bela, alma, "Only a superuser locks the account of staff"),
    ]
    for person, by, said in cases:
        assert refused(partial(lock, person, by)).startswith(said)
    assert not lock(bela, root).is_active
    funded_job(client_person, alma)
    assert "are the parties of a Job" in refused(lambda: lock(client_person, alma))
    lock(freelancer, alma)
    assert "locked already" in refused(lambda: lock(freelancer, alma))
    blank = partial(accounts.lock, client_person.pk, by=root, at=AT, reason=" ")
    assert refused(blank).startswith("Write the reason")


def test_the_desk_asks_for_a_reason_and_keeps_it_in_its_log(
    client_person: Person, alma: Person
) -> None:
    desk, party = browser_of(alma), browser_of(client_person)
    change = reverse("admin:jobs_person_change", args=[client_person.pk])
    url = reverse("admin:jobs_person_lock", args=[client_person.pk])
    assert url in desk.get(change).content.decode()
    assert "Write the reason" in desk.post(url, {"reason": "  "}).content.decode()
    assert "x" * 501 in desk.post(url, {"reason": "x" * 501}).content.decode()
    assert desk.post(url, {"reason": "Stolen laptop"}).headers["Location"] == change
    assert party.get("/profile/").status_code == 302
    assert LogEntry.objects.get().get_change_message() == "Locked: Stolen laptop"
    assert "locked already" in desk.post(url, {"reason": "again"}).content.decode()
    unlock = reverse("admin:jobs_person_unlock", args=[client_person.pk])
    assert unlock in desk.get(change).content.decode()
    desk.post(unlock, {"reason": "Found"})
    assert Person.objects.get(pk=client_person.pk).is_active


def test_an_auditor_reads_and_locks_nobody(client_person: Person) -> None:
    desk = browser_of(agent_in("Auditor", "Otto"))
    change = desk.get(reverse("admin:jobs_person_change", args=[client_person.pk]))
    assert change.status_code == 200
    url = reverse("admin:jobs_person_lock", args=[client_person.pk])
    assert url not in change.content.decode()
    assert desk.post(url, {"reason": "x"}).status_code == 403


def test_no_session_and_no_calendar_link_comes_back(client_person: Person, alma: Person) -> None:
    """Locked as somebody had stolen them: unlocked, they are as dead as before."""
    browser = Client()
    browser.post("/accounts/login/", {"login": client_person.email, "password": PASSWORD})
    feed = reverse("workroom:calendar", args=[calendars.open_feed(client_person, at=AT)])
    assert [browser.get(url).status_code for url in ("/profile/", feed)] == [200, 200]
    lock(client_person, alma)
    accounts.unlock(client_person.pk, by=alma, at=AT, reason="It was found")
    assert [browser.get(url).status_code for url in ("/profile/", feed)] == [302, 404]
