"""Sending a failed notice again, for support. How notices are sent is in ``workroom.services.delivery``."""

from datetime import datetime

from django.db import transaction

from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from jobs.models import Notification, Person
from jobs.services.accounts import refuse_locked

PERMISSION = "jobs.send_notification_again"


def may_send_again(notice: Notification, *, by: Person) -> Refusal | None:
    """Support sends again what was given up, never what was sent or is still under way."""
    if not by.has_perm(PERMISSION):
        return refuse_locked(by) or WrongParty("Only support agents can send a notice again.")
    if notice.state != Notification.State.FAILED:
        label = notice.get_state_display().lower()
        return WrongState(f"{notice} is {label}: only a failed one can be sent again.")
    return None


def send_again(notice_id: int, *, by: Person, at: datetime) -> Notification:
    """Queue a failed notice as if it were new; the next sweep takes it. ``at`` is in real time.

    Locks the notice, so that of two clicks one queues it. Raises Refusal when may_send_again refuses.
    """
    with transaction.atomic():
        notice = Notification.objects.select_for_update(no_key=True).get(pk=notice_id)
        refuse_if(may_send_again(notice, by=by))
        states.move([notice], "send_again", at=at)
    return notice
