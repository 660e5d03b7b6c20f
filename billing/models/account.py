"""Accounts of the ledger (see docs/money.md)."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from jobs.models import Person


class Account(models.Model):
    """Where money lies. Triggers keep ``balance_minor`` (credits less debits) of guarded kinds.

    Guarded kinds may never fall below zero. The others (money at the gateway, fees, costs) keep no
    running balance, so that no row is touched by every release.
    """

    class Kind(models.TextChoices):
        CASH = "cash", "Cash at the gateway"
        ESCROW = "escrow", "Escrow"
        AVAILABLE = "available", "Available balance"
        REFUNDING = "refunding", "Refund on its way"
        PAYING_OUT = "paying_out", "Payout on its way"
        SERVICE_FEES = "service_fees", "Service fees"
        PROCESSING_FEES = "processing_fees", "Processing fees"
        # For a provider that charges us; the simulated ones do not, so nothing is posted here.
        GATEWAY_COSTS = "gateway_costs", "Gateway costs"
        CHARGEBACKS = "chargebacks", "Chargebacks"

    GUARDED: ClassVar[list[str]] = ["escrow", "available", "refunding", "paying_out"]

    kind = models.CharField(max_length=20, choices=Kind)
    currency = models.CharField(max_length=3)
    gateway = models.CharField(max_length=20, blank=True)
    person = models.ForeignKey(
        Person, models.PROTECT, null=True, blank=True, related_name="accounts"
    )
    escrow = models.OneToOneField(
        "billing.Escrow", models.PROTECT, null=True, blank=True, related_name="account"
    )
    payment = models.OneToOneField(
        "billing.Payment", models.PROTECT, null=True, blank=True, related_name="refunding_account"
    )
    payout = models.OneToOneField(
        "billing.Payout", models.PROTECT, null=True, blank=True, related_name="account"
    )
    balance_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=~Q(kind__in=["escrow", "available", "refunding", "paying_out"])
                | Q(balance_minor__gte=0),
                name="account_guarded_never_below_zero",
            ),
            models.CheckConstraint(
                condition=Q(kind="escrow", escrow__isnull=False)
                | Q(kind="available", person__isnull=False)
                | Q(kind="refunding", payment__isnull=False)
                | Q(kind="paying_out", payout__isnull=False)
                | Q(kind="cash", balance_minor=0) & ~Q(gateway="")
                | Q(
                    kind__in=["service_fees", "processing_fees", "gateway_costs", "chargebacks"],
                    balance_minor=0,
                ),
                name="account_kind_has_its_owner",
            ),
            models.UniqueConstraint(
                fields=["kind", "currency", "gateway"],
                condition=Q(
                    kind__in=[
                        "cash", "service_fees", "processing_fees", "gateway_costs", "chargebacks",
                    ]
                ),
                name="account_one_of_the_platform",
            ),
            models.UniqueConstraint(
                fields=["person", "currency"],
                condition=Q(kind="available"),
                name="account_one_available_per_currency",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.currency} ({self.pk})"
