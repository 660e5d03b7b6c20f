"""The overview of a Job: its Milestones with their money, and what happens if nobody acts.

Whose turn it is, in a sentence, stands in ``selectors.turns``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from django.db.models import F, FilteredRelation, Q, QuerySet

from billing.models import Escrow, Payment, ReleaseRequest
from escrow_site.lib import display, money
from jobs.models import Job
from workroom.models import Terms
from workroom.selectors.terms import milestones_of


@dataclass(frozen=True, kw_only=True)
class MilestoneLine:
    """One Milestone; ``state`` is empty while no Terms are agreed."""

    title: str
    due_on: Any
    amount_minor: int
    held_minor: int = 0
    released_minor: int = 0
    state: str = ""
    state_label: str = ""
    note: str = ""


class Step(TypedDict):
    """One moment of what happens if nobody acts."""

    at: str
    title: str
    text: str
    stop: str
    tone: str


def money_of(job: Job) -> QuerySet[Escrow]:
    """The agreed Escrows in order, each with its open request, payment and Funding Request."""
    return (
        Escrow.objects.of(job)
        .agreed()
        .annotate(
            request=FilteredRelation(
                "release_requests",
                condition=Q(release_requests__state__in=ReleaseRequest.UNANSWERED),
            ),
            live=FilteredRelation("allocations", condition=Q(allocations__live=True)),
            asked=FilteredRelation(
                "funding_requests", condition=Q(funding_requests__closed_at__isnull=True)
            ),
        )
        .annotate(
            requested_at=F("request__requested_at"),
            request_overdue_at=F("request__overdue_at"),
            request_due_at=F("request__auto_release_at"),
            payment_id=F("live__payment_id"),
            payment_state=F("live__payment__state"),
            payment_lapses_at=F("live__payment__lapses_at"),
            asked_at=F("asked__requested_at"),
        )
    )


def is_asked_for(escrow: Any) -> bool:
    """Whether a Funding Request waits for the Client and no payment is under way for it."""
    return (
        escrow.state == Escrow.State.UNFUNDED
        and escrow.asked_at is not None
        and escrow.payment_id is None
    )


def lines_of_money(escrows: list[Any], job: Job) -> list[MilestoneLine]:
    """Agreed Milestones, as they stand."""
    return [
        MilestoneLine(
            title=escrow.title,
            due_on=escrow.due_on,
            amount_minor=escrow.amount_minor,
            held_minor=escrow.held_minor,
            released_minor=escrow.released_minor,
            state=escrow.state,
            state_label=escrow.get_state_display(),
            note=_note(escrow, job),
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


def _note(escrow: Any, job: Job) -> str:
    if escrow.request_due_at is not None:
        return f"Release requested {display.day_and_time(escrow.requested_at)[0]}"
    if escrow.state == Escrow.State.PENDING:
        return "Waits for the Client's bank"
    if escrow.payment_state == Payment.State.STARTED:
        return "A payment is under way"
    if is_asked_for(escrow):
        return f"Funding requested {display.day_and_time(escrow.asked_at)[0]}"
    if escrow.refunded_minor:
        return f"{money.display(escrow.refunded_minor, job.currency)} went back to the Client"
    return ""


def steps(job: Job, *, escrows: list[Any], proposal: Terms | None, at: datetime) -> list[Step]:
    """What happens if nobody acts, from the instants that are stored with the rows, in order."""
    coming = [
        *_proposal_steps(job, proposal),
        *(step for escrow in escrows for step in _request_steps(job, escrow)),
        *_payment_steps(job, escrows),
    ]
    return [
        {**step, "at": display.instant(when)}
        for when, step in sorted(coming, key=lambda pair: pair[0])
        if when > at
    ]


def _step(title: str, text: str, stop: str, tone: str = "") -> Step:
    return {"at": "", "title": title, "text": text, "stop": stop, "tone": tone}


def _proposal_steps(job: Job, proposal: Terms | None) -> Iterator[tuple[datetime, Step]]:
    if proposal is None or proposal.state != Terms.State.PROPOSED or proposal.lapses_at is None:
        return
    answerer = job.client if proposal.proposed_by_id != job.client_id else job.freelancer
    yield (
        proposal.lapses_at,
        _step(
            f"Terms {proposal.version} lapse",
            "With them the award lapses: nothing is agreed and nobody has paid anything.",
            f"{answerer or job.freelancer_email} can accept, decline or send changed Terms.",
            "warning",
        ),
    )


def _request_steps(job: Job, escrow: Any) -> Iterator[tuple[datetime, Step]]:
    if escrow.request_due_at is None:
        return
    held = money.display(escrow.held_minor, job.currency)
    stop = f"{job.client} can release it before, and {job.freelancer} can void the request."
    yield (
        escrow.request_overdue_at,
        _step(f"“{escrow}” is Overdue", "Both of you are reminded.", stop, "warning"),
    )
    yield (
        escrow.request_due_at,
        _step(
            f"“{escrow}” is released",
            f"{held} goes to {job.freelancer}, because the Client has not answered.",
            stop,
            "critical",
        ),
    )


def _payment_steps(job: Job, escrows: list[Any]) -> Iterator[tuple[datetime, Step]]:
    """One step a payment, whatever the number of Milestones that it is for."""
    pending = {
        escrow.payment_id: escrow for escrow in escrows if escrow.state == Escrow.State.PENDING
    }
    for escrow in pending.values():
        if escrow.payment_lapses_at is None:
            continue
        yield (
            escrow.payment_lapses_at,
            _step(
                f"The pending payment for “{escrow}” lapses",
                "The Milestone is unfunded again and nothing is charged.",
                f"{job.client} can authenticate the payment.",
                "warning",
            ),
        )
