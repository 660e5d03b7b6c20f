"""The Freelancer refunds what is held (R8.1) and what was released (R8.2)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import ledger
from billing.gateways.base import Answer, Kind, Status
from billing.models import (
    ClosingStatement,
    Document,
    Escrow,
    Payment,
    ProForma,
    Refund,
    ReleaseRequest,
    SimulatedCharge,
    Transfer,
)
from billing.moves.credits import Credited
from billing.selectors.documents import document_paper, pro_forma_paper
from billing.selectors.statements import statement_paper
from billing.services import audit, catching_up, payouts, reconciling, refunding, refunds, releases
from billing.services.amounts import WrongAmount
from billing.services.payouts import NotEnoughAvailable
from billing.services.refunding import CHANGED_MEANWHILE, REASON_AT_MOST
from escrow_site.lib import money
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState
from jobs.models import Activity, Job, Person, Policy
from tests.billing.banking import add_card, at_once, balance_of, history, refused, told
from tests.billing.steps import NOON, request_release
from tests.scenarios import finished_job, fund, running_job

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=3)


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


def escrow_of(job: Job, number: int = 1) -> Escrow:
    return Escrow.objects.get(job=job, number=number)


def available(person: Person | None, currency: str = "USD") -> int:
    assert person is not None
    return ledger.available(person, currency).balance_minor


def refund_held(job: Job, amount_minor: int, **changed: Any) -> int:
    """The Freelancer refunds held money, having seen what is held."""
    given: dict[str, Any] = {"number": 1, "by": job.freelancer, "at": LATER, "reason": ""} | changed
    if "seen_held_minor" not in given:
        given["seen_held_minor"] = escrow_of(job, given["number"]).held_minor
    return refunding.refund_held(job.pk, amount_minor=amount_minor, **given)


def refund_released(job: Job, amount_minor: int, **changed: Any) -> Credited:
    given: dict[str, Any] = {"number": 1, "by": job.freelancer, "at": LATER, "reason": ""} | changed
    return refunding.refund_released(job.pk, amount_minor=amount_minor, **given)


def assert_adds_up(at: datetime = LATER) -> None:
    assert [finding for finding in audit.audit_ledger(at=at) if finding.differences] == []


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


# --- Released money ---


def test_a_part_of_what_was_released(released: Job, freelancer: Person) -> None:
    """100.00 back: 91.25 from the balance, 8.75 service fee given back."""
    credited = refund_released(released, 100_00, reason="A page was missing.")

    assert (credited.amounts.service_fee_minor, credited.amounts.net_minor) == (8_75, 91_25)
    escrow = escrow_of(released)
    assert (escrow.state, escrow.credited_minor, escrow.service_fee_minor) == (
        "released", 100_00, 35_00,
    )  # fmt: skip
    assert available(freelancer) == 456_25 - 91_25
    assert ledger.summed_balance(ledger.platform_account("service_fees", "USD")) == 35_00
    refund = Refund.objects.get()
    assert (refund.of_released, refund.amount_minor, refund.refunded_by) == (
        True, 100_00, freelancer,
    )  # fmt: skip
    assert set(Transfer.objects.filter(happened_at=LATER).values_list("reference", "amount_minor")) == {
        (f"refund:{refund.pk}:credit", 91_25), (f"refund:{refund.pk}:credit_fee", 8_75),
    }  # fmt: skip
    assert balance_of(kind="refunding") == 100_00
    reconciling.reconcile(at=LATER)
    assert balance_of(kind="refunding") == 0
    assert_adds_up()


def test_its_credit_note(released: Job, freelancer: Person) -> None:
    invoice = Document.objects.get()
    refund_released(released, 100_00, reason="A page was missing.")
    note = Document.objects.get(kind="credit_note")
    assert (note.corrects, note.refund, note.release) == (invoice, Refund.objects.get(), None)
    assert note.name == f"CRN-{freelancer.pk}-0002"
    assert (note.gross_minor, note.service_fee_minor, note.processing_fee_minor, note.net_minor) == (
        100_00, 8_75, 0, 91_25,
    )  # fmt: skip
    paper = document_paper(note)
    assert [(total.label, total.amount) for total in paper.totals] == [
        ("Total, back to the Client", "$100.00"),
        ("Service fee given back, 8.75 %", "$8.75"),
        ("From the Freelancer’s balance", "$91.25"),
    ]
    assert [fact.value for fact in paper.facts if fact.label == "Corrects"] == [invoice.name]
    assert paper.notes[0].startswith("Refunded by the Freelancer: A page was missing. Money that")
    corrected = [
        fact.value for fact in document_paper(invoice).facts if fact.label == "Corrected by"
    ]
    assert corrected == [note.name]


def test_both_are_told(released: Job) -> None:
    refund_released(released, 100_00)
    assert told(released, "credited") == {"clara@example.com", "frank@example.com"}
    line = Activity.objects.get(kind="credited")
    assert (line.facts["net_minor"], line.facts["document_id"]) == (
        91_25, Document.objects.get(kind="credit_note").pk,
    )  # fmt: skip
    assert Job.objects.get(pk=released.pk).last_activity_besides_requests_at == LATER


def test_more_than_one_invoice_makes_as_many_credit_notes(job: Job, freelancer: Person) -> None:
    """The newest is taken back first; the fees that come back add up to the fee on all."""
    for part_minor in (11_11, 11_11, 11_11):
        releases.release_part(
            job.pk, number=1, amount_minor=part_minor, by=job.client, at=NOON,
            seen_held_minor=escrow_of(job).held_minor,
        )  # fmt: skip
    first, second, third = Document.objects.order_by("number")
    credited = refund_released(job, 15_00)
    notes = Document.objects.filter(kind="credit_note").order_by("number")
    assert [(note.corrects, note.gross_minor) for note in notes] == [(third, 11_11), (second, 3_89)]
    assert [note.number for note in notes] == [4, 5]
    assert sum(note.service_fee_minor for note in notes) == credited.amounts.service_fee_minor
    assert escrow_of(job).service_fee_minor == money.share(33_33 - 15_00, 875)
    refund_released(job, 18_33)
    assert [note.corrects for note in notes.all()[2:]] == [second, first]
    assert (escrow_of(job).service_fee_minor, available(freelancer)) == (0, 0)
    assert_adds_up()


def test_the_processing_fee_does_not_come_back(client_person: Person, freelancer: Person) -> None:
    policy = Policy.objects.current()
    Policy.objects.create(
        version=policy.version + 1, service_fee_basis_points=1_000, processing_fee_basis_points=300
    )
    job = running_job(client_person, freelancer, amounts_minor=[100_00, 50_00])
    fund(job, 1, 2)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert available(freelancer) == 87_00
    with refused(
        NotEnoughAvailable,
        "This refund takes $90.00 from your available balance, which is $87.00.",
    ):
        refund_released(job, 100_00)
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON)
    refund_released(job, 100_00)
    escrow = escrow_of(job)
    assert (escrow.service_fee_minor, escrow.processing_fee_minor) == (0, 3_00)
    assert available(freelancer) == 87_00 + 43_50 - 90_00
    assert_adds_up()


def test_released_again_after_a_refund_costs_the_fee_once(job: Job, freelancer: Person) -> None:
    """What came back counts as not released: the next part takes its fee anew."""
    releases.release_part(
        job.pk, number=1, amount_minor=200_00, by=job.client, at=NOON, seen_held_minor=500_00
    )
    refund_released(job, 200_00)
    releases.release(job.pk, numbers=[1], by=job.client, at=LATER)
    assert escrow_of(job).service_fee_minor == money.share(300_00, 875)
    assert available(freelancer) == 300_00 - money.share(300_00, 875)
    assert_adds_up()


def test_after_the_end_there_is_a_new_closing_statement(
    client_person: Person, freelancer: Person
) -> None:
    """R11.2: it names the old one; Milestone and Job keep their state."""
    job = finished_job(client_person, freelancer)
    refund_released(job, 120_00)
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.next_due_at, row.dormant_at) == ("completed", None, None)
    assert escrow_of(job).state == "released"
    first, second = ClosingStatement.objects.order_by("number")
    assert (second.number, second.replaces, second.issued_at) == (2, first, LATER)
    sums = second.totals["job"]
    assert (sums["released_minor"], sums["credited_minor"], sums["service_fee_minor"]) == (
        500_00, 120_00, 33_25,
    )  # fmt: skip
    assert sums["net_minor"] == 380_00 - 33_25
    assert Activity.objects.get(kind="credited").facts["statement"] == second.name
    paper = statement_paper(second)
    row_of_refund = paper.tables[1].groups[0].rows[-1]
    assert row_of_refund[1].text == "Refunded after its release"
    assert row_of_refund[1].note.startswith(
        "$120.00 to the Client: $109.50 from Frank Freelancer’s balance and $10.50 service fee given "
        f"back. CRN-{freelancer.pk}-0002."
    )
    assert (
        "It sums to zero: funded $500.00 = released $500.00 − released and later refunded $120.00 + all "
        "refunded $120.00."
    ) in paper.notes
    assert_adds_up()


# --- Released money, refused ---


@pytest.mark.parametrize("who", ["client_person", "stranger", "agent"])
def test_only_the_freelancer_gives_back(
    request: pytest.FixtureRequest, released: Job, who: str
) -> None:
    with refused(WrongParty, "Only the Freelancer can refund what was released to him."):
        refund_released(released, 1_00, by=request.getfixturevalue(who))


@pytest.mark.parametrize(
    ("amount_minor", "message"),
    [
        (0, "Enter an amount above zero."),
        (-1, "Enter an amount above zero."),
        (500_01, "$500.01 is more than there is: the most is $500.00."),
    ],
)
def test_amounts_that_cannot_be(released: Job, amount_minor: int, message: str) -> None:
    with refused(WrongAmount, message):
        refund_released(released, amount_minor)


def test_what_was_never_released(job: Job) -> None:
    with refused(WrongState, "Nothing of “Milestone 1” was released."):
        refund_released(job, 1_00)


def test_what_was_refunded_already(released: Job) -> None:
    refund_released(released, 500_00)
    with refused(WrongState, "All that was released of “Milestone 1” is refunded already."):
        refund_released(released, 1_00)


def test_a_second_click_refunds_nothing_more(released: Job) -> None:
    refund_released(released, 100_00, seen_minor=500_00)
    with refused(StalePage, CHANGED_MEANWHILE):
        refund_released(released, 100_00, seen_minor=500_00)


def test_what_was_paid_out_is_not_there(released: Job, freelancer: Person) -> None:
    payouts.pay_out(
        freelancer,
        currency="USD",
        amount_minor=400_00,
        destination="DE02120300000000202051",
        at=NOON,
    )
    with refused(
        NotEnoughAvailable,
        "This refund takes $91.25 from your available balance, which is $56.25.",
    ):
        refund_released(released, 100_00)


def test_a_payment_that_is_not_there_any_more(released: Job) -> None:
    Payment.objects.update(state="charged_back")
    with refused(
        WrongState,
        "The payment for “Milestone 1” is not there any more, so nothing can go back to it.",
    ):
        refund_released(released, 1_00)


# --- Whatever the order ---

STEPS = st.lists(
    st.tuples(st.sampled_from(["release", "refund", "credit"]), st.integers(1, 100)), max_size=9
)


@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    steps=STEPS,
    price_minor=st.sampled_from([1, 7, 33_33, 999_99]),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_forwards_and_backwards_the_fee_is_that_on_what_is_left(
    client_person: Person,
    freelancer: Person,
    steps: list[tuple[str, int]],
    price_minor: int,
    currency: str,
) -> None:
    """R5.2 and R11.2 at every step: the fee taken is the rounded fee on what stays released, and
    funded = held + released − refunded later + all refunded.
    """
    before = transaction.savepoint()
    try:
        job = running_job(
            client_person, freelancer, amounts_minor=[price_minor, 5], currency=currency
        )
        add_card(client_person)
        fund(job, 1)
        for what, hundredths in steps:
            take_step(job, what, hundredths)
            escrow = escrow_of(job)
            kept_minor = escrow.released_minor - escrow.credited_minor
            back_minor = escrow.refunded_minor + escrow.credited_minor
            assert escrow.service_fee_minor == money.share(kept_minor, 875)
            assert available(freelancer, currency) == kept_minor - escrow.service_fee_minor
            assert price_minor == escrow.held_minor + kept_minor + back_minor
            assert_adds_up()
        reconciling.reconcile(at=LATER)
        assert_adds_up()
    finally:
        transaction.savepoint_rollback(before)


def take_step(job: Job, what: str, hundredths: int) -> None:
    """A share of what there is to release, refund or give back; nothing when there is nothing."""
    escrow = escrow_of(job)
    there_minor = escrow.held_minor
    if what == "credit":
        there_minor = escrow.released_minor - escrow.credited_minor
    amount_minor = -(-there_minor * hundredths // 100)
    if not amount_minor:
        return
    if what == "release":
        releases.release_part(
            job.pk, number=1, amount_minor=amount_minor, by=job.client, at=LATER,
            seen_held_minor=there_minor,
        )  # fmt: skip
    elif what == "refund":
        refund_held(job, amount_minor)
    else:
        refund_released(job, amount_minor)


# --- At the same instant ---


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_refund_in_the_same_instant_as_the_release(
    client_person: Person, freelancer: Person
) -> None:
    """One of them wins; the other is told."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    request_release(job)
    outcomes = at_once(
        lambda: refund_held(job, 500_00, seen_held_minor=500_00),
        lambda: releases.release(job.pk, numbers=[1], by=client_person, at=LATER),
    )
    assert [isinstance(one, WrongState) for one in outcomes].count(True) == 1
    assert escrow_of(job).state in ("released", "refunded")
    assert_adds_up()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_balance_is_spent_once(client_person: Person, freelancer: Person) -> None:
    """A payout and refunds on two Jobs want the same money: it never falls below zero."""
    jobs = [running_job(client_person, freelancer, open_ended=True) for _ in range(2)]
    for job in jobs:
        fund(job, 1)
        releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    outcomes = at_once(
        lambda: refund_released(jobs[0], 500_00),
        lambda: refund_released(jobs[1], 500_00),
        lambda: payouts.pay_out(
            freelancer, currency="USD", amount_minor=600_00, destination="DE02120300000000202051",
            at=LATER,
        ),
    )  # fmt: skip
    refusals = [one for one in outcomes if isinstance(one, Exception)]
    assert {type(one) for one in refusals} == {NotEnoughAvailable}
    assert available(freelancer) >= 0
    assert_adds_up()
