"""What happens if nobody acts, as the worked examples of the rules say it (R14): instants and amounts.

The forecast is pure: the rows are made in memory as the services leave them.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import chain
from typing import Any

import pytest

from billing.forecast import Foreseen, forecast
from billing.models import Escrow, Payment, ReleaseRequest
from billing.selectors.escrow_rows import Row, rows_of
from billing.services import payments, release_requests
from billing.stopping import Action, Party, Stop
from billing.timetables import What
from escrow_site.lib import statements, states
from jobs.models import Job, Person, Policy
from tests.billing.steps import request_release
from tests.scenarios import START, fund, good_card, running_job

DAY = timedelta(hours=24)
Told = tuple[datetime, str, int | None, int]


def utc(month: int, day: int, hour: int = 0, minute: int = 0, *, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def job(**values: Any) -> Job:
    """An active Job of R14: the last Milestone is due on 30 April."""
    given = {
        "pk": 7, "currency": "USD", "policy": Policy(version=1), "state": "active",
        "client": Person(pk=1, name="Clara Client"), "freelancer": Person(pk=2, name="Frank"),
        "last_milestone_on": date(2026, 4, 30), "awarded_at": utc(3, 1),
    }  # fmt: skip
    made = Job(**(given | values))
    if made.state == "active" and made.dormant_at is None:
        made.reckon_dormant_at()
    return made


def milestone(
    number: int, amount_minor: int, state: str = "funded", *, requested_at: datetime | None = None
) -> Row:
    """One agreed Milestone; with ``requested_at`` its release was requested then."""
    was_funded = state in ("funded", "released", "refunded")
    escrow = Escrow(
        pk=number, number=number, position=number, title=f"M{number}", amount_minor=amount_minor,
        state=state, funded_minor=amount_minor if was_funded else 0,
        released_minor=amount_minor if state == "released" else 0,
        refunded_minor=amount_minor if state == "refunded" else 0,
    )  # fmt: skip
    if requested_at is None:
        return escrow, None, None
    request = ReleaseRequest(
        pk=100 + number, escrow=escrow, state="open", requested_at=requested_at,
        overdue_at=requested_at + 15 * DAY, auto_release_at=requested_at + 30 * DAY,
    )  # fmt: skip
    statements.attach(request, "disputes", [])
    return escrow, request, None


def told(job: Job, rows: list[Row], at: datetime) -> list[Told]:
    """Instant, what, number of the Milestone, amount."""
    return [
        (one.at, one.what.name, one.number, one.amount_minor) for one in forecast(job, rows, at=at)
    ]


M1, M2 = milestone(1, 500_00, "released"), milestone(2, 1_000_00)
FALLEN_DORMANT = {
    "state": "dormant", "dormant_at": utc(6, 30), "last_activity_at": utc(4, 20),
    "last_activity_besides_requests_at": utc(4, 20),
}  # fmt: skip
ON_9_MARCH = {"last_activity_at": utc(3, 9, 12), "last_activity_besides_requests_at": utc(3, 2)}
ASKED_10_JULY = {"last_activity_at": utc(7, 10, 8), "freelancer_told_dormant_at": utc(7, 7)}

SITUATIONS: dict[str, tuple[Job, list[Row], datetime, list[Told]]] = {
    "1 silence releases": (
        job(**ON_9_MARCH),
        [milestone(1, 500_00, requested_at=utc(3, 9, 12)), milestone(2, 1_000_00, "unfunded")],
        utc(3, 9, 12),
        [
            (utc(3, 24, 12), "OVERDUE", 1, 500_00),
            (utc(3, 29, 12), "WARNING", 1, 500_00),
            (utc(4, 3, 12), "WARNING", 1, 500_00),
            (utc(4, 6, 12), "WARNING", 1, 500_00),
            (utc(4, 7, 12), "WARNING", 1, 500_00),
            (utc(4, 8, 12), "RELEASE", 1, 500_00),
        ],
    ),
    "2 voided: the money is settled by dormancy only": (
        job(**ON_9_MARCH),
        [milestone(1, 500_00), milestone(2, 1_000_00, "unfunded")],
        utc(3, 20),
        [
            (utc(6, 30), "DORMANT", None, 500_00),
            (utc(7, 7), "FREELANCER_TOLD", None, 500_00),
            (utc(7, 14), "SETTLEMENT", None, 0),
            (utc(7, 14), "RETURN", 1, 500_00),
            (utc(7, 14), "REMOVAL", 2, 0),
            (utc(7, 14), "COMPLETION", None, 0),
        ],
    ),
    "2 requested again": (
        job(last_activity_at=utc(4, 1, 9)),
        [milestone(1, 500_00, requested_at=utc(4, 1, 9)), milestone(2, 1_000_00, "unfunded")],
        utc(4, 15, 9),
        [
            (utc(4, 16, 9), "OVERDUE", 1, 500_00),
            (utc(4, 21, 9), "WARNING", 1, 500_00),
            (utc(4, 26, 9), "WARNING", 1, 500_00),
            (utc(4, 29, 9), "WARNING", 1, 500_00),
            (utc(4, 30, 9), "WARNING", 1, 500_00),
            (utc(5, 1, 9), "RELEASE", 1, 500_00),
        ],
    ),
    "4 never requested": (
        job(last_activity_at=utc(4, 20)),
        [M1, M2],
        utc(4, 20),
        [
            (utc(6, 30), "DORMANT", None, 1_000_00),
            (utc(7, 7), "FREELANCER_TOLD", None, 1_000_00),
            (utc(7, 14), "SETTLEMENT", None, 0),
            (utc(7, 14), "RETURN", 2, 1_000_00),
            (utc(7, 14), "COMPLETION", None, 0),
        ],
    ),
    "5 requested while Dormant": (
        job(last_activity_at=utc(7, 10, 8), last_activity_besides_requests_at=utc(4, 20)),
        [M1, milestone(2, 1_000_00, requested_at=utc(7, 10, 8))],
        utc(7, 10, 8),
        [
            (utc(7, 25, 8), "OVERDUE", 2, 1_000_00),
            (utc(7, 30, 8), "WARNING", 2, 1_000_00),
            (utc(8, 4, 8), "WARNING", 2, 1_000_00),
            (utc(8, 7, 8), "WARNING", 2, 1_000_00),
            (utc(8, 8, 8), "WARNING", 2, 1_000_00),
            (utc(8, 9, 8), "RELEASE", 2, 1_000_00),
            (utc(8, 9, 8), "COMPLETION", None, 0),
        ],
    ),
    "6 one of two requested while Dormant": (
        job(**FALLEN_DORMANT | ASKED_10_JULY),
        [M1, M2, milestone(3, 200_00, requested_at=utc(7, 10, 8))],
        utc(7, 10, 8),
        [
            (utc(7, 14), "SETTLEMENT", None, 0),
            (utc(7, 14), "RETURN", 2, 1_000_00),
            (utc(7, 25, 8), "OVERDUE", 3, 200_00),
            (utc(7, 30, 8), "WARNING", 3, 200_00),
            (utc(8, 4, 8), "WARNING", 3, 200_00),
            (utc(8, 7, 8), "WARNING", 3, 200_00),
            (utc(8, 8, 8), "WARNING", 3, 200_00),
            (utc(8, 9, 8), "RELEASE", 3, 200_00),
            (utc(8, 9, 8), "COMPLETION", None, 0),
        ],
    ),
    "7 funded while Dormant": (
        job(
            **FALLEN_DORMANT
            | {"last_activity_at": utc(7, 3), "last_activity_besides_requests_at": utc(7, 3)}
        ),
        [M1, M2, milestone(3, 200_00)],
        utc(7, 3),
        [
            (utc(7, 10), "FREELANCER_TOLD", None, 1_200_00),
            (utc(7, 17), "SETTLEMENT", None, 0),
            (utc(7, 17), "RETURN", 2, 1_000_00),
            (utc(7, 17), "RETURN", 3, 200_00),
            (utc(7, 17), "COMPLETION", None, 0),
        ],
    ),
    "13 as 5, voided": (
        job(last_activity_at=utc(7, 10, 8), last_activity_besides_requests_at=utc(4, 20)),
        [M1, M2],
        utc(7, 20, 8),
        [
            (utc(9, 8, 8), "DORMANT", None, 1_000_00),
            (utc(9, 15, 8), "FREELANCER_TOLD", None, 1_000_00),
            (utc(9, 22, 8), "SETTLEMENT", None, 0),
            (utc(9, 22, 8), "RETURN", 2, 1_000_00),
            (utc(9, 22, 8), "COMPLETION", None, 0),
        ],
    ),
    "14 as 6, voided after the settlement: 60 days anew": (
        job(last_activity_at=utc(7, 20, 8), last_activity_besides_requests_at=utc(7, 20, 8)),
        [M1, milestone(2, 1_000_00, "refunded"), milestone(3, 200_00)],
        utc(7, 20, 8),
        [
            (utc(9, 18, 8), "DORMANT", None, 200_00),
            (utc(9, 25, 8), "FREELANCER_TOLD", None, 200_00),
            (utc(10, 2, 8), "SETTLEMENT", None, 0),
            (utc(10, 2, 8), "RETURN", 3, 200_00),
            (utc(10, 2, 8), "COMPLETION", None, 0),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
def test_the_worked_examples(situation: str) -> None:
    row, rows, at, expected = SITUATIONS[situation]
    assert told(row, rows, at) == expected


@pytest.mark.parametrize("situation", SITUATIONS)
def test_to_foretell_changes_nothing(situation: str) -> None:
    row, rows, at, _ = SITUATIONS[situation]
    before = columns(row, rows)
    first = forecast(row, rows, at=at)
    assert forecast(row, rows, at=at) == first
    assert columns(row, rows) == before


def columns(job: Job, rows: list[Row]) -> list[dict[str, Any]]:
    return [states.snapshot(one) for one in (job, *chain.from_iterable(rows)) if one is not None]


def only(foreseen: list[Foreseen], what: What) -> Foreseen:
    [one] = [one for one in foreseen if one.what is what]
    return one


def test_a_release_says_how_the_money_divides() -> None:
    row, rows, at, _ = SITUATIONS["1 silence releases"]
    released = only(forecast(row, rows, at=at), What.RELEASE)
    assert released.amounts is not None
    assert (released.to, released.titles) == (Party.FREELANCER, ("M1",))
    assert (released.amount_minor, released.amounts.net_minor) == (500_00, 456_25)
    assert released.amounts.service_fee_minor == 43_75
    assert released.stops == (
        Stop(by=Party.CLIENT, how=Action.RELEASE),
        Stop(by=Party.CLIENT, how=Action.REQUEST_CHANGES, times=2),
        Stop(by=Party.FREELANCER, how=Action.VOID),
        Stop(by=Party.FREELANCER, how=Action.REFUND),
        Stop(by=Party.BOTH, how=Action.OPEN_DISPUTE),
    )


def test_the_fee_on_what_is_left_after_a_part_was_released() -> None:
    """R14.11: the last third of 33.33 pays 0.98."""
    escrow, request, _ = milestone(1, 33_33, requested_at=utc(3, 9, 12))
    escrow.released_minor, escrow.service_fee_minor = 22_22, 1_94
    released = only(
        forecast(job(**ON_9_MARCH), [(escrow, request, None)], at=utc(3, 10)), What.RELEASE
    )
    assert released.amounts is not None
    assert (released.amount_minor, released.amounts.service_fee_minor) == (11_11, 98)
    assert released.amounts.net_minor == 10_13


def test_what_goes_back_pays_no_fee_unless_the_policy_says_so() -> None:
    row, rows, at, _ = SITUATIONS["4 never requested"]
    returned = only(forecast(row, rows, at=at), What.RETURN)
    assert returned.amounts is not None
    assert (returned.to, returned.amounts.net_minor) == (Party.CLIENT, 1_000_00)

    row = job(last_activity_at=utc(4, 20), policy=Policy(version=2, return_fee_basis_points=100))
    returned = only(forecast(row, rows, at=at), What.RETURN)
    assert returned.amounts is not None
    assert (returned.amount_minor, returned.amounts.net_minor) == (1_000_00, 990_00)


def test_what_is_due_and_not_carried_out_yet_happens_at_once() -> None:
    row, rows, _, expected = SITUATIONS["1 silence releases"]
    foreseen = forecast(row, rows, at=utc(4, 8, 12, 5))
    assert [(one.at, one.what.name) for one in foreseen] == [
        (at, what) for at, what, *_ in expected
    ]
    assert [one.at_once for one in foreseen] == [True] * 6
    assert [one.at_once for one in forecast(row, rows, at=utc(4, 8, 11, 59))] == [True] * 5 + [
        False
    ]


def test_a_notice_that_comes_late_leaves_the_freelancer_his_seven_days() -> None:
    row, rows, _, _ = SITUATIONS["4 never requested"]
    assert told(row, rows, utc(7, 12, 9))[:4] == [
        (utc(6, 30), "DORMANT", None, 1_000_00),
        (utc(7, 7), "FREELANCER_TOLD", None, 1_000_00),
        (utc(7, 19, 9), "SETTLEMENT", None, 0),
        (utc(7, 19, 9), "RETURN", 2, 1_000_00),
    ]


def test_a_pending_payment_is_reminded_of_and_lapses() -> None:
    started = utc(3, 2, 9)
    payment = Payment(
        pk=5, state="authenticating", amount_minor=1_500_00, started_at=started,
        lapses_at=started + 7 * DAY,
    )  # fmt: skip
    rows: list[Row] = [
        (milestone(n, m, "pending")[0], None, payment) for n, m in ((1, 500_00), (2, 1_000_00))
    ]
    foreseen = forecast(job(last_activity_at=started), rows, at=started)
    assert [(one.at, one.what, one.titles, one.amount_minor) for one in foreseen] == [
        (utc(3, 5, 9), What.AUTHENTICATION_REMINDER, ("M1", "M2"), 1_500_00),
        (utc(3, 8, 9), What.AUTHENTICATION_REMINDER, ("M1", "M2"), 1_500_00),
        (utc(3, 9, 9), What.PAYMENT_LAPSES, ("M1", "M2"), 1_500_00),
    ]


@pytest.mark.parametrize("state", ["completed", "cancelled", "declined", "withdrawn", "expired"])
def test_a_job_that_is_over_has_no_future(state: str) -> None:
    assert forecast(job(state=state, ended_at=utc(5, 1)), [M1, M2], at=utc(5, 2)) == []


def test_a_draft_has_no_future() -> None:
    assert forecast(job(state="draft", policy=None), [], at=utc(5, 2)) == []


def test_leap_days_are_days() -> None:
    """60 times 24 hours from 1 February 2028 pass 29 February."""
    row = job(last_milestone_on=None, last_activity_at=utc(2, 1, 12, year=2028))
    rows = [milestone(1, 500_00, requested_at=utc(2, 1, 12, year=2028)), M2]
    instants = {what: at for at, what, *_ in told(row, rows, utc(2, 1, 12, year=2028))}
    assert instants["RELEASE"] == utc(3, 2, 12, year=2028)
    assert instants["DORMANT"] == utc(4, 1, 12, year=2028)


# The rows


@pytest.mark.django_db
def test_the_rows_of_many_jobs_are_one_statement(
    client_person: Person, freelancer: Person, django_assert_num_queries: Any
) -> None:
    jobs = [running_job(client_person, freelancer) for _ in range(3)]
    for one in jobs[:2]:
        fund(one, 1, 2)
    request = request_release(jobs[0])
    voided = request_release(jobs[1])
    release_requests.void(voided.pk, by=freelancer, at=voided.requested_at + DAY)

    payments.start(
        jobs[2].pk, numbers=[1, 2], method=good_card(client_person), by=client_person, at=START
    )

    keys = [one.pk for one in jobs]
    with django_assert_num_queries(1):
        found = rows_of(keys)
        numbers = {
            key: [(escrow.number, escrow.held_minor, bool(request), bool(payment))
                  for escrow, request, payment in rows]
            for key, rows in found.items()
        }  # fmt: skip
    assert numbers == {
        keys[0]: [(1, 500_00, True, False), (2, 1_000_00, False, False)],
        keys[1]: [(1, 500_00, False, False), (2, 1_000_00, False, False)],
        keys[2]: [(1, 0, False, True), (2, 0, False, True)],
    }
    assert found[keys[0]][0][1] == request
    [(_, _, payment), (_, _, same)] = found[keys[2]]
    assert payment is same
    assert rows_of([10**9]) == {10**9: []}
