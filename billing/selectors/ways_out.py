"""Who can stop what is to come, and how: the ways of ``billing.stopping`` in sentences for a reader.

What is to come is told by ``foretold``.
"""

from collections.abc import Iterable, Iterator, Sequence

from billing.forecast import Foreseen
from billing.selectors.voices import Voice, at_most, begin, either_of, in_days
from billing.stopping import BOTH, CLIENT, FREELANCER, Action, Party, Stop
from billing.timetables import What
from escrow_site.lib.display import instant

# What somebody can do about a Job that nothing is done on, after "can"; in this order.
WAYS = {
    Action.RELEASE: "release a Milestone",
    Action.FUND: "fund one",
    Action.REPORT: "send a Status Report or a timesheet",
    Action.REQUEST_FUNDING: "request funding",
    Action.REQUEST: "request a release",
    Action.REFUND: "refund a Milestone",
    Action.CHANGE_TERMS: "propose or accept changed Terms",
    Action.REQUEST_CANCELLATION: "request cancellation of the Job",
    Action.OPEN_DISPUTE: "open a Dispute",
}
# What begins the weeks to the settlement anew and does nothing else, as it is called.
OTHER_ACTIVITY = {
    Action.REPORT: "a Status Report, a timesheet",
    Action.FUND: "a payment into escrow",
    Action.REQUEST_FUNDING: "a Funding Request",
    Action.REFUND: "a refund",
}


class WaysOut:
    """Says it to one reader; ``proposer`` is the side whose Terms are open, None when it is not known."""

    def __init__(self, voice: Voice, *, proposer: Party | None) -> None:
        self.voice = voice
        self.job = voice.job
        assert self.job.policy is not None
        self.policy = self.job.policy
        self.proposer = proposer

    def sentences(self, group: list[Foreseen]) -> Iterator[str]:
        match group[0].what:
            case What.RELEASE:
                yield from self.against_release(group)
            case What.SETTLEMENT | What.FREELANCER_TOLD:
                yield from self.against_settlement(group[0].stops)
            case What.DORMANT:
                yield from self.against_dormancy(group[0].stops)
            case What.PAYMENT_LAPSES:
                yield begin(
                    f"{self.voice.client} can pass the bank’s authentication, and the payment is "
                    "Funded; or cancel it at once."
                )
            case What.AWARD_EXPIRES | What.PROPOSAL_LAPSES:
                yield from self.against_lapse()
            case What.CANCELLATION_LAPSES:
                yield "Whoever received the request can accept or decline it."
                yield "Whoever made it can withdraw it."
            case What.DISPUTE_ESCALATES:
                yield from self.against_escalation(group[0].stops)

    def against_release(self, group: list[Foreseen]) -> Iterator[str]:
        """Until the due instant; of several Milestones at once, what can be done about any of them."""
        voice = self.voice
        released = [one for one in group if one.what is What.RELEASE]
        found = [stop for one in released for stop in one.stops]
        it, request = ("it", "the request") if len(released) == 1 else ("them", "a request")
        times = max((stop.times or 0 for stop in found), default=0)
        client, freelancer = [f"release {it}"], [f"void {request}", "refund the money"]
        if times:
            client.append(f"request changes ({at_most(times)})")
        for ways, party in ((client, CLIENT), (freelancer, FREELANCER)):
            if _can(found, party, Action.OPEN_DISPUTE):
                ways.append("open a Dispute")
        yield begin(f"{voice.client} can {either_of(client)}.")
        yield begin(f"{voice.freelancer} can {either_of(freelancer)}.")
        void = "a void or a request for changes" if times else "a void"
        yield (
            f"After {void} the money stays held, and a new request starts a new "
            f"{in_days(self.policy.release_days)}."
        )
        yield from self.by_cancellation(found)

    def against_dormancy(self, stops: Sequence[Stop]) -> Iterator[str]:
        days = in_days(self.policy.dormant_days)
        for party in (CLIENT, FREELANCER, BOTH):
            if ways := [WAYS[stop.how] for stop in stops if stop.by is party and stop.how in WAYS]:
                yield begin(f"{self.voice.name(party)} can {either_of(ways)}.")
        yield f"Each of these starts the {days} anew."
        yield from self.by_cancellation(stops)
        last, quiet = self.job.last_milestone_ends_at, self.job.last_activity_at
        if last and quiet and last > quiet:
            yield (
                f"The {days} begin on {instant(last)} at the earliest, when the last Milestone date "
                "ends."
            )

    def against_settlement(self, stops: Sequence[Stop]) -> Iterator[str]:
        voice, policy = self.voice, self.policy
        hows = {stop.how for stop in stops}
        if Action.REQUEST in hows:
            yield begin(
                f"{voice.freelancer} can request release of a Milestone: it does not go back, and is "
                f"released {in_days(policy.release_days)} later unless {voice.client} "
                f"{'answer' if voice.is_reader(CLIENT) else 'answers'}. Once every held Milestone is "
                "requested, the Job is active again."
            )
        can_cancel = Action.REQUEST_CANCELLATION in hows
        ways = ["release a Milestone"] + ["request cancellation of the Job"] * can_cancel
        yield begin(
            f"{voice.client} can {either_of(ways)}, and {voice.either} can propose or accept changed "
            f"Terms: the Job is active again, and {in_days(policy.dormant_days)} begin anew."
        )
        for stop in stops:
            if stop.how is Action.OPEN_DISPUTE:
                yield begin(
                    f"{voice.name(stop.by)} can open a Dispute: nothing is settled while it is open."
                )
        yield from self.by_cancellation(stops)
        others = [name for how, name in OTHER_ACTIVITY.items() if how in hows]
        others += [f"a request for cancellation by {voice.freelancer}"] * can_cancel
        yield (
            f"Any other activity ({either_of(others)}) begins the "
            f"{in_days(policy.dormant_settlement_days)} until the settlement anew."
        )

    def against_escalation(self, stops: Sequence[Stop]) -> Iterator[str]:
        answerer, opener = (self.voice.name(stop.by) for stop in stops[:2])
        yield begin(f"{answerer} can answer, or offer a split.")
        yield begin(f"{opener} can withdraw the Dispute.")
        if not _can(stops, CLIENT, Action.RELEASE):
            return
        yield begin(
            f"{self.voice.client} can release all that is held, or {self.voice.freelancer} refund it: "
            "the Dispute ends then."
        )

    def by_cancellation(self, stops: Sequence[Stop]) -> Iterator[str]:
        """While a request to cancel the Job is open, its answer may divide what is held."""
        if _can(stops, BOTH, Action.ACCEPT_CANCELLATION):
            yield (
                "Whoever received the request to cancel the Job can accept it: what is held is divided "
                "as it says."
            )

    def against_lapse(self) -> Iterator[str]:
        if self.proposer is None:
            yield "Whoever received them can accept, decline or send changed Terms."
            return
        answerer = FREELANCER if self.proposer is CLIENT else CLIENT
        yield begin(f"{self.voice.name(answerer)} can accept, decline or send changed Terms.")
        yield begin(f"{self.voice.name(self.proposer)} can withdraw them.")


def _can(stops: Iterable[Stop], party: Party, how: Action) -> bool:
    return any(stop.how is how and stop.by in (party, BOTH) for stop in stops)
