"""Cancellation of a Job by agreement (R8.3): asking, accepting, and what becomes of the money."""

import pytest

from billing.models import CancellationShare, ClosingStatement, Document, ProForma, Refund
from billing.services import cancellations, reconciling, releases
from billing.services.cancellations import UnfitCancellation
from escrow_site.lib import states
from escrow_site.lib.refusals import StalePage, WrongParty, WrongState
from jobs.models import Job, Person, Policy
from tests.billing.banking import escrow_states, history, refused, told
from tests.billing.cancelling import (
    ASKED,
    BOTH,
    DAY,
    LAPSES,
    accept,
    ask,
    assert_adds_up,
    frank,
    fresh,
    newest,
    sums,
)
from tests.billing.steps import NOON, request_release
from tests.scenarios import START, fund, running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00, funded by one payment; 200.00 more, not funded."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00])
    fund(job, 1, 2)
    return fresh(job)


@pytest.fixture
def empty_job(client_person: Person, freelancer: Person) -> Job:
    return fresh(running_job(client_person, freelancer))


# --- Asking ---


def test_a_request_divides_all_that_is_held_and_moves_nothing(job: Job) -> None:
    before = sums(job)
    cancellation = ask(job, {1: 500_00, 2: 333_33})

    assert (cancellation.state, cancellation.lapses_at) == ("requested", LAPSES)
    shares = CancellationShare.objects.order_by("escrow__number")
    assert list(shares.values_list("escrow__number", "held_minor", "to_freelancer_minor")) == [
        (1, 500_00, 500_00),
        (2, 1_000_00, 333_33),
    ]
    assert (fresh(job).state, sums(job)) == ("active", before)
    assert fresh(job).open_cancellation_until == LAPSES
    line = newest(job, "cancellation_requested")
    assert line.reason == "The shop closes."
    assert (line.facts["amount_minor"], line.facts["back_minor"]) == (1_500_00, 666_67)
    assert (line.facts["gross_minor"], line.facts["net_minor"]) == (833_33, 456_25 + 304_16)
    assert told(job, "cancellation_requested") == {"frank@example.com"}


def test_all_goes_back_to_the_client_unless_somebody_says_otherwise(job: Job) -> None:
    ask(job, by=frank(job))
    shares = CancellationShare.objects.order_by("escrow__number")
    assert list(shares.values_list("to_freelancer_minor", flat=True)) == [0, 0]
    assert told(job, "cancellation_requested") == {"clara@example.com"}


def test_a_request_is_activity_and_stops_no_clock(job: Job) -> None:
    request = request_release(job, 1)
    ask(job)
    asked = fresh(job)
    assert (asked.last_activity_at, asked.last_activity_besides_requests_at) == (ASKED, ASKED)
    request.refresh_from_db()
    assert (request.state, request.auto_release_at) == ("open", NOON + 30 * DAY)


def test_words_are_tidied_and_needed(job: Job) -> None:
    assert ask(job, reason="  No time.\n").reason == "No time."


@pytest.mark.parametrize(
    ("reason", "message"),
    [
        ("", "Say why the Job is to be cancelled: the other side reads it."),
        (" \n", "Say why the Job is to be cancelled: the other side reads it."),
        ("x" * 2001, "The reason can be 2,000 plain characters at most."),
        ("a\x00b", "The reason can be 2,000 plain characters at most."),
    ],
)
def test_a_reason_that_nobody_can_read_is_refused(job: Job, reason: str, message: str) -> None:
    with refused(UnfitCancellation, message):
        ask(job, reason=reason)


@pytest.mark.parametrize("wrong_minor", [-1, 500_01])
def test_nothing_outside_of_what_is_held_can_be_shared(job: Job, wrong_minor: int) -> None:
    message = (
        "Of “Milestone 1” between nothing and the $500.00 that are held can go to the Freelancer."
    )
    with refused(UnfitCancellation, message):
        ask(job, {1: wrong_minor, 2: 0})


@pytest.mark.parametrize("shares", [{1: 0}, {1: 0, 2: 0, 3: 0}, {}])
def test_the_shares_name_each_held_milestone(job: Job, shares: dict[int, int]) -> None:
    with refused(StalePage, cancellations.CHANGED_MEANWHILE):
        ask(job, shares)


def test_amounts_that_were_not_seen_are_not_divided(job: Job) -> None:
    with refused(StalePage, cancellations.CHANGED_MEANWHILE):
        ask(job, {1: 0, 2: 0}, seen_held_minor={1: 400_00, 2: 1_000_00})
    assert ask(job, {1: 0, 2: 0}, seen_held_minor={1: 500_00, 2: 1_000_00}).is_open


