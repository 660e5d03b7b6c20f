"""Chargebacks: the Client's bank wants a payment back (R8.4).

The provider says that one began; how it ended is recorded by one agent, as the bank has told us, and
confirmed by a second, senior one, or taken back by the first. What is still held is frozen meanwhile;
released money is not taken from the Freelancer, whatever the end. The amount is the bank's: of what is
held no more than that goes to it, and a refund of the payment that its source refuses covers it too
(``refunds``).
"""

import logging
from datetime import datetime
from typing import Any

from billing.chargeback_notices import (
    CHARGEBACK_LOST,
    CHARGEBACK_OPENED,
    CHARGEBACK_RECORDED,
    CHARGEBACK_SENT_BACK,
    CHARGEBACK_TAKEN_BACK,
    CHARGEBACK_WON,
)
from billing.gateways.base import Answer, Status
from billing.models import Chargeback, Escrow, Payment
from billing.moves import chargebacks as moves
from billing.moves import disputes
from billing.moves.refunds import Return
from billing.services import catching_up, refunding
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.notices import Kind
from jobs.services import activity, words
from jobs.services.activity import Entry
from jobs.services.agents import refuse_non_agent

logger = logging.getLogger(__name__)

RECORD_PERMISSION = "billing.record_chargeback"
CONFIRM_PERMISSION = "billing.confirm_chargeback"
BEGUN = "The holder of the card disputes the payment at the bank."
# Ended without money, as far as we know: what the bank takes back is to come yet (R3.5).
NOT_ARRIVED = (Payment.State.FAILED, Payment.State.CANCELLED, Payment.State.LAPSED)
ARRIVED = (Payment.State.SUCCEEDED, Payment.State.RETURNED)
TAKEN_BACK = "The Client’s bank took the payment back (chargeback)."


class PaymentNotArrived(Exception):
    """The bank wants money back of which it has not said yet that it came: the event waits."""


# --- It begins ---


def enter(payment_id: int, answer: Answer, *, at: datetime) -> Chargeback | None:
    """Enter the provider's word that a payment is charged back: freeze what it is held for, tell both
    sides, alert support.

    The same word again changes nothing; None then, and when nothing of the payment is there to be taken.
    Locks the Job. Raises PaymentNotArrived.
    """
    job_id = Payment.objects.values_list("job_id", flat=True).get(pk=payment_id)
    with catching_up.locked_job(job_id, at=at, durable=True) as job:
        payment = Payment.objects.select_related("payer").get(pk=payment_id)
        payment.job = job
        if not _is_news(payment, answer):
            return None
        chargeback = Chargeback.objects.create(
            payment=payment,
            gateway_reference=answer.reference,
            amount_minor=answer.amount_minor,
            opened_at=at,
        )
        escrows = moves.escrows_of(payment)
        moves.freeze(escrows, at=at)
        facts = _facts(chargeback, escrows)
        activity.record(job, CHARGEBACK_OPENED, by=None, at=at, reason=BEGUN, **facts)
    logger.error("payment_charged_back", extra={"payment": payment_id, "job": job_id})
    return chargeback


def _is_news(payment: Payment, answer: Answer) -> bool:
    if answer.status != Status.PROCESSING:
        return False
    if payment.is_under_way or payment.state in NOT_ARRIVED:
        raise PaymentNotArrived(f"{payment} is {payment.state}")
    known = Chargeback.objects.filter(payment=payment)
    if known.filter(gateway_reference=answer.reference).exists() or known.open().exists():
        return False
    if answer.amount_minor > 0 and payment.state in ARRIVED:
        return True
    about = {"payment": payment.pk, "job": payment.job_id, "state": payment.state}
    logger.error("chargeback_of_nothing", extra=about)
    return False


def _facts(chargeback: Chargeback, escrows: list[Escrow]) -> dict[str, Any]:
    """``held_minor`` is what is frozen, or goes; what was released stays where it is. What is zero is said
    too. Of a payment that is there for nothing any more the Milestones are those it was meant for.
    """
    meant = Escrow.objects.of(chargeback.payment.job).filter(
        allocations__payment=chargeback.payment_id
    )
    return {
        "payment": chargeback.payment_id,
        "chargeback": chargeback.pk,
        "escrow": ", ".join(f"“{escrow}”" for escrow in escrows or meant),
        "numbers": [escrow.number for escrow in escrows or meant],
        "amount_minor": chargeback.amount_minor,
        "held_minor": sum(escrow.held_minor for escrow in escrows),
        "released_minor": sum(escrow.kept_minor for escrow in escrows),
    }


