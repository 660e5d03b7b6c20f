"""The forecast in words, as one of its readers is told it: pages, mails and calendars say the same.

What will happen is decided in ``billing.forecast``; instants are shown by whoever renders.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from billing.forecast import REMINDERS, Foreseen
from billing.selectors.voices import Voice, begin, in_days
from billing.selectors.ways_out import WaysOut
from billing.stopping import CLIENT, FREELANCER, Party
from billing.timetables import What
from escrow_site.lib.display import instant
from jobs.models import Job

# They happen because something else does, at its instant, and are told with it.
CONSEQUENCES = frozenset(
    {
        What.RETURN,
        What.CANCELLATION_STALE,
        What.REMOVAL,
        What.REACTIVATION,
        What.COMPLETION,
    }
)
AS_BEFORE = ("The same can be done.",)


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """The open proposal of Terms, which billing knows by its effects only."""

    version: int
    proposed_by_id: int


@dataclass(frozen=True, kw_only=True)
class Reminder:
    """A notice on the way to a moment."""

    at: datetime
    text: str


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One entry of the timeline.

    ``key`` names it within its Job, the same whenever it is foreseen; ``at_once``: its instant has
    passed, and nobody can stop it any more (R6.4). ``lines`` say what happens to each Milestone,
    ``then`` what follows, ``stops`` who can keep it from happening until then, and how.
    """

    key: str
    at: datetime
    what: What
    title: str
    text: str = ""
    lines: tuple[str, ...] = ()
    then: str = ""
    stops: tuple[str, ...] = ()
    tone: str = ""
    at_once: bool = False
    reminders: tuple[Reminder, ...] = ()

    @property
    def told(self) -> str:
        """What happens, for a text without layout."""
        return " ".join(text for text in (self.text, *self.lines, self.then) if text)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What will become of the money of one Milestone."""

    at: datetime
    at_once: bool
    text: str


def moments(
    job: Job,
    foreseen: Iterable[Foreseen],
    *,
    role: str | None,
    proposal: Proposal | None = None,
    together: bool = True,
) -> list[Moment]:
    """The forecast as entries of a timeline, for the reader with that role on the Job.

    Reminders are folded into what they lead to. ``together``: releases at one instant are one entry.
    """
    voice = Voice(job, role)
    reminders: dict[tuple[int | None, int | None], list[Foreseen]] = defaultdict(list)
    groups: list[list[Foreseen]] = []
    for one in foreseen:
        if one.what in REMINDERS:
            reminders[one.request_id, one.payment_id].append(one)
        elif groups and _belongs(one, groups[-1][0], together=together):
            groups[-1].append(one)
        else:
            groups.append([one])
    writer = Writer(voice, proposal)
    return [writer.moment(group, _reminders(group, reminders, voice)) for group in groups]


def outcomes(job: Job, foreseen: Iterable[Foreseen], *, role: str | None) -> list[Outcome]:
    """What becomes of each held Milestone, and when (R10.6)."""
    voice = Voice(job, role)
    return [
        Outcome(at=one.at, at_once=one.at_once, text=_outcome(one, voice))
        for one in foreseen
        if one.to is not None
    ]


def without_repetition(moments: Iterable[Moment]) -> list[Moment]:
    """For a list read from top to bottom: what was just said is not said again, and what stops the
    settlement stands at the settlement, not at the notice of it.
    """
    told: list[Moment] = []
    before: tuple[str, ...] = ()
    for moment in moments:
        if moment.what is What.FREELANCER_TOLD:
            told.append(replace(moment, stops=()))
            continue
        is_repeated = moment.stops and moment.stops == before
        before = moment.stops
        told.append(replace(moment, stops=AS_BEFORE) if is_repeated else moment)
    return told


def _belongs(one: Foreseen, first: Foreseen, *, together: bool) -> bool:
    """Whether a thing is told with the entry that the first one began."""
    if one.at != first.at:
        return False
    return one.what in CONSEQUENCES or (together and one.what == first.what == What.RELEASE)


def _reminders(
    group: list[Foreseen],
    reminders: dict[tuple[int | None, int | None], list[Foreseen]],
    voice: Voice,
) -> tuple[Reminder, ...]:
    """The notices on the way to a group, each instant and wording once."""
    found = {
        Reminder(at=one.at, text=_reminder(one, voice)): None
        for main in group
        if main.request_id or main.payment_id
        for one in reminders[main.request_id, main.payment_id]
    }
    return tuple(sorted(found, key=lambda reminder: reminder.at))


def _reminder(one: Foreseen, voice: Voice) -> str:
    if one.what is What.OVERDUE:
        return begin(f"{voice.both} are reminded: the request is Overdue.")
    are = "are" if voice.is_reader(CLIENT) else "is"
    told = "warned" if one.what is What.WARNING else "reminded"
    return begin(f"{voice.client} {are} {told}: {in_days(one.days_left or 0)} left.")


def _outcome(one: Foreseen, voice: Voice) -> str:
    """“Design”: $500.00 goes to Frank, $456.25 net after fees of $43.75."""
    assert one.to is not None
    amount, back = voice.amount(one.amount_minor), " back" if one.to is CLIENT else ""
    name, divided = voice.name(one.to), _divided(one, voice)
    return f"“{one.titles[0]}”: {amount} goes{back} to {name}, {divided}."


def _divided(one: Foreseen, voice: Voice) -> str:
    assert one.amounts is not None
    fees_minor = one.amounts.gross_minor - one.amounts.net_minor
    if not fees_minor:
        return "without a fee"
    net, fees = voice.amount(one.amounts.net_minor), voice.amount(fees_minor)
    return f"{net} net after fees of {fees}"


def _proposer(proposal: Proposal, job: Job) -> Party:
    return CLIENT if proposal.proposed_by_id == job.client_id else FREELANCER


class Writer:
    """Writes the entries for one reader."""

    def __init__(self, voice: Voice, proposal: Proposal | None) -> None:
        self.voice = voice
        self.job = voice.job
        assert self.job.policy is not None
        self.policy = self.job.policy
        self.proposal = proposal
        proposer = _proposer(proposal, self.job) if proposal else None
        self.ways_out = WaysOut(voice, proposer=proposer)

    def moment(self, group: list[Foreseen], reminders: tuple[Reminder, ...]) -> Moment:
        """The entry of one thing and what follows from it at its instant."""
        first = group[0]
        title, text, lines, tone = self.told(group)
        return Moment(
            key=self.key(first),
            at=first.at,
            what=first.what,
            at_once=first.at_once,
            title=title,
            text=text,
            lines=tuple(lines),
            then=self.then(group),
            stops=() if first.at_once else tuple(self.ways_out.sentences(group)),
            tone=tone,
            reminders=reminders,
        )

    def key(self, first: Foreseen) -> str:
        """Of its request or payment, if it has one; else there is one of its kind on a Job."""
        name = first.what.name.lower().replace("_", "-")
        if first.request_id or first.payment_id:
            return f"{name}-{first.request_id or first.payment_id}"
        if first.what is What.DISPUTE_ESCALATES:
            return f"{name}-{first.number}"
        if self.proposal and first.what in (What.AWARD_EXPIRES, What.PROPOSAL_LAPSES):
            return f"{name}-{self.proposal.version}"
        return name

    def told(self, group: list[Foreseen]) -> tuple[str, str, list[str], str]:
        """Title, text, lines and tone."""
        match group[0].what:
            case What.RELEASE:
                return self.release([one for one in group if one.what is What.RELEASE])
            case What.SETTLEMENT:
                return self.settlement(group)
            case What.DORMANT:
                return self.dormant()
            case What.FREELANCER_TOLD:
                return self.freelancer_told()
            case What.PAYMENT_LAPSES:
                return self.payment_lapses(group[0])
            case What.AWARD_EXPIRES | What.PROPOSAL_LAPSES:
                return self.proposal_lapses(group[0])
            case What.CANCELLATION_LAPSES:
                return self.cancellation_lapses()
            case What.DISPUTE_ESCALATES:
                return self.dispute_escalates(group[0])
        raise AssertionError(f"no words for {group[0].what.name}")

    def release(self, released: list[Foreseen]) -> tuple[str, str, list[str], str]:
        voice = self.voice
        have = "you have" if voice.is_reader(CLIENT) else f"{voice.client} has"
        tone = "positive" if voice.is_reader(FREELANCER) else "warning"
        if len(released) > 1:
            lines = [_outcome(one, voice) for one in released]
            return (
                f"{len(released)} Milestones are released",
                begin(f"{have} not answered."),
                lines,
                tone,
            )
        [one] = released
        text = (
            f"{voice.amount(one.amount_minor)} goes to {voice.freelancer}, {_divided(one, voice)}, "
            f"because {have} not answered."
        )
        return f"“{one.titles[0]}” is released", text, [], tone

    def settlement(self, group: list[Foreseen]) -> tuple[str, str, list[str], str]:
        voice = self.voice
        have = "you have" if voice.is_reader(FREELANCER) else f"{voice.freelancer} has"
        lines = [_outcome(one, voice) for one in group if one.what is What.RETURN]
        lines += [
            f"“{one.titles[0]}” was never funded and is removed."
            for one in group
            if one.what is What.REMOVAL
        ]
        text = f"What {have} not requested by then goes back to {voice.client}."
        return "The escrow account is settled", text, lines, "warning"

    def dormant(self) -> tuple[str, str, list[str], str]:
        are = "are" if self.voice.is_reader(CLIENT) else "is"
        text = (
            f"Nobody has done anything for {in_days(self.policy.dormant_days)} by then, while money "
            f"is held. {begin(f'{self.voice.client} {are} told.')}"
        )
        return "The Job becomes Dormant", text, [], "warning"

    def freelancer_told(self) -> tuple[str, str, list[str], str]:
        policy = self.policy
        days = policy.dormant_settlement_days - policy.dormant_freelancer_days
        are = "are" if self.voice.is_reader(FREELANCER) else "is"
        title = begin(f"{self.voice.freelancer} {are} told that the Job is Dormant")
        return title, f"The escrow account is settled {in_days(days)} later.", [], ""

    def payment_lapses(self, one: Foreseen) -> tuple[str, str, list[str], str]:
        text = f"{self.voice.amount(one.amount_minor)} is not charged, and "
        if len(one.titles) == 1:
            title = f"The pending payment for “{one.titles[0]}” lapses"
            return title, f"{text}the Milestone is unfunded again.", [], "warning"
        title = f"The pending payment for {len(one.titles)} Milestones lapses"
        return title, f"{text}they are unfunded again.", [], "warning"

    def proposal_lapses(self, one: Foreseen) -> tuple[str, str, list[str], str]:
        name = f"Terms {self.proposal.version}" if self.proposal else "The proposed Terms"
        if one.what is What.AWARD_EXPIRES:
            text = "With them the award lapses: nothing is agreed and nobody has paid anything."
        else:
            text = "The Terms that are agreed stay in force."
        return f"{name} lapse", text, [], "warning"

    def cancellation_lapses(self) -> tuple[str, str, list[str], str]:
        text = (
            "The Job goes on, and what is held stays held. Whoever still wants to end it can request "
            "cancellation again, or open a Dispute."
        )
        return "The request to cancel the Job lapses", text, [], "warning"

    def dispute_escalates(self, one: Foreseen) -> tuple[str, str, list[str], str]:
        assert one.turn is not None
        have = "you have" if self.voice.is_reader(one.turn) else f"{self.voice.name(one.turn)} has"
        text = (
            f"It does so if {have} not answered by then: support reads what both of you have said and "
            f"decides how the {self.voice.amount(one.amount_minor)} is split; until then it stays held."
        )
        return f"The Dispute about “{one.titles[0]}” goes to support", text, [], "warning"

    def then(self, group: list[Foreseen]) -> str:
        """What follows for the Job."""
        whats = {one.what for one in group}
        ends = [self.for_the_job(whats)]
        if What.CANCELLATION_STALE in whats:
            ends.insert(0, "With it the request to cancel the Job ends: other amounts are held.")
        return " ".join(end for end in ends if end)

    def for_the_job(self, whats: set[What]) -> str:
        if What.COMPLETION in whats:
            return begin(
                f"Then the Job is complete, and {self.voice.both} get the Closing Statement."
            )
        if What.REACTIVATION in whats:
            return "Then nothing is held any more, and the Job is active again."
        return ""


def dormant_since(job: Job) -> str:
    """The headline of a Dormant Job."""
    assert job.dormant_at is not None and job.policy is not None
    return (
        f"Dormant since {instant(job.dormant_at)}: nobody had done anything for "
        f"{in_days(job.policy.dormant_days)}."
    )
