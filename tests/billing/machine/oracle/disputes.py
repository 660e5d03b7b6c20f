"""Disputes: opened, answered, settled by offers, under seal or by support, withdrawn (R9)."""

from datetime import datetime

from tests.billing.machine.oracle import money
from tests.billing.machine.oracle.clock import Oracle
from tests.billing.machine.oracle.rows import (
    CLIENT,
    DAY,
    FREELANCER,
    Dispute,
    Milestone,
    Request,
    business_days_after,
    other,
)

ENTRIES_AT_MOST = 3


def _of(job: Oracle, number: int) -> Dispute:
    dispute = job.milestones[number].dispute
    assert dispute is not None
    return dispute


def is_open(job: Oracle, number: int) -> bool:
    return job.milestones[number].dispute is not None


# --- Opening, answering ---


def may_open(job: Oracle, side: str, number: int, asked: int) -> bool:
    """One per Milestone, asking for what is held; not again by the same side on one request (R9.4)."""
    milestone = job.milestones[number]
    again = milestone.request is not None and side in milestone.request.disputed_by
    is_free = milestone.dispute is None and not again
    return money.is_held(job, number) and is_free and 0 < asked <= milestone.held


def open(job: Oracle, side: str, number: int, at: datetime) -> None:
    """It stops the request's clock (R9.1); the other side answers within 2 business days (R9.2)."""
    milestone = job.milestones[number]
    milestone.dispute = Dispute(side, business_days_after(at, 2))
    if milestone.request is not None:
        milestone.request.stopped_at = at
        milestone.request.disputed_by.add(side)
    job.activity(at)


def may_answer(job: Oracle, side: str, number: int) -> bool:
    dispute = job.milestones[number].dispute
    return dispute is not None and side == other(dispute.opener) and not dispute.is_answered


def answer(job: Oracle, number: int, at: datetime) -> None:
    dispute = _of(job, number)
    dispute.is_answered, dispute.answer_due_at = True, None
    job.activity(at)


def _note_answer(dispute: Dispute, side: str) -> None:
    if side == other(dispute.opener):
        dispute.is_answered, dispute.answer_due_at = True, None


def say(job: Oracle, side: str, number: int, at: datetime) -> None:
    """The first words of the other side are its answer, in whatever form they are sent."""
    _note_answer(_of(job, number), side)
    job.activity(at)


# --- Offers ---


def may_offer(job: Oracle, side: str, number: int, to_freelancer: int) -> bool:
    """A split of exactly what is held (R9.2), and not the same side's open offer once more (R12)."""
    if not is_open(job, number) or _of(job, number).offers.get(side) == to_freelancer:
        return False
    return 0 <= to_freelancer <= job.milestones[number].held


def offer(job: Oracle, side: str, number: int, to_freelancer: int, at: datetime) -> None:
    """A newer one by the same side replaces it."""
    dispute = _of(job, number)
    dispute.offers[side] = to_freelancer
    _note_answer(dispute, side)
    job.activity(at)


def may_accept_offer(job: Oracle, side: str, number: int) -> bool:
    return is_open(job, number) and other(side) in _of(job, number).offers


def accept_offer(job: Oracle, side: str, number: int, at: datetime) -> None:
    settle(job, number, _of(job, number).offers[other(side)], at)


def may_withdraw_offer(job: Oracle, side: str, number: int) -> bool:
    return is_open(job, number) and side in _of(job, number).offers


def withdraw_offer(job: Oracle, side: str, number: int, at: datetime) -> None:
    del _of(job, number).offers[side]
    job.activity(at)


def settle(
    job: Oracle, number: int, to_freelancer: int, at: datetime, *, by_party: bool = True
) -> None:
    """What is held is split at once: part to the Freelancer, the rest back (R9.2).

    Support is no party: what it does is no Activity (R10.2).
    """
    if by_party:
        job.activity(at)
    _divide(job, job.milestones[number], to_freelancer)
    money.end_dispute(job, job.milestones[number], at)
    job.held_changed()
    job.left_without_balance(at)


