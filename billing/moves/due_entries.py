"""The lines of history about what fell due, each with its rule in words (R6, R10).

``reason`` is said to both sides wherever the thing is shown, and kept for ever; so it is in UTC.
"""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from billing import notices
from billing.dispute_notices import DISPUTE_ESCALATED
from billing.models import Dispute, ReleaseRequest
from billing.moves import disputes, reasons, releases
from billing.moves.due_cases import Case, Happened
from billing.moves.refunds import Return
from billing.moves.releases import Part, Released
from billing.selectors import rules
from billing.timetables import Event, What
from escrow_site.lib.display import quoted, utc
from escrow_site.lib.timing import business_days_after
from jobs.models import Activity, Job, Policy
from jobs.notices import Kind
from jobs.services.activity import Entry

TIMER = Activity.Actor.TIMER


# --- The rules in words ---


def thirty_day_rule(policy: Policy, request: ReleaseRequest) -> str:
    return (
        f"{rules.thirty_day_rule_name(policy)}: requested {utc(request.requested_at)}, "
        f"no answer by {utc(request.auto_release_at)}."
    )


def dormancy_rule(case: Case, event: Event) -> str:
    """Why a settlement, or a return that comes of it, took place at this instant."""
    days = rules.days(case.table.policy.dormant_settlement_days)
    return (
        f"Dormancy rule: the Job was Dormant since {utc(dormant_since(case, event))}. By {utc(event.at)} the "
        f"Freelancer had not requested release of this money, and nobody had done anything else for {days}: "
        "so it goes back to the Client."
    )


def dormant_since(case: Case, event: Event) -> datetime:
    """D, the Dormant Date, as it stood when something fell due."""
    fell = [one.at for one in case.events if one.what is What.DORMANT and one.at <= event.at]
    since = fell[-1] if fell else case.dormant_at
    assert since is not None
    return since


def completion(events: Sequence[Event]) -> str:
    if any(event.what is What.REMOVAL for event in events):
        return "Dormancy rule: nothing is held any more, and what was never funded is removed."
    return "Every Milestone of the agreed Terms is released, refunded or removed."


# --- One line each ---


def released(part: Part, released: Released) -> Entry:
    policy = part.job.policy
    assert part.request is not None and policy is not None
    return releases.entry(
        part,
        released,
        by=None,
        actor_kind=TIMER,
        rule=rules.thirty_day_rule_name(policy),
        requested_at=part.request.requested_at,
        due_at=part.request.auto_release_at,
    )


def returned(one: Return) -> Entry:
    facts: dict[str, Any] = {
        "escrow": one.escrow.title,
        "number": one.escrow.number,
        "amount_minor": one.amount_minor,
        "fee_minor": one.fee_minor,
    }
    return _entry(one.job, notices.RETURNED, one.at, reason=one.reason, **facts)


def escalated(dispute: Dispute, *, at: datetime) -> Entry:
    policy = dispute.job.policy
    assert policy is not None
    first_due_at = business_days_after(
        dispute.opened_at, policy.dispute_answer_business_days, policy.holidays
    )
    within = (
        f"within {policy.dispute_answer_business_days} business days"
        if at == first_due_at
        else "within the time that support had extended"
    )
    reason = f"No answer {within}, by {utc(at)}."
    facts = disputes.facts_of(dispute, amount_minor=dispute.escrow.held_minor)
    return _entry(dispute.job, DISPUTE_ESCALATED, at, reason=reason, **facts)


def entry(case: Case, event: Event, *, coming: Sequence[Event]) -> Entry:
    """The line about an event that moved no money; ``coming`` is what follows if nobody acts."""
    match event.what:
        case What.OVERDUE | What.WARNING:
            return _of_request(case, event)
        case What.AUTHENTICATION_REMINDER | What.PAYMENT_LAPSES:
            return _of_payment(case, event)
        case What.AWARD_EXPIRES | What.PROPOSAL_LAPSES:
            return _of_proposal(case, event)
        case What.DORMANT | What.FREELANCER_TOLD:
            return _of_dormancy(case, event, coming)
        case What.SETTLEMENT:
            return _of_settlement(case, event)
        case What.REMOVAL:
            return _of_removal(case, event)
        case What.REACTIVATION:
            reason = "Dormancy rule: no money is held any more."
            facts: dict[str, Any] = {"due_at": case.table.dormant_at}
            return _entry(case.job, notices.REACTIVATED, event.at, reason=reason, **facts)
    raise AssertionError(event.what)


def _entry(
    job: Job, kind: Kind, at: datetime, *, reason: str, address: str = "", **facts: Any
) -> Entry:
    return Entry(
        job=job, kind=kind, by=None, at=at, actor_kind=TIMER, reason=reason, address=address,
        facts=facts,
    )  # fmt: skip


def _of_request(case: Case, event: Event) -> Entry:
    assert event.request_id is not None and event.number is not None
    request, policy = case.requests[event.request_id], case.table.policy
    facts: dict[str, Any] = {
        "escrow": case.escrows[event.number].title,
        "number": event.number,
        "request": request.pk,
        "amount_minor": event.amount_minor,
        "requested_at": request.requested_at,
        "due_at": request.auto_release_at,
    }
    reason = f"{rules.thirty_day_rule_name(policy)}: requested {utc(request.requested_at)}, "
    if event.what is What.OVERDUE:
        reason += f"no answer by {utc(event.at)}, released {utc(request.auto_release_at)} unless answered."
        return _entry(case.job, notices.OVERDUE, event.at, reason=reason, **facts)
    reason += f"released {utc(request.auto_release_at)} unless answered."
    facts["days_left"] = event.days_left
    return _entry(case.job, notices.RELEASE_WARNING, event.at, reason=reason, **facts)


