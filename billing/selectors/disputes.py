"""Disputes as their two parties, and support, read them (R9): where each stands, what was said, the sums."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import QuerySet

from billing.dispute_notices import (
    DISPUTE_ANSWERED,
    DISPUTE_DECIDED,
    DISPUTE_EVIDENCE,
    DISPUTE_OPENED,
    DISPUTE_SETTLED,
    DISPUTE_STATEMENT,
    SEALED_NO_MATCH,
)
from billing.forecast import forecast
from billing.models import Dispute, Escrow, Evidence, Offer, SealedLimit
from billing.models.dispute import SEALED_AT_MOST
from billing.moves import disputes as moves
from billing.selectors import dispute_stages, foretold
from billing.selectors.dispute_stages import Turn
from billing.selectors.escrow_rows import rows_of
from billing.selectors.foretold import Moment
from billing.selectors.seen import seen_by
from billing.services.amounts import Amounts, quote
from billing.timetables import What
from jobs.models import Activity, Job, Person
from jobs.selectors import history

WITH_FILES = {
    kind.name for kind in (DISPUTE_OPENED, DISPUTE_ANSWERED, DISPUTE_STATEMENT, DISPUTE_EVIDENCE)
}
DIVIDED = {kind.name for kind in (DISPUTE_SETTLED, DISPUTE_DECIDED)}


def disputes_seen_by(person: Person) -> QuerySet[Dispute]:
    """Disputes that the person may see, with what their page shows."""
    return seen_by(person, Dispute.objects.all()).select_related(
        "job__client", "job__freelancer", "job__policy", "escrow", "request", "opened_by"
    )


def offers_seen_by(person: Person) -> QuerySet[Offer]:
    """Offers in Disputes that the person may see, ready for the guards."""
    return seen_by(person, Offer.objects.all(), job="dispute__job").select_related(
        "by",
        "dispute__job__client",
        "dispute__job__freelancer",
        "dispute__job__policy",
        "dispute__escrow",
        "dispute__request",
    )


# --- What silence does ---


def moments_of(dispute: Dispute, *, viewer: Person, at: datetime) -> list[Moment]:
    """What will become of one Dispute if nobody acts, out of all that is foreseen for its Job."""
    return _escalations(dispute.job, viewer=viewer, at=at).get(dispute.escrow.number, [])


def _escalations(job: Job, *, viewer: Person, at: datetime) -> dict[int, list[Moment]]:
    """By the number of the Milestone."""
    told: dict[int, list[Moment]] = {}
    for one in forecast(job, rows_of([job.pk])[job.pk], at=at):
        if one.what is What.DISPUTE_ESCALATES and one.number is not None:
            told[one.number] = foretold.moments(job, [one], role=job.role_of(viewer))
    return told


def turn_of(
    dispute: Dispute, offers: list[Offer], moments: list[Moment], *, viewer: Person, at: datetime
) -> Turn | None:
    """Whose move it is, with what silence will do; None when the Dispute is over."""
    silence = f"{moments[0].title}. {moments[0].text}" if moments else ""
    role = dispute.job.role_of(viewer)
    return dispute_stages.turn(dispute, offers, role=role, at=at, silence=silence)


def resumes_until(dispute: Dispute, *, at: datetime) -> datetime | None:
    """When its request would be released if the Dispute were withdrawn at this instant (R9.4)."""
    if dispute.request is None or dispute.request.clock_stopped_at is None:
        return None
    return at + moves.time_left(dispute.job, dispute.request)


# --- The Disputes of a Job ---


@dataclass(frozen=True, kw_only=True)
class Line:
    """One Dispute in the list of its Job."""

    dispute: Dispute
    turn: Turn | None


def lines_of(job: Job, *, viewer: Person, at: datetime) -> list[Line]:
    """The Disputes of a Job, newest first."""
    found = list(
        Dispute.objects.filter(job=job)
        .select_related("escrow", "opened_by")
        .prefetch_related("offers")
        .order_by("-pk")
    )
    for dispute in found:
        dispute.job = dispute.escrow.job = job
    escalations = _escalations(job, viewer=viewer, at=at) if found else {}
    lines = []
    for dispute in found:
        moments = escalations.get(dispute.escrow.number, []) if dispute.is_open else []
        turn = turn_of(dispute, list(dispute.offers.all()), moments, viewer=viewer, at=at)
        lines.append(Line(dispute=dispute, turn=turn))
    return lines


def escrows_of(job: Job) -> list[Escrow]:
    """The Job's Milestones, ready for the guard of opening."""
    escrows = list(Escrow.objects.of(job).agreed().prefetch_related("release_requests__disputes"))
    for escrow in escrows:
        escrow.job = job
    return escrows


