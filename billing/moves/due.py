"""Carrying out what fell due on locked Jobs: what ``billing.timers`` says, written set-based (R6.4).

Each thing is dated by its own instant; a Job's things are in order. However many Jobs there are, the
number of statements is the same.
"""

import copy
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db.models import prefetch_related_objects

from billing import timers
from billing.models import Allocation, Dispute, Payment, ProForma, ReleaseRequest
from billing.moves import (
    cancellations,
    disputes,
    due_cases,
    due_entries,
    endings,
    refunds,
    releases,
    removals,
)
from billing.moves.due_cases import Case, Happened
from billing.moves.endings import Ending
from billing.moves.refunds import Return
from billing.moves.releases import Part
from billing.services.amounts import return_fee
from billing.timetables import Event, What
from escrow_site.lib import statements, states
from jobs.models import Job
from jobs.services import activity

NEXT_DUE = """
UPDATE jobs_job AS job SET next_due_at = due.next_due_at
  FROM unnest(%s::bigint[], %s::timestamptz[]) AS due(job_id, next_due_at)
 WHERE job.id = due.job_id AND job.id = ANY (ARRAY(SELECT unnest(%s::bigint[])))
"""


def carry_out(jobs: Sequence[Job], *, at: datetime) -> Counter[What]:
    """Carry out everything that is due by ``at`` on locked Jobs; how much of what was done.

    Afterwards each Job knows exactly what falls due next. Raises LostRace when a row is not in the
    state it was read in.
    """
    cases = due_cases.read(jobs, at=at)
    _move_payments(cases, at=at)
    _escalate(cases)
    _move_requests(cases, at=at)
    _release(cases)
    _give_back(cases)
    _end_cancellations(cases)
    _move_jobs(cases)
    _complete(cases)
    _record(cases)
    return Counter(event.what for case in cases for event in case.events)


def _of(cases: Iterable[Case], *whats: What) -> list[tuple[Case, Event]]:
    return [(case, event) for case in cases for event in case.events if event.what in whats]


# --- Payments and requests ---


def _move_payments(cases: Sequence[Case], *, at: datetime) -> None:
    """Reminders are noted; payments that nobody authenticated lapse (R3.4)."""
    concerned = _of(cases, What.PAYMENT_LAPSES, What.AUTHENTICATION_REMINDER)
    prefetch_related_objects([_payment(case, event) for case, event in concerned], "method")
    lapsing = _of(cases, What.PAYMENT_LAPSES)
    states.move_each(
        ((_payment(case, event), {"at": event.at}) for case, event in lapsing), "lapse"
    )
    lapsed = {_payment(case, event).pk for case, event in lapsing}
    if lapsed:
        # The rows of the cases themselves: in the same run a settlement may remove them.
        escrows = [case.escrows[number] for case, event in lapsing for number in event.numbers]
        states.move(escrows, "fall_back")
        Allocation.objects.filter(payment__in=lapsed, live=True).update(live=False)
    reminding = _of(cases, What.AUTHENTICATION_REMINDER)
    reminded = {_payment(case, event).pk for case, event in reminding} - lapsed
    if reminded:
        Payment.objects.filter(pk__in=reminded).update(noticed_until=at)


def _payment(case: Case, event: Event) -> Payment:
    assert event.payment_id is not None
    return case.payments[event.payment_id]


def _request(case: Case, event: Event) -> ReleaseRequest:
    assert event.request_id is not None
    return case.requests[event.request_id]


def _move_requests(cases: Sequence[Case], *, at: datetime) -> None:
    """Requests become Overdue and their warnings are noted (R6.2); what is released ends below."""
    released = {_request(case, event).pk for case, event in _of(cases, What.RELEASE)}
    overdue = [_request(case, event) for case, event in _of(cases, What.OVERDUE)]
    overdue = [request for request in overdue if request.pk not in released]
    states.move(overdue, "become_overdue")
    warned = {_request(case, event).pk for case, event in _of(cases, What.WARNING)} - released
    if warned:
        ReleaseRequest.objects.filter(pk__in=warned).update(noticed_until=at)


def _escalate(cases: Sequence[Case]) -> None:
    """Disputes that the other side did not answer go to support (R9.3)."""
    due = _of(cases, What.DISPUTE_ESCALATES)
    if not due:
        return
    escrows = {}
    for case, event in due:
        assert event.number is not None
        escrows[case.escrows[event.number].pk] = case.escrows[event.number]
    concerned = {one.escrow_id: one for one in Dispute.objects.open().filter(escrow__in=escrows)}
    for key, dispute in concerned.items():
        dispute.escrow, dispute.job = escrows[key], escrows[key].job
    escalating = [(concerned[case.escrows[event.number or 0].pk], event) for case, event in due]
    disputes.escalate([(dispute, event.at) for dispute, event in escalating], by=None)
    for (case, event), (dispute, _) in zip(due, escalating, strict=True):
        case.happened.append(Happened(event, due_entries.escalated(dispute, at=event.at)))


# --- Money ---


