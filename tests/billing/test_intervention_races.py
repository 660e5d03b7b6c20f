"""Two hands on one proposal in the same instant: one wins, the other is told, the ledger is clean."""

from collections.abc import Callable, Iterator

import pytest

from billing.models import Intervention, Release
from billing.services import interventions, release_requests, releases
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from tests.billing.banking import at_once
from tests.billing.dispute_steps import differences, figures, funded_job
from tests.billing.intervening import DAY, NOON, agent_in, propose
from tests.billing.steps import request_release

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

LATER = NOON + 2 * DAY
TIMES = range(3)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture(autouse=True)
def ledger_adds_up(request: pytest.FixtureRequest) -> Iterator[None]:
    request.getfixturevalue("transactional_db")
    yield
    assert differences(LATER) == []


def one_wins(*actions: Callable[[], object]) -> int:
    outcomes = at_once(*actions)
    winners = [
        place for place, outcome in enumerate(outcomes) if not isinstance(outcome, Exception)
    ]
    losers = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(loser, Refusal) and loser.message for loser in losers), outcomes
    assert len(winners) == 1, outcomes
    return winners[0]


@pytest.mark.parametrize("turn", TIMES)
def test_two_agents_confirm_at_once(job: Job, client_person: Person, turn: int) -> None:
    made = propose(
        job, "release", agent_in("Agent", "Alma"), asked_by=client_person, amount_minor=200_00
    )
    bela, cleo = agent_in("Senior agent", "Bela"), agent_in("Senior agent", "Cleo")
    winner = one_wins(
        lambda: interventions.confirm(made.pk, by=bela, at=LATER),
        lambda: interventions.confirm(made.pk, by=cleo, at=LATER),
    )
    made.refresh_from_db()
    assert (made.state, made.checked_by) == ("confirmed", (bela, cleo)[winner])
    assert (Release.objects.count(), figures(job)) == (1, ("funded", 200_00, 0, 300_00))


@pytest.mark.parametrize("turn", TIMES)
def test_confirmed_in_the_instant_the_client_does_it_himself(
    job: Job, client_person: Person, turn: int
) -> None:
    made = propose(
        job, "release", agent_in("Agent", "Alma"), asked_by=client_person, amount_minor=500_00
    )
    bela = agent_in("Senior agent", "Bela")
    winner = one_wins(
        lambda: interventions.confirm(made.pk, by=bela, at=LATER),
        lambda: releases.release(job.pk, numbers=[1], by=client_person, at=LATER),
    )
    made.refresh_from_db()
    assert made.state == ("confirmed", "overtaken")[winner]
    assert (Release.objects.count(), figures(job)) == (1, ("released", 500_00, 0, 0))


@pytest.mark.parametrize("turn", TIMES)
def test_confirmed_in_the_instant_the_freelancer_voids(
    job: Job, freelancer: Person, turn: int
) -> None:
    request = request_release(job)
    made = propose(job, "void", agent_in("Agent", "Alma"), asked_by=freelancer)
    bela = agent_in("Senior agent", "Bela")
    winner = one_wins(
        lambda: interventions.confirm(made.pk, by=bela, at=LATER),
        lambda: release_requests.void(request.pk, by=freelancer, at=LATER),
    )
    made.refresh_from_db()
    request.refresh_from_db()
    assert (made.state, request.state) == (("confirmed", "overtaken")[winner], "voided")


@pytest.mark.parametrize("turn", TIMES)
def test_two_agents_propose_at_once(job: Job, client_person: Person, turn: int) -> None:
    alma, bela = agent_in("Agent", "Alma"), agent_in("Senior agent", "Bela")
    one_wins(
        lambda: propose(job, "release", alma, asked_by=client_person, amount_minor=1_00),
        lambda: propose(job, "release", bela, asked_by=client_person, amount_minor=2_00),
    )
    assert Intervention.objects.count() == 1
