"""Payouts: a person's available balance on its way to his bank (R5.4)."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from billing.models.payment import new_idempotency_key
from escrow_site.lib.states import StateMixin
from jobs.models import Person


class Payout(StateMixin, models.Model):
    """The amount is reserved in the ledger when the row is made; what fails returns."""

    class State(models.TextChoices):
        STARTED = "started", "On its way"
        PAID = "paid", "Paid"
        FAILED = "failed", "Failed"

    person = models.ForeignKey(Person, models.PROTECT, related_name="payouts")
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    destination = models.CharField("bank account", max_length=64)
    gateway = models.CharField(max_length=20)
    state = FSMField(max_length=10, choices=State, default=State.STARTED, protected=True)
    idempotency_key = models.CharField(max_length=64, unique=True, default=new_idempotency_key)
    gateway_reference = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["started", "paid", "failed"]), name="payout_state_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payout_above_zero"),
        )

    def __str__(self) -> str:
        return f"Payout {self.pk}"

    @property
    def last_four(self) -> str:
        """Of the bank account: enough for its owner to know it, and nothing to a stranger."""
        return str(self.destination)[-4:]

    @transition(field=state, source=State.STARTED, target=State.PAID)
    def confirm(self, *, at: datetime, gateway_reference: str) -> None:
        self.ended_at = at
        self.gateway_reference = gateway_reference

    @transition(field=state, source=State.STARTED, target=State.FAILED)
    def fail(self, *, at: datetime, failure: str) -> None:
        self.ended_at = at
        self.failure = failure
