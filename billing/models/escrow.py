"""Escrow: the money side of one Milestone (R3.2)."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from escrow_site.lib.states import StateMixin
from jobs.models import Job, Person

# The place of what a change of the Terms removed after it had been funded: it ends refunded (R3.2), is
# still shown, and is no part of what is agreed.
BEYOND_THE_TERMS = 1_000_000


class EscrowQuerySet(models.QuerySet["Escrow"]):
    """Conditions on Escrows that read as English."""

    def of(self, job: Job) -> Self:
        """In the order of the agreed Terms."""
        return self.filter(job=job).order_by("position", "number")

    def agreed(self) -> Self:
        """Those that the agreed Terms still hold."""
        return self.exclude(state=Escrow.State.REMOVED).filter(position__lt=BEYOND_THE_TERMS)

    def unfinished(self) -> Self:
        """Those that keep the Job from completing (R11.1)."""
        return self.filter(
            state__in=[Escrow.State.UNFUNDED, Escrow.State.PENDING, Escrow.State.FUNDED]
        )


class Escrow(StateMixin, models.Model):
    """A Milestone's money. What is held = ``funded - released - refunded`` = its account's balance.

    ``number`` is stable per Job and never reused; ``position`` is the place in the agreed Terms.
    The running sums are in minor units; the audit holds them against the ledger.
    """

    class State(models.TextChoices):
        UNFUNDED = "unfunded", "Unfunded"
        PENDING = "pending", "Pending"
        FUNDED = "funded", "Funded"
        RELEASED = "released", "Released"
        REFUNDED = "refunded", "Refunded"
        REMOVED = "removed", "Removed"

    job = models.ForeignKey(Job, models.PROTECT, related_name="escrows")
    number = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    due_on = models.DateField(null=True, blank=True)
    amount_minor = models.BigIntegerField("price")
    state = FSMField(max_length=20, choices=State, default=State.UNFUNDED, protected=True)
    times_returned = models.PositiveSmallIntegerField(default=0)
    # Of its open Dispute, kept with the row because guards and timers ask it (R9.1, R9.2).
    disputed_at = models.DateTimeField(null=True, blank=True)
    disputed_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    answer_due_at = models.DateTimeField(null=True, blank=True)
    # Since when the bank wants its payment back, kept for the same reason (R8.4).
    charged_back_at = models.DateTimeField(null=True, blank=True)

    funded_minor = models.BigIntegerField(default=0, help_text="All that was ever Funded.")
    released_minor = models.BigIntegerField(default=0, help_text="Gross, all parts.")
    refunded_minor = models.BigIntegerField(default=0, help_text="Held money that went back.")
    credited_minor = models.BigIntegerField(default=0, help_text="Released, refunded later.")
    service_fee_minor = models.BigIntegerField(default=0, help_text="Taken so far.")
    processing_fee_minor = models.BigIntegerField(default=0, help_text="Taken so far.")

    objects: ClassVar[models.Manager["Escrow"]] = EscrowQuerySet.as_manager()

    class Meta:
        verbose_name = "Milestone’s money"
        verbose_name_plural = "Milestones’ money"
        constraints = (
            models.UniqueConstraint(fields=["job", "number"], name="escrow_number_in_job"),
            models.CheckConstraint(
                condition=Q(
                    state__in=["unfunded", "pending", "funded", "released", "refunded", "removed"]
                ),
                name="escrow_state_known",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="escrow_above_zero"),
            models.CheckConstraint(
                condition=Q(
                    funded_minor__gte=F("released_minor") + F("refunded_minor"),
                    released_minor__gte=F("credited_minor"),
                    refunded_minor__gte=0,
                    credited_minor__gte=0,
                    service_fee_minor__gte=0,
                    processing_fee_minor__gte=0,
                ),
                name="escrow_sums_possible",
            ),
            models.CheckConstraint(
                condition=Q(
                    state="funded", funded_minor__gt=F("released_minor") + F("refunded_minor")
                )
                | Q(
                    state__in=["released", "refunded", "unfunded", "pending", "removed"],
                    funded_minor=F("released_minor") + F("refunded_minor"),
                ),
                name="escrow_holds_money_only_when_funded",
            ),
        )

    def __str__(self) -> str:
        return self.title

    @property
    def has_left_the_terms(self) -> bool:
        """Whether a change of the Terms removed it; its money had gone back then."""
        return self.state == self.State.REMOVED or self.position >= BEYOND_THE_TERMS

    @property
    def is_frozen(self) -> bool:
        """Whether a Dispute or a chargeback stops every timer of its money."""
        return self.disputed_at is not None or self.charged_back_at is not None

    @property
    def held_minor(self) -> int:
        """What lies in escrow now."""
        return self.funded_minor - self.released_minor - self.refunded_minor

    @property
    def kept_minor(self) -> int:
        """What was released and not refunded since: gross, as the Freelancer's fees are taken of it (R8.2)."""
        return self.released_minor - self.credited_minor

    @transition(field=state, source=State.UNFUNDED, target=State.PENDING)
    def await_authentication(self) -> None: ...

    @transition(field=state, source=State.PENDING, target=State.UNFUNDED)
    def fall_back(self) -> None: ...

    @transition(field=state, source=[State.UNFUNDED, State.PENDING], target=State.FUNDED)
    def fund(self) -> None:
        self.funded_minor += self.amount_minor

    @transition(field=state, source=State.FUNDED, target=State.RELEASED)
    def release_rest(self) -> None: ...

    @transition(field=state, source=State.FUNDED, target=State.REFUNDED)
    def refund_rest(self) -> None:
        """Nothing was ever released of it."""

    @transition(field=state, source=State.FUNDED, target=State.RELEASED)
    def refund_what_was_not_released(self) -> None:
        """With nothing left held it ends released if anything was released (R3.2)."""

    @transition(field=state, source=State.UNFUNDED, target=State.REMOVED)
    def remove(self) -> None: ...
