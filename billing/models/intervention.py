"""What support does on a Job at a party's recorded request, or to reverse an error of ours (R9.7)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from billing.models.dispute import Dispute
from billing.models.escrow import Escrow
from billing.models.release import ReleaseRequest
from escrow_site.lib.states import StateMixin
from jobs.models import Job, Person

ROLES = {"client": "the Client", "freelancer": "the Freelancer"}


class InterventionQuerySet(models.QuerySet["Intervention"]):
    """Conditions on interventions that read as English."""

    def proposed(self) -> Self:
        """Those that wait for a second agent."""
        return self.filter(state=Intervention.State.PROPOSED)


class Intervention(StateMixin, models.Model):
    """What one agent proposes and a second one confirms; nothing happens before that.

    ``escrow``, ``request`` and ``dispute`` are what it is about, ``seen_held_minor`` what was held (of
    a refund of released money: released and not refunded) when it was proposed. ``answer`` is why it
    was sent back.
    """

    class Kind(models.TextChoices):
        RELEASE = "release", "Release held money"
        REFUND_HELD = "refund_held", "Refund held money"
        REFUND_RELEASED = "refund_released", "Refund released money"
        VOID = "void", "Void a Release Request"
        EXTEND_RELEASE = "extend_release", "Extend the clock of a Release Request"
        EXTEND_ANSWER = "extend_answer", "Extend the time to answer a Dispute"
        REACTIVATE = "reactivate", "Make a Dormant Job active"

    class Basis(models.TextChoices):
        PARTY_REQUEST = "party_request", "A party asked for it"
        PLATFORM_ERROR = "platform_error", "An error of ours is reversed"

    class State(models.TextChoices):
        PROPOSED = "proposed", "To be confirmed"
        CONFIRMED = "confirmed", "Confirmed"
        SENT_BACK = "sent_back", "Sent back"
        WITHDRAWN = "withdrawn", "Withdrawn"
        OVERTAKEN = "overtaken", "Overtaken"

    MONEY: ClassVar[list[str]] = ["release", "refund_held", "refund_released"]
    CLOCKS: ClassVar[list[str]] = ["extend_release", "extend_answer"]

    job = models.ForeignKey(Job, models.PROTECT, related_name="interventions")
    escrow = models.ForeignKey(
        Escrow, models.PROTECT, null=True, blank=True, related_name="interventions"
    )
    request = models.ForeignKey(
        ReleaseRequest, models.PROTECT, null=True, blank=True, related_name="+"
    )
    dispute = models.ForeignKey(Dispute, models.PROTECT, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=20, choices=Kind)
    amount_minor = models.BigIntegerField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    basis = models.CharField(max_length=20, choices=Basis)
    asked_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    asked_how = models.CharField(max_length=100, blank=True)
    reason = models.TextField(max_length=1000)
    seen_held_minor = models.BigIntegerField(null=True, blank=True)
    proposed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField()
    state = FSMField(max_length=20, choices=State, default=State.PROPOSED, protected=True)
    checked_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    checked_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=1000, blank=True)

    objects: ClassVar[models.Manager["Intervention"]] = InterventionQuerySet.as_manager()

    class Meta:
        permissions = (
            ("propose_intervention", "Can propose what a party asked support for"),
            ("confirm_intervention", "Can confirm what another agent proposed, or send it back"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state__in=["proposed", "confirmed", "sent_back", "withdrawn", "overtaken"]
                ),
                name="intervention_state_known",
            ),
            models.UniqueConstraint(
                fields=["job"], condition=Q(state="proposed"), name="intervention_one_at_a_time"
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=["release", "refund_held", "refund_released"],
                    escrow__isnull=False,
                    amount_minor__gt=0,
                    until__isnull=True,
                )
                | Q(
                    kind="void",
                    request__isnull=False,
                    amount_minor__isnull=True,
                    until__isnull=True,
                )
                | Q(
                    kind="extend_release",
                    request__isnull=False,
                    amount_minor__isnull=True,
                    until__isnull=False,
                )
                | Q(
                    kind="extend_answer",
                    dispute__isnull=False,
                    amount_minor__isnull=True,
                    until__isnull=False,
                )
                | Q(kind="reactivate", amount_minor__isnull=True, until__isnull=True),
                name="intervention_says_what_and_how_much",
            ),
            models.CheckConstraint(
                condition=Q(basis="party_request", asked_by__isnull=False) & ~Q(asked_how="")
                | Q(basis="platform_error", asked_by__isnull=True),
                name="intervention_asked_for_or_error_of_ours",
            ),
            models.CheckConstraint(
                condition=Q(checked_by__isnull=True) | ~Q(checked_by=F("proposed_by")),
                name="intervention_checked_by_a_second_agent",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["confirmed", "sent_back"])
                | Q(checked_by__isnull=False, checked_at__isnull=False),
                name="intervention_checked_when_it_counts",
            ),
        )
        indexes = (models.Index(fields=["job", "-id"], name="intervention_of_job"),)

    def __str__(self) -> str:
        return f"Intervention {self.pk}"

    @property
    def act(self) -> str:
        """What is to be done, in a few words: ``Release held money: Design``."""
        words = Intervention.Kind(self.kind).label
        return f"{words}: {self.escrow}" if self.escrow else str(words)

    @property
    def party(self) -> Person | None:
        """As whom it is judged: who asked, else the side that could do it itself."""
        if self.asked_by is not None:
            return self.asked_by
        if self.kind in (self.Kind.RELEASE, self.Kind.REACTIVATE):
            return self.job.client
        if self.kind == self.Kind.EXTEND_ANSWER:
            return self.dispute.opened_by if self.dispute else None
        return self.job.freelancer

    @property
    def on_whose_behalf(self) -> str:
        """At the end of a sentence: ``at the request of the Client, Ann``."""
        if self.asked_by is None:
            return "to reverse an error of ours"
        role = ROLES[self.job.role_of(self.asked_by) or ""]
        return f"at the request of {role}, {self.asked_by}"

    @property
    def base_minor(self) -> int | None:
        """What its amounts go out from, as it is now; None when it is not about a Milestone."""
        if self.escrow is None:
            return None
        is_back = self.kind == self.Kind.REFUND_RELEASED
        return self.escrow.kept_minor if is_back else self.escrow.held_minor

    @transition(field=state, source=State.PROPOSED, target=State.CONFIRMED)
    def confirm(self, *, at: datetime, by_id: int) -> None:
        self.checked_at = at
        self.checked_by_id = by_id

    @transition(field=state, source=State.PROPOSED, target=State.SENT_BACK)
    def send_back(self, *, at: datetime, by_id: int, answer: str) -> None:
        self.checked_at = at
        self.checked_by_id = by_id
        self.answer = answer

    @transition(field=state, source=State.PROPOSED, target=State.WITHDRAWN)
    def withdraw(self) -> None:
        """Whoever proposed it takes it back."""

    @transition(field=state, source=State.PROPOSED, target=State.OVERTAKEN)
    def overtake(self) -> None:
        """What it was about has changed before it was confirmed."""
