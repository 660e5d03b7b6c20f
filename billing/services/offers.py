"""Offers in a Dispute: a split of exactly what is held, which the other side may accept (R9.2)."""

from datetime import datetime
from typing import Any

from billing.dispute_notices import DISPUTE_OFFERED, DISPUTE_SETTLED, OFFER_WITHDRAWN
from billing.models import Dispute, Offer
from billing.moves import disputes as moves
from billing.selectors import frozen
from billing.services import settling
from billing.services.amounts import WrongAmount
from billing.services.disputes import (
    HELD_CHANGED,
    SentAlready,
    is_silent,
    locked_dispute,
    refuse_outside,
)
from escrow_site.lib import money, states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState, refuse_if
from jobs.models import Person
from jobs.services import activity

RULE = "Dispute settled by agreement: an offer was accepted."
# As the state of an offer that is over reads in a sentence.
OVER = {
    Offer.State.REPLACED: "replaced by a newer one",
    Offer.State.ACCEPTED: "accepted already",
    Offer.State.LAPSED: "lapsed: the Dispute has ended",
    Offer.State.WITHDRAWN: "withdrawn",
}


def refuse_share(to_freelancer_minor: int, *, held_minor: int, currency: str) -> WrongAmount | None:
    """A share is anything from nothing to all of what is held, in minor units."""
    if 0 <= to_freelancer_minor <= held_minor:
        return None
    return WrongAmount(
        f"The Freelancer’s share is between nothing and all that is held, "
        f"{money.display(held_minor, currency)}."
    )


def may_offer(dispute: Dispute, *, by: Person, at: datetime) -> Refusal | None:
    """Either side offers a split at any time while the Dispute is open."""
    return refuse_outside(dispute, by=by)


def make(
    dispute_id: int,
    *,
    to_freelancer_minor: int,
    by: Person,
    at: datetime,
    seen_held_minor: int | None = None,
) -> Offer:
    """Offer a split of what is held; it replaces the same side's older offer.

    By the side that has not answered yet it is its answer. Locks the Job. Raises the Refusal of
    may_offer, SentAlready, StalePage, WrongAmount.
    """
    with locked_dispute(dispute_id, at=at) as dispute:
        refuse_if(may_offer(dispute, by=by, at=at))
        held_minor = dispute.escrow.held_minor
        if seen_held_minor is not None and seen_held_minor != held_minor:
            raise StalePage(HELD_CHANGED)
        currency = dispute.job.currency
        refuse_if(refuse_share(to_freelancer_minor, held_minor=held_minor, currency=currency))
        older = list(Offer.objects.filter(dispute=dispute, by=by, state=Offer.State.OPEN))
        same = {"held_minor": held_minor, "to_freelancer_minor": to_freelancer_minor}
        if Offer.objects.filter(pk__in=[one.pk for one in older], **same).exists():
            raise SentAlready("You have offered this already: your offer is open.")
        states.move(older, "replace", at=at)
        offer = Offer.objects.create(
            dispute=dispute,
            by=by,
            made_at=at,
            held_minor=held_minor,
            to_freelancer_minor=to_freelancer_minor,
        )
        if is_silent(dispute, by=by):
            moves.note_answer(dispute, at=at)
        activity.record(dispute.job, DISPUTE_OFFERED, by=by, at=at, **_facts(dispute, offer))
    return offer


def may_accept(offer: Offer, *, by: Person, at: datetime) -> Refusal | None:
    """The other side accepts an open offer; reads ``offer.dispute`` with its job and escrow."""
    if refusal := _refuse_over(offer):
        return refusal
    if refusal := refuse_outside(offer.dispute, by=by):
        return refusal
    if offer.by_id == by.pk:
        return WrongParty("This is your own offer: the other side can accept it.")
    if offer.held_minor != offer.dispute.escrow.held_minor:
        return StalePage(HELD_CHANGED)
    return frozen.refuse_charged_back(offer.dispute.escrow)


def _refuse_over(offer: Offer) -> Refusal | None:
    if offer.state == Offer.State.OPEN:
        return None
    return WrongState(f"This offer was {OVER[Offer.State(offer.state)]}.")


def accept(offer_id: int, *, by: Person, at: datetime) -> Offer:
    """Settle the Dispute by the split that the other side offers, at once (R9.2).

    Locks the Job. Raises the Refusal of may_accept, Offer.DoesNotExist.
    """
    dispute_id = Offer.objects.values_list("dispute_id", flat=True).get(pk=offer_id)
    with locked_dispute(dispute_id, at=at) as dispute:
        offer = Offer.objects.get(pk=offer_id)
        offer.dispute = dispute
        refuse_if(may_accept(offer, by=by, at=at))
        states.move([offer], "accept", at=at)
        settling.settle(
            dispute,
            to_freelancer_minor=offer.to_freelancer_minor,
            kind=DISPUTE_SETTLED,
            by=by,
            at=at,
            rule=RULE,
        )
    return offer


def may_withdraw(offer: Offer, *, by: Person, at: datetime) -> Refusal | None:
    """Who made an open offer takes it back."""
    if refusal := _refuse_over(offer):
        return refusal
    if refusal := refuse_outside(offer.dispute, by=by):
        return refusal
    if offer.by_id != by.pk:
        return WrongParty("Only the side that made the offer can withdraw it.")
    return None


def withdraw(offer_id: int, *, by: Person, at: datetime) -> Offer:
    """Take an offer back before it is accepted. Locks the Job. Raises the Refusal of may_withdraw."""
    dispute_id = Offer.objects.values_list("dispute_id", flat=True).get(pk=offer_id)
    with locked_dispute(dispute_id, at=at) as dispute:
        offer = Offer.objects.get(pk=offer_id)
        offer.dispute = dispute
        refuse_if(may_withdraw(offer, by=by, at=at))
        states.move([offer], "withdraw", at=at)
        activity.record(dispute.job, OFFER_WITHDRAWN, by=by, at=at, **_facts(dispute, offer))
    return offer


def _facts(dispute: Dispute, offer: Offer) -> dict[str, Any]:
    return moves.facts_of(
        dispute,
        offer=offer.pk,
        amount_minor=offer.held_minor,
        to_freelancer_minor=offer.to_freelancer_minor,
        to_client_minor=offer.to_client_minor,
    )
