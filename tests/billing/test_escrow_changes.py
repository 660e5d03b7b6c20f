"""What changed Terms do to the money, as a plan: pure, and what it says adds up (R2.3, R2.4)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.models import Escrow
from billing.services.escrow_changes import Plan, Standing, plan
from billing.services.escrows import EscrowPart
from escrow_site.lib import money
from jobs.models import Job, Policy

POLICY = Policy(service_fee_basis_points=875, processing_fee_basis_points=0)
JOB = Job(currency="USD", kind=Job.Kind.FIXED_PRICE, policy=POLICY)


def escrow(number: int = 1, state: str = "funded", price: int = 500_00, **sums: int) -> Escrow:
    """In this state with these sums; a funded one holds its price unless they say otherwise."""
    if state in ("funded", "released", "refunded"):
        sums = {"funded_minor": price} | sums
    if state == "released":
        sums = {"released_minor": price} | sums
    if state == "refunded":
        sums = {"refunded_minor": price} | sums
    return Escrow(
        job=JOB, number=number, position=number, title=f"M{number}", amount_minor=price,
        state=state, **sums,
    )  # fmt: skip


def part(number: int = 1, price: int = 500_00, **changed: Any) -> EscrowPart:
    given_ = EscrowPart(
        number=number, position=number, title=f"M{number}", due_on=None, amount_minor=price
    )
    return replace(given_, **changed)


def planned(rows: list[Escrow], *parts: EscrowPart) -> Plan:
    return plan(JOB, [Standing(escrow=row) for row in rows], parts)


def test_the_same_terms_change_nothing() -> None:
    made = planned([escrow(1), escrow(2, "unfunded", 1_000_00)], part(1), part(2, 1_000_00))
    assert (made.refusals, made.refund_minor, made.top_up_minor) == ([], 0, 0)
    assert [one.kind for one in made.changes] == ["same", "same"]
    assert made.before == made.after
    assert made.after.net_minor == 456_25 + 912_50


def test_top_up_and_refund_stand_beside_each_other() -> None:
    """Cheaper by 100.00, dearer by 200.00, 250.00 added, 80.00 removed."""
    rows = [escrow(1), escrow(2, "unfunded", 1_000_00), escrow(3, "unfunded", 80_00)]
    made = planned(rows, part(1, 400_00), part(2, 1_200_00), part(4, 250_00))
    assert [one.kind for one in made.changes] == ["changed", "changed", "added", "removed"]
    assert [one.refund_minor for one in made.changes] == [100_00, 0, 0, 0]
    assert [one.top_up_minor for one in made.changes] == [0, 200_00, 250_00, -80_00]
    assert (made.refund_minor, made.top_up_minor) == (100_00, 370_00)
    assert (made.before.gross_minor, made.after.gross_minor) == (1_580_00, 1_850_00)


def test_what_is_released_counts_as_it_was_and_what_went_back_does_not() -> None:
    rows = [escrow(1, "released"), escrow(2, "refunded"), escrow(3, released_minor=300_00)]
    made = planned(rows, part(1), part(2), part(3, 400_00))
    assert made.refund_minor == 100_00
    assert (made.before.gross_minor, made.after.gross_minor) == (1_000_00, 900_00)


def test_released_money_that_was_refunded_is_not_the_freelancers() -> None:
    made = planned([escrow(1, "released", credited_minor=200_00)], part(1))
    assert made.after.gross_minor == 300_00


def test_a_pending_milestone_is_still_to_be_funded() -> None:
    rows = [Standing(escrow=escrow(1, "pending"), is_being_paid=True)]
    made = plan(JOB, rows, [part(1, title="Renamed")])
    assert (made.refusals, made.top_up_minor) == ([], 0)


def test_all_that_is_refused_is_said() -> None:
    made = planned([escrow(1), escrow(2, "released")], part(1, 600_00))
    assert [str(refusal) for refusal in made.refusals] == [
        "“M1” is Funded: it cannot cost more than $500.00. Add a Milestone for what comes on top.",
        "“M2” is released: it stays as it is.",
    ]
    assert (made.refund_minor, made.top_up_minor) == (0, 0)


def test_one_milestone_at_least() -> None:
    made = planned([escrow(1)])
    assert [str(refusal) for refusal in made.refusals] == [
        "A fixed-price Job needs at least one Milestone."
    ]


@st.composite
def funded(draw: st.DrawFn) -> Escrow:
    """Funded whole, then released and refunded in part; something is held."""
    price = draw(st.integers(1, 10_000))
    released = draw(st.integers(0, price - 1))
    refunded = draw(st.integers(0, price - released - 1))
    return escrow(price=price, released_minor=released, refunded_minor=refunded)


@given(funded(), st.integers(1, 12_000))
def test_a_funded_milestone_holds_no_more_than_its_new_price_needs(row: Escrow, price: int) -> None:
    (change,) = planned([row], part(price=price)).changes
    fits = row.released_minor <= price <= row.amount_minor
    assert (change.refusal is None) == fits
    if not fits:
        assert change.refund_minor == 0
        return
    left = row.held_minor - change.refund_minor
    assert 0 <= change.refund_minor <= row.held_minor
    if price != row.amount_minor:
        assert left == min(row.held_minor, price - row.released_minor)
    assert change.gross_after_minor == row.released_minor + left


@given(funded())
def test_removal_sends_all_back_unless_something_is_released(row: Escrow) -> None:
    (change, _) = sorted(
        planned([row], part(2, 5_00)).changes, key=lambda one: one.kind, reverse=True
    )
    assert change.kind == "removed"
    assert (change.refusal is None) == (row.released_minor == 0)
    assert change.refund_minor == (row.held_minor if row.released_minor == 0 else 0)


@pytest.mark.parametrize("fee", [0, 875, 10_000])
def test_fees_are_those_of_a_release(fee: int) -> None:
    job = Job(
        currency="USD", kind=Job.Kind.FIXED_PRICE,
        policy=Policy(service_fee_basis_points=fee, processing_fee_basis_points=0),
    )  # fmt: skip
    made = plan(job, [Standing(escrow=escrow(price=33_33))], [part(price=33_33)])
    assert made.after.service_fee_minor == money.share(33_33, fee)
