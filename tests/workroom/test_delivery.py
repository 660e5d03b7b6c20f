"""Delivery of notices with a real broker, real workers and a real mail server (R12)."""

import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escrow_site.celery import app
from escrow_site.embedded import valkey
from escrow_site.environment import broker_url
from jobs.models import Activity, Job, Notification, Person
from jobs.services import activity
from tests.mail_server import MailServer, broker_at, running_worker, wait_until
from tests.scenarios import running_job
from workroom import tasks
from workroom.notices import TERMS_DECLINED
from workroom.services import delivery, mail

pytestmark = pytest.mark.django_db(transaction=True)

State = Notification.State
SWEEP = django_settings.CELERY_BEAT_SCHEDULE["deliver_notices"]


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """A running Job whose own beginnings have been told already."""
    job = running_job(client_person, freelancer)
    Notification.objects.all().delete()
    # Nobody has been woken yet.
    cache.clear()
    return job


@pytest.fixture
def socket_folder() -> Iterator[Path]:
    """A folder with a short path, as those of sockets must be."""
    with tempfile.TemporaryDirectory(prefix="escrow-") as folder:
        yield Path(folder)


def tell(job: Job, *, times: int = 1) -> list[Notification]:
    """Notices to the Client, committed together; oldest first."""
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)
    before = Notification.objects.count()
    with transaction.atomic():
        for number in range(times):
            activity.record(job, TERMS_DECLINED, by=job.freelancer, at=at, version=number + 2)
    return list(Notification.objects.order_by("pk")[before:])


def states() -> Counter[str]:
    return Counter(Notification.objects.values_list("state", flat=True))


def the_notice() -> Notification:
    return Notification.objects.get()


def make_due() -> None:
    """Let the pauses and leases run out that are running."""
    past = datetime.now(UTC) - timedelta(seconds=1)
    Notification.objects.filter(state=State.QUEUED).update(next_attempt_at=past)
    Notification.objects.filter(state=State.SENDING).update(lease_until=past)


def in_threads(count: int, work: Callable[[], Any]) -> list[Any]:
    """The answers of the same work done by several threads at once; raises what one raised."""
    together = threading.Barrier(count)

    def run() -> Any:
        try:
            together.wait()
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return [running.result() for running in [pool.submit(run) for _ in range(count)]]


# By itself


def test_a_notice_is_delivered_by_a_running_worker(job: Job, mail_server: MailServer) -> None:
    with running_worker(mail_server):
        tell(job)
        (mail,) = mail_server.wait_for(1)
    notice = the_notice()
    assert (mail["To"], mail["Subject"]) == ("clara@example.com", "Terms declined: Website")
    assert mail["Message-ID"] == f"<notice-{notice.pk}@localhost>"
    assert (notice.state, notice.attempts, notice.lease_until) == (State.SENT, 1, None)
    assert notice.sent_at is not None


def test_nothing_is_sent_before_the_cause_is_committed(job: Job, mail_server: MailServer) -> None:
    with running_worker(mail_server):
        with transaction.atomic():
            tell(job)
            time.sleep(1)
            assert mail_server.mails == []
        mail_server.wait_for(1)


def test_nothing_is_sent_of_what_is_rolled_back(job: Job, mail_server: MailServer) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        tell(job)
        1 / 0
    assert not Notification.objects.exists()
    assert delivery.deliver_waiting() == 0


def test_a_burst_of_commits_wakes_the_workers_once_and_the_next_one_again(job: Job) -> None:
    app.control.purge()
    tell(job, times=3)
    tell(job)
    with app.connection_for_read() as broker:
        queue = broker.SimpleQueue(django_settings.CELERY_TASK_DEFAULT_QUEUE)
        assert queue.qsize() == 1
        assert queue.get(timeout=5).headers["task"] == tasks.deliver_notices.name
        # The worker looks, with what it had been woken for before it.
        activity.take_wake_up()
        tell(job)
        assert queue.qsize() == 1


# The broker away