def test_strangers_and_support_cannot_cancel(job: Job, stranger: Person, agent: Person) -> None:
    for person in (stranger, agent):
        with refused(WrongParty, "Only the Client and the Freelancer can cancel a Job."):
            ask(job, by=person)


def test_a_locked_account_cannot_cancel(job: Job) -> None:
    Person.objects.filter(pk=job.client_id).update(is_active=False)
    with refused(WrongParty, "This account is locked."):
        ask(job, by=Person.objects.get(pk=job.client_id))


def test_one_request_is_open_at_a_time(job: Job) -> None:
    ask(job)
    message = "A request to cancel this Job is open already, until 15 Mar 2026, 12:00 UTC."
    for person in (job.client, job.freelancer):
        with refused(WrongState, message):
            ask(job, by=person, at=ASKED + DAY)


@pytest.mark.parametrize("verb", ["award", None])
def test_a_job_without_agreed_terms_is_not_cancelled(
    client_person: Person, freelancer: Person, verb: str | None
) -> None:
    job = Job.objects.create(
        title="Logo", currency="USD", client=client_person, freelancer=freelancer, drafted_at=START,
        policy=Policy.objects.current(), awarded_at=START,
    )  # fmt: skip
    if verb:
        states.move([job], verb, at=START)
    message = "The Terms of this Job are not agreed yet, so there is nothing to cancel."
    with refused(WrongState, message):
        ask(job)


def test_a_job_that_has_ended_is_not_cancelled(job: Job) -> None:
    accept(ask(job), by=frank(job))
    with refused(WrongState, "This Job is cancelled already."):
        ask(job, at=ASKED + 2 * DAY)


# --- Accepting: every split ---

SPLITS: list[tuple[dict[int, int] | None, list[tuple[int, int, int]], list[str]]] = [
    (None, [(0, 500_00, 0), (0, 1_000_00, 0)], ["refunded", "refunded"]),
    ({1: 500_00, 2: 0}, [(500_00, 0, 0), (0, 1_000_00, 0)], ["released", "refunded"]),
    ({1: 200_00, 2: 1_000_00}, [(200_00, 300_00, 0), (1_000_00, 0, 0)], ["released", "released"]),
    ({1: 1, 2: 999_99}, [(1, 499_99, 0), (999_99, 1, 0)], ["released", "released"]),
]


@pytest.mark.parametrize("by_client", [True, False])
@pytest.mark.parametrize(("shares", "expected", "ended"), SPLITS)
def test_acceptance_divides_the_money_at_once(
    job: Job,
    shares: dict[int, int] | None,
    expected: list[tuple[int, int, int]],
    ended: list[str],
    by_client: bool,
) -> None:
    asker, answerer = (job.client, job.freelancer) if by_client else (job.freelancer, job.client)
    assert asker is not None and answerer is not None
    cancellation = accept(ask(job, shares, by=asker), by=answerer)

    assert (cancellation.state, cancellation.answered_by, cancellation.ended_at) == (
        "accepted",
        answerer,
        ASKED + DAY,
    )
    assert sums(job) == [*expected, (0, 0, 0)]
    assert escrow_states(job) == [*ended, "removed"]
    over = fresh(job)
    assert (over.state, over.ended_at, over.dormant_at, over.next_due_at) == (
        "cancelled",
        ASKED + DAY,
        None,
        None,
    )
    assert over.open_cancellation_until is None
    assert_adds_up()


def test_the_papers_of_a_split(job: Job) -> None:
    """A final invoice from the pro-forma; a receipt where nothing was requested; void with nothing."""
    first = request_release(job, 1)
    accept(ask(job, {1: 200_00, 2: 400_00}), by=frank(job))

    first.refresh_from_db()
    assert (first.state, first.ended_at) == ("settled", ASKED + DAY)
    assert ProForma.objects.get().state == "invoiced"
    documents = Document.objects.order_by("number")
    assert list(documents.values_list("kind", "gross_minor", "service_fee_minor", "net_minor")) == [
        ("final_invoice", 200_00, 17_50, 182_50),
        ("receipt", 400_00, 35_00, 365_00),
    ]
    assert sorted(Refund.objects.values_list("amount_minor", "fee_minor")) == [
        (300_00, 0),
        (600_00, 0),
    ]


def test_a_request_of_which_nothing_is_left_is_void_on_paper(job: Job) -> None:
    request = request_release(job, 1)
    accept(ask(job), by=frank(job))
    request.refresh_from_db()
    assert (request.state, ProForma.objects.get().state) == ("settled", "void")
    assert Document.objects.count() == 0


