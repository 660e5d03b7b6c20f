"""Where a Dispute stands: its stages, whose turn it is, until when, and what silence will do (R9.2, R9.3).

Pure words about rows that were read; what silence does is told by ``billing.forecast``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from billing.models import Dispute, Offer
from billing.selectors.voices import Voice, begin
from billing.stopping import CLIENT, FREELANCER, Party

DONE, NOW, LATER, SKIPPED = "done", "now", "later", "skipped"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One step on the way; ``state`` is done, now, later or skipped, ``at`` when it was reached."""

    label: str
    state: str
    note: str = ""
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Whose move it is; ``until`` is None where there is no time limit, ``silence`` what comes of none."""

    title: str
    text: str
    silence: str
    until: datetime | None = None
    is_reader: bool = False


# --- The tracker ---


def stages(dispute: Dispute, offers: Iterable[Offer], *, role: str | None) -> list[Stage]:
    """Opened, answered, offers, mediation, decision, settled: for the reader with that role."""
    voice = Voice(dispute.job, role)
    return [
        Stage(
            label="Opened",
            state=DONE,
            note=f"by {voice.name(opener(dispute))}",
            at=dispute.opened_at,
        ),
        _answered(dispute),
        _offers(dispute, list(offers)),
        _mediation(dispute, voice),
        _decision(dispute),
        _end(dispute),
    ]


def _answered(dispute: Dispute) -> Stage:
    if dispute.answered_at is not None:
        return Stage(label="Answered", state=DONE, at=dispute.answered_at)
    if dispute.state == Dispute.State.OPEN:
        return Stage(label="Answer", state=NOW, note="due", at=dispute.answer_due_at)
    return Stage(label="Answer", state=SKIPPED, note="none")


def _offers(dispute: Dispute, offers: list[Offer]) -> Stage:
    made = f"{len(offers)} made" if offers else "none yet"
    if dispute.state == Dispute.State.OPEN and dispute.answered_at is not None:
        return Stage(label="Offers", state=NOW, note=made)
    if offers:
        return Stage(label="Offers", state=DONE, note=made)
    if dispute.is_open:
        return Stage(label="Offers", state=LATER, note="possible at any time")
    return Stage(label="Offers", state=SKIPPED, note="none")


def _mediation(dispute: Dispute, voice: Voice) -> Stage:
    if dispute.escalated_at is None:
        if dispute.is_open:
            return Stage(label="Mediation", state=LATER, note="by silence, or if asked for")
        return Stage(label="Mediation", state=SKIPPED, note="not needed")
    asked_by = _party(dispute, dispute.escalated_by_id)
    note = f"asked for by {voice.name(asked_by)}" if asked_by else "there was no answer in time"
    state = NOW if dispute.state == Dispute.State.MEDIATION else DONE
    return Stage(label="Mediation", state=state, note=note, at=dispute.escalated_at)


def _decision(dispute: Dispute) -> Stage:
    if dispute.state == Dispute.State.DECIDED:
        return Stage(label="Decision", state=NOW, note="being checked")
    if dispute.is_open:
        return Stage(label="Decision", state=LATER)
    confirmed = [one for one in dispute.decisions.all() if one.state == "confirmed"]
    if confirmed:
        return Stage(label="Decision", state=DONE, note="confirmed", at=confirmed[0].checked_at)
    return Stage(label="Decision", state=SKIPPED, note="not needed")


def _end(dispute: Dispute) -> Stage:
    if dispute.is_open:
        return Stage(label="Settled", state=LATER)
    return Stage(label=dispute.get_state_display(), state=NOW, at=dispute.ended_at)


# --- Whose turn it is ---


def turn(
    dispute: Dispute, offers: Iterable[Offer], *, role: str | None, at: datetime, silence: str = ""
) -> Turn | None:
    """Whose move it is, for the reader with that role; None when the Dispute is over.

    ``silence`` is what the forecast says; without any, nothing happens by itself.
    """
    voice = Voice(dispute.job, role)
    if not dispute.is_open:
        return None
    is_late = dispute.answered_at is None and dispute.answer_due_at <= at
    if dispute.state != Dispute.State.OPEN or is_late:
        return _of_support(dispute, voice)
    if dispute.answered_at is None:
        return _of_answerer(dispute, voice, silence)
    return _of_both(dispute, [one for one in offers if one.state == Offer.State.OPEN], voice)


def _of_answerer(dispute: Dispute, voice: Voice, silence: str) -> Turn:
    party = answerer(dispute)
    is_reader = voice.is_reader(party)
    answers = "Answer in words, or offer a split."
    if not is_reader:
        answers = f"{voice.name(party)} is to answer in words, or to offer a split."
    return Turn(
        title=f"{_whose(party, voice)} turn",
        text=answers,
        until=dispute.answer_due_at,
        silence=silence,
        is_reader=is_reader,
    )


def _of_both(dispute: Dispute, offers: list[Offer], voice: Voice) -> Turn:
    silence = (
        f"Nothing happens by itself: {voice.amount(dispute.escrow.held_minor)} stays held as long as "
        "the Dispute is open. Either side can ask support to decide."
    )
    if len(offers) == 1:
        by_client = offers[0].by_id == dispute.job.client_id
        party, offerer = (FREELANCER, CLIENT) if by_client else (CLIENT, FREELANCER)
        return Turn(
            title=f"{_whose(party, voice)} turn",
            text=_to_accept(party, offerer, voice),
            silence=silence,
            is_reader=voice.is_reader(party),
        )
    if offers:
        text = "Each side has an offer open: accept the other’s, or make a new one."
    else:
        text = "The Dispute is answered. Offer a split of what is held, or say more."
    return Turn(
        title=begin(f"{voice.both}: agree on a split"),
        text=text,
        silence=silence,
        is_reader=bool(voice.role),
    )


def _to_accept(party: Party, offerer: Party, voice: Voice) -> str:
    if voice.is_reader(party):
        return f"{voice.name(offerer)} has offered a split: accept it, or offer another one."
    have = "You have" if voice.is_reader(offerer) else f"{voice.name(offerer)} has"
    return f"{have} offered a split: {voice.name(party)} can accept it, or offer another one."


def _of_support(dispute: Dispute, voice: Voice) -> Turn:
    silence = (
        f"Support goes on by itself. {voice.amount(dispute.escrow.held_minor)} stays held until a "
        "decision is confirmed, or until the two sides agree: what they agree on comes first."
    )
    if dispute.state == Dispute.State.DECIDED:
        text = (
            "A support agent has decided, and a second one is checking it. Both sides learn the "
            "decision when it is confirmed; it is then carried out at once."
        )
    else:
        text = (
            "A support agent reads what both sides have said, may ask for more, and decides how what "
            "is held is split, with reasons in writing. A second agent checks the decision."
        )
    return Turn(title="Support’s turn", text=text, silence=silence)


def _whose(party: Party, voice: Voice) -> str:
    return "Your" if voice.is_reader(party) else f"{voice.name(party)}’s"


def opener(dispute: Dispute) -> Party:
    return CLIENT if dispute.opened_by_id == dispute.job.client_id else FREELANCER


def answerer(dispute: Dispute) -> Party:
    return FREELANCER if opener(dispute) is CLIENT else CLIENT


def _party(dispute: Dispute, person_id: int | None) -> Party | None:
    if person_id is None:
        return None
    return CLIENT if person_id == dispute.job.client_id else FREELANCER
