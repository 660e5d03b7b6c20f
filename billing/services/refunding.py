"""The Freelancer sends money back: what is held of a Milestone (R8.1), or what was released (R8.2).

How the provider follows is in ``refunds``.
"""

from datetime import datetime

from django.db import IntegrityError

from billing import ledger
from billing.dispute_notices import DISPUTE_ENDED
from billing.models import Escrow, ReleaseRequest
from billing.moves import cancellations, credits, disputes, dormancy, endings
from billing.moves import refunds as moves
from billing.moves.credits import Credit, Credited
from billing.moves.refunds import Return
from billing.notices import CREDITED, REFUNDED, VOIDED
from billing.selectors import frozen
from billing.services import catching_up, closing
from billing.services.amounts import quote_credit, refuse_amount
from billing.services.funding import refuse_hourly
from billing.services.payouts import NotEnoughAvailable
from escrow_site.lib import money, states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry

REASON_AT_MOST = 250
# The lines of a return whose readers its cause may have told already.
KINDS_OF_A_RETURN = (REFUNDED, VOIDED, DISPUTE_ENDED)
NEVER_BELOW_ZERO = "account_guarded_never_below_zero"
NOTHING_HELD = "All that was held was refunded, and nothing else is held."
CHANGED_MEANWHILE = (
    "The amounts have changed since you opened this page. Look at them again before you refund."
)


# --- Held money (R8.1) ---


