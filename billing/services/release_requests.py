"""Release Requests: the Freelancer asks to be paid for what a Milestone holds, or takes it back; the
Client sends it back with a request for changes.

The release itself is in ``releases``.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from billing.models import Escrow, ProForma, ReleaseRequest
from billing.moves import dormancy
from billing.notices import CHANGES_REQUESTED, RELEASE_REQUESTED, VOIDED
from billing.selectors import frozen
from billing.services import catching_up, documents
from billing.services.amounts import quote
from billing.services.funding import refuse_hourly
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person, Policy
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry

COMMENT_AT_MOST = 2000
# As the state of a request reads in a sentence, where its name does not.
ENDED: dict[str, str] = {ReleaseRequest.State.RETURNED: "sent back for changes"}


class NoComment(Refusal):
    """Changes are asked for without saying which."""


class RequestOpen(WrongState):
    """The Milestone has a Release Request that is not answered yet."""


def may_request_release(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer requests release of a Funded Milestone with no unanswered request (R4.2, R4.4).

    Reads ``escrow.job`` and ``escrow.release_requests``; a page prefetches both.
    """
    job = escrow.job
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer can request a release.")
    if refusal := refuse_hourly(job):
        return refusal
    if not job.is_running:
        return WrongState(f"This Job is {job.get_state_display().lower()}.")
    if escrow.state == Escrow.State.PENDING:
        return WrongState(
            f"The money for “{escrow}” is Pending: it can be billed as soon as the Client has "
            "authenticated the payment."
        )
    if escrow.state == Escrow.State.UNFUNDED:
        return WrongState(f"“{escrow}” is not funded yet, so there is nothing to release.")
    if escrow.state != Escrow.State.FUNDED:
        return WrongState(f"“{escrow}” is {escrow.get_state_display().lower()} already.")
    if any(request.is_unanswered for request in escrow.release_requests.all()):
        return RequestOpen(f"A Release Request for “{escrow}” is open already.")
    return frozen.refuse_disputed(escrow)


def request_release(
    job: Job, escrows: Iterable[Escrow], *, by: Person, at: datetime, comments: str = ""
) -> list[ReleaseRequest]:
    """Make a Release Request and its pro-forma invoice for each Escrow, and start its clock (R6.1).

    To be called inside the caller's transaction, with the Job locked by ``locked_job``. Raises the
    Refusal of may_request_release for the first Escrow that has one.
    """
    numbers = {escrow.number for escrow in escrows}
    rows = list(
        Escrow.objects.of(job).filter(number__in=numbers).prefetch_related("release_requests")
    )
    for escrow in rows:
        escrow.job = job
        refuse_if(may_request_release(escrow, by=by, at=at))
    assert len(rows) == len(numbers) and job.policy is not None
    policy = job.policy
    requests = ReleaseRequest.objects.bulk_create(
        new_request(escrow, policy=policy, by=by, at=at, comments=comments) for escrow in rows
    )
    ProForma.objects.bulk_create(_new_pro_forma(request, policy=policy) for request in requests)
    for request in requests:
        job.note_due(request.overdue_at)
        job.note_due(_first_warning_at(request, policy=policy))
    activity.record_all(
        [
            *(
                Entry(job=job, kind=RELEASE_REQUESTED, by=by, at=at, facts=_facts(request))
                for request in requests
            ),
            *_wake_up_when_all_requested(job, by=by, at=at),
        ]
    )
    return requests


def _first_warning_at(request: ReleaseRequest, *, policy: Policy) -> datetime:
    return request.auto_release_at - max(policy.warning_days_before_due, default=0) * DAY


def _wake_up_when_all_requested(job: Job, *, by: Person, at: datetime) -> list[Entry]:
    """A dormant Job is active again when no held Milestone is left without a request (R10.4)."""
    if job.state != Job.State.DORMANT:
        return []
    unanswered = ReleaseRequest.objects.filter(job=job).unanswered()
    held = Escrow.objects.filter(job=job, state=Escrow.State.FUNDED)
    if held.exclude(pk__in=unanswered.values("escrow_id")).exists():
        return []
    return dormancy.reactivate(
        job, by=by, at=at, reason="Release of all that is held is requested."
    )


def new_request(
    escrow: Escrow, *, policy: Policy, by: Person, at: datetime, comments: str
) -> ReleaseRequest:
    """The due instant is 30 days after the request, Overdue 15 days before the due instant (R6.1)."""
    due_at = at + policy.release_days * DAY
    return ReleaseRequest(
        job=escrow.job,
        escrow=escrow,
        requested_by=by,
        requested_at=at,
        comments=comments,
        auto_release_at=due_at,
        overdue_at=due_at - policy.overdue_days_before_due * DAY,
    )


def _new_pro_forma(request: ReleaseRequest, *, policy: Policy) -> ProForma:
    amounts = quote(request.escrow, policy=policy)
    return ProForma(
        request=request,
        amount_minor=amounts.gross_minor,
        service_fee_minor=amounts.service_fee_minor,
        processing_fee_minor=amounts.processing_fee_minor,
        net_minor=amounts.net_minor,
        issued_at=request.requested_at,
        parties=documents.parties(request.job),
    )


