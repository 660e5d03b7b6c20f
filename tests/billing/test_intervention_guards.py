"""Support does only what the party that asks could do itself; what is frozen is frozen for support, too (R9.7)."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Payment
from billing.services import disputes, interventions, sweeping
from jobs.models import Job, Person
from tests.billing.banking import deliver
from tests.billing.dispute_steps import differences, figures, funded_job, open_dispute, refused
from tests.billing.intervening import DAY, LATER, NOON, openings, propose
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db

DISPUTED = (
    "“Milestone 1” is disputed: support decides about its money by mediation alone (R9.3). The Client "
    "can still release all of it, the Freelancer refund all of it, and both agree on a split."
)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture(autouse=True)
def ledger_adds_up(db: None) -> Iterator[None]:
    yield
    assert sweeping.sweep(at=NOON + 200 * DAY).set_aside == []
    assert differences(NOON + 200 * DAY) == []


# --- Only what that party could do itself ---

ASKED_BY_THE_WRONG_SIDE = [
    ("release", "freelancer", {"amount_minor": 500_00}),
    ("refund_held", "client", {"amount_minor": 500_00}),
    ("refund_released", "client", {"amount_minor": 500_00}),
    ("void", "client", {}),
    ("extend_release", "client", {"until": NOON + 31 * DAY}),
]


@pytest.mark.parametrize(("kind", "role", "more"), ASKED_BY_THE_WRONG_SIDE)
def test_nobody_asks_for_what_he_could_not_do(
    job: Job, alma: Person, kind: str, role: str, more: dict[str, Any]
) -> None:
    request_release(job)
    asker = getattr(job, role)
    said = refused(lambda: propose(job, kind, alma, asked_by=asker, **more))
    assert said.startswith(f"{asker} cannot do this: Only the ")


def test_only_the_opener_gives_more_time_to_answer(
    job: Job, alma: Person, client_person: Person, freelancer: Person
) -> None:
    open_dispute(job, client_person)
    until = NOON + 10 * DAY
    said = refused(lambda: propose(job, "extend_answer", alma, asked_by=freelancer, until=until))
    assert "Only the side that opened the Dispute can withdraw it." in said


WHAT_IS_NOT_THERE: list[tuple[str, str, dict[str, Any], str]] = [
    ("release", "client", {"amount_minor": 500_01}, "is more than there is"),
    ("release", "client", {"amount_minor": 0}, "above zero"),
    ("release", "client", {"amount_minor": 1, "number": 2}, "is not funded"),
    ("release", "client", {"amount_minor": 1, "number": 9}, "Choose a Milestone"),
    ("release", "client", {}, "Enter an amount."),
    ("refund_held", "freelancer", {"amount_minor": 500_01}, "is more than there is"),
    (
        "refund_released",
        "freelancer",
        {"amount_minor": 1},
        "Nothing of “Milestone 1” was released.",
    ),
    ("void", "freelancer", {}, "There is no Release Request"),
    ("extend_release", "freelancer", {"until": NOON + 20 * DAY}, "There is no Release Request"),
    ("extend_answer", "client", {"until": NOON + 20 * DAY}, "There is no open Dispute"),
    ("reactivate", "client", {}, "This Job is not Dormant"),
    ("split", "client", {}, "Choose what is to be done."),
]


@pytest.mark.parametrize(("kind", "role", "more", "said"), WHAT_IS_NOT_THERE)
def test_what_the_guards_refuse_is_refused_to_support(
    job: Job, alma: Person, kind: str, role: str, more: dict[str, Any], said: str
) -> None:
    asker = getattr(job, role)
    assert said in refused(lambda: propose(job, kind, alma, asked_by=asker, **more))


@pytest.mark.parametrize("days", [-1, 0, 30, 32])
def test_a_clock_is_moved_later_and_no_further_than_a_new_request(
    job: Job, alma: Person, freelancer: Person, days: int
) -> None:
    """Proposed on day 1: between day 30, when it is due, and day 31, when a new one would be."""
    request_release(job)
    until = NOON + days * DAY
    said = refused(lambda: propose(job, "extend_release", alma, asked_by=freelancer, until=until))
    assert said.startswith("Choose an instant ")


def test_a_dispute_freezes_for_support_as_for_the_parties(
    job: Job, alma: Person, client_person: Person, freelancer: Person
) -> None:
    """R9.7: neither money nor clock, nor all of it, asked for or not; support decides it by mediation."""
    request_release(job)
    open_dispute(job, client_person)
    for kind, asker, more in (
        ("release", client_person, {"amount_minor": 100_00}),
        ("release", client_person, {"amount_minor": 500_00}),
        ("release", None, {"amount_minor": 500_00}),
        ("refund_held", freelancer, {"amount_minor": 100_00}),
        ("refund_held", freelancer, {"amount_minor": 500_00}),
        ("refund_held", None, {"amount_minor": 500_00}),
        ("void", freelancer, {}),
        ("extend_release", freelancer, {"until": NOON + 31 * DAY}),
    ):
        assert refused(partial(propose, job, kind, alma, asked_by=asker, **more)) == DISPUTED


@pytest.mark.parametrize("is_asked_for", [True, False])
def test_a_dispute_that_is_opened_meanwhile_freezes_it_too(
    job: Job, alma: Person, bela: Person, client_person: Person, is_asked_for: bool
) -> None:
    asker = client_person if is_asked_for else None
    made = propose(job, "release", alma, asked_by=asker, amount_minor=500_00)
    dispute = open_dispute(job, client_person, at=LATER)
    assert refused(partial(interventions.confirm, made.pk, by=bela, at=LATER)) == DISPUTED
    disputes.withdraw(dispute.pk, by=client_person, at=LATER)
    interventions.confirm(made.pk, by=bela, at=LATER)
    assert figures(job) == ("released", 500_00, 0, 0)


def test_a_locked_party_asks_for_nothing(job: Job, alma: Person, client_person: Person) -> None:
    Person.objects.filter(pk=client_person.pk).update(is_active=False)
    said = refused(
        lambda: propose(job, "release", alma, asked_by=client_person, amount_minor=500_00)
    )
    assert said == "The account of Clara Client is locked, so it can do nothing."


# --- What a page offers ---


def test_a_page_offers_what_the_guards_allow(
    job: Job, alma: Person, client_person: Person, stranger: Person
) -> None:
    assert openings(job, alma) == {"release": [1], "refund_held": [1]}
    request_release(job)
    assert openings(job, alma) == {
        "release": [1], "refund_held": [1], "void": [1], "extend_release": [1],
    }  # fmt: skip
    open_dispute(job, client_person)
    assert openings(job, alma) == {"extend_answer": [1]}
    assert openings(job, stranger) == {}


def test_what_was_charged_back_is_frozen_for_support_too(
    job: Job, alma: Person, client_person: Person, freelancer: Person
) -> None:
    payment = Payment.objects.get(job=job)
    deliver(charge_back(payment.gateway_reference), at=NOON)
    for kind, asker in (("release", client_person), ("refund_held", freelancer)):
        act = partial(propose, job, kind, alma, asked_by=asker, amount_minor=500_00)
        assert refused(act).startswith(f"{asker} cannot do this: ")