def test_with_the_broker_away_pages_work_and_the_sweep_delivers_later(
    client: Client,
    job: Job,
    mail_server: MailServer,
    tmp_path: Path,
    socket_folder: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    data = tmp_path / "valkey"
    redis_url = valkey.url(socket_folder)
    valkey.start(data, sockets=socket_folder, durable=False)
    try:
        with (
            broker_at(broker_url(redis_url)),
            running_worker(mail_server, redis_url=redis_url) as worker,
        ):
            tell(job)
            mail_server.wait_for(1)

            valkey.stop(data)
            cache.clear()
            client.force_login(job.freelancer)
            started_at = time.monotonic()
            response = client.post(f"/billing/jobs/{job.pk}/request-funding/", {"escrow": 2})
            assert time.monotonic() - started_at < 15
            assert response.status_code == 302
            assert states() == {State.SENT: 1, State.QUEUED: 1}
            assert "Error calling wake_delivery" in caplog.text

            valkey.start(data, sockets=socket_folder, durable=False)
            # What beat does every thirty seconds; the same worker has found the broker again.
            app.send_task(SWEEP["task"], **SWEEP["options"])
            mails = mail_server.wait_for(2, timeout_seconds=60)
            assert worker.poll() is None
    finally:
        valkey.stop(data)
    assert [mail["Subject"] for mail in mails] == [
        "Terms declined: Website",
        "Funding requested: Milestone 2, $1,000.00",
    ]
    assert states() == {State.SENT: 2}


def test_the_sweep_is_in_the_schedule_and_does_not_pile_up() -> None:
    assert SWEEP["task"] == tasks.deliver_notices.name
    assert SWEEP["schedule"] <= timedelta(minutes=1)
    assert timedelta(seconds=SWEEP["options"]["expires"]) < SWEEP["schedule"]


# The mail server away


def test_with_the_mail_server_away_notices_wait_longer_each_time_and_arrive_once(
    job: Job, mail_server: MailServer
) -> None:
    tell(job, times=3)
    mail_server.stop()
    pauses = []
    for attempt in range(1, 4):
        make_due()
        before = datetime.now(UTC)
        assert delivery.deliver_waiting() == 0
        waiting = Notification.objects.order_by("pk")
        assert [(notice.state, notice.attempts) for notice in waiting] == [
            (State.QUEUED, attempt)
        ] * 3
        assert waiting[0].failure.startswith("ConnectionRefusedError: ")
        pauses.append(round((waiting[0].next_attempt_at - before).total_seconds()))
    assert pauses == [60, 120, 240]
    mail_server.start()
    # Not before its time.
    assert delivery.deliver_waiting() == 0
    make_due()
    assert delivery.deliver_waiting() == 3
    make_due()
    assert delivery.deliver_waiting() == 0
    assert len(mail_server.mails) == 3
    assert set(Notification.objects.values_list("state", "failure")) == {(State.SENT, "")}


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (8, 128), (9, 240), (35, 240)]
)
def test_the_pauses_double_up_to_four_hours(attempts: int, minutes: int) -> None:
    pause = delivery.next_attempt_at(attempts) - datetime.now(UTC)
    assert round(pause.total_seconds() / 60, 1) == minutes


def test_a_server_that_goes_away_between_two_mails_costs_only_time(
    job: Job, mail_server: MailServer
) -> None:
    tell(job, times=3)
    # After the answer to the first mail nobody is there any more.
    mail_server.on_mail = lambda: threading.Thread(target=mail_server.stop).start()
    delivery.deliver_waiting()
    mail_server.on_mail = None
    assert wait_until(lambda: mail_server.controller is None, timeout_seconds=10)
    mail_server.start()
    make_due()
    delivery.deliver_waiting()
    assert states() == {State.SENT: 3}
    # One may have come twice, if its answer was lost; then it bears the same name.
    assert len({mail["Message-ID"] for mail in mail_server.mails}) == 3


def test_a_refused_mailbox_does_not_hold_up_the_others(
    job: Job, mail_server: MailServer, client_person: Person
) -> None:
    tell(job)
    activity.record(job, TERMS_DECLINED, by=job.client, at=datetime.now(UTC), version=9)
    mail_server.refused = {client_person.email}
    assert delivery.deliver_waiting() == 1
    assert [mail["To"] for mail in mail_server.mails] == ["frank@example.com"]
    refused = Notification.objects.get(person=client_person)
    assert (refused.state, refused.attempts) == (State.QUEUED, 1)
    assert "No such mailbox here" in refused.failure


def test_it_is_given_up_after_the_last_attempt(job: Job, mail_server: MailServer) -> None:
    tell(job)
    Notification.objects.update(attempts=delivery.ATTEMPTS_AT_MOST - 1)
    mail_server.stop()
    assert delivery.deliver_waiting() == 0
    notice = the_notice()
    assert (notice.state, notice.attempts) == (State.FAILED, delivery.ATTEMPTS_AT_MOST)
    assert notice.failure.startswith("ConnectionRefusedError: ")
    mail_server.start()
    assert delivery.deliver_waiting() == 0
    # In the app it can still be read.
    assert notice.read_at is None


