"""The Freelancer sends back what is held of a Milestone (R8.1), in whole or in part."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.gateways.base import Answer, Kind, Status
from billing.models import (
    ClosingStatement,
    Escrow,
    ProForma,
    Refund,
    ReleaseRequest,
    SimulatedCharge,
)
from billing.selectors.documents import pro_forma_paper
from billing.services import catching_up, reconciling, refunds, releases
from billing.services.amounts import WrongAmount
from billing.services.refunding import CHANGED_MEANWHILE, REASON_AT_MOST
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState
from jobs.models import Activity, Job, Person
from tests.billing.banking import balance_of, history, refused, told
from tests.billing.refunding_steps import (
    LATER,
    assert_adds_up,
    available,
    escrow_of,
    refund_held,
    refund_released,
)
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


@pytest.fixture
def released(job: Job) -> Job:
    """500.00 released upon a request: 456.25 are on the Freelancer's balance."""
    request_release(job)
    releases.release(job.pk, numbers=[1], by=job.client, at=NOON)
    return job


# --- Held money, whole ---


def test_all_that_is_held_voids_its_request(job: Job, freelancer: Person) -> None:
    request_release(job)
    refund_id = refund_held(job, 500_00, reason="I cannot do it")

    escrow = escrow_of(job)
    assert (escrow.state, escrow.refunded_minor, escrow.held_minor) == ("refunded", 500_00, 0)
    refund = Refund.objects.get(pk=refund_id)
    assert (refund.amount_minor, refund.fee_minor, refund.refunded_by) == (500_00, 0, freelancer)
    assert refund.reason == "Refunded by the Freelancer: I cannot do it."
    request = ReleaseRequest.objects.get()
    assert (request.state, request.ended_at) == ("voided", LATER)
    assert request.pro_forma.state == "void"
    assert history(job)[-2:] == ["voided", "refunded"]
    assert told(job, "refunded") == {"clara@example.com", "frank@example.com"}
    assert told(job, "voided") == set()
    assert Activity.objects.get(kind="refunded").reason == "I cannot do it"
    assert Job.objects.get(pk=job.pk).last_activity_besides_requests_at == LATER
    assert_adds_up()


def test_the_provider_sends_it_after_the_commit(job: Job) -> None:
    refund_held(job, 500_00)
    assert not SimulatedCharge.objects.filter(kind="refund").exists()
    assert balance_of(kind="refunding") == 500_00
    reconciling.reconcile(at=LATER)
    assert Refund.objects.get().state == "succeeded"
    assert SimulatedCharge.objects.get(kind="refund").amount_minor == 500_00
    assert_adds_up()


def test_a_source_that_takes_nothing_back(job: Job, client_person: Person) -> None:
    """R8.1: what the card refuses for good is on the Client's balance."""
    refund = Refund.objects.get(pk=refund_held(job, 500_00))
    answer = Answer(
        kind=Kind.REFUND,
        status=Status.FAILED,
        reference="r",
        idempotency_key=refund.idempotency_key,
        failure="The card is closed.",
    )
    refunds.record_answer(refund.pk, answer, at=LATER)
    assert available(client_person) == 500_00
    assert Activity.objects.get(kind="refund_refused").reason == (
        "Refunded by the Freelancer. The card takes no money back, so it is on the Client’s available "
        "balance."
    )
    assert_adds_up()


def test_the_last_milestone_completes_the_job(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    refund_held(job, 500_00)
    assert Job.objects.get(pk=job.pk).state == "completed"
    assert ClosingStatement.objects.get().totals["job"]["refunded_minor"] == 500_00
    assert_adds_up()


def test_what_was_released_in_part_ends_released(job: Job) -> None:
    """R3.2."""
    request_release(job)
    releases.release_part(
        job.pk, number=1, amount_minor=300_00, by=job.client, at=NOON, seen_held_minor=500_00
    )
    refund_held(job, 200_00)
    escrow = escrow_of(job)
    assert (escrow.state, escrow.released_minor, escrow.refunded_minor) == (
        "released", 300_00, 200_00,
    )  # fmt: skip
    assert (
        "The final invoices named above stand." in pro_forma_paper(ProForma.objects.get()).notes[0]
    )
    assert_adds_up()


def test_a_dormant_job_without_a_balance_is_active_again(job: Job) -> None:
    dormant_at = datetime(2026, 6, 30, tzinfo=UTC)
    catching_up.carry_out_due([job.pk], at=dormant_at)
    assert Job.objects.get(pk=job.pk).state == "dormant"
    at = dormant_at + timedelta(days=1)
    refund_held(job, 500_00, at=at)
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.dormant_at) == ("active", at + timedelta(days=60))
    assert history(job)[-2:] == ["refunded", "reactivated"]


