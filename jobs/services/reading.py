"""Marking notices as read. What was read stays read; the mail is sent all the same."""

from datetime import datetime

from jobs.models import Notification, Person


def mark_read(notice: Notification, *, at: datetime) -> None:
    """Mark one notice, unless it is marked."""
    Notification.objects.filter(pk=notice.pk, read_at__isnull=True).update(read_at=at)


def mark_all_read(person: Person, *, up_to: int, at: datetime) -> None:
    """Mark what the person has seen in the list: not what came after the notice ``up_to``."""
    unread = Notification.objects.filter(person=person, read_at__isnull=True, pk__lte=up_to)
    unread.update(read_at=at)
