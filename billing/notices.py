"""The kinds of Activity and notices that are about money."""

import billing.chargeback_notices
import billing.dispute_notices
import billing.intervention_notices  # noqa: F401
from jobs.notices import Audience, kind

FUNDING_REQUESTED = kind(
    "funding_requested",
    "requested funding of “{escrow}” ({amount})",
    Audience.CLIENT,
    "Funding requested: {escrow}, {amount}",
    counts=True,
    url_name="billing:fund",
)
FUNDED = kind(
    "funded",
    "funded {milestones} with {amount}",
    Audience.BOTH,
    "Funded: {escrow}, {amount}",
    counts=True,
    url_name="billing:payment",
    url_facts=("payment",),
)
PAYMENT_PENDING = kind(
    "payment_pending",
    "started a payment of {amount} for {milestones}, pending authentication",
    Audience.BOTH,
    "Pending: {escrow}, {amount}",
    url_name="billing:payment",
    url_facts=("payment",),
)
PAYMENT_FAILED = kind(
    "payment_failed",
    "could not fund {milestones}: the bank refused the payment",
    Audience.CLIENT,
    "Payment failed: {escrow}, {amount}",
    url_name="billing:payment",
    url_facts=("payment",),
)
AUTHENTICATION_FAILED = kind(
    "authentication_failed",
    "did not pass the bank’s authentication: {milestones} is unfunded again",
    Audience.BOTH,
    "Not funded: {escrow}, {amount}",
    url_name="billing:payment",
    url_facts=("payment",),
)
PAYMENT_STOPPED = kind(
    "payment_stopped",
    "stopped the payment of {amount} for {milestones} before the bank had answered",
)
PAYMENT_CANCELLED = kind(
    "payment_cancelled",
    "cancelled the pending payment of {amount} for {milestones}",
    Audience.BOTH,
    "Pending payment cancelled: {escrow}, {amount}",
    url_name="billing:payment",
    url_facts=("payment",),
)
MONEY_RETURNED = kind(
    "money_returned",
    "sent {amount} back to its source: it arrived where it was no longer wanted",
    Audience.BOTH,
    "{amount} goes back to its source",
    url_name="billing:payment",
    url_facts=("payment",),
)
REFUND_REFUSED = kind(
    "refund_refused",
    "put {amount} on the available balance of {payer}: the card takes no money back",
    Audience.CLIENT,
    "{amount} is on your available balance",
    url_name="billing:balance",
    url_facts=(),
)
RELEASE_REQUESTED = kind(
    "release_requested",
    "requested release of “{escrow}” ({amount})",
    Audience.CLIENT,
    "Release requested: {escrow}, {amount}",
    counts=True,
    release_request=True,
    url_name="billing:release_request",
    url_facts=("request",),
)
RELEASED = kind(
    "released",
    "released {amount} of “{escrow}”",
    Audience.BOTH,
    "Released: {escrow}, {amount}",
    counts=True,
    url_name="billing:document",
    url_facts=("document_id",),
)
VOIDED = kind(
    "voided",
    "voided the Release Request for “{escrow}” ({amount})",
    Audience.CLIENT,
    "Release Request voided: {escrow}",
    url_name="billing:release_request",
    url_facts=("request",),
)
CHANGES_REQUESTED = kind(
    "changes_requested",
    "asked for changes of “{escrow}” and sent the Release Request ({amount}) back",
    Audience.FREELANCER,
    "Changes requested: {escrow}, {amount}",
    url_name="billing:release_request",
    url_facts=("request",),
)
REFUNDED = kind(
    "refunded",
    "refunded {amount} held for “{escrow}”",
    Audience.BOTH,
    "Refunded: {escrow}, {amount}",
    counts=True,
    url_name="workroom:job_billing",
)
CREDITED = kind(
    "credited",
    "refunded {amount} of what was released of “{escrow}”",
    Audience.BOTH,
    "Refunded after release: {escrow}, {amount}",
    counts=True,
    url_name="billing:document",
    url_facts=("document_id",),
)
COMPLETED = kind(
    "completed",
    "completed the Job",
    Audience.BOTH,
    "Completed, with Closing Statement: {job}",
    url_name="billing:statement",
    url_facts=("statement_id",),
)
CANCELLATION_REQUESTED = kind(
    "cancellation_requested",
    "requested cancellation of the Job",
    Audience.OTHER_PARTY,
    "Cancellation requested: {job}",
    counts=True,
    url_name="billing:cancellation",
    url_facts=("cancellation",),
)
CANCELLATION_ACCEPTED = kind(
    "cancellation_accepted",
    "accepted the cancellation",
    Audience.BOTH,
    "Cancelled, with Closing Statement: {job}",
    url_name="billing:statement",
    url_facts=("statement_id",),
)
CANCELLATION_DECLINED = kind(
    "cancellation_declined",
    "declined the cancellation",
    Audience.OTHER_PARTY,
    "Cancellation declined: {job}",
    url_name="billing:cancellation",
    url_facts=("cancellation",),
)
CANCELLATION_WITHDRAWN = kind(
    "cancellation_withdrawn",
    "withdrew the request to cancel the Job",
    Audience.OTHER_PARTY,
    "Cancellation withdrawn: {job}",
    url_name="billing:cancellation",
    url_facts=("cancellation",),
)
CANCELLATION_LAPSED = kind(
    "cancellation_lapsed",
    "let the request to cancel the Job lapse: it was not answered by {due}",
    Audience.BOTH,
    "Cancellation lapsed: {job}",
    url_name="billing:cancellation",
    url_facts=("cancellation",),
)
CANCELLATION_STALE = kind(
    "cancellation_stale",
    "ended the request to cancel the Job: what is held has changed",
    Audience.BOTH,
    "Cancellation overtaken: {job}",
    url_name="billing:cancellation",
    url_facts=("cancellation",),
)
CANCELLED = kind(
    "cancelled",
    "cancelled the Job",
    Audience.BOTH,
    "Cancelled, with Closing Statement: {job}",
    url_name="billing:statement",
    url_facts=("statement_id",),
)
TAKEN_UP_AGAIN = kind(
    "taken_up_again",
    "took the Job up again: its clocks had been stopped by an error",
)

