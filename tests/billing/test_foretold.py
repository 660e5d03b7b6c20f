"""The forecast in words: what a page, a mail and a calendar say to each reader. No database."""

from datetime import timedelta

import pytest

from billing.forecast import forecast
from billing.models import Payment
from billing.selectors import foretold
from billing.selectors.escrow_rows import Row
from billing.selectors.foretold import Proposal
from billing.timetables import What
from jobs.models import Job, Policy
from tests.billing.test_forecast import ON_9_MARCH, SITUATIONS, job, milestone, utc

RELEASED = [milestone(number, 500_00, requested_at=utc(3, 9, 12)) for number in (1, 2)]


def moments(
    row: Job,
    rows: list[Row],
    *,
    role: str | None = "client",
    proposal: Proposal | None = None,
    together: bool = True,
) -> list[foretold.Moment]:
    foreseen = forecast(row, rows, at=utc(3, 9, 13))
    return foretold.moments(row, foreseen, role=role, proposal=proposal, together=together)


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("role", ["client", "freelancer", None])
def test_each_reader_is_told_the_same_in_his_own_words(situation: str, role: str | None) -> None:
    row, rows, at, expected = SITUATIONS[situation]
    found = foretold.moments(row, forecast(row, rows, at=at), role=role)
    assert [moment.at for moment in found] == sorted({
        instant for instant, what, *_ in expected if what not in ("OVERDUE", "WARNING")
    })  # fmt: skip
    reminded = [reminder.at for moment in found for reminder in moment.reminders]
    assert reminded == [at for at, what, *_ in expected if what in ("OVERDUE", "WARNING")]
    for moment in found:
        for text in (moment.title, *moment.lines, moment.then, *moment.stops):
            assert "None" not in text
            assert "you has" not in text
            assert ("you" in text.lower().split()) <= bool(role)
        assert moment.stops


def test_support_reads_both_names() -> None:
    [moment] = moments(job(**ON_9_MARCH), RELEASED[:1], role=None)
    assert moment.text == (
        "$500.00 goes to Frank, $456.25 net after fees of $43.75, because Clara Client has not "
        "answered."
    )
    assert moment.then == "Then the Job is complete, and both get the Closing Statement."
    assert moment.stops == (
        "Clara Client can release it, request changes (at most twice) or open a Dispute.",
        "Frank can void the request, refund the money or open a Dispute.",
        "After a void or a request for changes the money stays held, and a new request starts a new "
        "30 days.",
    )


def test_releases_at_one_instant_are_told_together() -> None:
    [moment] = moments(job(**ON_9_MARCH), RELEASED)
    assert (moment.title, moment.text) == ("2 Milestones are released", "You have not answered.")
    assert moment.lines == (
        "“M1”: $500.00 goes to Frank, $456.25 net after fees of $43.75.",
        "“M2”: $500.00 goes to Frank, $456.25 net after fees of $43.75.",
    )
    assert (
        moment.stops[0]
        == "You can release them, request changes (at most twice) or open a Dispute."
    )
    assert len(moment.reminders) == 5


def test_in_a_calendar_each_release_has_its_own_name() -> None:
    found = moments(job(**ON_9_MARCH), RELEASED, together=False)
    assert [(moment.key, moment.title) for moment in found] == [
        ("release-101", "“M1” is released"),
        ("release-102", "“M2” is released"),
    ]
    assert [moment.then for moment in found] == [
        "",
        "Then the Job is complete, and both of you get the Closing Statement.",
    ]


def test_other_numbers_of_the_policy_make_other_words() -> None:
    policy = Policy(
        version=2, dormant_days=1, dormant_freelancer_days=2, dormant_settlement_days=3,
        return_fee_basis_points=100, service_fee_basis_points=0,
    )  # fmt: skip
    row = job(policy=policy, last_activity_at=utc(3, 9), last_milestone_on=None)
    dormant, told, settled = moments(row, [milestone(1, 500_00)])
    assert [dormant.at, told.at, settled.at] == [utc(3, 10), utc(3, 12), utc(3, 13)]
    assert dormant.text.startswith("Nobody has done anything for 1 day by then")
    assert dormant.stops[-1] == "Each of these starts the 1 day anew."
    assert told.text == "The escrow account is settled 1 day later."
    assert settled.lines == ("“M1”: $500.00 goes back to you, $495.00 net after fees of $5.00.",)
    [released] = moments(job(**ON_9_MARCH, policy=policy), RELEASED[:1])
    assert released.text == ("$500.00 goes to Frank, without a fee, because you have not answered.")


def test_an_open_end_keeps_the_job() -> None:
    row = job(last_activity_at=utc(3, 9), open_ended=True)
    settled = moments(row, [milestone(1, 500_00)])[-1]
    assert settled.then == "Then nothing is held any more, and the Job is active again."


@pytest.mark.parametrize(
    ("proposed_by_id", "stops"),
    [
        (1, ("Frank can accept, decline or send changed Terms.", "You can withdraw them.")),
        (2, ("You can accept, decline or send changed Terms.", "Frank can withdraw them.")),
    ],
)
def test_a_change_of_the_terms_lapses(proposed_by_id: int, stops: tuple[str, ...]) -> None:
    row = job(open_proposal_until=utc(3, 16), last_activity_at=utc(3, 9))
    proposal = Proposal(version=3, proposed_by_id=proposed_by_id)
    [moment] = moments(row, [milestone(1, 500_00, "unfunded")], proposal=proposal)
    assert (moment.key, moment.at, moment.title) == (
        "proposal-lapses-3", utc(3, 16), "Terms 3 lapse",
    )  # fmt: skip
    assert (moment.text, moment.stops) == ("The Terms that are agreed stay in force.", stops)


def test_a_payment_for_several_milestones_is_one_entry() -> None:
    payment = Payment(
        pk=5, state="authenticating", amount_minor=1_000_00, started_at=utc(3, 9, 12),
        lapses_at=utc(3, 9, 12) + timedelta(days=7),
    )  # fmt: skip
    rows: list[Row] = [(milestone(n, 500_00, "pending")[0], None, payment) for n in (1, 2)]
    [moment] = moments(job(last_activity_at=utc(3, 9)), rows, role="freelancer")
    assert (moment.what, moment.key) == (What.PAYMENT_LAPSES, "payment-lapses-5")
    assert moment.title == "The pending payment for 2 Milestones lapses"
    assert moment.text == "$1,000.00 is not charged, and they are unfunded again."
    assert [reminder.text for reminder in moment.reminders] == [
        "Clara Client is reminded: 4 days left.",
        "Clara Client is reminded: 1 day left.",
    ]


def test_what_was_just_said_is_not_said_again() -> None:
    later = milestone(2, 500_00, requested_at=utc(3, 9, 12, 30))
    first, second = foretold.without_repetition(moments(job(**ON_9_MARCH), [RELEASED[0], later]))
    assert first.stops[0].startswith("You can release it, ")
    assert second.stops == ("The same can be done.",)


def test_what_stops_the_settlement_stands_at_the_settlement() -> None:
    row, rows, at, _ = SITUATIONS["4 never requested"]
    found = foretold.moments(row, forecast(row, rows, at=at), role="client")
    dormant, told, settled = foretold.without_repetition(found)
    assert (dormant.stops, told.stops, settled.stops) == (found[0].stops, (), found[2].stops)
    assert found[1].stops == found[2].stops
