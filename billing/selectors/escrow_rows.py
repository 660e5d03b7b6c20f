"""The rows that a timetable is made of (``billing.timetables``), for one Job or for many at once."""

from collections import defaultdict
from collections.abc import Collection

from billing.models import Dispute, Escrow, Payment, ReleaseRequest
from escrow_site.lib import statements

Row = tuple[Escrow, ReleaseRequest | None, Payment | None]

# An Escrow has one unanswered request and one payment under way at most. By position as in the Terms.
# Who opened a Dispute about the request before cannot open another one about it (R9.4).
OPENERS = """ARRAY(
    SELECT past.opened_by_id FROM billing_dispute AS past WHERE past.request_id = request.id
)"""
ROWS_OF = f"""
SELECT {{escrow}}, {{request}}, {{payment}}, {OPENERS}
  FROM billing_escrow AS escrow
  LEFT JOIN billing_releaserequest AS request
    ON request.escrow_id = escrow.id AND request.state IN ('open', 'overdue', 'disputed')
  LEFT JOIN billing_allocation AS live ON live.escrow_id = escrow.id AND live.live
  LEFT JOIN billing_payment AS payment
    ON payment.id = live.payment_id AND payment.state IN ('started', 'authenticating')
 WHERE escrow.job_id = ANY(%s) AND escrow.state <> 'removed'
 ORDER BY escrow.job_id, escrow.position, escrow.number
"""
# With every column that a move may write: ``states.move`` writes only what was read.
ESCROW = statements.Only(
    Escrow,
    (
        "id", "job_id", "number", "position", "title", "amount_minor", "state", "funded_minor",
        "released_minor", "refunded_minor", "credited_minor", "service_fee_minor",
        "processing_fee_minor", "disputed_at", "disputed_by_id", "answer_due_at",
        "times_returned", "charged_back_at",
    ),
)  # fmt: skip
REQUEST = statements.Only(
    ReleaseRequest,
    (
        "id", "job_id", "escrow_id", "state", "requested_at", "overdue_at", "auto_release_at",
        "noticed_until", "ended_at", "ended_reason",
    ),
)  # fmt: skip
PAYMENT = statements.Only(
    Payment,
    (
        "id", "job_id", "payer_id", "method_id", "gateway", "gateway_reference", "amount_minor",
        "currency", "state", "started_at", "lapses_at", "noticed_until", "succeeded_at",
        "ended_at", "failure",
    ),
)  # fmt: skip


def rows_of(job_ids: Collection[int]) -> dict[int, list[Row]]:
    """For each Job its agreed Escrows in the order of the Terms, each with its unanswered request
    and the payment under way for it; an empty list for a Job that has none. One statement.
    """
    rows: dict[int, list[Row]] = defaultdict(list)
    payments: dict[int, Payment] = {}
    for escrow, request, payment, openers in statements.read(
        ROWS_OF, list(job_ids), escrow=ESCROW, request=REQUEST, payment=PAYMENT
    ):
        attach_disputes(request, openers)
        if payment is not None:
            # One payment may be for several Milestones, and is one row to whoever changes it.
            payment = payments.setdefault(payment.pk, payment)
        rows[escrow.job_id].append((escrow, request, payment))
    return {job_id: rows[job_id] for job_id in job_ids}


def attach_disputes(request: ReleaseRequest | None, openers: list[int]) -> None:
    """Give a request the Disputes about it, of which only the opener was read."""
    if request is not None:
        disputes = [Dispute(opened_by_id=person_id) for person_id in openers]
        statements.attach(request, "disputes", disputes)
