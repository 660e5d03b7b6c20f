"""Cancellation: one side asks to end a Job with a split of what is held, the other answers (R8.3).

It stops no clock. A request whose amounts no longer fit ends as stale: every move of held money ends
it at once (``moves.cancellations.end_if_overtaken``), the timers do so by their own timetable, and
``may_accept`` looks again, so that nothing is ever divided otherwise than it was shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from billing.models import (
    Cancellation,
    CancellationShare,
    Escrow,
    Payment,
    ProForma,
    ReleaseRequest,
)
from billing.moves import cancellations as moves
from billing.moves import dormancy, reasons
from billing.moves.splits import Split
from billing.notices import (
    CANCELLATION_ACCEPTED,
    CANCELLATION_DECLINED,
    CANCELLATION_REQUESTED,
    CANCELLATION_WITHDRAWN,
)
from billing.selectors import frozen
from billing.services import cancellation_outcomes, catching_up
from escrow_site.lib import display, money, statements, states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from jobs.notices import Kind
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry
from jobs.services.columns import set_columns

LONGEST_TEXT = 2000
REACTIVATED_BY_REQUEST = "The Client requested cancellation."
CHANGED_MEANWHILE = (
    "The amounts have changed since you opened this page. Look at them again before you go on."
)
# What a cancellation divides: every held Escrow with its unanswered request.
HELD = """
SELECT {escrow}, {request}, {pro_forma}
  FROM billing_escrow AS escrow
  LEFT JOIN billing_releaserequest AS request
    ON request.escrow_id = escrow.id AND request.state IN ('open', 'overdue', 'disputed')
  LEFT JOIN billing_proforma AS pro_forma ON pro_forma.request_id = request.id
 WHERE escrow.job_id = %s AND escrow.state = 'funded'
 ORDER BY escrow.position, escrow.number
