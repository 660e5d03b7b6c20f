"""Two answers at the same moment: one counts, the other gets a message (R2.3)."""

import threading
from dataclasses import replace

import pytest
from django.db import connection

from billing.models import Escrow, FundingRequest, Payment, Refund
from billing.services import payments, releases
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity
from tests.scenarios import fund, good_card
from tests.workroom.agreements import START, agreed, awarded, terms_input
from tests.workroom.changing import FIRST, SECOND, assert_adds_up, escrow, propose, versions
from workroom.services import terms


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_acceptances_at_once_are_one(client_person, freelancer):
    job = awarded(client_person, freelancer.email)

    outcomes = at_once(
        lambda: terms.accept(job, by=freelancer, version=1, at=START).state,
        lambda: terms.accept(job, by=freelancer, version=1, at=START).state,
    )

    assert sorted(outcomes) == ["Terms 1 are agreed already: there is nothing to answer.", "agreed"]
    assert (Escrow.objects.count(), FundingRequest.objects.count()) == (2, 1)
    assert Activity.objects.filter(kind="terms_accepted").count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_acceptance_and_a_new_proposal_at_once(client_person, freelancer):
    """The Terms that were seen are agreed, then changed; or replaced before they could be."""
    job = awarded(client_person, freelancer.email)

    outcomes = at_once(
        lambda: terms.accept(job, by=freelancer, version=1, at=START).state,
        lambda: (
            terms.propose(
                job, by=client_person, terms=terms_input(scope="Changed"), answering=1, at=START
            ).state
        ),
    )

    assert sorted(outcomes) in (
        ["agreed", "proposed"],
        [
            "Terms 2 have taken the place of Terms 1 since you opened this page. Look at them "
            "before you answer.",
            "proposed",
        ],
    )


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_acceptances_of_a_change_at_once_send_back_once(client_person, freelancer):
    job = agreed(client_person, freelancer)
    fund(job, 1, 2)
    propose(job, freelancer, replace(FIRST, amount_minor=400_00))

    def accept():
        return terms.accept(job, by=client_person, version=2, at=START).state

    outcomes = at_once(accept, accept)

    assert sorted(outcomes) == ["Terms 2 are agreed already: there is nothing to answer.", "agreed"]
    refunds = Refund.objects.order_by("escrow__number").values_list("amount_minor", flat=True)
    assert list(refunds) == [100_00, 1_000_00]
    assert Activity.objects.filter(kind="terms_changed").count() == 1
    assert_adds_up()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_acceptance_and_withdrawal_of_a_change_at_once(client_person, freelancer):
    job = agreed(client_person, freelancer)
    fund(job, 1)
    propose(job, freelancer, replace(FIRST, amount_minor=400_00), SECOND)

    outcomes = at_once(
        lambda: terms.accept(job, by=client_person, version=2, at=START).state,
        lambda: terms.withdraw(job, by=freelancer, version=2, at=START).state,
    )

    assert sorted(outcomes) in (
        ["Terms 2 are agreed already: there is nothing to answer.", "agreed"],
        ["Terms 2 are withdrawn already: there is nothing to answer.", "withdrawn"],
    )
    held_minor = {"agreed": 400_00, "withdrawn": 500_00}[max(outcomes)]
    assert escrow(job).held_minor == held_minor
    assert_adds_up()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_acceptance_and_release_at_once(client_person, freelancer):
    """Whoever is second sees what the first has left: no money moves twice."""
    job = agreed(client_person, freelancer)
    fund(job, 1)
    propose(job, client_person, replace(FIRST, amount_minor=400_00), SECOND)

    outcomes = at_once(
        lambda: terms.accept(job, by=freelancer, version=2, at=START).state,
        lambda: str(len(releases.release(job.pk, numbers=[1], by=client_person, at=START))),
    )

    row = escrow(job)
    assert (row.state, row.held_minor) == ("released", 0)
    if "agreed" in outcomes:
        assert (row.released_minor, row.refunded_minor) == (400_00, 100_00)
    else:
        assert (row.released_minor, row.refunded_minor) == (500_00, 0)
        assert versions(job) == ["agreed", "superseded"]
    assert_adds_up()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_acceptance_and_a_payment_at_once(client_person, freelancer):
    """Nobody pays another price than the agreed one, nor than the one that he saw."""
    job = agreed(client_person, freelancer)
    method = good_card(client_person)
    propose(job, freelancer, replace(FIRST, amount_minor=400_00), SECOND)

    outcomes = at_once(
        lambda: terms.accept(job, by=client_person, version=2, at=START).state,
        lambda: (
            payments.start(
                job.pk, numbers=[1], method=method, by=client_person, at=START, seen_minor=500_00
            ).state
        ),
    )

    if "agreed" in outcomes:
        assert (versions(job), escrow(job).amount_minor) == (["superseded", "agreed"], 400_00)
        assert Payment.objects.count() == 0
    else:
        assert (versions(job), escrow(job).amount_minor) == (["agreed", "superseded"], 500_00)
        assert "started" in outcomes
        payments.carry_out(Payment.objects.get(), at=START)
        assert escrow(job).held_minor == 500_00
    assert_adds_up()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_changes_proposed_at_once_are_not_both_sent(client_person, freelancer):
    job = agreed(client_person, freelancer)

    outcomes = at_once(
        lambda: propose(job, client_person, FIRST).state,
        lambda: propose(job, freelancer, SECOND).state,
    )

    assert sorted(outcomes) == [
        "Terms 2 have come since you opened this page. Look at them first.", "proposed",
    ]  # fmt: skip
    assert versions(job) == ["agreed", "proposed"]


def at_once(*actions):
    """What each action, begun at the same moment in a thread of its own, came to."""
    outcomes = []
    start = threading.Barrier(len(actions))

    def run(action):
        try:
            start.wait(timeout=10)
            outcomes.append(action())
        except Refusal as refusal:
            outcomes.append(refusal.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    return outcomes
