"""Several hands on one Dispute in the same instant: one wins, the other is told, the ledger is clean."""

from collections.abc import Callable, Iterator

import pytest

from billing.models import Decision, Dispute, Document, Escrow, Offer, Refund, Release
from billing.services import disputes, mediation, offers, refunding, releases, sealed, sweeping
from billing.services.sweeping import Swept
from billing.timetables import What
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Person
from tests.billing.banking import at_once
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    agent_named,
    differences,
    figures,
    funded_job,
    open_dispute,
    pdf,
)
from tests.billing.steps import request_release

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

AT = NOON + HOUR
TIMES = range(4)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture(autouse=True)
def ledger_adds_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever was raced for, the ledger adds up afterwards, and time goes on from there."""
    request.getfixturevalue("transactional_db")
    yield
    assert sweeping.sweep(at=NOON + 40 * DAY).set_aside == []
    assert differences(NOON + 40 * DAY) == []


def one_wins(*actions: Callable[[], object]) -> int:
    """The place of the one that was done; every other was refused in plain words."""
    outcomes = at_once(*actions)
    winners = [
        place for place, outcome in enumerate(outcomes) if not isinstance(outcome, Exception)
    ]
    losers = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
    assert all(isinstance(loser, Refusal) and loser.message for loser in losers), outcomes
    assert len(winners) == 1, outcomes
    return winners[0]


@pytest.mark.parametrize("turn", TIMES)
def test_accepted_in_the_instant_it_is_withdrawn(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    dispute = open_dispute(job, client_person)
    made = offers.make(dispute.pk, to_freelancer_minor=100_00, by=client_person, at=NOON)
    winner = one_wins(
        lambda: offers.accept(made.pk, by=freelancer, at=AT),
        lambda: offers.withdraw(made.pk, by=client_person, at=AT),
    )
    made.refresh_from_db()
    if winner == 0:
        assert (made.state, figures(job)) == ("accepted", ("released", 100_00, 400_00, 0))
    else:
        assert (made.state, figures(job)) == ("withdrawn", ("funded", 0, 0, 500_00))


@pytest.mark.parametrize("turn", TIMES)
def test_accepted_in_the_instant_it_is_replaced(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    dispute = open_dispute(job, client_person)
    made = offers.make(dispute.pk, to_freelancer_minor=100_00, by=client_person, at=NOON)
    winner = one_wins(
        lambda: offers.accept(made.pk, by=freelancer, at=AT),
        lambda: offers.make(dispute.pk, to_freelancer_minor=50_00, by=client_person, at=AT),
    )
    made.refresh_from_db()
    if winner == 0:
        assert (made.state, figures(job)) == ("accepted", ("released", 100_00, 400_00, 0))
        assert Offer.objects.count() == 1
    else:
        assert (made.state, figures(job)) == ("replaced", ("funded", 0, 0, 500_00))


@pytest.mark.parametrize("turn", TIMES)
def test_both_accept_each_others_offer(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    dispute = open_dispute(job, client_person)
    his = offers.make(dispute.pk, to_freelancer_minor=100_00, by=client_person, at=NOON)
    hers = offers.make(dispute.pk, to_freelancer_minor=400_00, by=freelancer, at=NOON)
    winner = one_wins(
        lambda: offers.accept(his.pk, by=freelancer, at=AT),
        lambda: offers.accept(hers.pk, by=client_person, at=AT),
    )
    share = (100_00, 400_00)[winner]
    assert figures(job) == ("released", share, 500_00 - share, 0)
    assert (Release.objects.count(), Refund.objects.count()) == (1, 1)


@pytest.mark.parametrize("turn", TIMES)
def test_released_in_the_instant_of_the_dispute(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    """Whichever comes first: the Client's full release stands, and no Dispute is left open."""
    request_release(job)
    released, opened = at_once(
        lambda: releases.release(job.pk, numbers=[1], by=client_person, at=AT),
        lambda: open_dispute(job, freelancer, at=AT, asked_minor=1),
    )
    assert isinstance(released, list)
    assert figures(job) == ("released", 500_00, 0, 0)
    if isinstance(opened, Dispute):
        opened.refresh_from_db()
        assert opened.state == "settled"
        assert Activity.objects.filter(kind="dispute_ended").count() == 1
    else:
        assert isinstance(opened, Refusal)
        assert opened.message == "“Milestone 1” is released already: nothing is held."
    assert Document.objects.count() == 1
    assert Escrow.objects.filter(disputed_at__isnull=False).count() == 0