"""


class UnfitCancellation(Refusal):
    """The split or the words of a request that cannot be made as they are."""


# --- Requesting ---


def may_request(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """Either side asks to cancel a running Job, while no other request is open (R8.3)."""
    if job.role_of(by) is None:
        return WrongParty("Only the Client and the Freelancer can cancel a Job.")
    if job.has_ended:
        return WrongState(f"This Job is {job.get_state_display().lower()} already.")
    if not job.is_running:
        return WrongState(
            "The Terms of this Job are not agreed yet, so there is nothing to cancel."
        )
    if job.open_cancellation_until is not None and job.open_cancellation_until > at:
        until = display.instant(job.open_cancellation_until)
        return WrongState(f"A request to cancel this Job is open already, until {until}.")
    return refuse_locked(by)


def request(
    job_id: int,
    *,
    shares: Mapping[int, int] | None,
    reason: str,
    by: Person,
    at: datetime,
    seen_held_minor: Mapping[int, int] | None = None,
) -> Cancellation:
    """Ask the other side to cancel the Job; with no money in it, cancel it at once.

    ``shares`` says for each held Milestone, by its number, how much of it is to go to the
    Freelancer, in minor units; None gives all back to the Client. ``seen_held_minor`` is what was
    held when the person chose. Counts as Activity; by the Client it wakes a dormant Job (R10.4).
    Locks the Job. Raises the Refusal of may_request, UnfitCancellation, StalePage.
    """
    with catching_up.locked_job(job_id, at=at) as job:
        refuse_if(may_request(job, by=by, at=at))
        reason = _checked(reason, what="reason")
        if not reason:
            raise UnfitCancellation("Say why the Job is to be cancelled: the other side reads it.")
        held = read_held(job)
        now = {split.escrow.number: split.escrow.held_minor for split in held}
        if seen_held_minor is not None and dict(seen_held_minor) != now:
            raise StalePage(CHANGED_MEANWHILE)
        divided = _divided(held, shares if shares is not None else dict.fromkeys(now, 0))
        if cancels_at_once(job, held):
            return _cancel_at_once(job, reason=reason, by=by, at=at)
        return _open_request(job, divided, reason=reason, by=by, at=at)


def read_held(job: Job) -> list[Split]:
    """Every held Milestone in the order of the Terms with its unanswered request, all of it back to
    the Client: what is divided unless somebody says otherwise.
    """
    rows = statements.read(HELD, job.pk, escrow=Escrow, request=ReleaseRequest, pro_forma=ProForma)
    for escrow, request, pro_forma in rows:
        escrow.job = job
        if request is not None:
            request.job, request.escrow, request.pro_forma = job, escrow, pro_forma
    return [
        Split(job=job, escrow=escrow, request=request, to_freelancer_minor=0)
        for escrow, request, _ in rows
    ]


def cancels_at_once(job: Job, held: Sequence[Split]) -> bool:
    """Whether nothing is held, Pending or under way: then nobody has to agree (R8.3)."""
    return not (
        held
        or Escrow.objects.filter(job=job, state=Escrow.State.PENDING).exists()
        or Payment.objects.filter(job=job).under_way().exists()
    )


def _divided(held: Sequence[Split], shares: Mapping[int, int]) -> list[Split]:
    """What is held, as the shares divide it."""
    if {split.escrow.number for split in held} != set(shares):
        raise StalePage(CHANGED_MEANWHILE)
    for split in held:
        if not 0 <= shares[split.escrow.number] <= split.escrow.held_minor:
            most = money.display(split.escrow.held_minor, split.job.currency)
            raise UnfitCancellation(
                f"Of “{split.escrow}” between nothing and the {most} that are held can go to the "
                "Freelancer."
            )
    return [replace(split, to_freelancer_minor=shares[split.escrow.number]) for split in held]


def _open_request(
    job: Job, divided: Sequence[Split], *, reason: str, by: Person, at: datetime
) -> Cancellation:
    cancellation = _create(job, reason=reason, by=by, at=at)
    CancellationShare.objects.bulk_create(
        CancellationShare(
            cancellation=cancellation,
            escrow=split.escrow,
            held_minor=split.escrow.held_minor,
            to_freelancer_minor=split.to_freelancer_minor,
        )
        for split in divided
    )
    set_columns(job, open_cancellation_until=cancellation.lapses_at)
    job.note_due(cancellation.lapses_at)
    facts = cancellation_outcomes.facts(cancellation, divided) | {"due_at": cancellation.lapses_at}
    entries = [_entry(job, CANCELLATION_REQUESTED, by=by, at=at, reason=reason, facts=facts)]
    if by.pk == job.client_id:
        entries += dormancy.reactivate(job, by=by, at=at, reason=REACTIVATED_BY_REQUEST)
    activity.record_all(entries)
    return cancellation


def _cancel_at_once(job: Job, *, reason: str, by: Person, at: datetime) -> Cancellation:
    cancellation = _create(job, reason=reason, by=by, at=at)
    states.move([cancellation], "accept", at=at, answered_by=None)
    money_lines, end = moves.carry_out(job, [], by=by, at=at, reason=reasons.NOTHING_IN_IT)
    end = replace(end, reason=reason, facts=end.facts | {"cancellation": cancellation.pk})
    activity.record_all([*money_lines, end])
    return cancellation


def _create(job: Job, *, reason: str, by: Person, at: datetime) -> Cancellation:
    assert job.policy is not None
    return Cancellation.objects.create(
        job=job,
        requested_by=by,
        requested_at=at,
        lapses_at=at + job.policy.cancellation_days * DAY,
        reason=reason,
    )


# --- Answering ---


def may_answer(cancellation: Cancellation, *, by: Person, at: datetime) -> Refusal | None:
    """The other side answers an open request before it lapses (R8.3)."""
    if cancellation.job.role_of(by) is None:
        return WrongParty("Only the Client and the Freelancer can answer a cancellation.")
    if refusal := _refuse_unless_open(cancellation, at=at):
        return refusal
    if cancellation.requested_by_id == by.pk:
        return WrongParty(
            "You requested this cancellation yourself: the other side answers it. You can withdraw "
            "it."
        )
    return refuse_locked(by)


def may_accept(cancellation: Cancellation, *, by: Person, at: datetime) -> Refusal | None:
    """As may_answer, while exactly what the request divides is held."""
    if refusal := may_answer(cancellation, by=by, at=at):
        return refusal
    if moves.is_overtaken(cancellation):
        return StalePage(
            "What is held on the Job has changed since the cancellation was requested, so it cannot "
            "be accepted any more. Either side can request it anew."
        )
    frozen_by_bank = (
        frozen.refuse_charged_back(share.escrow) for share in cancellation.shares.all()
    )
    return next(filter(None, frozen_by_bank), None)


def accept(cancellation_id: int, *, by: Person, at: datetime) -> Cancellation:
    """Agree: what is held is divided at once, what is under way stops, the Job is cancelled (R8.3).

    Release Requests and Disputes end with it, and both get the Closing Statement (R11.2). Locks the
    Job. Raises the Refusal of may_accept, Cancellation.DoesNotExist.
    """
    with catching_up.locked_job(_job_id(cancellation_id), at=at) as job:
        cancellation = _read(job, cancellation_id)
        refuse_if(may_accept(cancellation, by=by, at=at))
        shares = {
            share.escrow.number: share.to_freelancer_minor for share in cancellation.shares.all()
        }
        divided = _divided(read_held(job), shares)
        facts = cancellation_outcomes.facts(cancellation, divided)
        reason = reasons.cancellation_agreed(cancellation, at=at)
        states.move([cancellation], "accept", at=at, answered_by=by)
        money_lines, end = moves.carry_out(job, divided, by=by, at=at, reason=reason)
        accepted = _entry(
            job, CANCELLATION_ACCEPTED, by=by, at=at, reason=reason, facts=facts | end.facts
        )
        # Both have just been told of the end, with the Closing Statement.
        activity.record_all([accepted, *money_lines, end.quiet()])
    return cancellation


def decline(cancellation_id: int, *, answer: str, by: Person, at: datetime) -> Cancellation:
    """Say no, with an answer if there is one; the Job goes on as before (R8.3).

    Locks the Job. Raises the Refusal of may_answer, UnfitCancellation, Cancellation.DoesNotExist.
    """
    with catching_up.locked_job(_job_id(cancellation_id), at=at) as job:
        cancellation = _read(job, cancellation_id)
        refuse_if(may_answer(cancellation, by=by, at=at))
        answer = _checked(answer, what="answer")
        states.move([cancellation], "decline", at=at, answered_by=by, answer=answer)
        _close(job, cancellation, CANCELLATION_DECLINED, by=by, at=at, reason=answer)
    return cancellation


def may_withdraw(cancellation: Cancellation, *, by: Person, at: datetime) -> Refusal | None:
    """Who requested the cancellation takes it back while it is open."""
    if cancellation.requested_by_id != by.pk:
        return WrongParty("Only the person who requested the cancellation can withdraw it.")
    return _refuse_unless_open(cancellation, at=at) or refuse_locked(by)


def withdraw(cancellation_id: int, *, by: Person, at: datetime) -> Cancellation:
    """Take one's own request back; the Job goes on as before.

    Locks the Job. Raises the Refusal of may_withdraw, Cancellation.DoesNotExist.
    """
    with catching_up.locked_job(_job_id(cancellation_id), at=at) as job:
        cancellation = _read(job, cancellation_id)
        refuse_if(may_withdraw(cancellation, by=by, at=at))
        states.move([cancellation], "withdraw", at=at)
        _close(job, cancellation, CANCELLATION_WITHDRAWN, by=by, at=at, reason="")
    return cancellation


def _close(
    job: Job, cancellation: Cancellation, kind: Kind, *, by: Person, at: datetime, reason: str
) -> None:
    set_columns(job, open_cancellation_until=None)
    facts: dict[str, Any] = {
        "cancellation": cancellation.pk,
        "requester": str(cancellation.requested_by),
    }
    activity.record_all([_entry(job, kind, by=by, at=at, reason=reason, facts=facts)])


def _job_id(cancellation_id: int) -> int:
    return Cancellation.objects.values_list("job_id", flat=True).get(pk=cancellation_id)


def _read(job: Job, cancellation_id: int) -> Cancellation:
    """The request as it is under the lock of its Job."""
    cancellation = (
        Cancellation.objects.select_related("requested_by")
        .prefetch_related("shares__escrow")
        .get(pk=cancellation_id)
    )
    cancellation.job = job
    return cancellation


def _refuse_unless_open(cancellation: Cancellation, *, at: datetime) -> Refusal | None:
    if cancellation.has_lapsed(at=at) or cancellation.state == Cancellation.State.LAPSED:
        lapsed_at = display.instant(cancellation.lapses_at)
        return WrongState(
            f"The request to cancel the Job lapsed on {lapsed_at}: nobody had answered it in time."
        )
    if cancellation.state == Cancellation.State.STALE:
        return WrongState(
            "What is held on the Job has changed since the cancellation was requested, so the "
            "request has ended. Either side can request it anew."
        )
    if not cancellation.is_open:
        return WrongState(
            f"The request to cancel the Job was {cancellation.get_state_display().lower()} already."
        )
    return None


def _checked(text: str, *, what: str) -> str:
    if len(text) > LONGEST_TEXT or "\x00" in text:
        raise UnfitCancellation(f"The {what} can be {LONGEST_TEXT:,} plain characters at most.")
    return text.strip()


def _entry(
    job: Job, kind: Kind, *, by: Person, at: datetime, reason: str, facts: dict[str, Any]
) -> Entry:
    return Entry(job=job, kind=kind, by=by, at=at, reason=reason, facts=facts)
