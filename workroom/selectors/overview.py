"""The overview of a Job: its Milestones with their money.

Whose turn it is, in a sentence, stands in ``selectors.turns``; what happens if nobody acts in
``selectors.forecasts``.
"""

from dataclasses import dataclass
from typing import Any

from billing.models import Escrow, FundingRequest, Payment, ReleaseRequest
from billing.selectors import escrow_rows
from escrow_site.lib import display, money, statements
from jobs.models import Job, Person
from workroom.models import Terms
from workroom.selectors.terms import milestones_of

# There is one unanswered request, one live payment and one open Funding Request an Escrow at most.
# What the Client asked to be changed counts until the Freelancer requests again.
MONEY_OF = f"""
SELECT {{escrow}}, {{request}}, {{payment}}, {{asking}}, {{returned}}, {escrow_rows.OPENERS}
  FROM billing_escrow AS escrow
  LEFT JOIN billing_releaserequest AS request
    ON request.escrow_id = escrow.id AND request.state IN ('open', 'overdue', 'disputed')
  LEFT JOIN billing_allocation AS live ON live.escrow_id = escrow.id AND live.live
  LEFT JOIN billing_payment AS payment ON payment.id = live.payment_id
  LEFT JOIN billing_fundingrequest AS asking
    ON asking.escrow_id = escrow.id AND asking.closed_at IS NULL
  LEFT JOIN billing_releaserequest AS returned
    ON returned.state = 'returned' AND escrow.state = 'funded' AND escrow.times_returned > 0
   AND returned.id = (SELECT max(id) FROM billing_releaserequest WHERE escrow_id = escrow.id)
 WHERE escrow.job_id = %s AND escrow.state <> 'removed'
 ORDER BY escrow.position, escrow.number
"""


@dataclass(frozen=True, kw_only=True)
class MilestoneLine:
    """One Milestone; ``state`` is empty while no Terms are agreed.

    ``released_minor`` is gross, as everywhere; ``credited_minor`` is what of it was refunded later.
    ``is_agreed``: not one that a change of the Terms removed after it had been funded.
    """

    title: str
    due_on: Any
    amount_minor: int
    held_minor: int = 0
    released_minor: int = 0
    credited_minor: int = 0
    state: str = ""
    state_label: str = ""
    is_overdue: bool = False
    note: str = ""
    is_agreed: bool = True


def money_of(job: Job) -> list[Any]:
    """The agreed Escrows in order, each with what is known of its open request or the one that was sent
    back last, its payment and its Funding Request; ready for the guards.
    """
    rows = statements.read(
        MONEY_OF,
        job.pk,
        escrow=Escrow,
        request=ReleaseRequest,
        payment=Payment,
        asking=FundingRequest,
        returned=ReleaseRequest,
    )
    for escrow, request, payment, asking, returned, openers in rows:
        escrow.job = job
        escrow_rows.attach_disputes(request, openers)
        statements.attach(escrow, "release_requests", [request] if request else [])
        escrow.requested_at = request and request.requested_at
        escrow.request_is_overdue = bool(request and request.state == ReleaseRequest.State.OVERDUE)
        # The clock of a disputed request stands still (R9.1).
        is_disputed = request is not None and request.state == ReleaseRequest.State.DISPUTED
        escrow.request_due_at = None if is_disputed else (request and request.auto_release_at)
        escrow.payment_id = payment and payment.pk
        escrow.payment_state = payment and payment.state
        escrow.payment_lapses_at = payment and payment.lapses_at
        escrow.asked_at = asking and asking.requested_at
        escrow.returned_request = returned
        escrow.timetable_row = (escrow, request, payment)
    return [row[0] for row in rows]


def is_asked_for(escrow: Any) -> bool:
    """Whether a Funding Request waits for the Client and no payment is under way for it."""
    return (
        escrow.state == Escrow.State.UNFUNDED
        and escrow.asked_at is not None
        and escrow.payment_id is None
    )


def lines_of_money(escrows: list[Any], job: Job, *, viewer: Person) -> list[MilestoneLine]:
    """Agreed Milestones, as they stand, told to the viewer."""
    return [
        MilestoneLine(
            title=escrow.title,
            due_on=escrow.due_on,
            amount_minor=escrow.amount_minor,
            held_minor=escrow.held_minor,
            released_minor=escrow.released_minor,
            credited_minor=escrow.credited_minor,
            state=escrow.state,
            state_label=escrow.get_state_display(),
            is_overdue=escrow.request_is_overdue,
            note=_note(escrow, job, viewer),
            is_agreed=not escrow.has_left_the_terms,
        )
        for escrow in escrows
    ]


def lines_of_terms(terms: Terms) -> list[MilestoneLine]:
    """Proposed Milestones: nothing in them counts yet."""
    return [
        MilestoneLine(
            title=milestone.title, due_on=milestone.due_on, amount_minor=milestone.amount_minor
        )
        for milestone in milestones_of(terms)
    ]


def _note(escrow: Any, job: Job, viewer: Person) -> str:
    is_client = viewer.pk == job.client_id
    if escrow.charged_back_at is not None:
        return f"Charged back since {display.day_and_time(escrow.charged_back_at)[0]}"
    if escrow.disputed_at is not None:
        return f"Disputed since {display.day_and_time(escrow.disputed_at)[0]}"
    if escrow.request_due_at is not None:
        return f"Release requested {display.day_and_time(escrow.requested_at)[0]}"
    if escrow.returned_request is not None:
        return f"Changes requested {display.day_and_time(escrow.returned_request.ended_at)[0]}"
    if escrow.state == Escrow.State.PENDING:
        return f"Waits for {'your bank' if is_client else f'the bank of {job.client}'}"
    if escrow.payment_state == Payment.State.STARTED:
        return "A payment is under way"
    if is_asked_for(escrow):
        return f"Funding requested {display.day_and_time(escrow.asked_at)[0]}"
    if escrow.refunded_minor:
        removed = "Removed from the Terms, " if escrow.has_left_the_terms else ""
        back = f"{money.display(escrow.refunded_minor, job.currency)} went back to "
        back += "you" if is_client else str(job.client)
        return f"{removed}{back}"
    return ""
