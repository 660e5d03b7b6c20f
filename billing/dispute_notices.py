"""The kinds of Activity and notices about Disputes (R9, R12); ``notices`` brings them into the table.

``reason`` is what was said, or the rule in words. A limit under seal is in none of them (R9.6), nor is
a decision before it is confirmed: until then the parties may still agree, and neither is to know what
he would get otherwise.
"""

from typing import Any

from jobs.notices import Audience, kind

# Where these notices lead.
PAGE: dict[str, Any] = {"url_name": "billing:dispute", "url_facts": ("dispute",)}

DISPUTE_OPENED = kind(
    "dispute_opened",
    "opened a Dispute about “{escrow}” and asks for a {asks} of {asked}",
    Audience.OTHER_PARTY,
    "Dispute opened: {escrow}, answer by {due}",
    counts=True,
    **PAGE,
)
DISPUTE_ANSWERED = kind(
    "dispute_answered",
    "answered the Dispute about “{escrow}”",
    Audience.OTHER_PARTY,
    "Dispute answered: {escrow}",
    counts=True,
    **PAGE,
)
DISPUTE_STATEMENT = kind(
    "dispute_statement",
    "made a statement in the Dispute about “{escrow}”",
    Audience.OTHER_PARTY,
    "New statement in the Dispute: {escrow}",
    counts=True,
    **PAGE,
)
DISPUTE_EVIDENCE = kind(
    "dispute_evidence",
    "added evidence to the Dispute about “{escrow}”: {names}",
    Audience.OTHER_PARTY,
    "New evidence in the Dispute: {escrow}",
    counts=True,
    **PAGE,
)
DISPUTE_OFFERED = kind(
    "dispute_offered",
    "offered to settle the Dispute about “{escrow}”: {to_freelancer} to the Freelancer, {to_client} "
    "back to the Client",
    Audience.OTHER_PARTY,
    "Offer in the Dispute: {escrow}, {to_freelancer} to the Freelancer",
    counts=True,
    **PAGE,
)
OFFER_WITHDRAWN = kind(
    "offer_withdrawn",
    "withdrew the offer of {to_freelancer} to the Freelancer in the Dispute about “{escrow}”",
    Audience.OTHER_PARTY,
    "Offer withdrawn: {escrow}",
    counts=True,
    **PAGE,
)
DISPUTE_ESCALATED = kind(
    "dispute_escalated",
    "handed the Dispute about “{escrow}” to support",
    Audience.BOTH,
    "Dispute with support: {escrow}",
    counts=True,
    **PAGE,
)
DISPUTE_ASKED = kind(
    "dispute_asked",
    "asked for more in the Dispute about “{escrow}”",
    Audience.BOTH,
    "Support asks for more: {escrow}",
    **PAGE,
)
DECISION_PROPOSED = kind(
    "decision_proposed",
    "decided the Dispute about “{escrow}”; a second support agent is to confirm it",
)
DECISION_SENT_BACK = kind(
    "decision_sent_back",
    "sent the decision of the Dispute about “{escrow}” back: it is to be decided anew",
)
DECISION_WITHDRAWN = kind(
    "decision_withdrawn",
    "withdrew the decision of the Dispute about “{escrow}”: it is to be decided anew",
)
DISPUTE_DECIDED = kind(
    "dispute_decided",
    "confirmed the decision of the Dispute about “{escrow}”: {to_freelancer} to the Freelancer, "
    "{to_client} back to the Client",
    Audience.BOTH,
    "Dispute decided: {escrow}, {to_freelancer} to the Freelancer",
    **PAGE,
)
DISPUTE_SETTLED = kind(
    "dispute_settled",
    "settled the Dispute about “{escrow}”: {to_freelancer} to the Freelancer, {to_client} back to "
    "the Client",
    Audience.BOTH,
    "Dispute settled: {escrow}, {to_freelancer} to the Freelancer",
    counts=True,
    **PAGE,
)
DISPUTE_ENDED = kind(
    "dispute_ended",
    "ended the Dispute about “{escrow}”",
    Audience.OTHER_PARTY,
    "Dispute ended: {escrow}",
    counts=True,
    **PAGE,
)
DISPUTE_WITHDRAWN = kind(
    "dispute_withdrawn",
    "withdrew the Dispute about “{escrow}”",
    Audience.OTHER_PARTY,
    "Dispute withdrawn: {escrow}",
    counts=True,
    **PAGE,
)
SEALED_ENTERED = kind(
    "sealed_entered",
    "entered a limit under seal in the Dispute about “{escrow}”",
    Audience.OTHER_PARTY,
    "A limit under seal was entered: {escrow}",
    counts=True,
    **PAGE,
)
SEALED_TAKEN_BACK = kind(
    "sealed_taken_back",
    "took the limit under seal in the Dispute about “{escrow}” back",
    counts=True,
)
SEALED_NO_MATCH = kind(
    "sealed_no_match",
    "entered a limit under seal in the Dispute about “{escrow}”: no match",
    Audience.BOTH,
    "No match: {escrow}",
    counts=True,
    **PAGE,
)
