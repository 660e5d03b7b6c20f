"""The facts that the services record with each kind of notice. A new kind needs a line here."""

from datetime import UTC, datetime
from typing import Any

from tests.workroom.agreements import START

DUE = datetime(2026, 3, 31, 10, tzinfo=UTC)
PAYMENT = {
    "escrow": "Design", "number": 1, "numbers": [1], "amount_minor": 500_00, "payment": 7,
    "card": "Visa ending in 4242",
}  # fmt: skip
REQUEST = {
    "escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00, "requested_at": START,
    "due_at": DUE,
}  # fmt: skip
DORMANT = {
    "amount_minor": 1_500_00, "told_at": DUE, "due_at": DUE,
    "returns": [{"escrow": "Build", "number": 2, "amount_minor": 1_000_00, "at": DUE}],
    "releases": [{"escrow": "Design", "number": 1, "amount_minor": 500_00, "at": DUE}],
}  # fmt: skip
CANCELLATION = {"cancellation": 8, "requester": "Clara Client"}
SHARES = {
    "amount_minor": 1_500_00, "back_minor": 1_300_00, "gross_minor": 200_00, "net_minor": 182_50,
    "shares": [
        {"escrow": "Design", "number": 1, "amount_minor": 500_00, "back_minor": 300_00,
         "gross_minor": 200_00, "net_minor": 182_50},
        {"escrow": "Build", "number": 2, "amount_minor": 1_000_00, "back_minor": 1_000_00},
    ],
}  # fmt: skip
TERMS = {"version": 2, "total_minor": 1_500_00, "lapses_at": DUE}
CHARGEBACK = {
    "escrow": "“Design”", "numbers": [1], "amount_minor": 500_00, "held_minor": 300_00,
    "released_minor": 200_00, "payment": 7, "chargeback": 4,
}  # fmt: skip
DISPUTE = {"dispute": 3, "escrow": "Design", "number": 1}
SPLIT = {"amount_minor": 500_00, "to_freelancer_minor": 300_00, "to_client_minor": 200_00}
SETTLED = DISPUTE | SPLIT | {
    "net_minor": 273_75, "fees_minor": 26_25, "document": "INV-2-0001", "document_id": 5,
}  # fmt: skip
BY_SUPPORT = {
    "escrow": "Design", "number": 1, "on_whose_behalf": "at the request of the Client, Clara Client",
    "asked_how": "by phone on 3 March, called back", "agents": "Alma Agent and Bela Senior",
}  # fmt: skip
ERROR_OF_OURS = BY_SUPPORT | {"on_whose_behalf": "to reverse an error of ours", "asked_how": ""}
FACTS: dict[str, dict[str, Any]] = {
    "awarded": {"freelancer": "Frank Freelancer", **TERMS},
    "invited": {"email": "nora@example.com", **TERMS},
    "terms_proposed": TERMS,
    "terms_accepted": {"version": 2, "total_minor": 1_500_00},
    "terms_changed": {
        "version": 2, "total_minor": 1_400_00, "refund_minor": 100_00, "escrow": "Design",
        "changes": [{"escrow": "Design", "before_minor": 500_00, "amount_minor": 400_00}],
    },
    "terms_unfit": {"version": 2},
    "terms_declined": {"version": 2},
    "terms_withdrawn": {"version": 2},
    "award_declined": {},
    "award_withdrawn": {},
    "report_submitted": {
        "report": 3, "week_on": "2026-03-02", "sending": 1, "billed": 1, "amount_minor": 500_00,
    },
    "timesheet_submitted": {
        "timesheet": 4, "week_on": "2026-03-02", "sending": 2, "hours": "7:30",
    },
    "funding_requested": {"escrow": "Design", "number": 1, "amount_minor": 500_00},
    "funded": PAYMENT,
    "payment_pending": PAYMENT | {"due_at": DUE},
    "payment_failed": PAYMENT | {"failure": "The bank declined the card."},
    "authentication_failed": PAYMENT | {"failure": "The bank said no."},
    "payment_cancelled": PAYMENT,
    "money_returned": PAYMENT,
    "refund_refused": {
        "amount_minor": 500_00, "payer": "Clara Client", "card": "Visa ending in 4242", "payment": 7,
    },
    "release_requested": {
        "escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00, "due_at": DUE,
        "overdue_at": datetime(2026, 3, 16, 10, tzinfo=UTC),
    },
    "voided": {"escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00},
    "released": {
        "escrow": "Design", "number": 1, "amount_minor": 500_00, "service_fee_minor": 43_75,
        "processing_fee_minor": 0, "net_minor": 456_25, "document": "INV-2-0001", "document_id": 5,
    },
    "changes_requested": {
        "escrow": "Design", "number": 1, "request": 9, "amount_minor": 500_00, "times_left": 1,
    },
    "refunded": {"escrow": "Design", "number": 1, "amount_minor": 200_00, "held_minor": 300_00},
    "credited": {
        "escrow": "Design", "number": 1, "amount_minor": 100_00, "service_fee_minor": 8_75,
        "net_minor": 91_25, "document": "CRN-2-0002", "document_id": 6,
    },
    "cancellation_requested": CANCELLATION | SHARES | {"due_at": DUE},
    "cancellation_accepted": (
        CANCELLATION | SHARES | {"statement": "CS-1-1", "statement_id": 6}
    ),
    "cancellation_declined": CANCELLATION,
    "cancellation_withdrawn": CANCELLATION,
    "cancellation_lapsed": CANCELLATION | {"due_at": DUE},
    "cancellation_stale": CANCELLATION | {"due_at": DUE},
    "cancelled": CANCELLATION | {"statement": "CS-1-1", "statement_id": 6},
    "completed": {"statement": "CS-1-1", "statement_id": 6},
    "overdue": REQUEST,
    "release_warning": REQUEST | {"days_left": 10},
    "authentication_reminder": {
        "escrow": "Design", "number": 1, "amount_minor": 500_00, "payment": 7, "due_at": DUE,
        "days_left": 4,
    },
    "payment_lapsed": PAYMENT,
    "award_expired": {"due_at": DUE},
    "terms_lapsed": {"due_at": DUE},
    "dormant": DORMANT,
    "dormant_freelancer": DORMANT,
    "settled": {"amount_minor": 1_000_00, "escrow": "Build"},
    "reactivated": {"due_at": DUE},
    "chargeback_opened": CHARGEBACK,
    "chargeback_won": CHARGEBACK,
    "chargeback_lost": CHARGEBACK,
    "dispute_opened": DISPUTE | {
        "asks": "refund", "asked_minor": 200_00, "amount_minor": 500_00, "due_at": DUE,
        "request": 9, "files": 2,
    },
    "dispute_answered": DISPUTE | {"files": 1},
    "dispute_statement": DISPUTE | {"files": 0, "due_at": DUE},
    "dispute_evidence": DISPUTE | {"names": "“chat.pdf”, “plan.pdf”"},
    "dispute_offered": DISPUTE | SPLIT | {"offer": 4, "due_at": DUE},
    "offer_withdrawn": DISPUTE | SPLIT | {"offer": 4},
    "dispute_escalated": DISPUTE | {"amount_minor": 500_00},
    "dispute_asked": DISPUTE,
    "dispute_decided": SETTLED,
    "dispute_settled": SETTLED,
    "dispute_ended": DISPUTE | {"amount_minor": 500_00},
    "dispute_withdrawn": DISPUTE | {"amount_minor": 500_00, "request": 9, "due_at": DUE},
    "sealed_entered": DISPUTE,
    "sealed_no_match": DISPUTE,
    "support_released": BY_SUPPORT | {
        "amount_minor": 500_00, "net_minor": 456_25, "fees_minor": 43_75, "document": "INV-2-0001",
        "document_id": 5,
    },
    "support_refunded": BY_SUPPORT | {"amount_minor": 200_00, "held_minor": 300_00},
    "support_credited": BY_SUPPORT | {
        "amount_minor": 100_00, "service_fee_minor": 8_75, "net_minor": 91_25,
        "document": "CRN-2-0002", "document_id": 6, "statement": "CS-1-2",
    },
    "support_voided": BY_SUPPORT | {"amount_minor": 500_00, "request": 9},
    "support_extended_release": BY_SUPPORT | {
        "amount_minor": 500_00, "request": 9, "before_at": START, "due_at": DUE,
    },
    "support_extended_answer": ERROR_OF_OURS | {"dispute": 3, "before_at": START, "due_at": DUE},
    "support_reactivated": ERROR_OF_OURS | {"due_at": DUE},
}  # fmt: skip
