"""Interventions as the desk reads them: the exact amounts before a click, and those of one Job (R9.7)."""

from dataclasses import dataclass
from datetime import datetime

from billing.models import Document, Escrow, Intervention
from billing.services.amounts import Amounts, quote, quote_credit
from billing.services.interventions import Opening, openings
from escrow_site.lib import display, money
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person

Kind = Intervention.Kind
NO_AMOUNTS = Amounts(gross_minor=0, service_fee_minor=0, processing_fee_minor=0)


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of what an intervention comes to; a ``part`` belongs to the line above it."""

    label: str
    value: str
    is_part: bool = False


def figures_of(intervention: Intervention, *, at: datetime) -> list[Figure]:
    """What it comes to before anybody clicks: the figures that are then posted."""
    if intervention.kind in Intervention.MONEY:
        return _of_money(intervention)
    if intervention.kind == Kind.VOID:
        assert intervention.escrow is not None and intervention.request is not None
        return [
            _due("The request would be due", intervention.request.auto_release_at),
            _amount("Stays held", intervention.escrow.held_minor, intervention.job),
        ]
    if intervention.kind == Kind.REACTIVATE:
        assert intervention.job.policy is not None
        return [
            _due("Dormant since", intervention.job.dormant_at),
            _due("Dormant again, if nobody acts", at + intervention.job.policy.dormant_days * DAY),
        ]
    about = intervention.request.auto_release_at if intervention.request else None
    if intervention.kind == Kind.EXTEND_ANSWER:
        about = intervention.dispute.answer_due_at if intervention.dispute else None
    return [_due("Due now", about), _due("Due then", intervention.until)]


def figures_done(intervention: Intervention) -> list[Figure]:
    """What a confirmed one came to: the fees are those of the papers that were issued in its instant."""
    held_minor = intervention.seen_held_minor
    if intervention.state != Intervention.State.CONFIRMED or held_minor is None:
        return []
    if intervention.kind == Kind.REFUND_HELD:
        return _refunded(intervention, held_minor=held_minor)
    assert intervention.checked_at is not None
    papers = Document.objects.filter(
        escrow=intervention.escrow_id, issued_at=intervention.checked_at
    )
    amounts = sum(map(_amounts_on, papers), NO_AMOUNTS)
    if amounts.gross_minor != intervention.amount_minor:
        return []
    if intervention.kind == Kind.RELEASE:
        return _released(intervention, amounts, held_minor=held_minor)
    return _credited(intervention, amounts, kept_minor=held_minor)


def _amounts_on(paper: Document) -> Amounts:
    return Amounts(
        gross_minor=paper.gross_minor,
        service_fee_minor=paper.service_fee_minor,
        processing_fee_minor=paper.processing_fee_minor,
    )


def _of_money(intervention: Intervention) -> list[Figure]:
    escrow, policy = intervention.escrow, intervention.job.policy
    gross_minor = intervention.amount_minor
    assert escrow is not None and policy is not None and gross_minor is not None
    if intervention.kind == Kind.RELEASE:
        amounts = quote(escrow, policy=policy, gross_minor=gross_minor)
        return _released(intervention, amounts, held_minor=escrow.held_minor)
    if intervention.kind == Kind.REFUND_HELD:
        return _refunded(intervention, held_minor=escrow.held_minor)
    amounts = quote_credit(escrow, policy=policy, gross_minor=gross_minor)
    return _credited(intervention, amounts, kept_minor=escrow.kept_minor)


def _released(intervention: Intervention, amounts: Amounts, *, held_minor: int) -> list[Figure]:
    job = intervention.job
    return [
        _amount("Held", held_minor, job),
        _amount("Released to the Freelancer", amounts.gross_minor, job),
        _amount("Service fee", -amounts.service_fee_minor, job, is_part=True),
        _amount("Processing fee", -amounts.processing_fee_minor, job, is_part=True),
        _amount("Net to the Freelancer", amounts.net_minor, job, is_part=True),
        _amount("Stays held", held_minor - amounts.gross_minor, job),
    ]


def _refunded(intervention: Intervention, *, held_minor: int) -> list[Figure]:
    job, amount_minor = intervention.job, intervention.amount_minor
    assert amount_minor is not None
    return [
        _amount("Held", held_minor, job),
        _amount("Back to the Client, without a fee", amount_minor, job),
        _amount("Stays held", held_minor - amount_minor, job),
    ]


def _credited(intervention: Intervention, amounts: Amounts, *, kept_minor: int) -> list[Figure]:
    job = intervention.job
    return [
        _amount("Released and not refunded", kept_minor, job),
        _amount("Back to the Client", amounts.gross_minor, job),
        _amount("From the Freelancer’s available balance", amounts.net_minor, job, is_part=True),
        _amount("Service fee given back by us", amounts.service_fee_minor, job, is_part=True),
        _amount("Stays released", kept_minor - amounts.gross_minor, job),
    ]


def _amount(label: str, amount_minor: int, job: Job, *, is_part: bool = False) -> Figure:
    sign = "− " if amount_minor < 0 else ""
    value = f"{sign}{money.display(abs(amount_minor), job.currency)}"
    return Figure(label=label, value=value, is_part=is_part)


def _due(label: str, at: datetime | None) -> Figure:
    return Figure(label=label, value=display.instant(at) if at else "–")


def interventions_of(job: Job) -> list[Intervention]:
    """All of one Job, oldest first."""
    rows = Intervention.objects.filter(job=job).order_by("pk")
    return list(rows.select_related("escrow", "asked_by", "proposed_by", "checked_by"))


def openings_on(job: Job, *, by: Person, at: datetime) -> list[Opening]:
    """What the agent may propose on the Job now."""
    escrows = list(
        Escrow.objects.of(job).prefetch_related("release_requests", "disputes__opened_by")
    )
    for escrow in escrows:
        escrow.job = job
        for request in escrow.release_requests.all():
            request.job, request.escrow = job, escrow
        for dispute in escrow.disputes.all():
            dispute.job, dispute.escrow = job, escrow
    return openings(job, escrows, by=by, at=at)
