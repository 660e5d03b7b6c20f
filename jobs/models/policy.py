"""Policy: the numbers of the rules, one immutable version pinned to each Job at its award."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models

from escrow_site.lib import timing


def default_warning_days() -> list[int]:
    return [10, 5, 2, 1]


def default_authentication_reminder_days() -> list[int]:
    return [4, 1]


class PolicyManager(models.Manager["Policy"]):
    """Finds the Policy that new Jobs get."""

    def current(self) -> "Policy":
        """The newest version."""
        return self.latest("version")


class Policy(models.Model):
    """One version of the numbers; days are spans of 24 hours, fees are basis points of gross.

    A trigger refuses UPDATE and DELETE: a change is a new version.
    """

    version = models.PositiveIntegerField(unique=True)
    made_at = models.DateTimeField(default=timing.real_now, editable=False)
    release_days = models.PositiveSmallIntegerField(default=30, help_text="R6.1: silence releases.")
    overdue_days_before_due = models.PositiveSmallIntegerField(default=15, help_text="R6.1")
    warning_days_before_due = ArrayField(
        models.PositiveSmallIntegerField(), default=default_warning_days, help_text="R6.1"
    )
    service_fee_basis_points = models.PositiveIntegerField(default=875, help_text="R5.2: 8.75 %.")
    processing_fee_basis_points = models.PositiveIntegerField(default=0, help_text="R5.2")
    return_fee_basis_points = models.PositiveIntegerField(default=0, help_text="R10.5")
    proposal_days = models.PositiveSmallIntegerField(default=7, help_text="R1.2, R2.3")
    authentication_days = models.PositiveSmallIntegerField(default=7, help_text="R3.4")
    authentication_reminder_days = ArrayField(
        models.PositiveSmallIntegerField(),
        default=default_authentication_reminder_days,
        blank=True,
        help_text="R12: reminders, in days before a Pending payment lapses.",
    )
    returns_at_most = models.PositiveSmallIntegerField(default=2, help_text="R7.3")
    cancellation_days = models.PositiveSmallIntegerField(default=5, help_text="R8.3")
    dispute_answer_business_days = models.PositiveSmallIntegerField(default=2, help_text="R9.2")
    dispute_days_left_at_least = models.PositiveSmallIntegerField(default=7, help_text="R9.4")
    dormant_days = models.PositiveSmallIntegerField(default=60, help_text="R10.1")
    dormant_freelancer_days = models.PositiveSmallIntegerField(default=7, help_text="R10.3")
    dormant_settlement_days = models.PositiveSmallIntegerField(default=14, help_text="R10.3")
    holidays = ArrayField(models.DateField(), default=list, blank=True, help_text="R9.2, in UTC.")
    largest_amount = models.PositiveIntegerField(
        default=1_000_000, help_text="R13: the largest amount, in whole units of any currency."
    )

    objects: ClassVar[PolicyManager] = PolicyManager()

    class Meta:
        verbose_name = "Policy"
        verbose_name_plural = "Policies"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(service_fee_basis_points__lte=10_000)
                & models.Q(processing_fee_basis_points__lte=10_000),
                name="policy_fees_at_most_all",
            ),
        )

    def __str__(self) -> str:
        return f"Policy {self.version}"
