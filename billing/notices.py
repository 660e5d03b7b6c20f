"""The kinds of Activity and notices that are about money."""

from jobs.notices import Audience, kind

FUNDING_REQUESTED = kind(
    "funding_requested",
    "requested funding of “{escrow}” ({amount})",
    Audience.CLIENT,
    "Funding requested: {escrow}, {amount}",
    counts=True,
)
FUNDED = kind(
    "funded",
    "funded {escrow} with {amount}",
    Audience.BOTH,
    "Funded: {escrow}, {amount}",
    counts=True,
)
PAYMENT_PENDING = kind(
    "payment_pending",
    "started a payment of {amount} for “{escrow}”, pending authentication",
    Audience.BOTH,
    "Pending: {escrow}, {amount}",
)
PAYMENT_FAILED = kind(
    "payment_failed",
    "could not fund {escrow}: {failure}",
    Audience.CLIENT,
    "Payment failed: {escrow}, {amount}",
)
AUTHENTICATION_FAILED = kind(
    "authentication_failed",
    "did not pass the bank’s authentication: {escrow} is unfunded again ({failure})",
    Audience.BOTH,
    "Not funded: {escrow}, {amount}",
)
PAYMENT_STOPPED = kind(
    "payment_stopped",
    "stopped the payment of {amount} for {escrow} before the bank had answered",
)
PAYMENT_CANCELLED = kind(
    "payment_cancelled",
    "cancelled the pending payment of {amount} for {escrow}",
    Audience.BOTH,
    "Pending payment cancelled: {escrow}, {amount}",
)
MONEY_RETURNED = kind(
    "money_returned",
    "sent {amount} back to its source: it arrived where it was no longer wanted",
    Audience.BOTH,
    "{amount} goes back to its source",
)
REFUND_REFUSED = kind(
    "refund_refused",
    "put {amount} on the available balance of {payer}: the card takes no money back",
    Audience.CLIENT,
    "{amount} is on your available balance",
)
RELEASE_REQUESTED = kind(
    "release_requested",
    "requested release of “{escrow}” ({amount})",
    Audience.CLIENT,
    "Release requested: {escrow}, {amount}",
    counts=True,
    release_request=True,
)
RELEASED = kind(
    "released",
    "released {amount} of “{escrow}”",
    Audience.BOTH,
    "Released: {escrow}, {amount}",
    counts=True,
)
VOIDED = kind(
    "voided",
    "voided the Release Request for “{escrow}” ({amount})",
    Audience.CLIENT,
    "Release Request voided: {escrow}",
)
COMPLETED = kind(
    "completed",
    "completed the Job",
    Audience.BOTH,
    "Completed, with Closing Statement: {job}",
)
