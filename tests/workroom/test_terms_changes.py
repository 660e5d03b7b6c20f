"""Terms of a running Job change, and its money with them (R2.2, R2.3, R14.9, R14.15)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.models import Account, Escrow, FundingRequest, Refund
from billing.services import (
    funding,
    payments,
    reconciling,
    refunding,
    release_requests,
    releases,
)
from escrow_site.lib.refusals import WrongState
from jobs.models import Activity, Job, Notification
from tests.billing.banking import add_card, history, told, transfers
from tests.billing.banking import refused as nothing_but_a_message
from tests.billing.steps import request_release
from tests.scenarios import fund
from tests.workroom.agreements import START, agreed, hourly_draft
from tests.workroom.changing import (
    FIRST,
    SECOND,
    assert_adds_up,
    change,
    escrow,
    fresh,
    propose,
    standing,
    versions,
)
from workroom.models import Milestone, Terms
from workroom.proposals import MilestoneInput
from workroom.services import awards, terms
from workroom.services.versions import UnfitProposal

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CHEAPER = replace(FIRST, amount_minor=400_00)
SPARE = MilestoneInput(title="Spare", amount_minor=250_00, due_on=date(2026, 4, 15))


@pytest.fixture
def job(client_person, freelancer) -> Job:
    return agreed(client_person, freelancer)


# --- The worked examples ---


def test_a_funded_milestone_made_cheaper_gives_the_difference_back(job, client_person, freelancer):
    """R14.9: 500.00 funded, 400.00 accepted: 100.00 back at once, funded with 400.00."""
    fund(job, 1)
    at = START + DAY

    change(job, CHEAPER, SECOND, at=at)

    assert standing(job) == [
        (1, "Design", 400_00, "funded", 400_00),
        (2, "Build", 1_000_00, "unfunded", 0),
    ]
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.fee_minor, refund.state) == (100_00, 0, "started")
    assert (refund.started_at, refund.reason) == (at, "Agreed in Terms 2.")
    assert refund.refunded_by == client_person
    assert transfers()[1:] == [("refund", f"refund:{refund.pk}:back", 100_00)]
    assert history(job)[-3:] == ["terms_proposed", "terms_changed", "returned"]
    assert told(job, "terms_changed") == {"clara@example.com", "frank@example.com"}
    assert Activity.objects.get(kind="terms_changed").facts == {
        "version": 2, "total_minor": 1_400_00, "refund_minor": 100_00, "escrow": "Design",
        "changes": [{"escrow": "Design", "before_minor": 500_00, "amount_minor": 400_00}],
    }  # fmt: skip
    assert_adds_up()


def test_the_provider_follows(job):
    """R8.1: the ledger moves with the acceptance, the money at the provider after it."""
    fund(job, 1)
    change(job, CHEAPER, SECOND)
    assert Account.objects.get(kind="refunding").balance_minor == 100_00

    reconciling.reconcile(at=START + DAY)

    assert Refund.objects.get().state == "succeeded"
    assert Account.objects.get(kind="refunding").balance_minor == 0
    assert_adds_up()


def test_a_source_that_takes_nothing_back_leaves_it_on_the_balance(job, client_person):
    card = add_card(client_person, "closed")
    payments.fund(job.pk, numbers=[1], method=card, by=client_person, at=START)
    change(job, CHEAPER, SECOND)

    reconciling.reconcile(at=START + DAY)

    assert Refund.objects.get().state == "failed"
    account = Account.objects.get(kind="available", person=client_person)
    assert account.balance_minor == 100_00
    assert_adds_up()


def test_a_milestone_that_is_released_in_part(job, client_person, freelancer):
    """R14.15: 500.00, 300.00 released, a request open for 200.00."""
    fund(job, 1)
    releases.release_part(
        job.pk, number=1, amount_minor=300_00, by=client_person, at=START, seen_held_minor=500_00
    )
    request = request_release(job, at=START)
    with nothing_but_a_message(
        WrongState,
        "A Release Request for “Design” is open: it stays as it is until that has ended.",
    ):
        propose(job, freelancer, CHEAPER, SECOND)

    release_requests.void(request.pk, by=freelancer, at=START)
    change(job, CHEAPER, SECOND)

    row = escrow(job)
    assert (row.amount_minor, row.state, row.held_minor) == (400_00, "funded", 100_00)
    assert (row.released_minor, row.refunded_minor) == (300_00, 100_00)
    with nothing_but_a_message(
        WrongState, "$300.00 of “Design” is released, so its price cannot be lower than that."
    ):
        propose(job, freelancer, replace(FIRST, amount_minor=250_00), SECOND, answering=2)
    assert_adds_up()


# --- What else may change ---


def test_a_price_down_to_what_was_released_ends_the_milestone(job, client_person):
    """R3.2: with nothing left held it ends released."""
    fund(job, 1)
    releases.release_part(
        job.pk, number=1, amount_minor=300_00, by=client_person, at=START, seen_held_minor=500_00
    )
    change(job, replace(FIRST, amount_minor=300_00), SECOND)
    assert standing(job)[0] == (1, "Design", 300_00, "released", 0)
    assert Refund.objects.get().amount_minor == 200_00
    assert_adds_up()


def test_what_went_back_already_counts(job, freelancer):
    """500.00 funded, 150.00 refunded: the 350.00 held cover a price of 400.00, so nothing moves."""
    fund(job, 1)
    refunding.refund_held(
        job.pk, number=1, amount_minor=150_00, by=freelancer, at=START, reason="", seen_held_minor=500_00
    )  # fmt: skip
    change(job, CHEAPER, SECOND)
    assert standing(job)[0] == (1, "Design", 400_00, "funded", 350_00)
    change(job, replace(FIRST, amount_minor=300_00), SECOND)
    assert standing(job)[0] == (1, "Design", 300_00, "funded", 300_00)
    assert [one.amount_minor for one in Refund.objects.order_by("pk")] == [150_00, 50_00]
    assert_adds_up()


def test_renaming_dating_and_the_order(job):
    fund(job, 1)
    renamed = replace(FIRST, title="Sketches", due_on=date(2026, 4, 5), description="Three of them")
    change(job, SECOND, renamed)

    rows = [(row.number, row.position, row.title, row.due_on) for row in escrows_of(job)]
    assert rows == [(2, 1, "Build", date(2026, 4, 30)), (1, 2, "Sketches", date(2026, 4, 5))]
    assert escrow(job).held_minor == 500_00
    assert Refund.objects.count() == 0
    assert Activity.objects.get(kind="terms_changed").facts == {
        "version": 2, "total_minor": 1_500_00,
    }  # fmt: skip


def escrows_of(job):
    return Escrow.objects.of(job)


def test_a_milestone_is_added_and_can_be_funded(job, client_person):
    change(job, FIRST, SPARE, SECOND)

    assert standing(job) == [
        (1, "Design", 500_00, "unfunded", 0),
        (3, "Spare", 250_00, "unfunded", 0),
        (2, "Build", 1_000_00, "unfunded", 0),
    ]
    # Only the first Terms ask for money by themselves (R3.1).
    assert list(FundingRequest.objects.values_list("escrow__number", flat=True)) == [1]
    linked = Milestone.objects.filter(terms__version=2).order_by("position")
    assert [one.escrow.number for one in linked if one.escrow] == [1, 3, 2]
    fund(job, 3)
    assert escrow(job, 3).held_minor == 250_00
    assert_adds_up()


def test_an_unfunded_milestone_costs_more(job):
    change(job, replace(FIRST, amount_minor=600_00), SECOND)
    fund(job, 1)
    assert standing(job)[0] == (1, "Design", 600_00, "funded", 600_00)
    assert_adds_up()


def test_removing_an_unfunded_milestone_closes_its_funding_request(job, freelancer):
    funding.request_funding(job.pk, number=2, by=freelancer, at=START)
    at = START + DAY
    change(job, FIRST, at=at)

    assert standing(job) == [
        (1, "Design", 500_00, "unfunded", 0),
        (2, "Build", 1_000_00, "removed", 0),
    ]
    closed = FundingRequest.objects.order_by("escrow__number").values_list("closed_at", flat=True)
    assert list(closed) == [None, at]
    line = Activity.objects.get(kind="removed")
    assert (line.actor, line.reason) == (fresh(job).client, "Agreed in Terms 2.")
    assert line.facts == {"escrow": "Build", "number": 2}


def test_removing_a_funded_milestone_sends_all_of_it_back(job):
    fund(job, 1, 2)
    change(job, SECOND)

    assert standing(job) == [
        (2, "Build", 1_000_00, "funded", 1_000_00),
        (1, "Design", 500_00, "refunded", 0),
    ]
    assert Refund.objects.get().amount_minor == 500_00
    assert_adds_up()


def test_what_was_removed_does_not_come_back(job, freelancer):
    fund(job, 1, 2)
    change(job, SECOND)
    with nothing_but_a_message(
        UnfitProposal, "A Milestone that was removed cannot come back: add a new one."
    ):
        propose(job, freelancer, FIRST, SECOND, answering=2)
    # Nor is it in the way of the next change.
    change(job, SECOND, SPARE)
    assert [row[:1] + row[3:] for row in standing(job)] == [
        (2, "funded", 1_000_00), (3, "unfunded", 0), (1, "refunded", 0),
    ]  # fmt: skip


def test_several_refunds_at_once_in_one_transaction(job):
    """One payment for both, made cheaper and removed by one change, beside an added Milestone."""
    fund(job, 1, 2)
    change(job, replace(SECOND, amount_minor=600_00), SPARE)

    assert standing(job) == [
        (2, "Build", 600_00, "funded", 600_00),
        (3, "Spare", 250_00, "unfunded", 0),
        (1, "Design", 500_00, "refunded", 0),
    ]
    made = Refund.objects.order_by("pk").values_list("escrow__number", "amount_minor")
    assert list(made) == [(2, 400_00), (1, 500_00)]
    assert Account.objects.get(kind="refunding").balance_minor == 900_00
    assert Activity.objects.get(kind="terms_changed").facts["refund_minor"] == 900_00
    assert history(job).count("returned") == 2
    reconciling.reconcile(at=START)
    assert Account.objects.get(kind="refunding").balance_minor == 0
    assert_adds_up()


def test_the_scope_of_an_hourly_job(client_person, freelancer):
    job = awards.award(
        hourly_draft(client_person), by=client_person, email=freelancer.email, at=START
    )
    terms.accept(job, by=freelancer, version=1, at=START)
    change(job, scope="Hours on Fridays only")
    assert versions(job) == ["superseded", "agreed"]
    assert Job.objects.get(pk=job.pk).state == "active"


# --- The clocks (R10.1, R10.2) ---


def test_dates_and_the_open_end_are_pushed_down(job):
    at = START + DAY
    change(job, FIRST, replace(SECOND, due_on=date(2026, 6, 30)), at=at, ends_on=None)
    row = Job.objects.get(pk=job.pk)
    assert (row.last_milestone_on, row.open_ended) == (date(2026, 6, 30), True)
    assert row.last_activity_at == at
    assert row.dormant_at == START.replace(month=7, day=1, hour=0) + 60 * DAY


def test_earlier_dates_bring_the_dormant_date_forward(job):
    change(job, replace(FIRST, due_on=date(2026, 3, 3)), ends_on=date(2026, 3, 3))
    row = Job.objects.get(pk=job.pk)
    assert row.dormant_at == START.replace(month=3, day=4, hour=0) + 60 * DAY
    assert row.next_due_at is not None and row.next_due_at <= row.dormant_at


def test_a_decline_is_no_activity(job, client_person, freelancer):
    """R10.2: the request for a change counts, its decline and withdrawal do not."""
    propose(job, freelancer, CHEAPER, SECOND, at=START + DAY)
    terms.decline(job, by=client_person, version=2, at=START + 2 * DAY)
    assert Job.objects.get(pk=job.pk).last_activity_at == START + DAY


def test_both_are_told_by_mail_and_history(job, freelancer):
    fund(job, 1)
    change(job, CHEAPER, SECOND)
    told_of = Notification.objects.filter(
        activity__kind="terms_proposed", activity__facts__version=2
    )
    assert list(told_of.values_list("person__name", flat=True)) == ["Clara Client"]
    assert Terms.objects.get(job=job, version=2).answered_at == START
