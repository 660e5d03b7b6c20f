"""The overview of a Job: its Milestones with their money, and what happens if nobody acts.

Whose turn it is, in a sentence, stands in ``selectors.turns``.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from billing.models import Escrow, FundingRequest, Payment, ReleaseRequest
from escrow_site.lib import display, money, statements
from jobs.models import Job, Person
from workroom.models import Terms
from workroom.selectors.terms import milestones_of

# There is one unanswered request, one live payment and one open Funding Request an Escrow at most.
MONEY_OF = """
SELECT {escrow}, {request}, {payment}, {asking}
  FROM billing_escrow AS escrow
  LEFT JOIN billing_releaserequest AS request
    ON request.escrow_id = escrow.id AND request.state IN ('open', 'overdue', 'disputed')
  LEFT JOIN billing_allocation AS live ON live.escrow_id = escrow.id AND live.live
  LEFT JOIN billing_payment AS payment ON payment.id = live.payment_id
  LEFT JOIN billing_fundingrequest AS asking
    ON asking.escrow_id = escrow.id AND asking.closed_at IS NULL
 WHERE escrow.job_id = %s AND escrow.state <> 'removed'
 ORDER BY escrow.position, escrow.number
"""


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


def money_of(job: Job) -> list[Any]:
    """The agreed Escrows in order, each with what is known of its open request, its payment and its
    Funding Request; ready for the guards.
    """
    rows = statements.read(
        MONEY_OF,
        job.pk,
        escrow=Escrow,
        request=ReleaseRequest,
        payment=Payment,
        asking=FundingRequest,
    )
    for escrow, request, payment, asking in rows:
        escrow.job = job
        statements.attach(escrow, "release_requests", [request] if request else [])
        escrow.requested_at = request and request.requested_at
        escrow.request_overdue_at = request and request.overdue_at
        escrow.request_due_at = request and request.auto_release_at
        escrow.payment_id = payment and payment.pk
        escrow.payment_state = payment and payment.state
        escrow.payment_lapses_at = payment and payment.lapses_at
        escrow.asked_at = asking and asking.requested_at
    return [row[0] for row in rows]


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


def steps(
    job: Job, *, escrows: list[Any], proposal: Terms | None, viewer: Person, at: datetime
) -> list[Step]:
    """What happens if nobody acts, from the instants that are stored with the rows, in order.

    The viewer is spoken to as "you".
    """
    coming = [
        *_proposal_steps(job, proposal, viewer),
        *(step for escrow in escrows for step in _request_steps(job, escrow, viewer)),
        *_payment_steps(job, escrows, viewer),
    ]
    return [
        {**step, "at": display.instant(when)}
        for when, step in sorted(coming, key=lambda pair: pair[0])
        if when > at
    ]


def _step(title: str, text: str, stop: str, tone: str = "") -> Step:
    return {"at": "", "title": title, "text": text, "stop": stop, "tone": tone}


def _name(person: Person | None, viewer: Person, *, you: str = "you") -> str:
    """How a party is named to the viewer."""
    return you if person == viewer else str(person)


def _proposal_steps(
    job: Job, proposal: Terms | None, viewer: Person
) -> Iterator[tuple[datetime, Step]]:
    if proposal is None or proposal.state != Terms.State.PROPOSED or proposal.lapses_at is None:
        return
    answerer = job.client if proposal.proposed_by_id != job.client_id else job.freelancer
    who = "You" if answerer == viewer else answerer or job.freelancer_email
    yield (
        proposal.lapses_at,
        _step(
            f"Terms {proposal.version} lapse",
            "With them the award lapses: nothing is agreed and nobody has paid anything.",
            f"{who} can accept, decline or send changed Terms.",
            "warning",
        ),
    )


def _request_steps(job: Job, escrow: Any, viewer: Person) -> Iterator[tuple[datetime, Step]]:
    if escrow.request_due_at is None:
        return
    held = money.display(escrow.held_minor, job.currency)
    client = _name(job.client, viewer, you="You")
    freelancer = _name(job.freelancer, viewer)
    silent = "you have" if job.client == viewer else f"{job.client} has"
    stop = f"{client} can release it before, and {freelancer} can void the request."
    yield (
        escrow.request_overdue_at,
        _step(f"“{escrow}” is Overdue", "Both of you are reminded.", stop, "warning"),
    )
    yield (
        escrow.request_due_at,
        _step(
            f"“{escrow}” is released",
            f"{held} goes to {freelancer}, because {silent} not answered.",
            stop,
            "critical",
        ),
    )


def _payment_steps(job: Job, escrows: list[Any], viewer: Person) -> Iterator[tuple[datetime, Step]]:
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
                f"{_name(job.client, viewer, you='You')} can authenticate the payment.",
                "warning",
            ),
        )
