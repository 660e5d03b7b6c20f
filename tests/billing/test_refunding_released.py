"""The Freelancer sends back what was released (R8.2): from his balance, with a credit note."""

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import ledger
from billing.models import ClosingStatement, Document, Payment, Refund, Transfer
from billing.selectors.documents import document_paper
from billing.selectors.statements import statement_paper
from billing.services import payouts, reconciling, releases
from billing.services.amounts import WrongAmount
from billing.services.payouts import NotEnoughAvailable
from billing.services.refunding import CHANGED_MEANWHILE
from escrow_site.lib import money
from escrow_site.lib.refusals import StalePage, WrongParty, WrongState
from jobs.models import Activity, Job, Person, Policy
from tests.billing.banking import add_card, at_once, balance_of, refused, told
from tests.billing.refunding_steps import (
    LATER,
    assert_adds_up,
    available,
    escrow_of,
    refund_held,
    refund_released,
)
from tests.billing.steps import NOON, request_release
from tests.scenarios import finished_job, fund, running_job

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
        "This refund takes $90.00 from the Freelancer’s available balance, which is $87.00.",
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
        "This refund takes $91.25 from the Freelancer’s available balance, which is $56.25.",
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
