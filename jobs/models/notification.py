"""Notification: one notice to one reader, written with its cause and mailed afterwards (R12)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from escrow_site.lib import timing
from escrow_site.lib.states import StateMixin
from jobs.models.activity import Activity
from jobs.models.person import Person


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Conditions on notices that read as English."""

    def to(self, person: Person) -> Self:
        return self.filter(person=person)

    def unread(self) -> Self:
        return self.filter(read_at__isnull=True)

    def deliverable(self, *, at: datetime) -> Self:
        """Queued and due, or claimed by a worker whose lease ran out (real time)."""
        return self.filter(
            Q(state=Notification.State.QUEUED, next_attempt_at__lte=at)
            | Q(state=Notification.State.SENDING, lease_until__lte=at)
        )


class Notification(StateMixin, models.Model):
    """The columns about delivery are in real time, not in the product's clock."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    activity = models.ForeignKey(Activity, models.PROTECT, related_name="notifications")
    person = models.ForeignKey(Person, models.PROTECT, null=True, related_name="notifications")
    address = models.EmailField(blank=True, help_text="Only for a reader without an account.")
    state = FSMField(max_length=10, choices=State, default=State.QUEUED, protected=True)
    read_at = models.DateTimeField(null=True)
    next_attempt_at = models.DateTimeField(default=timing.real_now)
    lease_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    failure = models.TextField(blank=True)

    objects: ClassVar[models.Manager["Notification"]] = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = "notice"
        verbose_name_plural = "notices"
        permissions = (("send_notification_again", "Can send a failed notice again"),)
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["queued", "sending", "sent", "failed"]),
                name="notification_state_known",
            ),
            models.CheckConstraint(
                condition=Q(person__isnull=False) ^ ~Q(address=""),
                name="notification_one_reader",
            ),
            models.UniqueConstraint(
                fields=["activity", "person"], name="notification_once_per_reader"
            ),
        )
        indexes = (
            models.Index(fields=["person", "-id"], name="notification_of_person"),
            models.Index(
                fields=["person"],
                name="notification_unread",
                condition=Q(read_at__isnull=True),
            ),
            models.Index(
                fields=["next_attempt_at"],
                name="notification_waiting",
                condition=Q(state__in=["queued", "sending"]),
            ),
            models.Index(fields=["id"], name="notification_failed", condition=Q(state="failed")),
        )

    def __str__(self) -> str:
        return f"Notice {self.pk}"

    @transition(field=state, source=[State.QUEUED, State.SENDING], target=State.SENDING)
    def claim(self, *, until: datetime) -> None:
        self.lease_until = until
        self.attempts += 1

    @transition(field=state, source=State.SENDING, target=State.SENT)
    def mark_sent(self, *, at: datetime) -> None:
        self.sent_at = at
        self.lease_until = None
        self.failure = ""

    @transition(field=state, source=State.SENDING, target=State.QUEUED)
    def put_back(self, *, next_attempt_at: datetime, failure: str) -> None:
        self.next_attempt_at = next_attempt_at
        self.lease_until = None
        self.failure = failure

    @transition(field=state, source=State.SENDING, target=State.FAILED)
    def give_up(self, *, failure: str) -> None:
        self.lease_until = None
        self.failure = failure

    @transition(field=state, source=State.FAILED, target=State.QUEUED)
    def send_again(self, *, at: datetime) -> None:
        """With all its attempts before it again; why it failed stays until it is sent."""
        self.next_attempt_at = at
        self.attempts = 0
