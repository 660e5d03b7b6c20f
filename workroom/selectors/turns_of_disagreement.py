"""Whose turn it is when the two disagree: changes to make, a request to cancel, a Dispute, a chargeback.

A cancellation stands in an alert of its own on the overview; for the others ``turns`` asks here.
"""

from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.text import Truncator

from billing.models import Cancellation
from escrow_site.lib import display
from jobs.models import Job, Person
from workroom.selectors.turn_words import Turn, are, named

# Of what the Client wrote; all of it stands with the Release Request.
QUOTED_AT_MOST = 300


def of_cancellation(
    cancellation: Cancellation | None, *, job: Job, viewer: Person, at: datetime
) -> Turn | None:
    """Who is to answer the request to cancel the Job, and until when (R8.3)."""
    if cancellation is None or cancellation.has_lapsed(at=at):
        return None
    until = display.instant(cancellation.lapses_at)
    url = reverse("billing:cancellation", args=[cancellation.pk])
    if viewer.pk == cancellation.requested_by_id:
        return Turn(
            sentence=f"Waiting for {job.other_party(viewer)} to answer your request to cancel the "
            f"Job, until {until}.",
            label="See the request",
            url=url,
            is_urged=False,
        )
    return Turn(
        sentence=f"{cancellation.requested_by} wants to cancel the Job.",
        detail=f"Accept or decline until {until}; then the request lapses, and the Job goes on.",
        label="Answer the request",
        url=url,
        tone="warning",
    )


def first_to_do(turn: Turn, cancellation: Turn | None) -> Turn:
    """What the page's one main button is for. A cancellation that waits for the reader comes first, save
    before what goes on by itself without him: a Dispute to answer, an Overdue request.
    """
    if cancellation is None or not cancellation.is_urged or turn.tone == "critical":
        return turn
    return cancellation


def of_changes_requested(job: Job, escrows: list[Any]) -> Turn | None:
    """The Freelancer's work came back with what is to be changed (R7.3)."""
    returned = [escrow for escrow in escrows if escrow.returned_request and not escrow.is_frozen]
    if not returned:
        return None
    said = " ".join(_quoted(escrow, with_title=len(returned) > 1) for escrow in returned)
    return Turn(
        sentence=f"{job.client} requests changes to {named(returned, job)}.",
        detail=f"{said} When the work is ready, request release again.",
        label="Create Status Report",
        url=reverse("workroom:create_report", args=[job.pk]),
        tone="warning",
    )


def _quoted(escrow: Any, *, with_title: bool) -> str:
    text = " ".join(escrow.returned_request.ended_reason.split())
    quote = f"“{Truncator(text).chars(QUOTED_AT_MOST)}”"
    return f"“{escrow}”: {quote}" if with_title else quote


def waits_for_answer(escrow: Any, viewer: Person) -> bool:
    """Whether the viewer is to answer the Dispute about a Milestone (R9.2)."""
    return escrow.answer_due_at is not None and escrow.disputed_by_id != viewer.pk


def of_dispute_to_answer(job: Job, disputed: list[Any]) -> Turn:
    """The reader is to answer one or more Disputes of the other side (R9.2)."""
    first = min(disputed, key=lambda escrow: escrow.answer_due_at)
    opener = job.client if first.disputed_by_id == job.client_id else job.freelancer
    return Turn(
        sentence=f"{opener} disputes {named(disputed, job)}.",
        detail=f"Answer by {display.instant(first.answer_due_at)}; without an answer support decides.",
        label="Answer the Dispute" if len(disputed) == 1 else "See the Disputes",
        url=reverse("workroom:disputes", args=[job.pk]),
        tone="critical",
    )


def of_frozen_money(job: Job, escrows: list[Any]) -> Turn | None:
    """Money waits for an agreement, for support or for a bank, and nothing else is to be done (R9.1, R8.4)."""
    disputed = [escrow for escrow in escrows if escrow.disputed_at is not None]
    if not disputed:
        return _charged_back(job, escrows)
    return Turn(
        sentence=f"{named(disputed, job)} {are(disputed)} disputed.",
        detail="The money stays held until you agree, or support decides.",
        label="See the Dispute" if len(disputed) == 1 else "See the Disputes",
        url=reverse("workroom:disputes", args=[job.pk]),
        is_urged=False,
    )


def _charged_back(job: Job, escrows: list[Any]) -> Turn | None:
    """Money is frozen because its bank wants it back (R8.4)."""
    charged_back = [escrow for escrow in escrows if escrow.charged_back_at and escrow.held_minor]
    if not charged_back:
        return None
    return Turn(
        sentence=f"{named(charged_back, job)} {are(charged_back)} frozen: the Client’s bank wants the "
        "payment back.",
        detail="Nothing moves before the bank has decided. Support tells both of you.",
        label="Billing & Invoices",
        url=reverse("workroom:job_billing", args=[job.pk]),
        tone="critical",
        is_urged=False,
    )
