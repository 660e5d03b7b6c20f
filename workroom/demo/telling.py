"""Telling the stories of the demo world, and filing the notices of what is long past."""

from contextlib import suppress
from datetime import timedelta

from django.db import transaction

from escrow_site.lib import states
from jobs.models import Notification
from workroom.demo import disagreements, jobs, silence
from workroom.demo.world import ToldAlready, World

# What happened before was mailed and read long ago; the mail of a first start is about what is new.
RECENT = timedelta(days=3)


def tell_all(world: World) -> None:
    """Every story that has not been told yet, to this day."""
    for story in (*jobs.STORIES, *silence.STORIES, *disagreements.STORIES):
        with suppress(ToldAlready):
            story(world)
            world.until(0)
    file_old_notices(world)


@transaction.atomic
def file_old_notices(world: World) -> None:
    """Notices of what is not recent count as mailed when it happened, and as read.

    A mail that is sent today must not announce what was due weeks ago.
    """
    old = Notification.objects.filter(activity__happened_at__lt=world.now - RECENT)
    waiting = old.filter(state=Notification.State.QUEUED).select_related("activity")
    notices = list(waiting.select_for_update(of=("self",), skip_locked=True, no_key=True))
    states.move(notices, "claim", until=world.now)
    states.move_each(
        ((notice, {"at": notice.activity.happened_at}) for notice in notices), "mark_sent"
    )
    for notice in notices:
        notice.read_at = notice.sent_at
    Notification.objects.bulk_update(notices, ["read_at"])
