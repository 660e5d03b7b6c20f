"""Support in a Dispute: asks, decides, confirms, sends back; two agents, neither a party (R9.3)."""

import pytest
from django.db import IntegrityError, transaction

from billing.models import Decision, Dispute, DisputeStatement, Document, Release
from billing.services import disputes, mediation
from jobs.models import Activity, Job, Notification, Person
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    agent_named,
    differences,
    figures,
    funded_job,
    open_dispute,
    refused,
)
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db

NOT_AN_AGENT = "Only a support agent who is not a party of the Job can do this."


@pytest.fixture
def alma(db: None) -> Person:
    return agent_named("Alma")


@pytest.fixture
def bela(db: None) -> Person:
    return agent_named("Bela")


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture
def dispute(job: Job, client_person: Person) -> Dispute:
    """With support, about a request."""
    request_release(job)
    made = open_dispute(job, client_person)
    return disputes.escalate(made.pk, by=client_person, at=NOON + HOUR)


def decide(dispute: Dispute, by: Person, to_freelancer_minor: int = 300_00) -> Decision:
    return mediation.decide(
        dispute.pk,
        to_freelancer_minor=to_freelancer_minor,
        reasons="Most of it is done.",
        by=by,
        at=NOON + DAY,
    )


def test_a_decision_moves_no_money_and_is_told_to_nobody(dispute: Dispute, alma: Person) -> None:
    made = decide(dispute, alma)
    dispute.refresh_from_db()
    assert (dispute.state, made.state) == ("decided", "proposed")
    assert figures(dispute.job) == ("funded", 0, 0, 500_00)
    line = Activity.objects.latest("pk")
    assert (line.kind, line.actor_kind, line.actor, line.reason) == (
        "decision_proposed", "support", alma, "",
    )  # fmt: skip
    assert line.facts == {
        "dispute": dispute.pk, "escrow": "Milestone 1", "number": 1, "is_with_support": True,
    }  # fmt: skip
    assert Notification.objects.filter(activity=line).count() == 0


def test_a_second_agent_confirms_and_it_is_executed(
    dispute: Dispute, alma: Person, bela: Person
) -> None:
    made = decide(dispute, alma)
    at = NOON + 2 * DAY
    mediation.confirm(made.pk, by=bela, at=at)
    made.refresh_from_db()
    assert (made.state, made.checked_by, made.checked_at) == ("confirmed", bela, at)
    dispute.refresh_from_db()
    assert (dispute.state, dispute.ended_at, dispute.ended_reason) == (
        "settled", at, "Most of it is done.",
    )  # fmt: skip
    assert figures(dispute.job) == ("released", 300_00, 200_00, 0)
    release = Release.objects.get()
    assert (release.released_by, release.reason) == (bela, mediation.RULE)
    assert Document.objects.get().kind == "final_invoice"
    line = Activity.objects.get(kind="dispute_decided")
    assert (line.actor_kind, line.actor, line.reason) == ("support", bela, "Most of it is done.")
    assert {str(one.person) for one in Notification.objects.filter(activity=line)} == {
        "Clara Client", "Frank Freelancer",
    }  # fmt: skip
    assert differences(at) == []


def test_what_support_does_is_no_activity_of_the_parties(
    dispute: Dispute, alma: Person, bela: Person
) -> None:
    mediation.confirm(decide(dispute, alma).pk, by=bela, at=NOON + 2 * DAY)
    assert Job.objects.get(pk=dispute.job_id).last_activity_at == NOON + HOUR


def test_the_first_agent_does_not_confirm(dispute: Dispute, alma: Person) -> None:
    made = decide(dispute, alma)
    for act in (
        lambda: mediation.confirm(made.pk, by=alma, at=NOON + DAY),
        lambda: mediation.send_back(made.pk, answer="x", by=alma, at=NOON + DAY),
    ):
        assert refused(act) == "You decided this yourself: a second agent is to confirm it."
    with (
        pytest.raises(IntegrityError, match="decision_checked_by_a_second_agent"),
        transaction.atomic(),
    ):
        Decision.objects.filter(pk=made.pk).update(checked_by=alma)


def test_who_decided_withdraws_it(dispute: Dispute, alma: Person, bela: Person) -> None:
    first = decide(dispute, alma)
    assert refused(lambda: mediation.withdraw(first.pk, by=bela, at=NOON + DAY)) == (
        "Only the person who decided this can withdraw it."
    )
    mediation.withdraw(first.pk, by=alma, at=NOON + DAY)
    first.refresh_from_db()
    dispute.refresh_from_db()
    assert (first.state, dispute.state) == ("withdrawn", "mediation")
    line = Activity.objects.latest("pk")
    assert (line.kind, Notification.objects.filter(activity=line).count()) == (
        "decision_withdrawn", 0,
    )  # fmt: skip
    over = "This decision was withdrawn by who had made it."
    for act in (
        lambda: mediation.withdraw(first.pk, by=alma, at=NOON + DAY),
        lambda: mediation.confirm(first.pk, by=bela, at=NOON + DAY),
    ):
        assert refused(act) == over
    mediation.confirm(decide(dispute, alma, 100_00).pk, by=bela, at=NOON + 2 * DAY)
    assert figures(dispute.job) == ("released", 100_00, 400_00, 0)


