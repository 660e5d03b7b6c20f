"""Offers in a Dispute: made, replaced, withdrawn, accepted and carried out at once (R9.2, R9.5)."""

import pytest
from django.db import IntegrityError, transaction

from billing.models import Decision, Dispute, Document, Escrow, Offer, ProForma, Refund
from billing.services import disputes, offers
from jobs.models import Activity, Job, Notification, Person
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    differences,
    figures,
    funded_job,
    open_dispute,
    refused,
)
from tests.billing.steps import request_release
from tests.scenarios import fund

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture
def dispute(job: Job, client_person: Person) -> Dispute:
    return open_dispute(job, client_person)


def offer(dispute: Dispute, by: Person, to_freelancer_minor: int, **more: int) -> Offer:
    return offers.make(
        dispute.pk, to_freelancer_minor=to_freelancer_minor, by=by, at=NOON + HOUR, **more
    )


def test_a_newer_offer_by_the_same_side_replaces_the_older(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    first = offer(dispute, client_person, 100_00)
    theirs = offer(dispute, freelancer, 450_00)
    second = offer(dispute, client_person, 200_00)
    assert [(one.pk, one.state, one.to_client_minor) for one in Offer.objects.order_by("pk")] == [
        (first.pk, "replaced", 400_00),
        (theirs.pk, "open", 50_00),
        (second.pk, "open", 300_00),
    ]
    line = Activity.objects.latest("pk")
    assert (line.kind, line.facts["to_freelancer_minor"], line.facts["to_client_minor"]) == (
        "dispute_offered", 200_00, 300_00,
    )  # fmt: skip
    assert Notification.objects.get(activity=line).person == freelancer
    with pytest.raises(IntegrityError, match="offer_one_per_side"), transaction.atomic():
        Offer.objects.create(
            dispute=dispute, by=client_person, made_at=NOON, held_minor=1, to_freelancer_minor=1
        )


def test_the_same_open_offer_is_made_once(dispute: Dispute, client_person: Person) -> None:
    first = offer(dispute, client_person, 200_00)
    assert refused(lambda: offer(dispute, client_person, 200_00)) == (
        "You have offered this already: your offer is open."
    )
    offers.withdraw(first.pk, by=client_person, at=NOON)
    offer(dispute, client_person, 200_00)
    offer(dispute, client_person, 100_00)
    offer(dispute, client_person, 200_00)


def test_an_offer_by_the_other_side_is_its_answer(dispute: Dispute, freelancer: Person) -> None:
    offer(dispute, freelancer, 450_00)
    dispute.refresh_from_db()
    assert (dispute.state, dispute.answered_at) == ("open", NOON + HOUR)
    assert Escrow.objects.get(number=1, job=dispute.job).answer_due_at is None


def test_an_offer_splits_exactly_what_is_held(
    dispute: Dispute, client_person: Person, stranger: Person
) -> None:
    for share in (-1, 500_01):
        assert refused(lambda share=share: offer(dispute, client_person, share)) == (
            "The Freelancer’s share is between nothing and all that is held, $500.00."
        )
    assert refused(lambda: offer(dispute, client_person, 1, seen_held_minor=1)) == (
        "What is held has changed since you opened this page. Look at the amounts again."
    )
    assert refused(lambda: offer(dispute, stranger, 1)) == (
        "Only the Client or the Freelancer can act in this Dispute."
    )
    assert {offer(dispute, client_person, share).state for share in (0, 500_00)} == {"open"}


def test_an_accepted_offer_is_executed_at_once(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    """A request, 500.00 held, 300.00 to the Freelancer: 300.00 = 273.75 net + 26.25 fee."""
    request = request_release(job)
    dispute = open_dispute(job, client_person, at=NOON + DAY)
    theirs = offers.make(dispute.pk, to_freelancer_minor=350_00, by=freelancer, at=NOON + 2 * DAY)
    mine = offers.make(dispute.pk, to_freelancer_minor=300_00, by=client_person, at=NOON + 2 * DAY)
    at = NOON + 3 * DAY
    offers.accept(mine.pk, by=freelancer, at=at)
    assert figures(job) == ("released", 300_00, 200_00, 0)
    request.refresh_from_db()
    assert (request.state, request.ended_at) == ("settled", at)
    assert ProForma.objects.get().state == "invoiced"
    document = Document.objects.get()
    assert (document.kind, document.gross_minor, document.net_minor) == (
        "final_invoice", 300_00, 273_75,
    )  # fmt: skip
    assert Refund.objects.get().amount_minor == 200_00
    dispute.refresh_from_db()
    assert (dispute.state, dispute.ended_at) == ("settled", at)
    assert dict(Offer.objects.values_list("pk", "state")) == {
        theirs.pk: "lapsed", mine.pk: "accepted",
    }  # fmt: skip
    lines = Activity.objects.filter(happened_at=at).order_by("pk")
    assert [line.kind for line in lines] == ["dispute_settled", "released", "returned"]
    settled = lines[0]
    assert {name: settled.facts[name] for name in settled.facts if name.endswith("minor")} == {
        "amount_minor": 500_00, "to_freelancer_minor": 300_00, "to_client_minor": 200_00,
        "net_minor": 273_75, "fees_minor": 26_25,
    }  # fmt: skip
    assert settled.facts["document"] == document.name
    assert settled.reason == "Dispute settled by agreement: an offer was accepted."
    told = Notification.objects.filter(activity__happened_at=at)
    assert sorted((one.activity.kind, str(one.person)) for one in told) == [
        ("dispute_settled", "Clara Client"), ("dispute_settled", "Frank Freelancer"),
    ]  # fmt: skip
    assert differences(at) == []


def test_all_to_one_side(client_person: Person, freelancer: Person) -> None:
    for share, state, kinds in (
        (0, "refunded", []),
        (500_00, "released", ["receipt"]),
    ):
        job = funded_job(client_person, freelancer)
        dispute = open_dispute(job, freelancer)
        made = offers.make(dispute.pk, to_freelancer_minor=share, by=client_person, at=NOON)
        offers.accept(made.pk, by=freelancer, at=NOON)
        assert figures(job) == (state, share, 500_00 - share, 0)
        documents = Document.objects.filter(job=job)
        assert list(documents.values_list("kind", flat=True)) == kinds
    assert differences(NOON) == []


def test_nothing_for_the_freelancer_voids_the_pro_forma(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    request = request_release(job)
    dispute = open_dispute(job, client_person)
    made = offers.make(dispute.pk, to_freelancer_minor=0, by=freelancer, at=NOON)
    offers.accept(made.pk, by=client_person, at=NOON)
    request.refresh_from_db()
    assert (request.state, ProForma.objects.get().state) == ("settled", "void")
    assert Document.objects.count() == 0


def test_the_last_milestone_completes_the_job(client_person: Person, freelancer: Person) -> None:
    job = funded_job(client_person, freelancer, 1, 2)
    for number in (1, 2):
        dispute = open_dispute(job, client_person, number=number)
        made = offers.make(dispute.pk, to_freelancer_minor=1, by=freelancer, at=NOON)
        offers.accept(made.pk, by=client_person, at=NOON)
    job.refresh_from_db()
    assert job.state == "completed"
    assert Activity.objects.latest("pk").kind == "completed"
    assert differences(NOON) == []


def test_who_may_accept_and_withdraw(
    dispute: Dispute, client_person: Person, freelancer: Person, stranger: Person
) -> None:
    made = offer(dispute, client_person, 100_00)
    at = NOON + HOUR
    assert refused(lambda: offers.accept(made.pk, by=client_person, at=at)) == (
        "This is your own offer: the other side can accept it."
    )
    assert refused(lambda: offers.withdraw(made.pk, by=freelancer, at=at)) == (
        "Only the side that made the offer can withdraw it."
    )
    for act in (offers.accept, offers.withdraw):
        assert refused(lambda act=act: act(made.pk, by=stranger, at=at)) == (
            "Only the Client or the Freelancer can act in this Dispute."
        )
    offers.withdraw(made.pk, by=client_person, at=at)
    line = Activity.objects.latest("pk")
    assert (line.kind, Notification.objects.get(activity=line).person) == (
        "offer_withdrawn", freelancer,
    )  # fmt: skip


def test_an_offer_that_is_over_is_neither_accepted_nor_withdrawn(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    replaced = offer(dispute, client_person, 100_00)
    withdrawn = offer(dispute, client_person, 200_00)
    offers.withdraw(withdrawn.pk, by=client_person, at=NOON + HOUR)
    lapsed = offer(dispute, client_person, 300_00)
    disputes.withdraw(dispute.pk, by=client_person, at=NOON + HOUR)
    assert [
        refused(lambda one=one: offers.accept(one.pk, by=freelancer, at=NOON + HOUR))
        for one in (replaced, withdrawn, lapsed)
    ] == [
        "This offer was replaced by a newer one.",
        "This offer was withdrawn.",
        "This offer was lapsed: the Dispute has ended.",
    ]
    assert refused(lambda: offers.withdraw(lapsed.pk, by=client_person, at=NOON + HOUR)) == (
        "This offer was lapsed: the Dispute has ended."
    )


def test_agreement_beats_a_decision_that_is_not_confirmed(
    dispute: Dispute, client_person: Person, freelancer: Person, agent: Person
) -> None:
    made = offer(dispute, client_person, 100_00)
    disputes.escalate(dispute.pk, by=client_person, at=NOON + HOUR)
    decision = Decision.objects.create(
        dispute=dispute, decided_by=agent, decided_at=NOON, held_minor=500_00,
        to_freelancer_minor=500_00, reasons="x",
    )  # fmt: skip
    Dispute.objects.filter(pk=dispute.pk).update(state="decided")
    offers.accept(made.pk, by=freelancer, at=NOON + 2 * HOUR)
    decision.refresh_from_db()
    assert decision.state == "overtaken"
    assert figures(dispute.job) == ("released", 100_00, 400_00, 0)


def test_a_dormant_job_without_a_balance_is_active_again(
    client_person: Person, freelancer: Person
) -> None:
    job = funded_job(client_person, freelancer)
    dispute = open_dispute(job, client_person)
    Job.objects.filter(pk=job.pk).update(state="dormant", dormant_at=NOON)
    made = offers.make(dispute.pk, to_freelancer_minor=0, by=freelancer, at=NOON + HOUR)
    offers.accept(made.pk, by=client_person, at=NOON + 2 * HOUR)
    job.refresh_from_db()
    assert job.state == "active"
    assert Activity.objects.latest("pk").kind == "reactivated"
    fund(job, 2, at=NOON + 3 * HOUR)