# --- What was said ---


@dataclass(kw_only=True)
class Told:
    """One line of the story; ``text`` are the words of whoever acted, ``files`` what came with them."""

    what: str
    who: str
    is_reader: bool
    at: datetime
    text: str
    files: list[Evidence] = field(default_factory=list)


def history_of(dispute: Dispute) -> list[Activity]:
    """What happened in the Dispute, oldest first."""
    return list(
        history.for_parties(dispute.job)
        .filter(facts__dispute=dispute.pk)
        .select_related("actor")
        .order_by("happened_at", "pk")
    )


def evidence_of(dispute: Dispute) -> list[Evidence]:
    """All files of the Dispute, in the order in which they came."""
    return list(
        Evidence.objects.filter(dispute=dispute).select_related("file", "by").order_by("pk")
    )


def story(
    activities: list[Activity], evidence: list[Evidence], *, job: Job, viewer: Person
) -> list[Told]:
    """Everything that happened and was said, oldest first, the files where they were brought in."""
    files: dict[tuple[int | None, datetime], list[Evidence]] = defaultdict(list)
    for one in evidence:
        files[one.by_id, one.added_at].append(one)
    told = []
    for activity in activities:
        activity.job = job
        line = history.describe(activity, viewer)
        key = (activity.actor_id, activity.happened_at)
        told.append(
            Told(
                what=line["what"],
                who=line["who"],
                is_reader=activity.actor_id == viewer.pk,
                at=activity.happened_at,
                text=activity.reason,
                files=files.pop(key, []) if activity.kind in WITH_FILES else [],
            )
        )
    return told


# --- The sums ---


@dataclass(frozen=True, kw_only=True)
class Split:
    """How what is held would divide, or did: all that either side wants to know before a click."""

    amounts: Amounts
    to_client_minor: int

    @property
    def fees_minor(self) -> int:
        return self.amounts.gross_minor - self.amounts.net_minor


def split(dispute: Dispute, to_freelancer_minor: int) -> Split:
    """What a split of all that is held comes to, by the code that pays it out."""
    policy = dispute.job.policy
    assert policy is not None
    return Split(
        amounts=quote(dispute.escrow, policy=policy, gross_minor=to_freelancer_minor),
        to_client_minor=dispute.escrow.held_minor - to_freelancer_minor,
    )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a Dispute ended: the sums, when its money was divided, and the paper that was made."""

    to_freelancer_minor: int
    net_minor: int
    fees_minor: int
    to_client_minor: int
    document: str
    document_id: int | None


def was_decided(activities: list[Activity]) -> bool:
    """Whether support settled it, whose reasons then stand at its end."""
    return any(activity.kind == DISPUTE_DECIDED.name for activity in activities)


def outcome(activities: list[Activity]) -> Outcome | None:
    """The division that settled the Dispute; None when it ended otherwise, or is open."""
    for activity in reversed(activities):
        if activity.kind in DIVIDED:
            facts = activity.facts
            return Outcome(
                to_freelancer_minor=int(facts["to_freelancer_minor"]),
                net_minor=int(facts["net_minor"]),
                fees_minor=int(facts["fees_minor"]),
                to_client_minor=int(facts["to_client_minor"]),
                document=str(facts.get("document", "")),
                document_id=facts.get("document_id"),
            )
    return None


# --- Under seal ---


@dataclass(frozen=True, kw_only=True)
class Sealed:
    """What the reader may know about limits under seal: that they are there, never what they say."""

    mine_waits: bool
    theirs_waits: bool
    tries_left: int
    no_match_at: datetime | None


def sealed_of(dispute: Dispute, activities: list[Activity], *, viewer: Person) -> Sealed:
    """The limits of a Dispute as one of its parties knows them."""
    of_milestone = SealedLimit.objects.filter(dispute__escrow=dispute.escrow_id)
    rows = of_milestone.values_list("by_id", "state")
    waiting = {by_id for by_id, state in rows if state == SealedLimit.State.WAITING}
    entered = sum(by_id == viewer.pk for by_id, _ in rows)
    no_matches = [one.happened_at for one in activities if one.kind == SEALED_NO_MATCH.name]
    return Sealed(
        mine_waits=viewer.pk in waiting,
        theirs_waits=bool(waiting - {viewer.pk}),
        tries_left=max(0, SEALED_AT_MOST - entered),
        no_match_at=no_matches[-1] if no_matches else None,
    )
