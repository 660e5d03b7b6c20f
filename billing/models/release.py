"""Release Requests and Releases (R5 to R7)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from billing.models.escrow import Escrow
from escrow_site.lib.states import StateMixin
from jobs.models import Job, Person


class ReleaseRequestQuerySet(models.QuerySet["ReleaseRequest"]):
    """Conditions on Release Requests that read as English."""

    def unanswered(self) -> Self:
        """Open, Overdue or disputed: what stands between the Escrow and a new request."""
        return self.filter(state__in=ReleaseRequest.UNANSWERED)


class ReleaseRequest(StateMixin, models.Model):
    """The Freelancer's request to be paid for what an Escrow holds; starts the 30-day clock (R6.1).

    ``auto_release_at`` is the due instant, ``overdue_at`` when it counts as Overdue. The last three
    columns serve a clock that was stopped (R9.4) and notices that were missed (R6.4).
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        OVERDUE = "overdue", "Overdue"
        DISPUTED = "disputed", "Disputed"
        RELEASED = "released", "Released"
        VOIDED = "voided", "Voided"
        RETURNED = "returned", "Changes requested"
        SETTLED = "settled", "Settled"

    UNANSWERED: ClassVar[list[str]] = ["open", "overdue", "disputed"]

    job = models.ForeignKey(Job, models.PROTECT, related_name="release_requests")
    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="release_requests")
    requested_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    comments = models.TextField(max_length=5000, blank=True)
    state = FSMField(max_length=20, choices=State, default=State.OPEN, protected=True)
    overdue_at = models.DateTimeField()
    auto_release_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True)
    noticed_until = models.DateTimeField(null=True, blank=True)
    clock_stopped_at = models.DateTimeField(null=True, blank=True)
    minimum_granted_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["ReleaseRequest"]] = ReleaseRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "Release Request"
        verbose_name_plural = "Release Requests"
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "open", "overdue", "disputed", "released", "voided", "returned", "settled",
                    ]
                ),
                name="release_request_state_known",
            ),
            models.UniqueConstraint(
                fields=["escrow"],
                condition=Q(state__in=["open", "overdue", "disputed"]),
                name="release_request_one_per_escrow",
            ),
            models.CheckConstraint(
                condition=Q(auto_release_at__gt=F("requested_at")),
                name="release_request_due_after_it_was_made",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "overdue", "disputed"], ended_at__isnull=True)
                | Q(
                    state__in=["released", "voided", "returned", "settled"],
                    ended_at__isnull=False,
                ),
                name="release_request_ended_at_when_ended",
            ),
        )  # fmt: skip
        indexes = (
            models.Index(
                fields=["auto_release_at"],
                name="release_request_due",
                condition=Q(state__in=["open", "overdue"]),
            ),
            models.Index(fields=["job", "-id"], name="release_request_of_job"),
        )

    def __str__(self) -> str:
        return f"Release Request for {self.escrow}"

    @property
    def is_unanswered(self) -> bool:
        return self.state in self.UNANSWERED

    @transition(field=state, source=State.OPEN, target=State.OVERDUE)
    def become_overdue(self) -> None: ...

    @transition(
        field=state, source=[State.OPEN, State.OVERDUE, State.DISPUTED], target=State.RELEASED
    )
    def release(self, *, at: datetime, reason: str) -> None:
        self.ended_at = at
        self.ended_reason = reason

    @transition(
        field=state, source=[State.OPEN, State.OVERDUE, State.DISPUTED], target=State.SETTLED
    )
    def settle(self, *, at: datetime, reason: str) -> None:
        """Both sides agreed, or support decided, on a split of what is held (R8.3, R9.2)."""
        self.ended_at = at
        self.ended_reason = reason

    @transition(field=state, source=[State.OPEN, State.OVERDUE], target=State.DISPUTED)
    def dispute(self, *, at: datetime) -> None:
        """Its clock stops (R9.1)."""
        self.clock_stopped_at = at

    @transition(field=state, source=State.DISPUTED, target=State.OPEN)
    def resume(self, *, at: datetime, due_at: datetime, overdue_at: datetime) -> None:
        """Its clock runs again, to a new due instant; warnings that are past are not repeated (R9.4)."""
        self._restart(at=at, due_at=due_at)
        self.overdue_at = overdue_at

    @transition(field=state, source=State.DISPUTED, target=State.OVERDUE)
    def resume_overdue(self, *, at: datetime, due_at: datetime) -> None:
        """As ``resume``, when it was Overdue already: it stays so, since the same instant."""
        self._restart(at=at, due_at=due_at)

    def _restart(self, *, at: datetime, due_at: datetime) -> None:
        self.auto_release_at = due_at
        self.clock_stopped_at = None
        self.noticed_until = at

    @transition(field=state, source=[State.OPEN, State.OVERDUE], target=State.VOIDED)
    def void(self, *, at: datetime, reason: str) -> None:
        self.ended_at = at
        self.ended_reason = reason

    @transition(field=state, source=[State.OPEN, State.OVERDUE], target=State.RETURNED)
    def send_back(self, *, at: datetime, reason: str) -> None:
        """The Client asks for changes (R7.3)."""
        self.ended_at = at
        self.ended_reason = reason


class Release(models.Model):
    """Money that went from an Escrow to the Freelancer; gross = net + fees. Never changed."""

    job = models.ForeignKey(Job, models.PROTECT, related_name="releases")
    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="releases")
    request = models.ForeignKey(ReleaseRequest, models.PROTECT, null=True, related_name="releases")
    released_by = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    gross_minor = models.BigIntegerField()
    service_fee_minor = models.BigIntegerField()
    processing_fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    happened_at = models.DateTimeField()
    reason = models.TextField()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    gross_minor__gt=0,
                    net_minor__gte=0,
                    service_fee_minor__gte=0,
                    processing_fee_minor__gte=0,
                    gross_minor=F("net_minor") + F("service_fee_minor") + F("processing_fee_minor"),
                ),
                name="release_parts_add_up",
            ),
        )

    def __str__(self) -> str:
        return f"Release {self.pk}"
