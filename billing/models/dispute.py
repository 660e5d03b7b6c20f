"""Disputes: what is contested, what was said about it, and how it may end (R9)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from billing.models.escrow import Escrow
from billing.models.release import ReleaseRequest
from escrow_site.lib.states import StateMixin
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person, StoredFile

# Of one party in one Dispute: files (a single sending is limited like any other, jobs.services.files),
# and limits under seal, with a pause between them so that nobody can probe (R9.6).
EVIDENCE_AT_MOST = 50
SEALED_AT_MOST = 3
SEALED_PAUSE = DAY


class DisputeQuerySet(models.QuerySet["Dispute"]):
    """Conditions on Disputes that read as English."""

    def open(self) -> Self:
        """Those that freeze their Milestone's money."""
        return self.filter(state__in=Dispute.OPEN)


class Dispute(StateMixin, models.Model):
    """What one side contests about an Escrow; while it is open it freezes the money (R9.1).

    ``asked_minor`` is how much the opener asks to be released or refunded. ``answer_due_at`` is when
    silence brings it to support, which by wish is ``escalated_by`` a party (R9.2, R9.3).
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        MEDIATION = "mediation", "With support"
        DECIDED = "decided", "Decision being checked"
        SETTLED = "settled", "Settled"
        WITHDRAWN = "withdrawn", "Withdrawn"

    class Asks(models.TextChoices):
        RELEASE = "release", "Release to the Freelancer"
        REFUND = "refund", "Refund to the Client"

    OPEN: ClassVar[list[str]] = ["open", "mediation", "decided"]

    job = models.ForeignKey(Job, models.PROTECT, related_name="disputes")
    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="disputes")
    request = models.ForeignKey(
        ReleaseRequest, models.PROTECT, null=True, blank=True, related_name="disputes"
    )
    opened_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    opened_at = models.DateTimeField()
    reason = models.TextField(max_length=5000)
    asks = models.CharField(max_length=10, choices=Asks)
    asked_minor = models.BigIntegerField("asked for")
    state = FSMField(max_length=20, choices=State, default=State.OPEN, protected=True)
    answer_due_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    escalated_at = models.DateTimeField(null=True, blank=True)
    escalated_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.TextField(blank=True)

    objects: ClassVar[models.Manager["Dispute"]] = DisputeQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["open", "mediation", "decided", "settled", "withdrawn"]),
                name="dispute_state_known",
            ),
            models.UniqueConstraint(
                fields=["escrow"],
                condition=Q(state__in=["open", "mediation", "decided"]),
                name="dispute_one_per_escrow",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "mediation", "decided"], ended_at__isnull=True)
                | Q(state__in=["settled", "withdrawn"], ended_at__isnull=False),
                name="dispute_ended_at_when_ended",
            ),
            models.CheckConstraint(
                condition=Q(asks__in=["release", "refund"]), name="dispute_asks_known"
            ),
            models.CheckConstraint(condition=Q(asked_minor__gt=0), name="dispute_asks_something"),
        )
        indexes = (models.Index(fields=["job", "-id"], name="dispute_of_job"),)

    def __str__(self) -> str:
        return f"Dispute about {self.escrow}"

    @property
    def is_open(self) -> bool:
        """Whether it freezes its Milestone's money."""
        return self.state in self.OPEN

    @property
    def asked_for_freelancer_minor(self) -> int:
        """What would go to the Freelancer if the opener had his way, of what is held."""
        if self.asks == self.Asks.RELEASE:
            return self.asked_minor
        return self.escrow.held_minor - self.asked_minor

    @transition(field=state, source=State.OPEN, target=State.MEDIATION)
    def escalate(self, *, at: datetime, by_id: int | None) -> None:
        self.escalated_at = at
        self.escalated_by_id = by_id

    @transition(field=state, source=State.MEDIATION, target=State.DECIDED)
    def decide(self) -> None: ...

    @transition(field=state, source=State.DECIDED, target=State.MEDIATION)
    def send_back(self) -> None: ...

    @transition(
        field=state, source=[State.OPEN, State.MEDIATION, State.DECIDED], target=State.SETTLED
    )
    def settle(self, *, at: datetime, reason: str) -> None:
        self.ended_at = at
        self.ended_reason = reason

    @transition(
        field=state, source=[State.OPEN, State.MEDIATION, State.DECIDED], target=State.WITHDRAWN
    )
    def withdraw(self, *, at: datetime, reason: str) -> None:
        self.ended_at = at
        self.ended_reason = reason


class DisputeStatement(models.Model):
    """What a party or a support agent said in a Dispute. A trigger refuses UPDATE and DELETE."""

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="statements")
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    text = models.TextField(max_length=5000)

    def __str__(self) -> str:
        return f"Statement {self.pk}"


class Evidence(models.Model):
    """A file that a party laid before the other and support. A trigger refuses UPDATE and DELETE."""

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="evidence")
    file = models.OneToOneField(StoredFile, models.PROTECT, related_name="evidence")
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    added_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "evidence"

    def __str__(self) -> str:
        return str(self.file)