def _of_payment(case: Case, event: Event) -> Entry:
    assert event.payment_id is not None
    payment, policy = case.payments[event.payment_id], case.table.policy
    titles = [case.escrows[number].title for number in event.numbers]
    facts: dict[str, Any] = {
        "escrow": ", ".join(titles),
        "milestones": quoted(titles),
        "number": event.number,
        "amount_minor": event.amount_minor,
        "payment": payment.pk,
    }
    if event.what is What.AUTHENTICATION_REMINDER:
        reason = f"Not authenticated yet: the payment lapses {utc(payment.lapses_at)}."
        facts |= {"due_at": payment.lapses_at, "days_left": event.days_left}
        return _entry(case.job, notices.AUTHENTICATION_REMINDER, event.at, reason=reason, **facts)
    reason = (
        f"Not authenticated within {rules.days(policy.authentication_days)}, by "
        f"{utc(payment.lapses_at)}: {reasons.UNFUNDED_AGAIN}"
    )
    facts |= {
        "numbers": list(event.numbers),
        "card": str(payment.method),
        "due_at": payment.lapses_at,
    }
    return _entry(case.job, notices.PAYMENT_LAPSED, event.at, reason=reason, **facts)


def _of_proposal(case: Case, event: Event) -> Entry:
    days = rules.days(case.table.policy.proposal_days)
    reason = f"Nobody answered the proposal within {days}, by {utc(event.at)}."
    if event.what is What.PROPOSAL_LAPSES:
        return _entry(case.job, notices.TERMS_LAPSED, event.at, reason=reason, due_at=event.at)
    uninformed = "" if case.job.freelancer_id else case.job.freelancer_email
    return _entry(
        case.job, notices.AWARD_EXPIRED, event.at, reason=reason, address=uninformed,
        due_at=event.at,
    )  # fmt: skip


def _of_dormancy(case: Case, event: Event, coming: Sequence[Event]) -> Entry:
    policy, table = case.table.policy, case.table
    facts: dict[str, Any] = {
        "amount_minor": event.amount_minor,
        "told_at": table.freelancer_told_due_at,
        "due_at": table.settlement_at,
        "returns": _outcomes(case, coming, What.RETURN),
        "releases": _outcomes(case, coming, What.RELEASE),
    }
    if event.what is What.DORMANT:
        reason = (
            "Dormancy rule: money is held, and nothing was done for "
            f"{rules.days(policy.dormant_days)}, by {utc(event.at)}."
        )
        return _entry(case.job, notices.DORMANT, event.at, reason=reason, **facts)
    reason = (
        f"Dormancy rule: Dormant since {utc(dormant_since(case, event))}, and nothing was done for "
        f"{rules.days(policy.dormant_freelancer_days)}, by {utc(event.at)}."
    )
    return _entry(case.job, notices.FREELANCER_TOLD, event.at, reason=reason, **facts)


def _outcomes(case: Case, coming: Sequence[Event], what: What) -> list[dict[str, Any]]:
    """What will become of each Milestone, for the facts of a notice."""
    return [
        {
            "escrow": case.escrows[event.number].title,
            "number": event.number,
            "amount_minor": event.amount_minor,
            "at": event.at,
        }
        for event in coming
        if event.what is what and event.number is not None
    ]


def _of_settlement(case: Case, event: Event) -> Entry:
    returns = [one for one in case.events if one.what is What.RETURN and one.at == event.at]
    titles = [case.escrows[one.number].title for one in returns if one.number is not None]
    return _entry(
        case.job,
        notices.SETTLED,
        event.at,
        reason=dormancy_rule(case, event),
        dormant_at=dormant_since(case, event),
        amount_minor=sum(one.amount_minor for one in returns),
        escrow=", ".join(titles),
        milestones=quoted(titles),
    )


def _of_removal(case: Case, event: Event) -> Entry:
    assert event.number is not None
    return _entry(
        case.job,
        notices.REMOVED,
        event.at,
        reason="Dormancy rule: it was never funded, and nothing else is held.",
        escrow=case.escrows[event.number].title,
        number=event.number,
    )


# --- In order, and nobody told of what is stale ---


def in_order(happened: Sequence[Happened]) -> list[Entry]:
    """The lines in the order in which things fell due; of several missed notices about one thing
    each reader gets the newest only (R6.4).
    """
    lines: list[Entry] = []
    told: set[tuple[object, int]] = set()
    for event, entry in reversed(happened):
        about = _about(event)
        stale = {reader for reader in entry.readers if about and (about, reader) in told}
        told |= {(about, reader) for reader in entry.readers}
        lines.append(dataclasses.replace(entry, untold=frozenset(stale)) if stale else entry)
    return lines[::-1]


def _about(event: Event) -> object:
    """What a notice is about, if a newer one about the same takes its place."""
    match event.what:
        case What.OVERDUE | What.WARNING | What.RELEASE:
            return "request", event.request_id
        case What.AUTHENTICATION_REMINDER | What.PAYMENT_LAPSES:
            return "payment", event.payment_id
        case What.DORMANT | What.FREELANCER_TOLD | What.REACTIVATION | What.COMPLETION:
            return "dormancy"
    return None