def may_refund_held(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer refunds all that is held of a Milestone, disputed or not (R8.1, R9.5)."""
    job = escrow.job
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer can refund the money of a Milestone.")
    if refusal := refuse_hourly(job):
        return refusal
    if escrow.state == Escrow.State.PENDING:
        return WrongState(
            f"The money for “{escrow}” is Pending: it is not held yet. The Client can cancel the payment."
        )
    if escrow.state == Escrow.State.UNFUNDED:
        return WrongState(f"“{escrow}” is not funded, so there is nothing to refund.")
    if escrow.state != Escrow.State.FUNDED:
        return WrongState(
            f"“{escrow}” is {escrow.get_state_display().lower()} already: nothing is held."
        )
    if not job.is_running:
        return WrongState(f"This Job is {job.get_state_display().lower()}.")
    return frozen.refuse_charged_back(escrow)


def may_refund_part(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """As may_refund_held, and never while the Milestone is disputed (R9.1)."""
    return may_refund_held(escrow, by=by, at=at) or frozen.refuse_disputed(escrow)


def may_refund_amount(
    escrow: Escrow,
    *,
    amount_minor: int,
    by: Person,
    at: datetime,
    seen_held_minor: int | None = None,
) -> Refusal | None:
    """As may_refund_held for all that is held, as may_refund_part for less of it.

    ``seen_held_minor`` is what was held when the person chose, None when it was read just now.
    """
    held_minor = escrow.held_minor
    guard = may_refund_held if amount_minor == held_minor else may_refund_part
    if refusal := guard(escrow, by=by, at=at):
        return refusal
    if seen_held_minor not in (None, held_minor):
        return StalePage(CHANGED_MEANWHILE)
    return refuse_amount(amount_minor, most_minor=held_minor, currency=escrow.job.currency)


def refund_held(
    job_id: int,
    *,
    number: int,
    amount_minor: int,
    by: Person,
    at: datetime,
    reason: str,
    seen_held_minor: int,
) -> int:
    """Send held money of the Escrow with this number back to its source; the id of the Refund.

    In minor units; no fee is taken. All that is held voids the Milestone's request and ends its
    Dispute; for a part the request stands for the rest with its clock unchanged. ``seen_held_minor``
    is what was held when the person chose. Locks the Job. Raises the Refusal of may_refund_amount.
    """
    with catching_up.locked_job(job_id, at=at) as job:
        escrow = read(job, number)
        refuse_if(
            may_refund_amount(
                escrow, amount_minor=amount_minor, by=by, at=at, seen_held_minor=seen_held_minor
            )
        )
        refuse_if(_refuse_reason(reason))
        back = Return(
            job=job,
            escrow=escrow,
            amount_minor=amount_minor,
            at=at,
            reason=_said(reason),
            by=by,
        )
        refund_id, entries = give_back(back, said=reason)
        activity.record_all(entries)
    return refund_id


def give_back(back: Return, *, said: str) -> tuple[int, list[Entry]]:
    """Send held money back, and say what follows of it: the id of the Refund, and what is to be recorded.

    ``said`` are the words of whoever wanted it. All that is held ends request and Dispute. Decides
    nothing: who may is the callers' to know.
    """
    assert back.by is not None
    left_minor = back.escrow.held_minor - back.amount_minor
    request = _unanswered_request(back.escrow)
    ended = [] if left_minor else _end_all_about(back, request)
    (refund_id,) = moves.give_back([back])
    entry = _refunded(back, request, left_minor=left_minor, reason=said)
    return refund_id, [*ended, entry, *_follow_up(back.job, by=back.by, at=back.at)]


def _refuse_reason(reason: str) -> Refusal | None:
    if len(reason) > REASON_AT_MOST:
        return Refusal(f"Give a reason of at most {REASON_AT_MOST} characters.")
    return None


def _said(reason: str) -> str:
    """The reason as the papers give it: a sentence, whatever the Freelancer typed."""
    if not reason.strip():
        return "Refunded by the Freelancer."
    typed = reason.strip()
    return f"Refunded by the Freelancer: {typed}{'' if typed[-1] in '.!?…' else '.'}"


def _unanswered_request(escrow: Escrow) -> ReleaseRequest | None:
    requests = ReleaseRequest.objects.filter(escrow=escrow).unanswered()
    return requests.select_related("pro_forma").first()


def _end_all_about(back: Return, request: ReleaseRequest | None) -> list[Entry]:
    """Dispute and request about what goes back end (R9.5); the Client reads of the request's end in the
    notice of the refund.
    """
    assert back.by is not None
    entries = disputes.end(back.escrow, by=back.by, at=back.at, reason=back.reason)
    if request is None:
        return entries
    # What is disputed is not voided by anybody (R7.2): it ends with its Dispute (R9.5).
    is_disputed = request.state == ReleaseRequest.State.DISPUTED
    states.move([request], "settle" if is_disputed else "void", at=back.at, reason=back.reason)
    states.move([request.pro_forma], "void")
    return [
        *entries,
        Entry(
            job=back.job,
            kind=VOIDED,
            by=back.by,
            at=back.at,
            reason=back.reason,
            facts={
                "escrow": back.escrow.title,
                "number": back.escrow.number,
                "request": request.pk,
                "amount_minor": back.amount_minor,
            },
            untold=frozenset({back.job.client_id}),
        ),
    ]


def _refunded(
    back: Return, request: ReleaseRequest | None, *, left_minor: int, reason: str
) -> Entry:
    """What was held and requested is read before the move: ``left_minor`` is what stays."""
    return Entry(
        job=back.job,
        kind=REFUNDED,
        by=back.by,
        at=back.at,
        reason=reason.strip(),
        facts={
            "escrow": back.escrow.title,
            "number": back.escrow.number,
            "amount_minor": back.amount_minor,
            **({"held_minor": left_minor} if left_minor else {}),
            **({"request": request.pk} if request else {}),
            **({"stands_until_at": request.auto_release_at} if request and left_minor else {}),
        },
    )


def _follow_up(job: Job, *, by: Person, at: datetime) -> list[Entry]:
    """The Job completes, or without a balance is no longer Dormant (R10.4, R11.1)."""
    overtaken = cancellations.end_if_overtaken(job, at=at)
    if Escrow.objects.filter(job=job, state=Escrow.State.FUNDED).exists():
        return overtaken
    entries = closing.complete_if_finished(job, at=at)
    entries = entries or dormancy.reactivate(job, by=by, at=at, reason=NOTHING_HELD)
    return [*overtaken, *entries]


# --- Released money (R8.2) ---


def may_refund_released(escrow: Escrow, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer refunds what was released of a Milestone, also after the Job's end (R8.2)."""
    if refusal := refuse_locked(by):
        return refusal
    if escrow.job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer can refund what was released to him.")
    if refusal := refuse_hourly(escrow.job):
        return refusal
    if escrow.released_minor == 0:
        return WrongState(f"Nothing of “{escrow}” was released.")
    if escrow.kept_minor == 0:
        return WrongState(f"All that was released of “{escrow}” is refunded already.")
    return frozen.refuse_disputed(escrow)


def refund_released(
    job_id: int,
    *,
    number: int,
    amount_minor: int,
    by: Person,
    at: datetime,
    reason: str,
    seen_minor: int | None = None,
) -> Credited:
    """Send released money back to its source from the Freelancer's available balance.

    ``amount_minor`` is gross: he gives it less the service fee that comes back, the processing fee
    does not come back. Makes a credit note, and after the Job's end a new Closing Statement that
    names the old one; Milestone and Job keep their state (R11.2). ``seen_minor`` is what of the
    released money was not refunded when the person chose. Locks the Job. Raises the Refusal of
    may_credit_amount.
    """
    with catching_up.locked_job(job_id, at=at) as job:
        escrow = read(job, number)
        refuse_if(
            may_credit_amount(
                escrow, amount_minor=amount_minor, by=by, at=at, seen_kept_minor=seen_minor
            )
        )
        refuse_if(_refuse_reason(reason))
        credit = Credit(
            job=job, escrow=escrow, amount_minor=amount_minor, by=by, at=at, reason=_said(reason)
        )
        credited, entries = give_credit(credit, said=reason)
        activity.record_all(entries)
    return credited


def may_credit_amount(
    escrow: Escrow,
    *,
    amount_minor: int,
    by: Person,
    at: datetime,
    seen_kept_minor: int | None = None,
) -> Refusal | None:
    """As may_refund_released, for an amount that was released and is on the Freelancer's balance.

    ``seen_kept_minor`` is what could go back when the person chose, None when it was read just now.
    """
    if refusal := may_refund_released(escrow, by=by, at=at):
        return refusal
    if seen_kept_minor not in (None, escrow.kept_minor):
        return StalePage(CHANGED_MEANWHILE)
    most_minor = escrow.kept_minor
    return refuse_amount(
        amount_minor, most_minor=most_minor, currency=escrow.job.currency
    ) or refuse_unavailable(escrow, by=by, amount_minor=amount_minor)


def give_credit(credit: Credit, *, said: str) -> tuple[Credited, list[Entry]]:
    """Send released money back, and say what is to be recorded; ``said`` as in give_back.

    Decides nothing. Raises NotEnoughAvailable.
    """
    credited = _give_back(credit)
    return credited, [_credited(credit, credited, reason=said)]


def refuse_unavailable(escrow: Escrow, *, by: Person, amount_minor: int) -> Refusal | None:
    """Whether the money is there: on the Freelancer's balance, and at a source to go back to.

    Reads the balance without locking it: the database has the last word.
    """
    job = escrow.job
    assert job.policy is not None
    if credits.source_of(escrow) is None:
        return WrongState(
            f"The payment for “{escrow}” is not there any more, so nothing can go back to it."
        )
    wanted_minor = quote_credit(escrow, policy=job.policy, gross_minor=amount_minor).net_minor
    available_minor = ledger.available(by, job.currency).balance_minor
    if wanted_minor <= available_minor:
        return None
    return NotEnoughAvailable(
        f"This refund takes {money.display(wanted_minor, job.currency)} from the Freelancer’s "
        f"available balance, which is {money.display(available_minor, job.currency)}."
    )


def _give_back(credit: Credit) -> Credited:
    try:
        return credits.give_back(credit)
    except IntegrityError as error:
        if NEVER_BELOW_ZERO not in str(error):
            raise
        raise NotEnoughAvailable(
            "The Freelancer’s available balance has changed meanwhile: it is not enough for this refund "
            "any more."
        ) from error


def _credited(credit: Credit, credited: Credited, *, reason: str) -> Entry:
    job, amounts = credit.job, credited.amounts
    facts = {
        "escrow": credit.escrow.title,
        "number": credit.escrow.number,
        "amount_minor": amounts.gross_minor,
        "service_fee_minor": amounts.service_fee_minor,
        "net_minor": amounts.net_minor,
        "document": ", ".join(note.name for note in credited.documents),
        "document_id": credited.documents[0].pk,
    }
    if job.has_ended:
        statement = endings.issue_statement(job, at=credit.at)
        facts |= {"statement": statement.name, "statement_id": statement.pk}
    return Entry(
        job=job, kind=CREDITED, by=credit.by, at=credit.at, reason=reason.strip(), facts=facts
    )


def read(job: Job, number: int) -> Escrow:
    """One Milestone of a locked Job."""
    escrow = Escrow.objects.filter(job=job, number=number).first()
    if escrow is None:
        raise WrongState("This Milestone is not part of the agreed Terms.")
    escrow.job = job
    return escrow