def _divide(job: Oracle, milestone: Milestone, to_freelancer: int) -> None:
    back = milestone.held - to_freelancer
    if to_freelancer:
        job.available += milestone.release(to_freelancer)
    if back:
        milestone.give_back(back)


# --- Withdrawal (R9.4) ---


def may_withdraw(job: Oracle, side: str, number: int) -> bool:
    return is_open(job, number) and _of(job, number).opener == side


def withdraw(job: Oracle, number: int, at: datetime) -> None:
    milestone = job.milestones[number]
    money.end_dispute(job, milestone, at)
    if milestone.request is not None:
        _resume(milestone.request, at)
    job.activity(at)


def _resume(request: Request, at: datetime) -> None:
    """With the time it had left, but once per request at least 7 days; what is past is not repeated."""
    assert request.stopped_at is not None
    left = request.due_at - request.stopped_at
    if left < 7 * DAY and not request.had_the_minimum:
        left, request.had_the_minimum = 7 * DAY, True
    request.due_at, request.stopped_at, request.warned_until = at + left, None, at
    if not request.is_overdue:
        request.overdue_at = request.due_at - 15 * DAY


# --- Support (R9.3) ---


def may_escalate(job: Oracle, number: int) -> bool:
    return is_open(job, number) and _of(job, number).state == "open"


def escalate(job: Oracle, number: int, at: datetime) -> None:
    dispute = _of(job, number)
    dispute.state, dispute.answer_due_at = "mediation", None
    job.activity(at)


def may_decide(job: Oracle, number: int, to_freelancer: int) -> bool:
    if not is_open(job, number) or _of(job, number).state != "mediation":
        return False
    return 0 <= to_freelancer <= job.milestones[number].held


def decide(job: Oracle, agent: int, number: int, to_freelancer: int) -> None:
    dispute = _of(job, number)
    dispute.state, dispute.decision = "decided", (agent, to_freelancer)


def may_check(job: Oracle, agent: int, number: int) -> bool:
    """A second agent confirms before money moves, or sends it back."""
    if not is_open(job, number):
        return False
    decision = _of(job, number).decision
    return decision is not None and decision[0] != agent


def confirm(job: Oracle, number: int, at: datetime) -> None:
    decision = _of(job, number).decision
    assert decision is not None
    settle(job, number, decision[1], at, by_party=False)


def send_back(job: Oracle, number: int) -> None:
    dispute = _of(job, number)
    dispute.state, dispute.decision = "mediation", None


# --- Under seal (R9.6) ---


def may_seal(job: Oracle, side: str, number: int, limit: int, at: datetime) -> bool:
    """One that waits, three for the Milestone in all its Disputes, one in 24 hours."""
    if not is_open(job, number) or not 0 <= limit <= job.milestones[number].held:
        return False
    dispute = _of(job, number)
    entered = job.milestones[number].entered[side]
    has_paused = not entered or at >= entered[-1] + DAY
    return side not in dispute.limits and len(entered) < ENTRIES_AT_MOST and has_paused


def seal(job: Oracle, side: str, number: int, limit: int, at: datetime) -> None:
    """Compared as soon as both are there: the midpoint, rounded down for the Freelancer."""
    dispute = _of(job, number)
    dispute.limits[side] = limit
    job.milestones[number].entered[side].append(at)
    job.activity(at)
    if len(dispute.limits) == 2:
        least, most = dispute.limits[FREELANCER], dispute.limits[CLIENT]
        dispute.limits.clear()
        if least <= most:
            settle(job, number, (least + most) // 2, at)


def may_take_back(job: Oracle, side: str, number: int) -> bool:
    return is_open(job, number) and side in _of(job, number).limits


def take_back(job: Oracle, side: str, number: int, at: datetime) -> None:
    del _of(job, number).limits[side]
    job.activity(at)
