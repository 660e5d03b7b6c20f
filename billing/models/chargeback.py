"""Chargebacks: the bank of a card takes a payment back, and what became of it (R8.4)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from billing.models.payment import Payment
from escrow_site.lib.states import StateMixin
from jobs.models import Person


class ChargebackQuerySet(models.QuerySet["Chargeback"]):
    """Conditions on chargebacks that read as English."""

    def open(self) -> Self:
        """Those that freeze what is held of their payment."""
        return self.filter(state__in=Chargeback.OPEN_STATES)


class Chargeback(StateMixin, models.Model):
    """What the bank takes back of a Payment; while it is open it freezes what the payment is held for.

    ``gateway_reference`` is the provider's name for it, ``amount_minor`` what the bank takes. One
    agent records the bank's last word (``outcome``), a second one confirms it or sends it back:
    ``answer`` says why.
    """

    class State(models.TextChoices):
        OPEN = "open", "Open"
        RECORDED = "recorded", "To be confirmed"
        WON = "won", "Won"
        LOST = "lost", "Lost"

    class Outcome(models.TextChoices):
        WON = "won", "Won: the payment stands"
        LOST = "lost", "Lost: the bank keeps the money"

    OPEN_STATES: ClassVar[list[str]] = ["open", "recorded"]

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="chargebacks")
    gateway_reference = models.CharField(max_length=120)
    amount_minor = models.BigIntegerField()
    opened_at = models.DateTimeField()
    state = FSMField(max_length=20, choices=State, default=State.OPEN, protected=True)
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    reason = models.TextField(max_length=1000, blank=True)
    recorded_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    recorded_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    answer = models.TextField(max_length=1000, blank=True)

    objects: ClassVar[models.Manager["Chargeback"]] = ChargebackQuerySet.as_manager()

    class Meta:
        permissions = (
            ("record_chargeback", "Can record how a chargeback ended"),
            ("confirm_chargeback", "Can confirm how a chargeback ended, or send it back"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["open", "recorded", "won", "lost"]),
                name="chargeback_state_known",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="chargeback_above_zero"),
            models.CheckConstraint(
                condition=Q(state__in=["open", "recorded"], ended_at__isnull=True)
                | Q(state__in=["won", "lost"], ended_at__isnull=False),
                name="chargeback_ended_at_when_ended",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True) | ~Q(confirmed_by=F("recorded_by")),
                name="chargeback_confirmed_by_a_second_agent",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["open", "recorded"])
                | Q(recorded_by__isnull=False, confirmed_by__isnull=False, outcome=F("state")),
                name="chargeback_confirmed_when_it_counts",
            ),
            models.UniqueConstraint(
                fields=["payment"],
                condition=Q(state__in=["open", "recorded"]),
                name="chargeback_one_open_per_payment",
            ),
            models.UniqueConstraint(
                fields=["payment", "gateway_reference"], name="chargeback_once"
            ),
        )

    def __str__(self) -> str:
        return f"Chargeback {self.pk}"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES

    @transition(field=state, source=State.OPEN, target=State.RECORDED)
    def record(self, *, outcome: str, reason: str, at: datetime, by_id: int) -> None:
        """What the bank has decided, as one agent says."""
        self.outcome, self.reason = outcome, reason
        self.recorded_at, self.recorded_by_id = at, by_id
        self.answer = ""

    @transition(field=state, source=State.RECORDED, target=State.OPEN)
    def send_back(self, *, answer: str) -> None:
        self.answer = answer

    @transition(field=state, source=State.RECORDED, target=State.OPEN)
    def take_back(self) -> None:
        """As if it had not been recorded: the history says what was."""
        self.outcome = self.reason = ""
        self.recorded_at, self.recorded_by_id = None, None

    @transition(field=state, source=State.RECORDED, target=State.WON)
    def win(self, *, at: datetime, by_id: int) -> None:
        """The payment stands."""
        self.ended_at, self.confirmed_by_id = at, by_id

    @transition(field=state, source=State.RECORDED, target=State.LOST)
    def lose(self, *, at: datetime, by_id: int) -> None:
        """The bank keeps what it took."""
        self.ended_at, self.confirmed_by_id = at, by_id
