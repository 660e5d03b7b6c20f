"""Disputes: one side contests a Milestone's money, both are heard, and it may be taken back (R9).

Offers are in ``offers``, limits under seal in ``sealed``, what support does in ``mediation``, and how
the money moves in the end in ``settling``.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from django.core.files.uploadedfile import UploadedFile

from billing.dispute_notices import (
    DISPUTE_ANSWERED,
    DISPUTE_ESCALATED,
    DISPUTE_EVIDENCE,
    DISPUTE_OPENED,
    DISPUTE_STATEMENT,
    DISPUTE_WITHDRAWN,
)
from billing.models import Dispute, DisputeStatement, Escrow, Evidence, ReleaseRequest
from billing.models.dispute import EVIDENCE_AT_MOST
from billing.moves import disputes as moves
from billing.selectors import frozen
from billing.services import catching_up
from billing.services.amounts import refuse_amount
from billing.services.funding import refuse_hourly
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from escrow_site.lib.timing import business_days_after
from jobs.models import Job, Person
from jobs.services import activity, files, words
from jobs.services.accounts import refuse_locked
from jobs.services.files import Checked

WORDS_AT_MOST = 5000
HELD_CHANGED = "What is held has changed since you opened this page. Look at the amounts again."
WITHDRAWN = "Withdrawn by the side that opened it."
# Within this the same words are a second click, later they are said again.
SECOND_CLICK = timedelta(minutes=1)


class SentAlready(Refusal):
    """The same was sent before: a second click, or a page sent again (R12)."""


@contextmanager
def locked_dispute(dispute_id: int, *, at: datetime) -> Iterator[Dispute]:
    """A transaction with the Dispute's Job locked and up to date, as ``catching_up.locked_job``.

    The Dispute comes with its ``job``, ``escrow``, and ``request`` with its pro-forma. Raises
    Dispute.DoesNotExist.
    """
    job_id = Dispute.objects.values_list("job_id", flat=True).get(pk=dispute_id)
    with catching_up.locked_job(job_id, at=at) as job:
        dispute = Dispute.objects.select_related("escrow", "request__pro_forma").get(pk=dispute_id)
        dispute.job = dispute.escrow.job = job
        if dispute.request is not None:
            dispute.request.job, dispute.request.escrow = job, dispute.escrow
        yield dispute


# --- Opening (R9.1) ---


def may_open(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """Either side disputes a Funded Milestone, one Dispute at a time (R9.1, R9.4).

    Reads ``escrow.job``, its ``release_requests`` and their ``disputes``; a page prefetches them.
    """
    job = escrow.job
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) is None:
        return WrongParty("Only the Client or the Freelancer can open a Dispute.")
    if refusal := refuse_hourly(job):
        return refusal
    if not job.is_running:
        return WrongState(f"This Job is {job.get_state_display().lower()}.")
    if escrow.state == Escrow.State.PENDING:
        return WrongState(f"The money for “{escrow}” is Pending: there is nothing to dispute yet.")
    if escrow.state == Escrow.State.UNFUNDED:
        return WrongState(f"“{escrow}” is not funded, so there is nothing to dispute.")
    if escrow.state != Escrow.State.FUNDED:
        return WrongState(
            f"“{escrow}” is {escrow.get_state_display().lower()} already: nothing is held."
        )
    if escrow.disputed_at is not None:
        return WrongState(f"“{escrow}” is disputed already.")
    if refusal := frozen.refuse_charged_back(escrow):
        return refusal
    request = unanswered_request(escrow)
    if request and any(one.opened_by_id == by.pk for one in request.disputes.all()):
        return WrongState(
            "You withdrew a Dispute about this Release Request, so you cannot open another one about "
            f"it. {job.other_party(by)} still can."
        )
    return None


def unanswered_request(escrow: Escrow) -> ReleaseRequest | None:
    """The open, overdue or disputed Release Request of an Escrow."""
    requests = (request for request in escrow.release_requests.all() if request.is_unanswered)
    return next(requests, None)


def open(
    job_id: int,
    *,
    number: int,
    asks: str,
    asked_minor: int,
    reason: str,
    by: Person,
    at: datetime,
    uploads: Iterable[UploadedFile] = (),
    seen_held_minor: int | None = None,
) -> Dispute:
    """Freeze the money of the Escrow with this number, and ask the other side to answer (R9.1, R9.2).

    ``asks`` is a Dispute.Asks, ``asked_minor`` how much of what is held. Evidence is checked before
    anything is written. ``seen_held_minor`` is what was held when the person chose. Locks the Job.
    Raises the Refusal of may_open, NothingSaid, StalePage, WrongAmount, WrongFile.
    """
    checked = files.check_all(uploads)
    reason = words.check(reason, what="why you dispute it", at_most=WORDS_AT_MOST)
    with catching_up.locked_job(job_id, at=at) as job:
        escrow = _escrow(job, number)
        refuse_if(may_open(escrow, by=by, at=at))
        if seen_held_minor is not None and seen_held_minor != escrow.held_minor:
            raise StalePage(HELD_CHANGED)
        if asks not in Dispute.Asks.values:
            raise WrongState("Choose whether you ask for a release or for a refund.")
        refuse_if(refuse_amount(asked_minor, most_minor=escrow.held_minor, currency=job.currency))
        dispute = _create(escrow, asks=asks, asked_minor=asked_minor, reason=reason, by=by, at=at)
        moves.freeze(dispute)
        _add_evidence(dispute, checked, by=by, at=at)
        activity.record(
            job, DISPUTE_OPENED, by=by, at=at, reason=reason, **_opened(dispute, len(checked))
        )
    return dispute


def _escrow(job: Job, number: int) -> Escrow:
    escrow = Escrow.objects.filter(job=job, number=number).first()
    if escrow is None:
        raise WrongState("This Milestone is not part of the agreed Terms.")
    escrow.job = job
    return escrow


def _create(
    escrow: Escrow, *, asks: str, asked_minor: int, reason: str, by: Person, at: datetime
) -> Dispute:
    policy = escrow.job.policy
    assert policy is not None
    return Dispute.objects.create(
        job=escrow.job,
        escrow=escrow,
        request=unanswered_request(escrow),
        opened_by=by,
        opened_at=at,
        reason=reason,
        asks=asks,
        asked_minor=asked_minor,
        answer_due_at=business_days_after(at, policy.dispute_answer_business_days, policy.holidays),
    )


def _opened(dispute: Dispute, files: int) -> dict[str, Any]:
    return moves.facts_of(
        dispute,
        asks=dispute.asks,
        asked_minor=dispute.asked_minor,
        amount_minor=dispute.escrow.held_minor,
        due_at=dispute.answer_due_at,
        request=dispute.request_id,
        files=files,
    )


# --- Being heard (R9.2) ---


def refuse_outside(dispute: Dispute, *, by: Person) -> Refusal | None:
    """Only the two parties act in a Dispute, and only while it is open."""
    if refusal := refuse_locked(by):
        return refusal
    if dispute.job.role_of(by) is None:
        return WrongParty("Only the Client or the Freelancer can act in this Dispute.")
    if not dispute.is_open:
        return WrongState(f"This Dispute is {dispute.get_state_display().lower()} already.")
    return None


def is_silent(dispute: Dispute, *, by: Person) -> bool:
    """Whether the person is the side that has to answer, and has not (R9.3)."""
    return dispute.opened_by_id != by.pk and dispute.answered_at is None


def may_answer(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """The other side answers, once; what it says later are statements (R9.2)."""
    if refusal := refuse_outside(dispute, by=by):
        return refusal
    if dispute.opened_by_id == by.pk:
        return WrongParty("You opened this Dispute: the other side answers it.")
    if dispute.answered_at is not None:
        return WrongState("This Dispute is answered already: add a statement instead.")
    return None


def answer(
    dispute_id: int,
    *,
    text: str,
    by: Person,
    at: datetime,
    uploads: Iterable[UploadedFile] = (),
) -> Dispute:
    """Answer a Dispute: silence will not bring it to support any more.

    Locks the Job. Raises the Refusal of may_answer, NothingSaid, SentAlready, WrongFile.
    """
    checked = files.check_all(uploads)
    text = words.check(text, what="your answer", at_most=WORDS_AT_MOST)
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_answer(dispute, by=by, at=at))
        _say(dispute, text, checked, by=by, at=at)
    return dispute


def may_add(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """Either side adds statements and evidence as long as the Dispute is open."""
    return refuse_outside(dispute, by=by)


def add_statement(
    dispute_id: int,
    *,
    text: str,
    by: Person,
    at: datetime,
    uploads: Iterable[UploadedFile] = (),
) -> Dispute:
    """Say more in a Dispute. The first words of the other side are its answer, however it sends them.

    Locks the Job. Raises the Refusal of may_add, NothingSaid, SentAlready, WrongFile.
    """
    checked = files.check_all(uploads)
    text = words.check(text, what="your statement", at_most=WORDS_AT_MOST)
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_add(dispute, by=by, at=at))
        _say(dispute, text, checked, by=by, at=at)
    return dispute


def _say(dispute: Dispute, text: str, checked: list[Checked], *, by: Person, at: datetime) -> None:
    is_answer = is_silent(dispute, by=by)
    refuse_if(refuse_said_again(dispute, text, by=by, at=at))
    DisputeStatement.objects.create(dispute=dispute, by=by, made_at=at, text=text)
    _add_evidence(dispute, checked, by=by, at=at)
    if is_answer:
        moves.note_answer(dispute, at=at)
    kind = DISPUTE_ANSWERED if is_answer else DISPUTE_STATEMENT
    facts = moves.facts_of(dispute, files=len(checked))
    activity.record(dispute.job, kind, by=by, at=at, reason=text, **facts)


def refuse_said_again(
    dispute: Dispute, text: str, *, by: Person, at: datetime
) -> SentAlready | None:
    """The last words of this person in this Dispute, once more within a minute, are a second click."""
    last = DisputeStatement.objects.filter(dispute=dispute, by=by).order_by("pk").last()
    if last is None or last.text != text or at - last.made_at >= SECOND_CLICK:
        return None
    return SentAlready("You have said this already: it is sent once.")


def add_evidence(
    dispute_id: int, *, uploads: Iterable[UploadedFile], by: Person, at: datetime
) -> list[Evidence]:
    """Lay files before the other side and support. Not an answer: that needs words, or an offer.

    Locks the Job. Raises the Refusal of may_add, NothingSaid, SentAlready, WrongFile.
    """
    checked = files.check_all(uploads)
    if not checked:
        raise words.NothingSaid("Choose a file.")
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_add(dispute, by=by, at=at))
        added = _add_evidence(dispute, checked, by=by, at=at)
        names = ", ".join(f"“{one.file}”" for one in added)
        facts = moves.facts_of(dispute, names=names)
        activity.record(dispute.job, DISPUTE_EVIDENCE, by=by, at=at, **facts)
    return added


def _add_evidence(
    dispute: Dispute, checked: list[Checked], *, by: Person, at: datetime
) -> list[Evidence]:
    """The bytes are written last: what was checked and is refused after all leaves nothing behind."""
    if not checked:
        return []
    refuse_if(_refuse_laid_before(dispute, checked, by=by))
    if Evidence.objects.filter(dispute=dispute, by=by).count() + len(checked) > EVIDENCE_AT_MOST:
        raise files.WrongFile(
            f"You can add {EVIDENCE_AT_MOST} files to one Dispute: put several into one ZIP archive."
        )
    stored = files.store_all(dispute.job, by=by, checked=checked, at=at)
    return Evidence.objects.bulk_create(
        Evidence(dispute=dispute, file=one, by=by, added_at=at) for one in stored
    )


def _refuse_laid_before(
    dispute: Dispute, checked: list[Checked], *, by: Person
) -> SentAlready | None:
    """The same content, whatever its name, is before the other side and support already."""
    before = Evidence.objects.filter(dispute=dispute, by=by).values_list("file__sha256", flat=True)
    known = set(before.filter(file__sha256__in=[one.sha256 for one in checked]))
    names = ", ".join(f"“{one.name}”" for one in checked if one.sha256 in known)
    return SentAlready(f"You have added {names} to this Dispute already.") if names else None


# --- To support, or taken back (R9.3, R9.4) ---


def may_escalate(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """Either side asks support to decide."""
    if refusal := refuse_outside(dispute, by=by):
        return refusal
    if dispute.state != Dispute.State.OPEN:
        return WrongState("This Dispute is with support already.")
    return None


def escalate(dispute_id: int, *, by: Person, at: datetime) -> Dispute:
    """Hand a Dispute to support, whether it was answered or not.

    Locks the Job. Raises the Refusal of may_escalate.
    """
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_escalate(dispute, by=by, at=at))
        moves.escalate([(dispute, at)], by=by)
        facts = moves.facts_of(dispute, amount_minor=dispute.escrow.held_minor)
        activity.record(dispute.job, DISPUTE_ESCALATED, by=by, at=at, **facts)
    return dispute


def may_withdraw(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """Only the opener withdraws (R9.4)."""
    if refusal := refuse_outside(dispute, by=by):
        return refusal
    if dispute.opened_by_id != by.pk:
        return WrongParty("Only the side that opened the Dispute can withdraw it.")
    return None


def withdraw(dispute_id: int, *, by: Person, at: datetime, reason: str = "") -> Dispute:
    """Take a Dispute back: the money stays held, and its request's clock runs again (R9.4).

    Locks the Job. Raises the Refusal of may_withdraw, NothingSaid.
    """
    if reason := reason.strip():
        reason = words.check(reason, what="why you withdraw it", at_most=WORDS_AT_MOST)
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_withdraw(dispute, by=by, at=at))
        moves.withdraw(dispute, at=at, reason=reason or WITHDRAWN)
        request = dispute.request
        facts = moves.facts_of(
            dispute,
            amount_minor=dispute.escrow.held_minor,
            request=dispute.request_id,
            due_at=request.auto_release_at if request and not dispute.escrow.is_frozen else None,
        )
        activity.record(dispute.job, DISPUTE_WITHDRAWN, by=by, at=at, reason=reason, **facts)
    return dispute
