"""Two answers at the same moment: one counts, the other gets a message (R2.3)."""

import threading

import pytest
from django.db import connection

from billing.models import Escrow, FundingRequest
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity
from tests.workroom.agreements import START, awarded, terms_input
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
def test_acceptance_and_a_new_proposal_at_once_do_not_both_happen(client_person, freelancer):
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
        ["Changing the Terms of a running Job is not possible yet.", "agreed"],
        [
            "Terms 2 have taken the place of Terms 1 since you opened this page. Look at them "
            "before you answer.",
            "proposed",
        ],
    )


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
