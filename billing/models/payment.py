"""Cards, and payments that bring money into Escrows (R3)."""

import secrets
from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from billing.models.escrow import Escrow
from escrow_site.lib.states import StateMixin
from jobs.models import Job, Person


def new_idempotency_key() -> str:
    return secrets.token_urlsafe(24)


class PaymentMethod(models.Model):
    """A card on file at the gateway; its number is never kept here."""

    person = models.ForeignKey(Person, models.PROTECT, related_name="payment_methods")
    gateway = models.CharField(max_length=20)
    gateway_reference = models.CharField(max_length=120, unique=True)
    brand = models.CharField(max_length=30)
    last_four = models.CharField(max_length=4)
    expires_on = models.DateField()
    added_at = models.DateTimeField()
    authenticated_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.brand} ending in {self.last_four}"

    @property
    def is_authenticated(self) -> bool:
        """Whether the bank has confirmed that the card is its holder's (R3.3)."""
        return self.authenticated_at is not None


class PaymentQuerySet(models.QuerySet["Payment"]):
    """Conditions on payments that read as English."""

    def under_way(self) -> Self:
        return self.filter(state__in=[Payment.State.STARTED, Payment.State.AUTHENTICATING])

    def to_stop(self) -> Self:
        """Ended here while they were under way; their providers are still to be told."""
        return self.filter(stop_wanted_at__isnull=False)