# --- How it ended, by two agents ---


def may_record(chargeback: Chargeback, *, by: Person, at: datetime) -> Refusal | None:
    """An agent who is no party records what the bank has decided; reads ``chargeback.payment.job``."""
    if refusal := refuse_non_agent(chargeback.payment.job, by=by, permission=RECORD_PERMISSION):
        return refusal
    if chargeback.state == Chargeback.State.RECORDED:
        return WrongState(
            "The end of this chargeback is recorded: a second agent is to confirm it."
        )
    if chargeback.state != Chargeback.State.OPEN:
        return WrongState(f"This chargeback was {chargeback.get_state_display().lower()} already.")
    return None


def record(
    chargeback_id: int, *, outcome: str, reason: str, by: Person, at: datetime
) -> Chargeback:
    """Record the bank's last word, and how we know it; moves no money and no clock.

    Locks the Job. Raises the Refusal of may_record, NothingSaid, WrongState.
    """
    reason = words.check(reason, what="how the bank has told us")
    if outcome not in Chargeback.Outcome.values:
        raise WrongState("Choose whether the chargeback was won or lost.")
    with catching_up.locked_job(_job_id(chargeback_id), at=at) as job:
        chargeback, escrows = _read(job, chargeback_id)
        refuse_if(may_record(chargeback, by=by, at=at))
        states.move([chargeback], "record", outcome=outcome, reason=reason, at=at, by_id=by.pk)
        _note(CHARGEBACK_RECORDED, chargeback, escrows, by=by, at=at, reason=reason)
    return chargeback


def may_confirm(chargeback: Chargeback, *, by: Person, at: datetime) -> Refusal | None:
    """A second, senior agent confirms what another one recorded, or sends it back."""
    if refusal := refuse_non_agent(
        chargeback.payment.job,
        by=by,
        permission=CONFIRM_PERMISSION,
        who="senior support agent",
        act="confirm this or send it back",
    ):
        return refusal
    if chargeback.state == Chargeback.State.OPEN:
        return WrongState("The end of this chargeback is not recorded yet.")
    if chargeback.state != Chargeback.State.RECORDED:
        return WrongState(f"This chargeback was {chargeback.get_state_display().lower()} already.")
    if chargeback.recorded_by_id == by.pk:
        return WrongParty("You recorded this yourself: a second agent is to confirm it.")
    return None


def confirm(chargeback_id: int, *, seen_outcome: str, by: Person, at: datetime) -> Chargeback:
    """Let it end as recorded. Won: the freeze ends, clocks go on with what was left of them. Lost: what
    is held goes to the bank, requests and Disputes about it end.

    Locks the Job. Raises the Refusal of may_confirm, StalePage.
    """
    with catching_up.locked_job(_job_id(chargeback_id), at=at) as job:
        chargeback, escrows = _read(job, chargeback_id)
        refuse_if(may_confirm(chargeback, by=by, at=at))
        if seen_outcome != chargeback.outcome:
            raise StalePage("What is recorded has changed since you opened this page.")
        if chargeback.outcome == Chargeback.Outcome.WON:
            _win(chargeback, escrows, by=by, at=at)
        else:
            _lose(chargeback, escrows, by=by, at=at)
    return chargeback


def send_back(chargeback_id: int, *, answer: str, by: Person, at: datetime) -> Chargeback:
    """Have it recorded anew, saying why. Locks the Job. Raises the Refusal of may_confirm, NothingSaid."""
    answer = words.check(answer, what="why you send it back")
    with catching_up.locked_job(_job_id(chargeback_id), at=at) as job:
        chargeback, escrows = _read(job, chargeback_id)
        refuse_if(may_confirm(chargeback, by=by, at=at))
        states.move([chargeback], "send_back", answer=answer)
        _note(CHARGEBACK_SENT_BACK, chargeback, escrows, by=by, at=at, reason=answer)
    return chargeback