def _facts(request: ReleaseRequest) -> dict[str, object]:
    return {
        "escrow": request.escrow.title,
        "number": request.escrow.number,
        "request": request.pk,
        "amount_minor": request.escrow.held_minor,
        "due_at": request.auto_release_at,
        "overdue_at": request.overdue_at,
    }


def may_void(request: ReleaseRequest, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer voids an open or overdue request; nothing else can be voided (R7.1, R7.2)."""
    if refusal := refuse_locked(by):
        return refusal
    if request.job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer can void a Release Request.")
    return _refuse_ended(request, what="voided") or frozen.refuse_disputed(request.escrow)


def _refuse_ended(request: ReleaseRequest, *, what: str) -> Refusal | None:
    """Nobody changes what is disputed or answered already (R7.2)."""
    if request.state == ReleaseRequest.State.DISPUTED:
        return WrongState(f"This Release Request is disputed, so it cannot be {what}.")
    if not request.is_unanswered:
        ended = ENDED.get(request.state, request.get_state_display().lower())
        return WrongState(f"This Release Request cannot be {what}: it is {ended} already.")
    return None


def void(request_id: int, *, by: Person, at: datetime, reason: str = "") -> ReleaseRequest:
    """Take a request back: its clock stops, the pro-forma is kept marked void, the money stays held.

    Locks the Job. Raises the Refusal of may_void, ReleaseRequest.DoesNotExist.
    """
    job_id = ReleaseRequest.objects.values_list("job_id", flat=True).get(pk=request_id)
    with catching_up.locked_job(job_id, at=at) as job:
        request = ReleaseRequest.objects.select_related("escrow", "pro_forma").get(pk=request_id)
        request.job = request.escrow.job = job
        refuse_if(may_void(request, by=by, at=at))
        activity.record_all(take_back(request, by=by, at=at, reason=reason))
    return request


def take_back(request: ReleaseRequest, *, by: Person, at: datetime, reason: str) -> list[Entry]:
    """Void a request of a locked Job with its pro-forma; what is to be recorded. Decides nothing."""
    job = request.job
    states.move([request], "void", at=at, reason=reason)
    states.move([request.pro_forma], "void")
    facts = _taken_back(request)
    return [
        Entry(job=job, kind=VOIDED, by=by, at=at, reason=reason, facts=facts),
        *_wake_up_after_settlement(job, by=by, at=at),
    ]


def _taken_back(request: ReleaseRequest) -> dict[str, Any]:
    return {
        "escrow": request.escrow.title,
        "number": request.escrow.number,
        "request": request.pk,
        "amount_minor": request.escrow.held_minor,
    }


def returns_left(request: ReleaseRequest) -> int:
    """How many times the Client may still ask for changes of the request's Milestone (R7.3)."""
    policy = request.job.policy
    assert policy is not None
    return max(0, policy.returns_at_most - request.escrow.times_returned)


def may_request_changes(request: ReleaseRequest, *, by: Person, at: datetime) -> Refusal | None:
    """The Client sends an open or overdue request back, at most so often per Milestone (R7.3)."""
    if refusal := refuse_locked(by):
        return refusal
    if request.job.role_of(by) != "client":
        return WrongParty("Only the Client can request changes.")
    if refusal := _refuse_ended(request, what="sent back"):
        return refusal
    if refusal := frozen.refuse_disputed(request.escrow):
        return refusal
    if returns_left(request) == 0:
        times = request.escrow.times_returned
        return WrongState(
            f"You have asked for changes of “{request.escrow}” {'once' if times == 1 else f'{times} times'}, "
            "which is the most. Release the money or open a Dispute."
        )
    return None


def request_changes(request_id: int, *, comment: str, by: Person, at: datetime) -> ReleaseRequest:
    """Send a request back with a comment: it ends as if voided, the money stays held (R7.3).

    The next request starts a new clock. Locks the Job. Raises the Refusal of may_request_changes,
    NoComment, ReleaseRequest.DoesNotExist.
    """
    job_id = ReleaseRequest.objects.values_list("job_id", flat=True).get(pk=request_id)
    with catching_up.locked_job(job_id, at=at) as job:
        request = ReleaseRequest.objects.select_related("escrow", "pro_forma").get(pk=request_id)
        request.job = request.escrow.job = job
        refuse_if(may_request_changes(request, by=by, at=at))
        comment = comment.strip()
        if not comment:
            raise NoComment("Say what is to be changed: the Freelancer reads it.")
        if len(comment) > COMMENT_AT_MOST:
            raise NoComment(f"Say it in at most {COMMENT_AT_MOST:,} characters.")
        states.move([request], "send_back", at=at, reason=comment)
        states.move([request.pro_forma], "void")
        request.escrow.times_returned += 1
        request.escrow.save(update_fields=["times_returned"])
        facts = {**_taken_back(request), "times_left": returns_left(request)}
        activity.record(job, CHANGES_REQUESTED, by=by, at=at, reason=comment, **facts)
        activity.record_all(_wake_up_after_settlement(job, by=by, at=at))
    return request


def _wake_up_after_settlement(job: Job, *, by: Person, at: datetime) -> list[Entry]:
    """What is no longer requested after A+14 d stays held: the Job is active again (R10.3)."""
    if not dormancy.is_settled(job, at=at):
        return []
    return dormancy.reactivate(
        job, by=by, at=at, reason="A Release Request ended after the Job had been settled."
    )
