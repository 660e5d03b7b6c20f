"""Sending notices by mail: claimed, sent outside any transaction, marked (R12).

Leases and pauses are in real time; the product's clock has no part in them. What a mail says is in
``mail``; why it is built like this is in docs/notices.md.
"""

import logging
import time
from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from smtplib import SMTPDataError, SMTPRecipientsRefused, SMTPSenderRefused

from django.core.mail import get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from escrow_site.lib import states
from escrow_site.lib.timing import real_now
from jobs.models import Notification
from jobs.selectors.notices import with_all_they_name
from workroom.selectors import forecasts
from workroom.services import mail

logger = logging.getLogger(__name__)

BATCH = 20
LEASE = timedelta(minutes=5)
# A mail is begun only while this much of the lease is left: a slow server must not outlast it.
LEASE_NEEDED = LEASE / 2
FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=4)
# With these pauses about five days, as long as mail servers try among themselves.
ATTEMPTS_AT_MOST = 36
RUN_SECONDS = 240

# The server is there and refused this one mail; the others may still go.
REFUSED = (SMTPRecipientsRefused, SMTPSenderRefused, SMTPDataError)


class ServerAway(Exception):
    """The mail server can't be reached, or went away between two mails."""


def deliver_waiting() -> int:
    """Send every notice that is due, in small batches; returns how many were sent.

    Several workers may run it at once. Ends early when the mail server is away, or after four
    minutes: the next sweep goes on. Raises nothing for a mail that can't be sent.
    """
    ends_at = time.monotonic() + RUN_SECONDS
    sent = 0
    while time.monotonic() < ends_at and (claimed := claim()):
        try:
            sent += send_all(claimed)
        except ServerAway as away:
            logger.warning("mail_server_away", extra={"error": type(away.__cause__).__name__})
            break
    return sent


def claim() -> list[Notification]:
    """Take the next notices for this worker and commit that, so that no other takes them too.

    Those whose worker was lost on the last of its attempts are given up.
    """
    with transaction.atomic(durable=True):
        now = real_now()
        rows = list(
            Notification.objects.deliverable(at=now)
            .order_by("next_attempt_at", "pk")
            .select_for_update(skip_locked=True, no_key=True)[:BATCH]
        )
        lost = [row for row in rows if row.attempts >= ATTEMPTS_AT_MOST]
        states.move(lost, "give_up", failure="The worker was lost at the last attempt.")
        claimed = [row for row in rows if row.attempts < ATTEMPTS_AT_MOST]
        states.move(claimed, "claim", until=now + LEASE)
    keys = [row.pk for row in claimed]
    notices = with_all_they_name(Notification.objects.filter(pk__in=keys))
    notices = notices.select_related("activity__job__invitation").order_by("pk")
    forecasts.read_for_mails(notice.activity.job for notice in notices)
    return list(notices)


def send_all(claimed: Iterable[Notification]) -> int:
    """Send claimed notices through one connection; returns how many were sent, puts back the rest.

    Raises ServerAway.
    """
    waiting = deque(claimed)
    sent = 0
    connection = get_connection()
    try:
        connection.open()
        while waiting and has_time_left(waiting[0]):
            sent += send_one(waiting[0], connection)
            waiting.popleft()
    except OSError as error:
        put_off(waiting, error)
        raise ServerAway(describe(error)) from error
    finally:
        close(connection)
    put_back(waiting)
    return sent


def send_one(notice: Notification, connection: BaseEmailBackend) -> bool:
    """Send one claimed notice and mark it; returns whether it was sent.

    Raises OSError when the mail server is away.
    """
    try:
        connection.send_messages([mail.compose(notice)])
    except REFUSED as refusal:
        put_off([notice], refusal)
        return False
    except OSError:
        raise
    except Exception as error:
        # A notice that can't be written must not hold up the others.
        logger.exception("notice_not_composed", extra={"notice": notice.pk})
        put_off([notice], error)
        return False
    with transaction.atomic(durable=True):
        states.move(still_ours([notice]), "mark_sent", at=real_now())
    return True


def has_time_left(notice: Notification) -> bool:
    """Whether the lease is long enough yet to begin with this mail."""
    assert notice.lease_until is not None
    return notice.lease_until - real_now() >= LEASE_NEEDED


def put_back(notices: Iterable[Notification]) -> None:
    """Return claimed notices that were not begun with, to be taken at once."""
    with transaction.atomic(durable=True):
        states.move(still_ours(notices), "put_back", next_attempt_at=real_now(), failure="")


def put_off(notices: Iterable[Notification], error: Exception) -> None:
    """Return claimed notices that could not be sent: each pauses longer, and is given up at last."""
    failure = describe(error)
    with transaction.atomic(durable=True):
        for notice in still_ours(notices):
            if notice.attempts >= ATTEMPTS_AT_MOST:
                states.move([notice], "give_up", failure=failure)
                logger.error(
                    "notice_given_up", extra={"notice": notice.pk, "error": type(error).__name__}
                )
            else:
                again_at = next_attempt_at(notice.attempts)
                states.move([notice], "put_back", next_attempt_at=again_at, failure=failure)


def next_attempt_at(attempts: int) -> datetime:
    """1, 2, 4, 8 ... minutes after the first, second ... attempt; four hours at most."""
    return real_now() + min(FIRST_PAUSE * 2 ** (attempts - 1), LONGEST_PAUSE)


def still_ours(notices: Iterable[Notification]) -> list[Notification]:
    """Lock the claimed rows; leaves out those whose lease ran out and that another worker took."""
    attempts = {notice.pk: notice.attempts for notice in notices}
    rows = Notification.objects.filter(pk__in=attempts, state=Notification.State.SENDING)
    locked = rows.order_by("pk").select_for_update(no_key=True)
    return [row for row in locked if row.attempts == attempts[row.pk]]


def close(connection: BaseEmailBackend) -> None:
    """Say goodbye to the mail server; what was sent is sent, whatever it answers."""
    try:
        connection.close()
    except OSError as error:
        logger.info("mail_server_left_early", extra={"error": type(error).__name__})


def describe(error: Exception) -> str:
    """What went wrong, as support reads it."""
    return f"{type(error).__name__}: {error}".replace("\0", "")[:500]