# --- Of the timers (R3.4, R6, R10) and of what follows from them ---

OVERDUE = kind(
    "overdue",
    "marked the Release Request for “{escrow}” ({amount}) as Overdue",
    Audience.BOTH,
    "Overdue: {escrow}, {amount}",
    url_name="billing:release_request",
    url_facts=("request",),
)
RELEASE_WARNING = kind(
    "release_warning",
    "warned the Client with {left} left: {amount} of “{escrow}” will be released on {due}",
    Audience.CLIENT,
    "Will be released on {due}: {escrow}, {amount}",
    url_name="billing:release_request",
    url_facts=("request",),
)
AUTHENTICATION_REMINDER = kind(
    "authentication_reminder",
    "reminded the Client with {left} left to authenticate the payment of {amount} for {milestones} by "
    "{due}",
    Audience.CLIENT,
    "Authenticate by {due}: {escrow}, {amount}",
    url_name="billing:payment",
    url_facts=("payment",),
)
PAYMENT_LAPSED = kind(
    "payment_lapsed",
    "let the Pending payment of {amount} for {milestones} lapse",
    Audience.BOTH,
    "Payment lapsed: {escrow}, {amount}",
    url_name="billing:payment",
    url_facts=("payment",),
)
AWARD_EXPIRED = kind(
    "award_expired",
    "let the award expire: its Terms were not accepted by {due}",
    Audience.BOTH,
    "Award expired: {job}",
)
TERMS_LAPSED = kind(
    "terms_lapsed",
    "let the proposed Terms lapse: they were not answered by {due}",
    Audience.BOTH,
    "Terms lapsed: {job}",
)
DORMANT = kind(
    "dormant",
    "made the Job Dormant, with {amount} held, and told the Client",
    Audience.CLIENT,
    "Dormant: {job}, {amount} held",
)
FREELANCER_TOLD = kind(
    "dormant_freelancer",
    "told the Freelancer that the Job is Dormant, with {amount} held",
    Audience.FREELANCER,
    "Dormant: {job}, {amount} held",
)
RETURNED = kind("returned", "sent {amount} of “{escrow}” back to the Client")
SETTLED = kind(
    "settled",
    "settled the dormant Job: {amount} went back to the Client ({milestones})",
    Audience.BOTH,
    "Settled: {job}, {amount} goes back",
)
REMOVED = kind("removed", "removed “{escrow}”, which was not funded")
REACTIVATED = kind(
    "reactivated",
    "made the Job active again",
    Audience.BOTH,
    "Active again: {job}",
)
