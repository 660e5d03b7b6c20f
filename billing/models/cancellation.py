"""Cancellation: one side asks to end a Job and says how what is held is to be divided (R8.3)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from billing.models.escrow import Escrow
from escrow_site.lib.states import StateMixin
from jobs.models import Job, Person


class CancellationQuerySet(models.QuerySet["Cancellation"]):
    """Conditions on cancellations that read as English."""

    def open(self) -> Self:
        """Requested and not answered; ``Job.open_cancellation_until`` says the same of a Job."""
        return self.filter(state=Cancellation.State.REQUESTED)


class Cancellation(StateMixin, models.Model):
    """A request to cancel a Job, or, where no money was in it, the cancellation itself.

    ``answered_by`` is who accepted or declined, with an ``answer``; nobody when it needed none.
    """

    class State(models.TextChoices):
        REQUESTED = "requested", "Requested"
        ACCEPTED = "accepted", "Accepted"
        DECLINED = "declined", "Declined"
        LAPSED = "lapsed", "Lapsed"
        STALE = "stale", "Overtaken"
        WITHDRAWN = "withdrawn", "Withdrawn"

    job = models.ForeignKey(Job, models.PROTECT, related_name="cancellations")
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    reason = models.TextField(max_length=2000)
    state = FSMField(max_length=20, choices=State, default=State.REQUESTED, protected=True)
    answered_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=2000, blank=True)

    objects: ClassVar[models.Manager["Cancellation"]] = CancellationQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "requested", "accepted", "declined", "lapsed", "stale", "withdrawn",
                    ]
                ),
                name="cancellation_state_known",
            ),
            models.UniqueConstraint(
                fields=["job"], condition=Q(state="requested"), name="cancellation_one_open_per_job"
            ),
            models.CheckConstraint(
                condition=Q(state="requested", ended_at__isnull=True)
                | Q(
                    state__in=["accepted", "declined", "lapsed", "stale", "withdrawn"],
                    ended_at__isnull=False,
                ),
                name="cancellation_ended_at_when_ended",
            ),
            models.CheckConstraint(
                condition=~Q(state="declined") | Q(answered_by__isnull=False),
                name="cancellation_declined_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(answered_by__isnull=True) | ~Q(answered_by=F("requested_by")),
                name="cancellation_answered_by_the_other_side",
            ),
        )  # fmt: skip
        indexes = (models.Index(fields=["job", "-id"], name="cancellation_of_job"),)

    def __str__(self) -> str:
        return f"Cancellation of {self.job}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.REQUESTED

    def has_lapsed(self, *, at: datetime) -> bool:
        """Whether it can no longer be answered, though no sweep has been there yet."""
        return self.is_open and at >= self.lapses_at

    @transition(field=state, source=State.REQUESTED, target=State.ACCEPTED)
    def accept(self, *, at: datetime, answered_by: Person | None) -> None:
        self.ended_at = at
        self.answered_by = answered_by

    @transition(field=state, source=State.REQUESTED, target=State.DECLINED)
    def decline(self, *, at: datetime, answered_by: Person, answer: str) -> None:
        self.ended_at = at
        self.answered_by = answered_by
        self.answer = answer

    @transition(field=state, source=State.REQUESTED, target=State.LAPSED)
    def lapse(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.REQUESTED, target=State.STALE)
    def become_stale(self, *, at: datetime) -> None:
        """What was held has changed: there is nothing left to accept."""
        self.ended_at = at

    @transition(field=state, source=State.REQUESTED, target=State.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.ended_at = at


class CancellationShare(models.Model):
    """How what one Milestone held at the request is to be divided; the rest goes back."""

    cancellation = models.ForeignKey(Cancellation, models.PROTECT, related_name="shares")
    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="+")
    held_minor = models.BigIntegerField("held")
    to_freelancer_minor = models.BigIntegerField("to the Freelancer")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["cancellation", "escrow"], name="cancellation_share_once_per_escrow"
            ),
            models.CheckConstraint(
                condition=Q(
                    held_minor__gt=0,
                    to_freelancer_minor__gte=0,
                    to_freelancer_minor__lte=F("held_minor"),
                ),
                name="cancellation_share_of_what_is_held",
            ),
        )

    def __str__(self) -> str:
        return f"Share of {self.escrow}"

    @property
    def to_client_minor(self) -> int:
        return self.held_minor - self.to_freelancer_minor