def test_a_notice_that_cannot_be_written_does_not_hold_up_the_others(
    job: Job, mail_server: MailServer
) -> None:
    broken = Activity.objects.create(
        job=job, kind="unheard_of", actor_kind="system", happened_at=datetime.now(UTC)
    )
    Notification.objects.create(activity=broken, person=job.client)
    tell(job)
    assert delivery.deliver_waiting() == 1
    failed = Notification.objects.get(activity=broken)
    assert (failed.state, failed.failure) == (State.QUEUED, "KeyError: 'unheard_of'")


# Several at once, and workers that die


@pytest.mark.race
def test_several_workers_at_once_send_each_mail_once(job: Job, mail_server: MailServer) -> None:
    tell(job, times=60)
    sent = in_threads(4, delivery.deliver_waiting)
    assert sum(sent) == 60
    names = Counter(mail["Message-ID"] for mail in mail_server.mails)
    assert (len(names), set(names.values())) == (60, {1})
    assert states() == {State.SENT: 60}


@pytest.mark.race
def test_no_notice_is_claimed_twice(job: Job) -> None:
    tell(job, times=60)
    claimed = [notice.pk for batch in in_threads(5, delivery.claim) for notice in batch]
    assert len(claimed) == len(set(claimed)) == 60
    assert set(Notification.objects.values_list("attempts", flat=True)) == {1}


def test_a_worker_killed_while_sending_leaves_a_lease_and_the_mail_keeps_its_name(
    job: Job, mail_server: MailServer
) -> None:
    accepted = threading.Event()

    def hang() -> None:
        accepted.set()
        time.sleep(2)

    mail_server.on_mail = hang
    with running_worker(mail_server) as worker:
        tell(job)
        assert accepted.wait(20)
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    mail_server.on_mail = None
    notice = the_notice()
    assert (notice.state, notice.attempts) == (State.SENDING, 1)
    assert notice.lease_until is not None
    # While the lease runs nobody else touches it.
    assert delivery.deliver_waiting() == 0
    make_due()
    assert delivery.deliver_waiting() == 1
    assert the_notice().state == State.SENT
    assert [mail["Message-ID"] for mail in mail_server.mails] == [
        f"<notice-{notice.pk}@localhost>"
    ] * 2


def test_a_worker_whose_lease_ran_out_does_not_speak_for_the_next_one(job: Job) -> None:
    tell(job)
    (slow,) = delivery.claim()
    make_due()
    (quick,) = delivery.claim()
    delivery.put_off([slow], ConnectionError("late"))
    notice = the_notice()
    assert (notice.state, notice.attempts, notice.failure) == (State.SENDING, 2, "")
    delivery.put_off([quick], ConnectionError("now"))
    notice = the_notice()
    assert (notice.state, notice.failure) == (State.QUEUED, "ConnectionError: now")


def test_nothing_is_begun_with_too_little_of_the_lease_left(
    job: Job, mail_server: MailServer
) -> None:
    tell(job, times=2)
    claimed = delivery.claim()
    for notice in claimed:
        assert notice.lease_until is not None
        notice.lease_until -= timedelta(minutes=3)
    assert delivery.send_all(claimed) == 0
    assert mail_server.mails == []
    # Back at once, without a pause.
    assert states() == {State.QUEUED: 2}
    assert delivery.deliver_waiting() == 2


def test_workers_that_are_lost_again_and_again_end_in_giving_up(job: Job) -> None:
    tell(job)
    for _ in range(delivery.ATTEMPTS_AT_MOST):
        make_due()
        assert len(delivery.claim()) == 1
    make_due()
    assert delivery.claim() == []
    notice = the_notice()
    assert (notice.state, notice.failure) == (
        State.FAILED,
        "The worker was lost at the last attempt.",
    )


def test_sending_inside_a_transaction_is_a_mistake(job: Job) -> None:
    tell(job)
    with transaction.atomic(), pytest.raises(RuntimeError):
        delivery.deliver_waiting()
    assert states() == {State.QUEUED: 1}


def test_reading_a_batch_costs_the_same_whatever_its_size(job: Job) -> None:
    counts = []
    for times in (1, 15):
        tell(job, times=times)
        with CaptureQueriesContext(connection) as queries:
            assert len([mail.compose(notice) for notice in delivery.claim()]) == times
        counts.append(len(queries))
    assert counts[0] == counts[1]