def may_take_back(chargeback: Chargeback, *, by: Person, at: datetime) -> Refusal | None:
    """Who recorded it takes it back while nobody has confirmed it."""
    if refusal := refuse_non_agent(chargeback.payment.job, by=by, permission=RECORD_PERMISSION):
        return refusal
    if chargeback.state != Chargeback.State.RECORDED:
        return WrongState("Nothing is recorded that waits to be confirmed.")
    if chargeback.recorded_by_id != by.pk:
        return WrongParty("Only the person who recorded this can take it back.")
    return None


def take_back(chargeback_id: int, *, by: Person, at: datetime) -> Chargeback:
    """Take one's own record back: it is to be recorded anew. Locks the Job. Raises the Refusal of
    may_take_back.
    """
    with catching_up.locked_job(_job_id(chargeback_id), at=at) as job:
        chargeback, escrows = _read(job, chargeback_id)
        refuse_if(may_take_back(chargeback, by=by, at=at))
        states.move([chargeback], "take_back")
        _note(CHARGEBACK_TAKEN_BACK, chargeback, escrows, by=by, at=at)
    return chargeback


def _win(chargeback: Chargeback, escrows: list[Escrow], *, by: Person, at: datetime) -> None:
    states.move([chargeback], "win", at=at, by_id=by.pk)
    moves.thaw(chargeback.payment.job, escrows, at=at)
    _note(CHARGEBACK_WON, chargeback, escrows, by=by, at=at, reason=chargeback.reason)


def _lose(chargeback: Chargeback, escrows: list[Escrow], *, by: Person, at: datetime) -> None:
    """Of what is held no more goes than the bank takes, in the order of the Terms; clocks of what stays
    run on. Both are told once, by the line about the chargeback; what follows from it is told as ever.
    """
    payment, facts = chargeback.payment, _facts(chargeback, escrows)
    states.move([chargeback], "lose", at=at, by_id=by.pk)
    moves.end_freeze(payment.job, escrows, at=at)
    refund_ids, follow, left_minor = [], [], chargeback.amount_minor
    for escrow in escrows:
        if taken_minor := min(escrow.held_minor, left_minor):
            left_minor -= taken_minor
            refund_id, entries = _take(escrow, taken_minor, by=by, at=at)
            refund_ids.append(refund_id)
            follow += entries
    moves.pay(chargeback, refund_ids, at=at)
    moves.resume(payment.job, escrows, at=at)
    facts["held_minor"] = chargeback.amount_minor - left_minor
    told = Entry(
        job=payment.job, kind=CHARGEBACK_LOST, by=by, at=at, reason=chargeback.reason, facts=facts
    )
    activity.record_all([told, *map(_quiet, follow)])


def _take(
    escrow: Escrow, amount_minor: int, *, by: Person, at: datetime
) -> tuple[int, list[Entry]]:
    """A Dispute about what is held ends, even if the bank takes a part: it was about another amount."""
    ended: list[Entry] = []
    if amount_minor < escrow.held_minor:
        ended = disputes.end(escrow, by=by, at=at, reason=TAKEN_BACK)
    back = Return(
        job=escrow.job, escrow=escrow, amount_minor=amount_minor, at=at, reason=TAKEN_BACK, by=by
    )
    refund_id, entries = refunding.give_back(back, said=TAKEN_BACK)
    return refund_id, [*ended, *entries]


def _quiet(entry: Entry) -> Entry:
    """The lines of the money and of what ended with it stand in the history, and are told by the first."""
    if entry.kind not in refunding.KINDS_OF_A_RETURN:
        return entry
    return entry.quiet()


def _note(
    kind: Kind,
    chargeback: Chargeback,
    escrows: list[Escrow],
    *,
    by: Person,
    at: datetime,
    reason: str = "",
) -> None:
    facts = _facts(chargeback, escrows)
    activity.record(chargeback.payment.job, kind, by=by, at=at, reason=reason, **facts)


def _job_id(chargeback_id: int) -> int:
    return Chargeback.objects.values_list("payment__job_id", flat=True).get(pk=chargeback_id)


def _read(job: Job, chargeback_id: int) -> tuple[Chargeback, list[Escrow]]:
    """The chargeback as it is under the lock of its Job, and what its payment is there for."""
    chargeback = Chargeback.objects.select_related("payment").get(pk=chargeback_id)
    chargeback.payment.job = job
    return chargeback, moves.escrows_of(chargeback.payment)