def _release(cases: Sequence[Case]) -> None:
    """Everything still held for a request that was not answered goes to the Freelancer (R6.2)."""
    due = _of(cases, What.RELEASE)
    if not due:
        return
    keys = [_request(case, event).pk for case, event in due]
    pro_formas = {one.request_id: one for one in ProForma.objects.filter(request__in=keys)}
    parts = []
    for case, event in due:
        assert event.number is not None
        request = _request(case, event)
        request.pro_forma = pro_formas[request.pk]
        parts.append(
            Part(
                job=case.job,
                escrow=case.escrows[event.number],
                request=request,
                gross_minor=event.amount_minor,
                at=event.at,
                reason=due_entries.thirty_day_rule(case.table.policy, request),
            )
        )
    for (case, event), part, released in zip(
        due, parts, releases.carry_out(parts, by=None), strict=True
    ):
        entry = due_entries.released(part, released)
        case.happened.append(Happened(event, entry))


def _give_back(cases: Sequence[Case]) -> None:
    """Milestones never requested go back to the Client (R10.3), without a service fee (R10.5)."""
    returns = []
    for case, event in _of(cases, What.RETURN):
        assert event.number is not None
        escrow = case.escrows[event.number]
        one = Return(
            job=case.job,
            escrow=escrow,
            amount_minor=event.amount_minor,
            fee_minor=return_fee(escrow, policy=case.table.policy),
            at=event.at,
            reason=due_entries.dormancy_rule(case, event),
        )
        returns.append(one)
        case.happened.append(Happened(event, due_entries.returned(one)))
    refunds.give_back(returns)


# --- Jobs ---


def _end_cancellations(cases: Sequence[Case]) -> None:
    """Requests to cancel a Job that nobody answered, or whose amounts no longer fit (R8.3)."""
    for what, verb in (
        (What.CANCELLATION_LAPSES, "lapse"),
        (What.CANCELLATION_STALE, "become_stale"),
    ):
        ended = _of(cases, what)
        entries = cancellations.end_all([(case.job, event.at) for case, event in ended], verb)
        for (case, event), entry in zip(ended, entries, strict=True):
            case.happened.append(Happened(event, entry))


def _move_jobs(cases: Sequence[Case]) -> None:
    """The states of the Jobs, save their completion, which comes last."""
    lapsed = [case.job for case, _ in _of(cases, What.PROPOSAL_LAPSES, What.AWARD_EXPIRES)]
    if lapsed:
        Job.objects.filter(pk__in=[job.pk for job in lapsed]).update(open_proposal_until=None)
        for job in lapsed:
            job.open_proposal_until = None
    removed = [
        (case.escrows[event.number], event.at)
        for case, event in _of(cases, What.REMOVAL)
        if event.number is not None
    ]
    removals.remove_each(removed)
    expiring = _of(cases, What.AWARD_EXPIRES)
    states.move_each(((case.job, {"at": event.at}) for case, event in expiring), "expire")
    # A Job may fall dormant and wake up in one run: first all first moves, then all second ones.
    turns = [
        [event.what for event in case.events if event.what in (What.DORMANT, What.REACTIVATION)]
        for case in cases
    ]
    for turn in range(max(map(len, turns), default=0)):
        for what, verb in ((What.DORMANT, "fall_dormant"), (What.REACTIVATION, "reactivate")):
            states.move(
                [
                    case.job
                    for case, moves in zip(cases, turns, strict=True)
                    if len(moves) > turn and moves[turn] is what
                ],
                verb,
            )


def _complete(cases: Sequence[Case]) -> None:
    due = _of(cases, What.COMPLETION)
    entries = endings.complete_all(
        [
            Ending(
                job=case.job,
                by=None,
                at=event.at,
                actor_kind=due_entries.TIMER,
                reason=due_entries.completion(case.events),
            )
            for case, event in due
        ]
    )
    for (case, event), entry in zip(due, entries, strict=True):
        case.happened.append(Happened(event, entry))


def _record(cases: Sequence[Case]) -> None:
    """The history of all Jobs in one statement, each Job's in order; and what is due next."""
    for case in cases:
        _set_clocks(case)
        told = {one.event for one in case.happened}
        coming = _coming(case)
        case.happened += [
            Happened(event, due_entries.entry(case, event, coming=coming))
            for event in case.events
            if event not in told
        ]
        place = {event: place for place, event in enumerate(case.events)}
        case.happened.sort(key=lambda one: place[one.event])
    activity.record_all(entry for case in cases for entry in due_entries.in_order(case.happened))
    quiet = [case.job for case in cases if not case.events]
    if quiet:
        keys = [job.pk for job in quiet]
        statements.run(NEXT_DUE, keys, [job.next_due_at for job in quiet], keys)


def _coming(case: Case) -> list[Event]:
    """What happens from here on if nobody acts, for the notices that say it."""
    if not any(event.what in (What.DORMANT, What.FREELANCER_TOLD) for event in case.events):
        return []
    return timers.run(copy.deepcopy(case.table), now=case.events[-1].at)


def _set_clocks(case: Case) -> None:
    job, table = case.job, case.table
    job.last_activity_at = table.last_activity_at
    job.dormant_at = None if job.has_ended else table.dormant_at
    job.freelancer_told_dormant_at = table.freelancer_told_dormant_at
    following = timers.next_event(table)
    job.next_due_at = following.at if following else None