@pytest.mark.parametrize("turn", TIMES)
def test_refunded_in_the_instant_an_offer_is_accepted(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    dispute = open_dispute(job, client_person)
    made = offers.make(dispute.pk, to_freelancer_minor=400_00, by=freelancer, at=NOON)
    winner = one_wins(
        lambda: offers.accept(made.pk, by=client_person, at=AT),
        lambda: refunding.refund_held(
            job.pk, number=1, amount_minor=500_00, by=freelancer, at=AT, reason="",
            seen_held_minor=500_00,
        ),
    )  # fmt: skip
    assert figures(job) == (
        ("released", 400_00, 100_00, 0) if winner == 0 else ("refunded", 0, 500_00, 0)
    )


@pytest.mark.parametrize("turn", TIMES)
def test_the_sweep_in_the_instant_of_the_dispute(
    job: Job, client_person: Person, turn: int
) -> None:
    """At the due instant the money is released, by whoever comes first; the Dispute comes too late."""
    request = request_release(job)
    due_at = request.auto_release_at
    swept, opened = at_once(
        lambda: sweeping.sweep(at=due_at),
        lambda: open_dispute(job, client_person, at=due_at, asked_minor=1),
    )
    assert isinstance(opened, Refusal)
    assert opened.message == "“Milestone 1” is released already: nothing is held."
    assert isinstance(swept, Swept)
    sweeping.sweep(at=due_at)
    assert figures(job) == ("released", 500_00, 0, 0)
    assert Activity.objects.get(kind="released").happened_at == due_at
    assert Dispute.objects.count() == 0


@pytest.mark.parametrize("turn", TIMES)
def test_a_late_sweep_in_the_instant_of_the_dispute_a_second_before(
    job: Job, client_person: Person, turn: int
) -> None:
    """Opened before the due instant, the Dispute stops the clock whenever the sweep comes after it; a
    sweep that came first has released at the due instant, and the Dispute is refused.
    """
    request = request_release(job)
    due_at = request.auto_release_at
    swept, opened = at_once(
        lambda: sweeping.sweep(at=due_at),
        lambda: open_dispute(job, client_person, at=due_at - HOUR, asked_minor=1),
    )
    assert isinstance(swept, Swept)
    if isinstance(opened, Dispute):
        sweeping.sweep(at=due_at)
        assert figures(job) == ("funded", 0, 0, 500_00)
    else:
        assert isinstance(opened, Refusal)
        assert swept.done[What.RELEASE] == 1
        assert figures(job) == ("released", 500_00, 0, 0)


def with_decision(job: Job, opener: Person, alma: Person) -> Decision:
    dispute = open_dispute(job, opener)
    disputes.escalate(dispute.pk, by=opener, at=NOON)
    return mediation.decide(dispute.pk, to_freelancer_minor=200_00, reasons="x", by=alma, at=NOON)


@pytest.mark.parametrize("turn", TIMES)
def test_two_agents_confirm_and_send_back_at_once(
    job: Job, client_person: Person, turn: int
) -> None:
    alma, bela, cora = (agent_named(name) for name in ("Alma", "Bela", "Cora"))
    made = with_decision(job, client_person, alma)
    winner = one_wins(
        lambda: mediation.confirm(made.pk, by=bela, at=AT),
        lambda: mediation.send_back(made.pk, answer="x", by=cora, at=AT),
    )
    made.refresh_from_db()
    if winner == 0:
        assert (made.state, made.checked_by) == ("confirmed", bela)
        assert figures(job) == ("released", 200_00, 300_00, 0)
    else:
        assert (made.state, made.checked_by) == ("sent_back", cora)
        assert figures(job) == ("funded", 0, 0, 500_00)


@pytest.mark.parametrize("turn", TIMES)
def test_two_agents_confirm_at_once(job: Job, client_person: Person, turn: int) -> None:
    alma, bela, cora = (agent_named(name) for name in ("Alma", "Bela", "Cora"))
    made = with_decision(job, client_person, alma)
    one_wins(
        lambda: mediation.confirm(made.pk, by=bela, at=AT),
        lambda: mediation.confirm(made.pk, by=cora, at=AT),
    )
    assert figures(job) == ("released", 200_00, 300_00, 0)
    assert (Release.objects.count(), Refund.objects.count()) == (1, 1)


@pytest.mark.parametrize("turn", TIMES)
def test_two_agents_decide_at_once(job: Job, client_person: Person, turn: int) -> None:
    alma, bela = agent_named("Alma"), agent_named("Bela")
    dispute = open_dispute(job, client_person)
    disputes.escalate(dispute.pk, by=client_person, at=NOON)
    decide = mediation.decide
    winner = one_wins(
        lambda: decide(dispute.pk, to_freelancer_minor=1, reasons="x", by=alma, at=AT),
        lambda: decide(dispute.pk, to_freelancer_minor=2, reasons="x", by=bela, at=AT),
    )
    assert Decision.objects.get().to_freelancer_minor == (1, 2)[winner]


@pytest.mark.parametrize("turn", TIMES)
def test_agreed_in_the_instant_it_is_confirmed(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    alma, bela = agent_named("Alma"), agent_named("Bela")
    made = with_decision(job, client_person, alma)
    offer = offers.make(made.dispute_id, to_freelancer_minor=450_00, by=client_person, at=NOON)
    winner = one_wins(
        lambda: offers.accept(offer.pk, by=freelancer, at=AT),
        lambda: mediation.confirm(made.pk, by=bela, at=AT),
    )
    share = (450_00, 200_00)[winner]
    assert figures(job) == ("released", share, 500_00 - share, 0)
    made.refresh_from_db()
    assert made.state == ("overtaken", "confirmed")[winner]


@pytest.mark.parametrize("what", ["statement", "offer", "evidence"])
def test_a_double_click_is_sent_once(job: Job, client_person: Person, what: str) -> None:
    made = open_dispute(job, client_person)

    def send() -> None:
        by = client_person
        if what == "statement":
            disputes.add_statement(made.pk, text="Look.", by=by, at=NOON + HOUR)
        elif what == "offer":
            offers.make(made.pk, to_freelancer_minor=100_00, by=by, at=NOON + HOUR)
        else:
            disputes.add_evidence(made.pk, uploads=[pdf()], by=by, at=NOON + HOUR)

    one_wins(send, send)
    assert made.statements.count() + made.offers.count() + made.evidence.count() == 1


@pytest.mark.parametrize("turn", TIMES)
def test_both_sides_open_at_once(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    one_wins(
        lambda: open_dispute(job, client_person, at=AT),
        lambda: open_dispute(job, freelancer, at=AT),
    )
    assert Dispute.objects.open().count() == 1


@pytest.mark.parametrize("turn", TIMES)
def test_both_limits_at_once_are_compared_once(
    job: Job, client_person: Person, freelancer: Person, turn: int
) -> None:
    dispute = open_dispute(job, client_person)
    outcomes = at_once(
        lambda: sealed.enter(dispute.pk, limit_minor=300_00, by=client_person, at=AT),
        lambda: sealed.enter(dispute.pk, limit_minor=200_00, by=freelancer, at=AT),
        lambda: sealed.enter(dispute.pk, limit_minor=200_00, by=freelancer, at=AT),
    )
    assert sum(isinstance(outcome, Refusal) for outcome in outcomes) == 1
    assert figures(job) == ("released", 250_00, 250_00, 0)
    assert Release.objects.count() == 1