# --- Held money, in part ---


def test_for_a_part_the_request_stands(job: Job) -> None:
    asked = request_release(job)
    refund_held(job, 200_00)
    escrow = escrow_of(job)
    assert (escrow.state, escrow.held_minor) == ("funded", 300_00)
    request = ReleaseRequest.objects.get()
    assert (request.state, request.auto_release_at) == ("open", asked.auto_release_at)
    assert request.pro_forma.state == "issued"
    assert Activity.objects.get(kind="refunded").facts["held_minor"] == 300_00
    catching_up.carry_out_due([job.pk], at=asked.auto_release_at)
    assert escrow_of(job).released_minor == 300_00
    assert_adds_up(asked.auto_release_at)


def test_a_dormant_job_that_still_holds_money_stays_dormant(job: Job) -> None:
    """R10.4: a refund is Activity, and not on the list; the two weeks begin anew."""
    dormant_at = datetime(2026, 6, 30, tzinfo=UTC)
    at = dormant_at + timedelta(days=6)
    catching_up.carry_out_due([job.pk], at=dormant_at)
    refund_held(job, 200_00, at=at)
    assert Job.objects.get(pk=job.pk).state == "dormant"
    catching_up.carry_out_due([job.pk], at=at + timedelta(days=7))
    catching_up.carry_out_due([job.pk], at=at + timedelta(days=14) - timedelta(minutes=1))
    assert escrow_of(job).state == "funded"
    catching_up.carry_out_due([job.pk], at=at + timedelta(days=14))
    assert escrow_of(job).state == "refunded"


# --- Held money, refused ---


@pytest.mark.parametrize("who", ["client_person", "stranger", "agent"])
def test_only_the_freelancer(request: pytest.FixtureRequest, job: Job, who: str) -> None:
    with refused(WrongParty, "Only the Freelancer can refund the money of a Milestone."):
        refund_held(job, 1_00, by=request.getfixturevalue(who))


@pytest.mark.parametrize("amount_minor", [0, -5])
def test_nothing_is_no_refund(job: Job, amount_minor: int) -> None:
    with refused(WrongAmount, "Enter an amount above zero."):
        refund_held(job, amount_minor)


def test_more_than_is_held(job: Job) -> None:
    with refused(WrongAmount, "$500.01 is more than there is: the most is $500.00."):
        refund_held(job, 500_01)


def test_a_page_that_is_out_of_date(job: Job) -> None:
    refund_held(job, 100_00)
    with refused(StalePage, CHANGED_MEANWHILE):
        refund_held(job, 100_00, seen_held_minor=500_00)


def test_a_reason_that_is_too_long(released: Job) -> None:
    fund(released, 2)
    words = f"Give a reason of at most {REASON_AT_MOST} characters."
    with refused(Refusal, words):
        refund_held(released, 1_00, number=2, reason="x" * (REASON_AT_MOST + 1))
    with refused(Refusal, words):
        refund_released(released, 1_00, reason="x" * (REASON_AT_MOST + 1))
    refund_held(released, 1_00, number=2, reason="x" * REASON_AT_MOST)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("unfunded", "“Milestone 2” is not funded, so there is nothing to refund."),
        ("pending", "The money for “Milestone 2” is Pending: it is not held yet. The Client can cancel "
         "the payment."),
        ("released", "“Milestone 2” is released already: nothing is held."),
        ("refunded", "“Milestone 2” is refunded already: nothing is held."),
        ("removed", "“Milestone 2” is removed already: nothing is held."),
    ],
)  # fmt: skip
def test_every_other_state(job: Job, state: str, message: str) -> None:
    Escrow.objects.filter(job=job, number=2).update(state=state)
    with refused(WrongState, message):
        refund_held(job, 1_00, number=2)


def test_a_milestone_that_is_not_there(job: Job) -> None:
    with refused(WrongState, "This Milestone is not part of the agreed Terms."):
        refund_held(job, 1_00, number=9, seen_held_minor=0)
    with refused(WrongState, "This Milestone is not part of the agreed Terms."):
        refund_released(job, 1_00, number=9)