def test_the_closing_statement_sums_to_zero(job: Job) -> None:
    releases.release_part(
        job.pk, number=2, amount_minor=100_00, by=job.client, at=NOON, seen_held_minor=1_000_00
    )
    accept(ask(job, {1: 33_33, 2: 0}), by=frank(job))

    statement = ClosingStatement.objects.get(job=job)
    totals = statement.totals["job"]
    assert (totals["funded_minor"], totals["released_minor"], totals["refunded_minor"]) == (
        1_500_00,
        133_33,
        1_366_67,
    )
    assert totals["service_fee_minor"] == 8_75 + 2_92
    whats = [(line["what"], line["number"], line["amount_minor"]) for line in statement.lines]
    assert whats == [
        ("funding", 1, 500_00),
        ("funding", 2, 1_000_00),
        ("release", 2, 100_00),
        ("release", 1, 33_33),
        ("refund", 1, 466_67),
        ("refund", 2, 900_00),
    ]
    assert_adds_up()


def test_both_are_told_once_with_everything(job: Job) -> None:
    accept(ask(job, {1: 200_00, 2: 0}), by=frank(job))
    assert history(job)[-6:] == [
        "cancellation_accepted",
        "released",
        "returned",
        "returned",
        "removed",
        "cancelled",
    ]
    assert told(job, "cancellation_accepted") == BOTH
    assert told(job, "released") == told(job, "cancelled") == set()
    facts = newest(job, "cancellation_accepted").facts
    statement = ClosingStatement.objects.get(job=job)
    assert (facts["statement"], facts["statement_id"]) == (statement.name, statement.pk)
    assert facts["shares"][0] == {
        "escrow": "Milestone 1",
        "number": 1,
        "amount_minor": 500_00,
        "back_minor": 300_00,
        "gross_minor": 200_00,
        "net_minor": 182_50,
    }
    assert newest(job, "cancelled").reason == (
        "Both sides agreed to cancel the Job: requested 10 Mar 2026 12:00 UTC, accepted 11 Mar 2026 "
        "12:00 UTC."
    )


def test_the_bank_sends_back_what_was_agreed(job: Job) -> None:
    accept(ask(job, {1: 0, 2: 1_000_00}), by=frank(job))
    reconciling.reconcile(at=LAPSES)
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.state) == (500_00, "succeeded")
    assert_adds_up()


def test_what_was_agreed_on_an_earlier_part_keeps_its_fee(job: Job) -> None:
    """33.33 in three parts of 11.11, the last by a split: 0.97, 0.97, 0.98 (R14.11)."""
    job = fresh(running_job(job.client, job.freelancer, amounts_minor=[33_33]))  # type: ignore[arg-type]
    fund(job, 1)
    for held in (33_33, 22_22):
        releases.release_part(
            job.pk, number=1, amount_minor=11_11, by=job.client, at=NOON, seen_held_minor=held
        )
    accept(ask(job, {1: 11_11}), by=frank(job))
    fees = Document.objects.filter(job=job).order_by("number")
    assert list(fees.values_list("service_fee_minor", flat=True)) == [97, 97, 98]


# --- At once ---


@pytest.mark.parametrize("by_client", [True, False])
def test_with_nothing_in_it_either_side_cancels_at_once(empty_job: Job, by_client: bool) -> None:
    by = empty_job.client if by_client else empty_job.freelancer
    cancellation = ask(empty_job, by=by)
    assert (cancellation.state, cancellation.answered_by) == ("accepted", None)
    assert (fresh(empty_job).state, fresh(empty_job).ended_at) == ("cancelled", ASKED)
    assert escrow_states(empty_job) == ["removed", "removed"]
    assert history(empty_job)[-3:] == ["removed", "removed", "cancelled"]
    line = newest(empty_job, "cancelled")
    assert (line.reason, told(empty_job, "cancelled")) == ("The shop closes.", BOTH)
    assert ClosingStatement.objects.get(job=empty_job).totals["job"]["funded_minor"] == 0


def test_an_hourly_job_is_cancelled_at_once(client_person: Person, freelancer: Person) -> None:
    job = Job.objects.create(
        title="Advice", currency="USD", kind="hourly", hourly_rate_minor=40_00, client=client_person,
        freelancer=freelancer, drafted_at=START, policy=Policy.objects.current(),
    )  # fmt: skip
    states.move([job], "award", at=START)
    states.move([job], "activate", at=START)
    assert ask(job, {}).state == "accepted"
    assert fresh(job).state == "cancelled"


def test_what_was_released_before_stays_released(job: Job) -> None:
    releases.release(job.pk, numbers=[1, 2], by=job.client, at=NOON)
    assert ask(job).state == "accepted"
    assert escrow_states(job) == ["released", "released", "removed"]
    totals = ClosingStatement.objects.get(job=job).totals["job"]
    assert (totals["funded_minor"], totals["released_minor"]) == (1_500_00, 1_500_00)
    assert_adds_up()
