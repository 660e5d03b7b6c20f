"""The platform's own accounts; idempotent, called by migrate and by tests."""

from django.conf import settings

from billing.models import Account
from escrow_site.lib import money


def ensure_reference_data() -> None:
    """Make the platform's accounts in every currency where they are missing."""
    platform = ("service_fees", "processing_fees", "gateway_costs", "chargebacks")
    Account.objects.bulk_create(
        [
            Account(kind=kind, currency=currency, gateway="")
            for currency in money.CURRENCIES
            for kind in platform
        ]
        + [
            Account(kind="cash", currency=currency, gateway=settings.GATEWAY)
            for currency in money.CURRENCIES
        ],
        ignore_conflicts=True,
    )
