"""The kinds of Activity and notices about chargebacks (R8.4); ``notices`` brings them into the table.

The card is the Client's own business: it is in none of them.
"""

from typing import Any

from jobs.notices import Audience, kind

# Where these notices lead.
PAGE: dict[str, Any] = {"url_name": "workroom:job_billing"}

CHARGEBACK_OPENED = kind(
    "chargeback_opened",
    "learnt that the Client’s bank wants the payment of {amount} for {escrow} back, and froze it",
    Audience.BOTH,
    "Chargeback: {escrow}, {amount}",
    **PAGE,
)
CHARGEBACK_RECORDED = kind(
    "chargeback_recorded",
    "recorded how the chargeback of {amount} for {escrow} ended; a second support agent is to "
    "confirm it",
    for_support=True,
)
CHARGEBACK_SENT_BACK = kind(
    "chargeback_sent_back",
    "sent back what was recorded about the chargeback of {amount} for {escrow}",
    for_support=True,
)
CHARGEBACK_TAKEN_BACK = kind(
    "chargeback_taken_back",
    "took back what was recorded about the chargeback of {amount} for {escrow}",
    for_support=True,
)
CHARGEBACK_WON = kind(
    "chargeback_won",
    "confirmed that the chargeback of {amount} for {escrow} is over: the payment stands",
    Audience.BOTH,
    "Chargeback over, the payment stands: {escrow}, {amount}",
    **PAGE,
)
CHARGEBACK_LOST = kind(
    "chargeback_lost",
    "confirmed that the Client’s bank keeps {amount} for {escrow}",
    Audience.BOTH,
    "Chargeback lost: {escrow}, {amount}",
    **PAGE,
)
REFUND_COVERS_CHARGEBACK = kind(
    "refund_covers_chargeback",
    "learnt that the card refused {amount} that was on its way back; it covers the lost chargeback",
)
