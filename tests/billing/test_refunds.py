"""Held money goes back to its source (R8.1): many Escrows in one statement, the provider afterwards."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import ledger
from billing.models import Account, Escrow, Payment, Refund, SimulatedCharge, Transfer
from billing.moves import refunds
from billing.moves import releases as release_moves
from billing.moves.refunds import Return
from billing.services import amounts, audit, closing, reconciling, releases
from escrow_site.lib import states
from jobs.models import Job, Person, Policy
from tests.billing.banking import add_card, balance_of, escrow_states, nothing_changes
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db

SETTLED = datetime(2026, 4, 1, 12, tzinfo=UTC)
RULE = "Dormancy rule: nobody asked for the release of this Milestone."


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00, funded by one payment."""
    job = running_job(client_person, freelancer)
    fund(job, 1, 2)
    return fresh(job)


def fresh(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def escrow_of(job: Job, number: int = 1) -> Escrow:
    return Escrow.objects.get(job=job, number=number)


def all_of(job: Job, number: int = 1, **changed: Any) -> Return:
    """All that the Milestone holds goes back."""
    escrow = escrow_of(job, number)
    given = {
        "job": job, "escrow": escrow, "amount_minor": escrow.held_minor, "at": SETTLED,
        "reason": RULE,
    }  # fmt: skip
    return Return(**(given | changed))  # type: ignore[arg-type]


def assert_adds_up() -> None:
    assert [finding for finding in audit.audit_ledger(at=SETTLED) if finding.differences] == []


def references() -> list[tuple[str, str, int]]:
    rows = Transfer.objects.exclude(code="fund").order_by("pk")
    return [(row.code, row.reference, row.amount_minor) for row in rows]


def test_all_that_is_held_goes_back(job: Job) -> None:
    given = all_of(job)
    (refund_id,) = refunds.give_back([given])

    payment = Payment.objects.get()
    refund = Refund.objects.get()
    assert (refund.pk, refund.payment, refund.escrow) == (refund_id, payment, given.escrow)
    assert (refund.amount_minor, refund.fee_minor, refund.state) == (500_00, 0, "started")
    assert (refund.started_at, refund.reason, refund.refunded_by) == (SETTLED, RULE, None)
    assert len(refund.idempotency_key) == 32
    stored = escrow_of(job)
    assert (stored.state, stored.refunded_minor, stored.held_minor) == ("refunded", 500_00, 0)
    assert (given.escrow.state, given.escrow.held_minor) == ("refunded", 0)
    assert references() == [("refund", f"refund:{refund_id}:back", 500_00)]
    assert Transfer.objects.get(code="refund").happened_at == SETTLED
    assert balance_of(payment=payment, kind="refunding") == 500_00
    assert escrow_states(job) == ["refunded", "funded"]
    assert_adds_up()


def test_two_escrows_of_one_payment_share_its_account(job: Job) -> None:
    first, second = refunds.give_back([all_of(job, 2), all_of(job, 1)])
    made = Refund.objects.order_by("pk").values_list("pk", "escrow__number", "amount_minor")
    assert list(made) == [(first, 2, 1_000_00), (second, 1, 500_00)]
    assert Account.objects.get(kind="refunding").balance_minor == 1_500_00
    assert_adds_up()


def test_the_account_that_is_there_is_used_again(job: Job) -> None:
    refunds.give_back([all_of(job, 1)])
    refunds.give_back([all_of(job, 2)])
    assert Account.objects.get(kind="refunding").balance_minor == 1_500_00
    assert_adds_up()


def test_a_part_goes_back_and_the_rest_stays(job: Job, freelancer: Person) -> None:
    given = all_of(job, amount_minor=120_00, by=freelancer, reason="Not needed.")
    refunds.give_back([given])
    stored = escrow_of(job)
    assert (stored.state, stored.refunded_minor, stored.held_minor) == ("funded", 120_00, 380_00)
    assert Refund.objects.get().refunded_by == freelancer
    assert balance_of(escrow=stored) == 380_00
    assert_adds_up()
    refunds.give_back([all_of(job)])
    assert escrow_states(job) == ["refunded", "funded"]
    assert_adds_up()


def test_the_rest_of_what_was_released_in_part_ends_as_released(
    job: Job, client_person: Person
) -> None:
    """R3.2: with nothing left held it ends released if anything was released."""
    part = release_moves.Part(
        job=job, escrow=escrow_of(job), request=None, gross_minor=300_00, at=SETTLED, reason="Part."
    )
    release_moves.carry_out([part], by=client_person)
    refunds.give_back([all_of(job)])
    stored = escrow_of(job)
    assert (stored.state, stored.released_minor, stored.refunded_minor) == (
        "released", 300_00, 200_00,
    )  # fmt: skip
    assert_adds_up()


def test_a_fee_on_the_return(job: Job) -> None:
    """R10.5: the source gets the rest; the Escrow has given all."""
    (refund_id,) = refunds.give_back([all_of(job, fee_minor=12_50)])
    refund = Refund.objects.get()
    assert (refund.amount_minor, refund.fee_minor) == (487_50, 12_50)
    assert sorted(references()) == [
        ("processing_fee", f"refund:{refund_id}:fee", 12_50),
        ("refund", f"refund:{refund_id}:back", 487_50),
    ]
    assert ledger.summed_balance(ledger.platform_account("processing_fees", "USD")) == 12_50
    stored = escrow_of(job)
    assert (stored.state, stored.refunded_minor, stored.processing_fee_minor) == (
        "refunded", 500_00, 0,
    )  # fmt: skip
    assert_adds_up()


@pytest.mark.parametrize(
    ("currency", "held_minor", "basis_points", "fee_minor"),
    [
        ("USD", 500_00, 0, 0),
        ("USD", 33_33, 250, 83),
        ("USD", 33_40, 250, 84),
        ("JPY", 1_001, 250, 25),
        ("KWD", 10_005, 875, 875),
        ("USD", 1, 5_000, 0),
        ("USD", 5, 10_000, 4),
    ],
)
def test_the_fee_rounds_half_up_and_never_takes_all(
    client_person: Person,
    freelancer: Person,
    currency: str,
    held_minor: int,
    basis_points: int,
    fee_minor: int,
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[held_minor], currency=currency)
    fund(job, 1)
    policy = Policy(return_fee_basis_points=basis_points)
    assert amounts.return_fee(escrow_of(job), policy=policy) == fee_minor


def test_nothing_held_has_no_fee(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    policy = Policy(return_fee_basis_points=250)
    assert amounts.return_fee(escrow_of(job), policy=policy) == 0


# --- What is not as it was read ---


def released_meanwhile(job: Job) -> None:
    releases.release(job.pk, numbers=[1], by=job.client, at=SETTLED)


def released_in_part_meanwhile(job: Job) -> None:
    part = release_moves.Part(
        job=job, escrow=escrow_of(job), request=None, gross_minor=1, at=SETTLED, reason="Part."
    )
    release_moves.carry_out([part], by=job.client)


def paid_by_nobody(job: Job) -> None:
    job.payments.all()[0].allocations.filter(escrow__number=1).update(live=False)


def charged_back(job: Job) -> None:
    Payment.objects.update(state="charged_back")


@pytest.mark.parametrize(
    "meanwhile",
    [released_meanwhile, released_in_part_meanwhile, paid_by_nobody, charged_back],
)
def test_a_lost_race_changes_nothing(job: Job, meanwhile: Callable[[Job], None]) -> None:
    both = [all_of(job, 1), all_of(job, 2)]
    meanwhile(job)
    with nothing_changes(), pytest.raises(states.LostRace), transaction.atomic():
        refunds.give_back(both)


@pytest.mark.parametrize(
    "changed", [{"amount_minor": 500_01}, {"amount_minor": 0}, {"fee_minor": 500_00},
                {"fee_minor": -1}],
)  # fmt: skip
def test_impossible_amounts(job: Job, changed: dict[str, int]) -> None:
    with nothing_changes(), pytest.raises(AssertionError):
        refunds.give_back([all_of(job, **changed)])


def test_nothing_to_give_back(job: Job) -> None:
    with nothing_changes():
        assert refunds.give_back([]) == []


# --- The provider, afterwards ---


def test_the_provider_is_told_after_the_commit_once(
    job: Job, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as woken:
        refunds.give_back([all_of(job, 1)])
        refunds.give_back([all_of(job, 2)])
    assert woken == [refunds.wake_reconciling]
    assert not SimulatedCharge.objects.filter(kind="refund").exists()

    later = SETTLED + timedelta(minutes=1)
    assert reconciling.reconcile(at=later) == 2
    assert set(Refund.objects.values_list("state", "ended_at")) == {("succeeded", later)}
    assert balance_of(kind="refunding") == 0
    told = SimulatedCharge.objects.filter(kind="refund").values_list("amount_minor", flat=True)
    assert sorted(told) == [500_00, 1_000_00]
    assert_adds_up()
    assert reconciling.reconcile(at=later) == 0


def test_with_a_fee_the_provider_sends_the_rest_only(job: Job) -> None:
    refunds.give_back([all_of(job, fee_minor=12_50)])
    reconciling.reconcile(at=SETTLED)
    assert SimulatedCharge.objects.get(kind="refund").amount_minor == 487_50
    assert balance_of(kind="refunding") == 0
    assert_adds_up()


# --- Many at once ---


def batch(client: Person, freelancer: Person, count: int) -> list[Return]:
    """As many Jobs, each with two Milestones of one payment, in three currencies."""
    add_card(client)
    returns = []
    for number in range(count):
        currency = ("USD", "JPY", "KWD")[number % 3]
        job = running_job(client, freelancer, amounts_minor=[1000 + number, 77], currency=currency)
        fund(job, 1, 2)
        row = fresh(job)
        returns.append(
            all_of(row, at=SETTLED + timedelta(minutes=number), fee_minor=number % 2 * 10)
        )
    return returns


def test_many_jobs_in_one_statement(client_person: Person, freelancer: Person) -> None:
    returns = batch(client_person, freelancer, 12)
    with CaptureQueriesContext(connection) as queries:
        ids = refunds.give_back(returns)
    assert len(queries) == 1
    rows = {refund.pk: refund for refund in Refund.objects.select_related("payment")}
    assert [
        (rows[key].escrow_id, rows[key].payment.job_id, rows[key].started_at,
         rows[key].amount_minor + rows[key].fee_minor)
        for key in ids
    ] == [
        (one.escrow.pk, one.job.pk, one.at, one.amount_minor) for one in returns
    ]  # fmt: skip
    assert_adds_up()
    assert reconciling.reconcile(at=SETTLED) == 12
    assert_adds_up()


# --- Whatever the parts ---


class Part(NamedTuple):
    """A share, in hundredths of what is held, of one of the two Milestones."""

    number: int
    released: bool
    hundredths: int
    fee_hundredths: int


PARTS = st.lists(
    st.builds(
        Part,
        number=st.integers(1, 2),
        released=st.booleans(),
        hundredths=st.integers(1, 100),
        fee_hundredths=st.integers(0, 99),
    ),
    max_size=8,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(parts=PARTS)
def test_whatever_was_released_and_given_back_it_adds_up(
    client_person: Person, freelancer: Person, parts: list[Part]
) -> None:
    """Parts of two Milestones in any order, then the rest of both; after each the ledger adds up."""
    rest = [
        Part(number=number, released=False, hundredths=100, fee_hundredths=1) for number in (1, 2)
    ]
    before = transaction.savepoint()
    try:
        job = running_job(client_person, freelancer, amounts_minor=[33_33, 7], open_ended=True)
        fund(job, 1, 2)
        row = fresh(job)
        for part in parts + rest:
            carry_out(row, part)
            assert_adds_up()
        reconciling.reconcile(at=SETTLED)
        assert_adds_up()
        for escrow in Escrow.objects.of(job):
            assert escrow.state == ("released" if escrow.released_minor else "refunded")
        closing.complete(job.pk, by=client_person, at=SETTLED)
        assert_adds_up()
    finally:
        transaction.savepoint_rollback(before)


def carry_out(job: Job, part: Part) -> None:
    escrow = escrow_of(job, part.number)
    amount_minor = -(-escrow.held_minor * part.hundredths // 100)
    if not amount_minor:
        return
    if part.released:
        release_moves.carry_out(
            [
                release_moves.Part(
                    job=job, escrow=escrow, request=None, gross_minor=amount_minor, at=SETTLED,
                    reason="x",
                )
            ],
            by=None,
        )  # fmt: skip
        return
    fee_minor = min(amount_minor * part.fee_hundredths // 100, amount_minor - 1)
    refunds.give_back([all_of(job, part.number, amount_minor=amount_minor, fee_minor=fee_minor)])
