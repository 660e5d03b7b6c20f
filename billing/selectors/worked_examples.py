"""Worked examples for the Rules page: rows that are never saved, run through the code that moves real money.

Dates and prices are those of R14; every instant and amount follows from the Policy.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

from billing import timers, timetables
from billing.models import Escrow, ReleaseRequest
from billing.moves import disputes
from billing.services import release_requests
from billing.services.amounts import Amounts, quote, return_fee
from billing.timetables import Event, Timetable, What
from escrow_site.lib import money
from escrow_site.lib.timing import DAY, business_days_after, end_of
from jobs.models import Job, Person, Policy

REQUESTED_AT = datetime(2026, 3, 9, 12, tzinfo=UTC)
LAST_ACTIVITY_AT = datetime(2026, 4, 20, 9, tzinfo=UTC)
LAST_MILESTONE_ON = date(2026, 4, 30)
# Day 12 of 30, and five days later.
DISPUTED_AFTER, WITHDRAWN_AFTER = Fraction(2, 5), 5 * DAY
FEES_ON = (("USD", 500_00), ("USD", 33_33), ("JPY", 1_001), ("KWD", 10_005))
DESIGN, WEBSITE, LAUNCH = "Design", "Website", "Launch"


@dataclass(frozen=True)
class Moment:
    """One instant of an example, and what happens then."""

    at: datetime
    text: str
    tone: str


@dataclass(frozen=True)
class FeeExample:
    """What a release comes to in one currency."""

    currency: str
    amounts: Amounts


def fee_examples(policy: Policy) -> list[FeeExample]:
    """Releases of R14.3, divided as a release divides them."""
    return [
        FeeExample(currency, quote(_held(1, "", minor, currency), policy=policy))
        for currency, minor in FEES_ON
    ]


def unanswered_request(policy: Policy) -> list[Moment]:
    """R14.1: a request for 500.00 that nobody answers."""
    job = _job(policy, state=Job.State.ACTIVE)
    escrow = _held(1, DESIGN, 500_00)
    request = _request(escrow, policy=policy, at=REQUESTED_AT)
    table = timetables.of_job(job, [(escrow, request, None)])
    started = Moment(
        REQUESTED_AT, f"The Freelancer requests release of “{DESIGN}”, {_usd(500_00)}.", "info"
    )
    return [
        started,
        *_moments(table, policy, {1: DESIGN}, {What.OVERDUE, What.WARNING, What.RELEASE}),
    ]


def withdrawn_dispute(policy: Policy) -> list[Moment]:
    """R14.8: a Dispute about a request stops its clock, and is withdrawn before it is decided."""
    job = _job(policy, state=Job.State.ACTIVE)
    request = _request(_held(1, DESIGN, 500_00), policy=policy, at=REQUESTED_AT)
    opened_at = REQUESTED_AT + int(policy.release_days * DISPUTED_AFTER) * DAY
    answer_days = policy.dispute_answer_business_days
    answer_due_at = business_days_after(opened_at, answer_days, policy.holidays)
    withdrawn_at = max(opened_at + WITHDRAWN_AFTER, answer_due_at + DAY)
    request.clock_stopped_at = opened_at
    left = disputes.time_left(job, request)
    return [
        Moment(
            REQUESTED_AT, f"The Freelancer requests release of “{DESIGN}”, {_usd(500_00)}.", "info"
        ),
        Moment(opened_at, "The Client opens a Dispute. The clock of the request stops.", "warning"),
        Moment(answer_due_at, "Nobody has answered: the Dispute goes to support.", "warning"),
        Moment(withdrawn_at, f"The Client withdraws the Dispute: {_left(left)}.", "info"),
        Moment(withdrawn_at + left, f"Silence again: “{DESIGN}” is released.", "positive"),
    ]


def _left(left: timedelta) -> str:
    count = left // DAY
    return "1 day is left" if count == 1 else f"{count} days are left"


def dormant_job(policy: Policy) -> list[Moment]:
    """R14.6: two Milestones are held, one is requested while the Job is Dormant."""
    job = _job(policy, state=Job.State.ACTIVE)
    escrows = [_held(2, WEBSITE, 1_000_00), _held(3, LAUNCH, 200_00)]
    names = {escrow.number: escrow.title for escrow in escrows}
    table = timetables.of_job(job, [(escrow, None, None) for escrow in escrows])
    assert table.dormant_at is not None
    told_at = table.dormant_at + policy.dormant_freelancer_days * DAY
    before = _moments(table, policy, names, {What.DORMANT, What.FREELANCER_TOLD}, until=told_at)
    assert table.settlement_at is not None
    requested_at = told_at + (table.settlement_at - told_at) / 2

    job = _job(policy, state=Job.State.DORMANT, dormant_at=table.dormant_at, told_at=told_at)
    request = _request(escrows[1], policy=policy, at=requested_at)
    job.note_activity(requested_at, release_request=True)
    table = timetables.of_job(job, [(escrows[0], None, None), (escrows[1], request, None)])
    return [
        Moment(LAST_ACTIVITY_AT, "The last Activity. Two Milestones are held.", ""),
        Moment(end_of(LAST_MILESTONE_ON), "The last Milestone date ends.", ""),
        *before,
        Moment(requested_at, f"The Freelancer requests release of “{LAUNCH}”.", "info"),
        *_moments(table, policy, names, {What.RETURN, What.RELEASE, What.COMPLETION}),
    ]


# --- Rows that are never saved ---


def _job(
    policy: Policy,
    *,
    state: str,
    dormant_at: datetime | None = None,
    told_at: datetime | None = None,
) -> Job:
    job = Job(
        policy=policy, currency="USD", state=state, last_milestone_on=LAST_MILESTONE_ON,
        last_activity_at=LAST_ACTIVITY_AT, last_activity_besides_requests_at=LAST_ACTIVITY_AT,
        dormant_at=dormant_at, freelancer_told_dormant_at=told_at,
    )  # fmt: skip
    job.reckon_dormant_at()
    return job


def _held(number: int, title: str, amount_minor: int, currency: str = "USD") -> Escrow:
    return Escrow(
        job=Job(currency=currency), number=number, title=title, state=Escrow.State.FUNDED,
        amount_minor=amount_minor, funded_minor=amount_minor,
    )  # fmt: skip


def _request(escrow: Escrow, *, policy: Policy, at: datetime) -> ReleaseRequest:
    return release_requests.new_request(escrow, policy=policy, by=Person(), at=at, comments="")


# --- What happens, in words ---


def _moments(
    table: Timetable,
    policy: Policy,
    names: dict[int, str],
    shown: set[What],
    *,
    until: datetime | None = None,
) -> list[Moment]:
    """What falls due by the timers, each on its instant, as they run when the system is up."""
    return [
        _moment(event, policy, names)
        for event in timers.run(table, now=REQUESTED_AT, until=until)
        if event.what in shown
    ]


def _moment(event: Event, policy: Policy, names: dict[int, str]) -> Moment:
    name = names.get(event.number or 0, "")
    match event.what:
        case What.OVERDUE:
            text, tone = "The request is Overdue. Both are reminded.", "warning"
        case What.WARNING:
            left = "1 day" if event.days_left == 1 else f"{event.days_left} days"
            text, tone = f"The Client is warned: {left} left.", "warning"
        case What.RELEASE:
            text, tone = f"“{name}” is released. {_divided(event, policy)}", "positive"
        case What.DORMANT:
            text, tone = "The Job is Dormant. The Client is told.", "warning"
        case What.FREELANCER_TOLD:
            text, tone = "The Freelancer is told.", "warning"
        case What.RETURN:
            text = f"“{name}” was never requested. {_returned(event, policy)}"
            tone = "positive"
        case _:
            text, tone = "Nothing is left to do: the Job is completed.", "positive"
    return Moment(event.at, text, tone)


def _divided(event: Event, policy: Policy) -> str:
    amounts = quote(_held(event.number or 0, "", event.amount_minor), policy=policy)
    fees = amounts.gross_minor - amounts.net_minor
    return (
        f"Of {_usd(amounts.gross_minor)} the Freelancer gets {_usd(amounts.net_minor)}; "
        f"{_usd(fees)} are fees."
    )


def _returned(event: Event, policy: Policy) -> str:
    fee_minor = return_fee(_held(event.number or 0, "", event.amount_minor), policy=policy)
    back = f"{_usd(event.amount_minor - fee_minor)} goes back to the Client"
    return f"{back}; {_usd(fee_minor)} is the fee." if fee_minor else f"{back}, without a fee."


def _usd(amount_minor: int) -> str:
    return money.display(amount_minor, "USD")
