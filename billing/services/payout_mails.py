"""Mails about payouts (R5.4): money that leaves is told to its owner, whoever was signed in to the account.

They are account mails and no notices: a payout belongs to no Job (docs/notices.md).
"""

from datetime import datetime

from allauth.account.adapter import get_adapter
from django.conf import settings
from django.urls import reverse

from billing.models import Payout
from escrow_site.lib import money


def tell_asked(payout: Payout) -> None:
    """Once the payout is committed: how much leaves, and where to."""
    _tell("account/email/payout_asked", payout, at=payout.started_at)


def tell_failed(payout: Payout, *, at: datetime) -> None:
    """Once it is committed: the money is back, and why."""
    _tell("account/email/payout_failed", payout, at=at)


def _tell(template_prefix: str, payout: Payout, *, at: datetime) -> None:
    facts = {
        "payout": payout,
        "amount": money.display(payout.amount_minor, payout.currency),
        "timestamp": at,
        "balance_url": settings.SITE_URL + reverse("billing:balance"),
        "security_url": settings.SITE_URL + reverse("jobs:security"),
    }
    get_adapter().send_notification_mail(template_prefix, payout.person, facts)
