"""Every state of a Dispute against everything that anybody can do in it: allowed, or refused with
nothing changed (R9, R13).
"""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from billing.models import Decision, Dispute, Offer
from billing.services import disputes, mediation, offers, sealed
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from tests.billing.dispute_steps import HOUR, NOON, agent_named, funded_job, open_dispute, pdf
from tests.billing.steps import request_release
from tests.world import world

pytestmark = pytest.mark.django_db

AT = NOON + 2 * HOUR
STATES = ["open", "mediation", "decided", "settled", "withdrawn"]
OPEN = {"open", "mediation", "decided"}
WITH_SUPPORT = {"mediation", "decided"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """A Dispute that the Client opened and nobody answered, with his offer and his hidden limit."""

    dispute: Dispute
    offer: Offer
    decision: Decision | None
    client: Person
    freelancer: Person
    alma: Person
    bela: Person

    @property
    def decision_id(self) -> int:
        return self.decision.pk if self.decision else 0


@pytest.fixture
def case_in(client_person: Person, freelancer: Person) -> Callable[[str], Case]:
    def make(state: str) -> Case:
        alma, bela = agent_named("Alma"), agent_named("Bela")
        job = funded_job(client_person, freelancer)
        request_release(job)
        dispute = open_dispute(job, client_person)
        offer = offers.make(dispute.pk, to_freelancer_minor=1, by=client_person, at=NOON)
        sealed.enter(dispute.pk, limit_minor=100, by=client_person, at=NOON)
        disputes.escalate(dispute.pk, by=client_person, at=NOON)
        decision = mediation.decide(
            dispute.pk, to_freelancer_minor=2, reasons="x", by=alma, at=NOON
        )
        if state == "open":
            Decision.objects.all().delete()
            Dispute.objects.filter(pk=dispute.pk).update(
                state="open", escalated_at=None, escalated_by=None
            )
        elif state == "mediation":
            mediation.send_back(decision.pk, answer="x", by=bela, at=NOON)
        elif state == "settled":
            mediation.confirm(decision.pk, by=bela, at=NOON + HOUR)
        elif state == "withdrawn":
            disputes.withdraw(dispute.pk, by=client_person, at=NOON + HOUR)
        dispute.refresh_from_db()
        assert dispute.state == state
        return Case(
            dispute=dispute,
            offer=offer,
            decision=Decision.objects.filter(dispute=dispute).first(),
            client=client_person,
            freelancer=freelancer,
            alma=alma,
            bela=bela,
        )

    return make


VERBS: dict[str, tuple[set[str], Callable[[Case], object]]] = {
    "answer": (
        OPEN,
        lambda case: disputes.answer(case.dispute.pk, text="x", by=case.freelancer, at=AT),
    ),
    "add_statement": (
        OPEN,
        lambda case: disputes.add_statement(case.dispute.pk, text="x", by=case.client, at=AT),
    ),
    "add_evidence": (
        OPEN,
        lambda case: disputes.add_evidence(case.dispute.pk, uploads=[pdf()], by=case.client, at=AT),
    ),
    "escalate": (
        {"open"},
        lambda case: disputes.escalate(case.dispute.pk, by=case.freelancer, at=AT),
    ),
    "withdraw": (OPEN, lambda case: disputes.withdraw(case.dispute.pk, by=case.client, at=AT)),
    "make_offer": (
        OPEN,
        lambda case: offers.make(case.dispute.pk, to_freelancer_minor=3, by=case.freelancer, at=AT),
    ),
    "accept_offer": (OPEN, lambda case: offers.accept(case.offer.pk, by=case.freelancer, at=AT)),
    "withdraw_offer": (OPEN, lambda case: offers.withdraw(case.offer.pk, by=case.client, at=AT)),
    "enter_limit": (
        OPEN,
        lambda case: sealed.enter(case.dispute.pk, limit_minor=101, by=case.freelancer, at=AT),
    ),
    "take_limit_back": (
        OPEN,
        lambda case: sealed.take_back(case.dispute.pk, by=case.client, at=AT),
    ),
    "ask": (
        WITH_SUPPORT,
        lambda case: mediation.ask(case.dispute.pk, text="x", by=case.alma, at=AT),
    ),
    "decide": (
        {"mediation"},
        lambda case: mediation.decide(
            case.dispute.pk, to_freelancer_minor=4, reasons="x", by=case.alma, at=AT
        ),
    ),
    "confirm": (
        {"decided"},
        lambda case: mediation.confirm(case.decision_id, by=case.bela, at=AT),
    ),
    "send_back": (
        {"decided"},
        lambda case: mediation.send_back(case.decision_id, answer="x", by=case.bela, at=AT),
    ),
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("verb", VERBS)
def test_every_state_against_every_verb(
    case_in: Callable[[str], Case], state: str, verb: str
) -> None:
    allowed, act = VERBS[verb]
    case = case_in(state)
    if state in allowed:
        act(case)
        return
    before = world()
    missing = (Decision.DoesNotExist,) if case.decision is None else ()
    with pytest.raises((Refusal, *missing)):
        act(case)
    assert world() == before


@pytest.mark.parametrize("state", STATES)
def test_a_second_dispute_only_after_the_first_was_withdrawn(
    case_in: Callable[[str], Case], state: str
) -> None:
    """By the other side: who has withdrawn one cannot open another on that request (R9.4)."""
    case = case_in(state)
    job = Job.objects.get(pk=case.dispute.job_id)
    if state == "withdrawn":
        assert open_dispute(job, case.freelancer, at=AT).state == "open"
        return
    with pytest.raises(Refusal):
        open_dispute(job, case.freelancer, at=AT, asked_minor=1)
