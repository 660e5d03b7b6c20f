"""The kinds of Activity and notices about what support does at a party's request (R9.7, R12).

What is proposed and not confirmed is for support alone: neither side reads it, not even that there
is something. Once confirmed both are told what was done, at whose request or for which error of
ours, by whom and why; the lines of the money stand below, and tell nobody a second time.
"""

from typing import Any

from jobs.notices import Audience, Kind, kind

PROPOSED = kind(
    "intervention_proposed",
    "proposed: {act}; a second support agent is to confirm it",
    for_support=True,
)
SENT_BACK = kind(
    "intervention_sent_back", "sent a proposal of support back: {act}", for_support=True
)
WITHDRAWN = kind(
    "intervention_withdrawn", "withdrew a proposal of support: {act}", for_support=True
)
OVERTAKEN = kind(
    "intervention_overtaken",
    "closed a proposal of support that was overtaken: {act}",
    for_support=True,
)

# The money has a line of its own, by the same agent at the same instant: these say what was confirmed,
# so that nobody reads of two releases.
DOCUMENT: dict[str, Any] = {"url_name": "billing:document", "url_facts": ("document_id",)}
REQUEST: dict[str, Any] = {"url_name": "billing:release_request", "url_facts": ("request",)}

# By the kind of the intervention.
DONE: dict[str, Kind] = {
    "release": kind(
        "support_released",
        "confirmed the release of {amount} of “{escrow}” {on_whose_behalf}",
        Audience.BOTH,
        "Released by support: {escrow}, {amount}",
        **DOCUMENT,
    ),
    "refund_held": kind(
        "support_refunded",
        "confirmed the refund of {amount} held for “{escrow}” {on_whose_behalf}",
        Audience.BOTH,
        "Refunded by support: {escrow}, {amount}",
        url_name="workroom:job_billing",
    ),
    "refund_released": kind(
        "support_credited",
        "confirmed the refund of {amount} of what was released of “{escrow}” {on_whose_behalf}",
        Audience.BOTH,
        "Refunded after release by support: {escrow}, {amount}",
        **DOCUMENT,
    ),
    "void": kind(
        "support_voided",
        "confirmed that the Release Request for “{escrow}” is voided {on_whose_behalf}",
        Audience.BOTH,
        "Release Request voided by support: {escrow}",
        **REQUEST,
    ),
    "extend_release": kind(
        "support_extended_release",
        "extended the clock of the Release Request for “{escrow}” to {due} {on_whose_behalf}",
        Audience.BOTH,
        "More time for the Release Request: {escrow}, until {due}",
        counts=True,
        **REQUEST,
    ),
    "extend_answer": kind(
        "support_extended_answer",
        "extended the time to answer the Dispute about “{escrow}” to {due} {on_whose_behalf}",
        Audience.BOTH,
        "More time to answer the Dispute: {escrow}, until {due}",
        counts=True,
        url_name="billing:dispute",
        url_facts=("dispute",),
    ),
    "reactivate": kind(
        "support_reactivated",
        "made the Job active again {on_whose_behalf}",
        Audience.BOTH,
        "Active again by support: {job}",
        counts=True,
    ),
}