class Offer(StateMixin, models.Model):
    """A split of exactly what is held, open to the other side until it ends (R9.2)."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        REPLACED = "replaced", "Replaced"
        ACCEPTED = "accepted", "Accepted"
        LAPSED = "lapsed", "Lapsed"
        WITHDRAWN = "withdrawn", "Withdrawn"

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="offers")
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    held_minor = models.BigIntegerField()
    to_freelancer_minor = models.BigIntegerField()
    state = FSMField(max_length=20, choices=State, default=State.OPEN, protected=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["open", "replaced", "accepted", "lapsed", "withdrawn"]),
                name="offer_state_known",
            ),
            models.UniqueConstraint(
                fields=["dispute", "by"], condition=Q(state="open"), name="offer_one_per_side"
            ),
            models.CheckConstraint(
                condition=Q(
                    held_minor__gt=0,
                    to_freelancer_minor__gte=0,
                    to_freelancer_minor__lte=F("held_minor"),
                ),
                name="offer_splits_what_is_held",
            ),
        )

    def __str__(self) -> str:
        return f"Offer {self.pk}"

    @property
    def to_client_minor(self) -> int:
        return self.held_minor - self.to_freelancer_minor

    @transition(field=state, source=State.OPEN, target=State.REPLACED)
    def replace(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.OPEN, target=State.ACCEPTED)
    def accept(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.OPEN, target=State.LAPSED)
    def lapse(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.OPEN, target=State.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.ended_at = at


class Decision(StateMixin, models.Model):
    """What a support agent decided; no money moves before a second one confirms it (R9.3).

    ``answer`` is why the second agent sent it back.
    """

    class State(models.TextChoices):
        PROPOSED = "proposed", "To be confirmed"
        CONFIRMED = "confirmed", "Confirmed"
        SENT_BACK = "sent_back", "Sent back"
        OVERTAKEN = "overtaken", "Overtaken"
        WITHDRAWN = "withdrawn", "Withdrawn"

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="decisions")
    decided_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    decided_at = models.DateTimeField()
    held_minor = models.BigIntegerField()
    to_freelancer_minor = models.BigIntegerField()
    reasons = models.TextField(max_length=5000)
    state = FSMField(max_length=20, choices=State, default=State.PROPOSED, protected=True)
    checked_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=5000, blank=True)

    class Meta:
        permissions = (
            ("decide_dispute", "Can ask and decide in Disputes"),
            ("confirm_decision", "Can confirm another agent’s decision, or send it back"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state__in=["proposed", "confirmed", "sent_back", "overtaken", "withdrawn"]
                ),
                name="decision_state_known",
            ),
            models.UniqueConstraint(
                fields=["dispute"], condition=Q(state="proposed"), name="decision_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(
                    held_minor__gt=0,
                    to_freelancer_minor__gte=0,
                    to_freelancer_minor__lte=F("held_minor"),
                ),
                name="decision_splits_what_is_held",
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("decided_by")),
                name="decision_checked_by_a_second_agent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "sent_back"])
                | Q(checked_by__isnull=False, checked_at__isnull=False),
                name="decision_checked_when_it_counts",
            ),
        )

    def __str__(self) -> str:
        return f"Decision {self.pk}"

    @property
    def to_client_minor(self) -> int:
        return self.held_minor - self.to_freelancer_minor

    @transition(field=state, source=State.PROPOSED, target=State.CONFIRMED)
    def confirm(self, *, at: datetime, by_id: int) -> None:
        self.checked_at = at
        self.checked_by_id = by_id

    @transition(field=state, source=State.PROPOSED, target=State.SENT_BACK)
    def send_back(self, *, at: datetime, by_id: int, answer: str) -> None:
        self.checked_at = at
        self.checked_by_id = by_id
        self.answer = answer

    @transition(field=state, source=State.PROPOSED, target=State.OVERTAKEN)
    def overtake(self) -> None:
        """The parties agreed, or the Dispute ended otherwise, before it was confirmed."""

    @transition(field=state, source=State.PROPOSED, target=State.WITHDRAWN)
    def withdraw(self) -> None:
        """Who decided took it back before anybody had checked it."""


class SealedLimit(StateMixin, models.Model):
    """The least the Freelancer, or the most the Client, would accept to go to the Freelancer (R9.6).

    Seen by nobody: not by the other side, nor by support. The amount is erased as soon as it has
    been compared or can be compared no more.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting for the other side"
        MATCHED = "matched", "Matched"
        SPENT = "spent", "No match"
        LAPSED = "lapsed", "Lapsed"
        TAKEN_BACK = "taken_back", "Taken back"

    dispute = models.ForeignKey(Dispute, models.PROTECT, related_name="sealed_limits")
    by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    limit_minor = models.BigIntegerField(null=True, blank=True)
    entered_at = models.DateTimeField()
    state = FSMField(max_length=20, choices=State, default=State.WAITING, protected=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["dispute", "by"],
                condition=Q(state="waiting"),
                name="sealed_limit_one_per_side",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", limit_minor__isnull=False, limit_minor__gte=0)
                | Q(
                    state__in=["matched", "spent", "lapsed", "taken_back"],
                    limit_minor__isnull=True,
                ),
                name="sealed_limit_erased_when_not_waiting",
            ),
        )

    def __str__(self) -> str:
        return f"Sealed limit {self.pk}"

    @transition(field=state, source=State.WAITING, target=State.MATCHED)
    def match(self) -> None:
        self.limit_minor = None

    @transition(field=state, source=State.WAITING, target=State.SPENT)
    def spend(self) -> None:
        self.limit_minor = None

    @transition(field=state, source=State.WAITING, target=State.LAPSED)
    def lapse(self) -> None:
        self.limit_minor = None

    @transition(field=state, source=State.WAITING, target=State.TAKEN_BACK)
    def take_back(self) -> None:
        self.limit_minor = None
