"""Transfers: the ledger's only rows (see docs/money.md)."""

from django.db import models

from billing.models.account import Account
from escrow_site.lib import timing


class Transfer(models.Model):
    """One amount from one account to another, so nothing can be unbalanced. Never changed.

    The debit account gives, the credit account gets. ``reference`` is unique: the same posting
    cannot happen twice. ``happened_at`` is the instant by the rules, ``recorded_at`` real time.
    """

    class Code(models.TextChoices):
        FUND = "fund", "Funding"
        RELEASE = "release", "Release, net"
        SERVICE_FEE = "service_fee", "Service fee"
        PROCESSING_FEE = "processing_fee", "Processing fee"
        UNWANTED = "unwanted", "Money that arrived where it is no longer wanted"
        REFUND = "refund", "Refund"
        REFUND_PAID = "refund_paid", "Refund confirmed by the gateway"
        REFUND_REFUSED = "refund_refused", "Refund refused by its source"
        PAYOUT = "payout", "Payout reserved"
        PAYOUT_PAID = "payout_paid", "Payout confirmed by the gateway"
        PAYOUT_RETURNED = "payout_returned", "Payout returned"
        CREDIT = "credit", "Refund of released money"
        CREDIT_FEE = "credit_fee", "Service fee given back"
        CHARGEBACK = "chargeback", "Chargeback"
        # Of a row that ``reverses`` another. No service posts it: when the audit finds a mistake, people look
        # first, and then write it by hand.
        REVERSAL = "reversal", "Reversal of a mistake"

    debit_account = models.ForeignKey(Account, models.PROTECT, related_name="debits")
    credit_account = models.ForeignKey(Account, models.PROTECT, related_name="credits")
    amount_minor = models.BigIntegerField()
    code = models.CharField(max_length=20, choices=Code)
    reference = models.CharField(max_length=80, unique=True)
    reverses = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="reversed_by"
    )
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timing.real_now)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(amount_minor__gt=0), name="transfer_above_zero"
            ),
            models.CheckConstraint(
                condition=~models.Q(debit_account=models.F("credit_account")),
                name="transfer_between_two_accounts",
            ),
        )

    def __str__(self) -> str:
        return self.reference