class Payment(StateMixin, models.Model):
    """One charge for one or several Escrows of a Job, all or none (R3.1).

    The row is the intent: committed before the gateway is called with ``idempotency_key``.
    """

    class State(models.TextChoices):
        STARTED = "started", "Started"
        AUTHENTICATING = "authenticating", "Waiting for authentication"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"
        LAPSED = "lapsed", "Lapsed"
        RETURNED = "returned", "Sent back"
        REFUNDED = "refunded", "Refunded"
        CHARGED_BACK = "charged_back", "Charged back"

    job = models.ForeignKey(Job, models.PROTECT, related_name="payments")
    payer = models.ForeignKey(Person, models.PROTECT, related_name="payments")
    method = models.ForeignKey(PaymentMethod, models.PROTECT, related_name="payments")
    gateway = models.CharField(max_length=20)
    gateway_reference = models.CharField(max_length=120, blank=True)
    idempotency_key = models.CharField(max_length=64, unique=True, default=new_idempotency_key)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = FSMField(max_length=20, choices=State, default=State.STARTED, protected=True)
    started_at = models.DateTimeField()
    lapses_at = models.DateTimeField()
    noticed_until = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    stop_wanted_at = models.DateTimeField(
        null=True, blank=True, help_text="Until the provider has been told to stop it."
    )

    objects: ClassVar[models.Manager["Payment"]] = PaymentQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "started", "authenticating", "succeeded", "failed", "cancelled",
                        "lapsed", "returned", "refunded", "charged_back",
                    ]
                ),
                name="payment_state_known",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payment_above_zero"),
            models.UniqueConstraint(
                fields=["gateway", "gateway_reference"],
                condition=~Q(gateway_reference=""),
                name="payment_gateway_reference_once",
            ),
        )  # fmt: skip
        indexes = (
            models.Index(
                fields=["started_at"],
                name="payment_under_way",
                condition=Q(state__in=["started", "authenticating"]),
            ),
            models.Index(
                fields=["stop_wanted_at"],
                name="payment_to_stop",
                condition=Q(stop_wanted_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"Payment {self.pk}"

    @property
    def is_under_way(self) -> bool:
        return self.state in (self.State.STARTED, self.State.AUTHENTICATING)

    @transition(field=state, source=State.STARTED, target=State.AUTHENTICATING)
    def await_authentication(self, *, lapses_at: datetime) -> None:
        self.lapses_at = lapses_at

    @transition(field=state, source=[State.STARTED, State.AUTHENTICATING], target=State.SUCCEEDED)
    def succeed(self, *, at: datetime) -> None:
        self.succeeded_at = at

    @transition(field=state, source=[State.STARTED, State.AUTHENTICATING], target=State.FAILED)
    def fail(self, *, at: datetime, failure: str) -> None:
        self.ended_at = at
        self.failure = failure

    @transition(field=state, source=[State.STARTED, State.AUTHENTICATING], target=State.CANCELLED)
    def cancel(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=[State.STARTED, State.AUTHENTICATING], target=State.LAPSED)
    def lapse(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(
        field=state, source=[State.FAILED, State.CANCELLED, State.LAPSED], target=State.RETURNED
    )
    def send_back(self) -> None: ...

    @transition(field=state, source=State.SUCCEEDED, target=State.CHARGED_BACK)
    def charge_back(self, *, at: datetime) -> None:
        """Its bank has taken it back for good (R8.4)."""
        self.ended_at = at


class Allocation(models.Model):
    """What part of a Payment is for which Escrow; an Escrow has one live Allocation at most (R3.5)."""

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="allocations")
    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="allocations")
    amount_minor = models.BigIntegerField()
    live = models.BooleanField(default=True, help_text="Under way, or arrived and still there.")

    class Meta:
        constraints = (
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="allocation_above_zero"),
            models.UniqueConstraint(
                fields=["escrow"], condition=Q(live=True), name="allocation_one_live_per_escrow"
            ),
            models.UniqueConstraint(
                fields=["payment", "escrow"], name="allocation_once_per_payment"
            ),
        )

    def __str__(self) -> str:
        return f"{self.payment} for {self.escrow}"


class RefundQuerySet(models.QuerySet["Refund"]):
    """Conditions on refunds that read as English."""

    def under_way(self) -> Self:
        return self.filter(state=Refund.State.STARTED)


class Refund(StateMixin, models.Model):
    """Money on its way back to the source of a Payment; the ledger has moved already (R8.1).

    ``amount_minor`` is what the source gets; ``fee_minor`` was taken off before (R10.5). Held money
    comes from the Escrow; what was ``of_released`` money comes from the Freelancer (R8.2).
    """

    class State(models.TextChoices):
        STARTED = "started", "Started"
        SUCCEEDED = "succeeded", "Succeeded"
        FAILED = "failed", "Refused by the source"

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="refunds")
    escrow = models.ForeignKey(Escrow, models.PROTECT, null=True, related_name="refunds")
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    refunded_by = models.ForeignKey(Person, models.PROTECT, null=True, blank=True, related_name="+")
    of_released = models.BooleanField("of released money", default=False, db_default=False)
    reason = models.CharField(max_length=300)
    state = FSMField(max_length=20, choices=State, default=State.STARTED, protected=True)
    idempotency_key = models.CharField(max_length=64, unique=True, default=new_idempotency_key)
    gateway_reference = models.CharField(max_length=120, blank=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["Refund"]] = RefundQuerySet.as_manager()

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["started", "succeeded", "failed"]),
                name="refund_state_known",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_above_zero"),
            models.CheckConstraint(condition=Q(fee_minor__gte=0), name="refund_fee_not_below_zero"),
            models.CheckConstraint(
                condition=Q(of_released=False) | Q(escrow__isnull=False, fee_minor=0),
                name="refund_of_released_money_knows_its_escrow",
            ),
        )

    def __str__(self) -> str:
        return f"Refund {self.pk}"

    @transition(field=state, source=State.STARTED, target=State.SUCCEEDED)
    def succeed(self, *, at: datetime, gateway_reference: str) -> None:
        self.ended_at = at
        self.gateway_reference = gateway_reference

    @transition(field=state, source=State.STARTED, target=State.FAILED)
    def fail(self, *, at: datetime) -> None:
        self.ended_at = at


class FundingRequest(models.Model):
    """The Freelancer's (or the system's) request for money in one Escrow; open until funded."""

    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="funding_requests")
    requested_by = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "Funding Request"
        verbose_name_plural = "Funding Requests"
        constraints = (
            models.UniqueConstraint(
                fields=["escrow"],
                condition=Q(closed_at__isnull=True),
                name="funding_request_one_open_per_escrow",
            ),
        )

    def __str__(self) -> str:
        return f"Funding Request for {self.escrow}"
