"""Raw events from the payment provider, kept under their unique id, and the simulated provider's own books."""

from typing import ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from escrow_site.lib import timing


class GatewayEventQuerySet(models.QuerySet["GatewayEvent"]):
    """Conditions on events that read as English."""

    def waiting(self) -> Self:
        return self.filter(handled_at__isnull=True).order_by("pk")


class GatewayEvent(models.Model):
    """Stored as it came; worked off by a task; a second copy of an event changes nothing (R3.5)."""

    gateway = models.CharField(max_length=20)
    event_id = models.CharField(max_length=120)
    kind = models.CharField(max_length=60)
    body = models.JSONField(encoder=DjangoJSONEncoder)
    received_at = models.DateTimeField(default=timing.real_now)
    handled_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    failure = models.TextField(blank=True)

    objects: ClassVar[models.Manager["GatewayEvent"]] = GatewayEventQuerySet.as_manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["gateway", "event_id"], name="gateway_event_once"),
        )
        indexes = (
            models.Index(
                fields=["id"],
                name="gateway_event_waiting",
                condition=models.Q(handled_at__isnull=True),
            ),
        )

    def __str__(self) -> str:
        return self.event_id


class SimulatedCard(models.Model):
    """A card in the simulated provider's vault: what its bank will say, never its number."""

    reference = models.CharField(max_length=64, unique=True)
    behaviour = models.CharField(max_length=30)
    authenticated = models.BooleanField(default=False)
    challenge = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return self.reference


class SimulatedCharge(models.Model):
    """A charge, refund or payout in the simulated provider's books, once per idempotency key."""

    reference = models.CharField(max_length=64, unique=True)
    idempotency_key = models.CharField(max_length=64, unique=True)
    kind = models.CharField(max_length=20)
    card = models.ForeignKey(SimulatedCard, models.PROTECT, null=True, blank=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=30)
    failure = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(default=timing.real_now)

    def __str__(self) -> str:
        return self.reference