def test_the_second_agent_sends_it_back(dispute: Dispute, alma: Person, bela: Person) -> None:
    first = decide(dispute, alma)
    assert refused(lambda: mediation.send_back(first.pk, answer=" ", by=bela, at=NOON + DAY)) == (
        "Write why you send it back."
    )
    mediation.send_back(first.pk, answer="Look at the chat again.", by=bela, at=NOON + DAY)
    first.refresh_from_db()
    dispute.refresh_from_db()
    assert (first.state, first.answer, dispute.state) == (
        "sent_back", "Look at the chat again.", "mediation",
    )  # fmt: skip
    line = Activity.objects.latest("pk")
    assert (line.kind, line.reason, Notification.objects.filter(activity=line).count()) == (
        "decision_sent_back", "", 0,
    )  # fmt: skip
    assert refused(lambda: mediation.confirm(first.pk, by=bela, at=NOON + DAY)) == (
        "This decision was sent back already by Bela."
    )
    second = decide(dispute, bela, 100_00)
    mediation.confirm(second.pk, by=alma, at=NOON + 2 * DAY)
    assert figures(dispute.job) == ("released", 100_00, 400_00, 0)


def test_nobody_else_mediates(
    dispute: Dispute, client_person: Person, stranger: Person, clerk: Person, alma: Person
) -> None:
    """Neither the parties nor strangers, nor staff without the right, nor an agent who is a party."""
    made = decide(dispute, alma)
    party_and_agent = agent_named("Petra")
    for person in (client_person, stranger, clerk):
        for act in (
            lambda person=person: mediation.ask(dispute.pk, text="x", by=person, at=NOON + DAY),
            lambda person=person: decide(dispute, person),
            lambda person=person: mediation.confirm(made.pk, by=person, at=NOON + DAY),
            lambda person=person: mediation.send_back(
                made.pk, answer="x", by=person, at=NOON + DAY
            ),
        ):
            assert refused(act) == NOT_AN_AGENT
    Job.objects.filter(pk=dispute.job_id).update(client=party_and_agent)
    assert refused(lambda: mediation.confirm(made.pk, by=party_and_agent, at=NOON + DAY)) == (
        NOT_AN_AGENT
    )
    Person.objects.filter(pk=alma.pk).update(is_active=False)
    alma.refresh_from_db()
    assert refused(lambda: decide(dispute, alma)) == "This account is locked."


def test_support_waits_until_it_is_asked(job: Job, client_person: Person, alma: Person) -> None:
    dispute = open_dispute(job, client_person)
    waiting = "This Dispute is between the parties: it has not come to support yet."
    assert refused(lambda: decide(dispute, alma)) == waiting
    assert refused(lambda: mediation.ask(dispute.pk, text="x", by=alma, at=NOON)) == waiting
    disputes.withdraw(dispute.pk, by=client_person, at=NOON)
    assert refused(lambda: decide(dispute, alma)) == "This Dispute is withdrawn already."


def test_support_asks_for_more(dispute: Dispute, alma: Person, freelancer: Person) -> None:
    mediation.ask(dispute.pk, text="Which version was sent?", by=alma, at=NOON + DAY)
    statement = DisputeStatement.objects.get()
    assert (statement.by, statement.text) == (alma, "Which version was sent?")
    line = Activity.objects.latest("pk")
    assert (line.kind, Notification.objects.filter(activity=line).count()) == ("dispute_asked", 2)
    disputes.add_statement(dispute.pk, text="The second.", by=freelancer, at=NOON + 2 * DAY)
    dispute.refresh_from_db()
    assert dispute.state == "mediation"


def test_a_decision_is_made_once_and_with_reasons(
    dispute: Dispute, alma: Person, bela: Person
) -> None:
    assert refused(
        lambda: mediation.decide(
            dispute.pk, to_freelancer_minor=1, reasons="", by=alma, at=NOON + DAY
        )
    ) == ("Write your reasons.")
    assert refused(lambda: decide(dispute, alma, 500_01)) == (
        "The Freelancer’s share is between nothing and all that is held, $500.00."
    )
    decide(dispute, alma)
    assert refused(lambda: decide(dispute, bela)) == (
        "This Dispute is decided already: a second agent is to confirm it."
    )


def test_the_opener_withdraws_what_is_not_confirmed(
    dispute: Dispute, alma: Person, bela: Person, client_person: Person
) -> None:
    made = decide(dispute, alma)
    disputes.withdraw(dispute.pk, by=client_person, at=NOON + DAY)
    assert refused(lambda: mediation.confirm(made.pk, by=bela, at=NOON + DAY)) == (
        "This decision was overtaken: the Dispute had ended before it was confirmed."
    )
    assert figures(dispute.job) == ("funded", 0, 0, 500_00)
