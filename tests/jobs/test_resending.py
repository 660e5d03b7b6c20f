"""Support sends failed notices again: only those, only once, and only support."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.db import connections
from django.test import Client
from django.urls import reverse

from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal
from escrow_site.lib.timing import real_now
from jobs.models import Notification, Person
from jobs.services import resending
from tests.desk import agent_of_the_desk, browser_of
from tests.mail_server import MailServer
from tests.scenarios import finished_job
from tests.world import world
from workroom.services import delivery

pytestmark = pytest.mark.django_db

State = Notification.State
LIST = reverse("admin:jobs_notification_changelist")


@pytest.fixture
def notices(client_person: Person, freelancer: Person) -> list[Notification]:
    """Three notices that were given up, and one that waits."""
    finished_job(client_person, freelancer)
    first = list(Notification.objects.order_by("pk")[:4])
    Notification.objects.exclude(pk__in=[notice.pk for notice in first]).delete()
    give_up(*first[:3])
    return first


def give_up(*notices: Notification) -> None:
    rows = Notification.objects.filter(pk__in=[notice.pk for notice in notices])
    rows.update(attempts=delivery.ATTEMPTS_AT_MOST - 1)
    for verb, values in (("claim", {"until": real_now()}), ("give_up", {"failure": "Refused"})):
        states.move(Notification.objects.filter(pk__in=rows), verb, **values)


def choose(browser: Client, *notices: Notification) -> Any:
    chosen = {"action": "send_again", "_selected_action": [notice.pk for notice in notices]}
    return browser.post(LIST, chosen, follow=True)


def state_of(notice: Notification) -> str:
    return Notification.objects.get(pk=notice.pk).state


def test_chosen_notices_are_queued_with_all_their_attempts(notices: list[Notification]) -> None:
    agent = agent_of_the_desk()
    before = real_now()

    page = choose(browser_of(agent), *notices[:2]).content.decode()

    assert "2 notices are queued and will be sent within a few minutes." in page
    for notice in notices[:2]:
        row = Notification.objects.get(pk=notice.pk)
        assert (row.state, row.attempts, row.failure) == (State.QUEUED, 0, "Refused")
        assert before <= row.next_attempt_at <= real_now()
    assert state_of(notices[2]) == State.FAILED
    entries = LogEntry.objects.order_by("object_id")
    assert [(entry.user, entry.object_id) for entry in entries] == [
        (agent, str(notice.pk)) for notice in notices[:2]
    ]


def test_what_has_not_failed_is_refused_and_stays(notices: list[Notification]) -> None:
    browser = browser_of(agent_of_the_desk())
    waiting = notices[3]
    choose(browser, notices[0])
    before = world()

    page = choose(browser, notices[0], waiting).content.decode()

    for notice in (notices[0], waiting):
        assert f"Notice {notice.pk} is queued: only a failed one can be sent again." in page
    assert "will be sent" not in page
    assert world() == before
    assert LogEntry.objects.count() == 1


@pytest.mark.parametrize("state", [State.QUEUED, State.SENDING, State.SENT])
def test_only_a_failed_notice_is_sent_again(notices: list[Notification], state: str) -> None:
    waiting = notices[3]
    if state != State.QUEUED:
        states.move([waiting], "claim", until=real_now())
    if state == State.SENT:
        states.move([Notification.objects.get(pk=waiting.pk)], "mark_sent", at=real_now())
    before = world()

    with pytest.raises(Refusal) as refusal:
        resending.send_again(waiting.pk, by=agent_of_the_desk(), at=real_now())

    assert refusal.value.message == (
        f"Notice {waiting.pk} is {state}: only a failed one can be sent again."
    )
    assert world() == before


def test_nobody_but_support_sends_again(notices: list[Notification], client_person: Person) -> None:
    locked = agent_of_the_desk()
    Person.objects.filter(pk=locked.pk).update(is_active=False)
    locked.refresh_from_db()
    before = world()

    for person in (client_person, locked):
        with pytest.raises(Refusal):
            resending.send_again(notices[0].pk, by=person, at=real_now())
        choose(browser_of(person), notices[0])

    assert world() == before


def test_staff_who_may_only_look_are_not_offered_it(
    notices: list[Notification], clerk: Person
) -> None:
    clerk.user_permissions.add(Permission.objects.get(codename="view_notification"))
    browser = browser_of(clerk)
    before = world()

    assert 'value="send_again"' not in browser.get(LIST).content.decode()
    choose(browser, notices[0])

    assert world() == before


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_again_arrives_once(
    notices: list[Notification], mail_server: MailServer
) -> None:
    Notification.objects.exclude(pk=notices[0].pk).delete()
    resending.send_again(notices[0].pk, by=agent_of_the_desk(), at=real_now())

    assert [delivery.deliver_waiting(), delivery.deliver_waiting()] == [1, 0]

    row = Notification.objects.get()
    assert (row.state, row.attempts, row.failure) == (State.SENT, 1, "")
    assert len(mail_server.mails) == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_of_two_clicks_at_once_one_queues_it(notices: list[Notification]) -> None:
    agent = agent_of_the_desk()
    together = threading.Barrier(2)

    def click(_: int) -> str:
        try:
            together.wait()
            resending.send_again(notices[0].pk, by=agent, at=real_now())
            return "queued"
        except Refusal:
            return "refused"
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(click, range(2))) == ["queued", "refused"]
