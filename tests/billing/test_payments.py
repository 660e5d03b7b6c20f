"""Payments: money from the Client into Milestones (R3)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing import gateways
from billing.gateways.base import Status
from billing.models import Account, Allocation, FundingRequest
from billing.services import cards, funding, payments
from billing.services.payments import AlreadyUnderWay, CardNotAuthenticated
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState
from jobs.models import Activity, Job, Person
from tests.billing.banking import (
    add_card,
    answer_challenge,
    authenticate,
    balance_of,
    escrow_states,
    fund,
    history,
    nothing_changes,
    refuse,
    refused,
    told,
    transfers,
)
from tests.scenarios import finished_job, running_job

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=3)
BOTH = {"clara@example.com", "frank@example.com"}


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00])


def hourly_job(client_person: Person, freelancer: Person) -> Job:
    job = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=job.pk).update(kind="hourly", hourly_rate_minor=50_00)
    return Job.objects.get(pk=job.pk)


# --- The good way ---


def test_a_milestone_is_funded_whole_by_one_charge(job: Job, at: datetime) -> None:
    payment = fund(job, 1, at=at + LATER)

    assert payment.state == "succeeded"
    assert payment.succeeded_at == at + LATER
    assert payment.lapses_at == at + LATER + timedelta(days=7)
    assert escrow_states(job) == ["funded", "unfunded", "unfunded"]
    first = job.escrows.get(number=1)
    assert (first.funded_minor, first.held_minor) == (500_00, 500_00)
    assert transfers() == [("fund", f"payment:{payment.pk}:escrow:{first.pk}", 500_00)]
    assert balance_of(escrow=first) == 500_00
    line = Activity.objects.get(job=job, kind="funded")
    assert (line.actor, line.happened_at) == (job.client, at + LATER)
    assert line.facts == {
        "escrow": "Milestone 1", "milestones": "“Milestone 1”", "number": 1, "numbers": [1], "amount_minor": 500_00,
        "payment": payment.pk, "card": "Visa ending in 4242",
    }  # fmt: skip
    assert told(job, "funded") == BOTH
    job.refresh_from_db()
    assert job.last_activity_at == at + LATER


def test_funding_closes_the_funding_request(job: Job, at: datetime) -> None:
    assert FundingRequest.objects.get().closed_at is None
    fund(job, 1, at=at + LATER)
    assert FundingRequest.objects.get().closed_at == at + LATER


def test_several_milestones_are_one_charge_and_one_line_of_history(job: Job, at: datetime) -> None:
    payment = fund(job, 1, 3, at=at)

    assert payment.amount_minor == 700_00
    assert escrow_states(job) == ["funded", "unfunded", "funded"]
    assert [balance_of(escrow=escrow) for escrow in job.escrows.order_by("number")] == [
        500_00, 0, 200_00,
    ]  # fmt: skip
    assert history(job) == ["funding_requested", "funded"]
    facts = Activity.objects.get(job=job, kind="funded").facts
    assert (facts["escrow"], facts["numbers"]) == ("Milestone 1, Milestone 3", [1, 3])
    look_up = gateways.get("simulated").look_up(
        gateways.base.Kind.CHARGE, idempotency_key=payment.idempotency_key
    )
    assert look_up.status == Status.SUCCEEDED


def test_a_dormant_job_can_be_funded_and_stays_dormant(job: Job, at: datetime) -> None:
    Job.objects.filter(pk=job.pk).update(state="dormant")
    fund(job, 1, at=at)
    job.refresh_from_db()
    assert (job.state, escrow_states(job)[0]) == ("dormant", "funded")


def test_the_statements_of_one_funding(
    job: Job, at: datetime, django_assert_num_queries: Any
) -> None:
    """Lock, read with the card, intent; then lock, read, money, history: whatever the number of Milestones."""
    method = add_card(job.client, at=at)
    fund(job, 2, at=at)
    with django_assert_num_queries(5):  # two of them are the savepoint in the test's transaction
        payment = payments.start(job.pk, numbers=[1, 3], method=method, by=job.client, at=at)
    answer = gateways.get("simulated").start_charge(payments._order(payment))
    with django_assert_num_queries(6):
        payments.record_answer(payment, answer, at=at)


def test_the_first_money_through_a_gateway_opens_its_account(job: Job, at: datetime) -> None:
    Account.objects.filter(kind="cash").delete()
    payment = fund(job, 1, at=at)
    assert payment.state == "succeeded"
    assert transfers() == [
        ("fund", f"payment:{payment.pk}:escrow:{job.escrows.get(number=1).pk}", 500_00)
    ]
    assert Account.objects.filter(kind="cash", gateway="simulated", currency="USD").exists()


def test_a_row_that_changed_under_the_answer_gives_the_transaction_up(
    job: Job, at: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing can change under the lock; should it all the same, no money moves."""
    payment = payments.start(
        job.pk, numbers=[1, 3], method=add_card(job.client), by=job.client, at=at
    )
    answer = gateways.get("simulated").start_charge(payments._order(payment))
    read = payments._read

    def read_too_early(*arguments: Any) -> Any:
        found = read(*arguments)
        job.escrows.filter(number=3).update(state="pending")
        return found

    monkeypatch.setattr(payments, "_read", read_too_early)
    with nothing_changes(), pytest.raises(states.LostRace, match="1 payment for 2 Escrows"):
        payments.record_answer(payment, answer, at=at)


# --- Pending ---


def test_an_unauthenticated_card_makes_the_first_milestone_pending(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)

    assert payment.state == "authenticating"
    assert escrow_states(job) == ["pending", "unfunded", "unfunded"]
    assert transfers() == []
    assert history(job) == ["funding_requested", "payment_pending"]
    assert told(job, "payment_pending") == BOTH
    assert FundingRequest.objects.get().closed_at is None


def test_pending_turns_funded_the_moment_the_bank_says_so(job: Job, at: datetime) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    authenticate(payment, at=at + LATER)

    payment.refresh_from_db()
    assert (payment.state, payment.succeeded_at) == ("succeeded", at + LATER)
    assert escrow_states(job)[0] == "funded"
    assert payment.method.authenticated_at == at + LATER
    line = Activity.objects.get(job=job, kind="funded")
    assert (line.actor, line.happened_at) == (job.client, at + LATER)


def test_what_the_holder_refuses_is_unfunded_again_and_can_be_funded_anew(
    job: Job, at: datetime
) -> None:
    payment = fund(job, 1, behaviour="needs_authentication", at=at)
    refuse(payment, at=at + LATER)

    payment.refresh_from_db()
    assert payment.state == "failed"
    assert payment.failure == "The bank could not confirm that you are the holder of the card."
    assert escrow_states(job)[0] == "unfunded"
    assert history(job)[-1] == "authentication_failed"
    assert told(job, "authentication_failed") == BOTH
    again = fund(job, 1, at=at + LATER)
    assert again.state == "authenticating"


def test_an_unauthenticated_card_funds_nothing_but_the_first_milestone(
    job: Job, at: datetime
) -> None:
    method = add_card(job.client, "needs_authentication")
    message = (
        "Visa ending in 3184 is not authenticated. Such a card can fund the first Milestone only, "
        "while nothing on the Job was ever Funded. Authenticate the card at your bank (Manage ▸ "
        "Cards ▸ Authenticate), or choose another one."
    )
    for numbers in ([2], [1, 2], [3]):
        with refused(CardNotAuthenticated, message):
            payments.fund(job.pk, numbers=numbers, method=method, by=job.client, at=at)


def test_once_something_was_funded_an_unauthenticated_card_funds_nothing(
    job: Job, at: datetime
) -> None:
    fund(job, 2, at=at)
    method = add_card(job.client, "needs_authentication")
    with nothing_changes(), pytest.raises(CardNotAuthenticated):
        payments.fund(job.pk, numbers=[1], method=method, by=job.client, at=at)


def test_a_card_authenticated_on_its_own_funds_any_milestone_at_once(
    job: Job, at: datetime
) -> None:
    method = add_card(job.client, "needs_authentication")
    url = cards.start_authentication(method, by=job.client, at=at)
    answer_challenge(url.strip("/").split("/")[-1], authenticated=True, at=at + LATER)
    method.refresh_from_db()
    assert method.authenticated_at == at + LATER

    payment = payments.fund(job.pk, numbers=[2, 3], method=method, by=job.client, at=at + LATER)
    assert payment.state == "succeeded"


# --- Declined ---


@pytest.mark.parametrize(
    ("behaviour", "failure"),
    [
        ("declined", "The bank declined the card."),
        ("insufficient_funds", "There is not enough money on the card."),
    ],
)
def test_a_declined_card_funds_nothing(
    job: Job, at: datetime, behaviour: str, failure: str
) -> None:
    payment = fund(job, 1, 2, behaviour=behaviour, at=at)

    assert (payment.state, payment.failure, payment.ended_at) == ("failed", failure, at)
    assert escrow_states(job) == ["unfunded"] * 3
    assert transfers() == []
    assert not Allocation.objects.filter(live=True).exists()
    assert history(job) == ["funding_requested", "payment_failed"]
    assert told(job, "payment_failed") == {"clara@example.com"}
    other = payments.fund(job.pk, numbers=[1, 2], method=add_card(job.client), by=job.client, at=at)
    assert other.state == "succeeded"


# --- Refusals ---


@pytest.mark.parametrize(
    ("numbers", "refusal", "message"),
    [
        ([], WrongState, "Choose at least one Milestone to fund."),
        ([9], WrongState, "A Milestone that you chose is not part of the agreed Terms."),
        ([2, 10**40], WrongState, "A Milestone that you chose is not part of the agreed Terms."),
        ([1], AlreadyUnderWay, "“Milestone 1” is funded: it cannot be funded."),
        ([1, 2], AlreadyUnderWay, "“Milestone 1” is funded: it cannot be funded."),
    ],
)
def test_what_cannot_be_funded_is_refused_whole(
    job: Job, at: datetime, numbers: list[int], refusal: type[Refusal], message: str
) -> None:
    fund(job, 1, at=at)
    with refused(refusal, message):
        fund(job, *numbers, at=at)


def test_only_the_client_funds(
    job: Job, freelancer: Person, stranger: Person, agent: Person, at: datetime
) -> None:
    for person in (freelancer, stranger, agent):
        method = add_card(person)
        with refused(WrongParty, "Only the Client can fund a Milestone."):
            payments.fund(job.pk, numbers=[1], method=method, by=person, at=at)


def test_an_hourly_job_has_no_escrow(
    client_person: Person, freelancer: Person, at: datetime
) -> None:
    job = hourly_job(client_person, freelancer)
    method = add_card(client_person)
    with refused(
        WrongState,
        ("This is an hourly Job. Hourly Jobs have no escrow, so nothing can be funded on it."),
    ):
        payments.fund(job.pk, numbers=[1], method=method, by=client_person, at=at)


def test_a_job_that_has_ended_is_not_funded(
    client_person: Person, freelancer: Person, at: datetime
) -> None:
    job = finished_job(client_person, freelancer)
    with refused(WrongState, "This Job is completed: nothing can be funded."):
        fund(job, 1, at=at)


def test_a_locked_account_can_do_nothing_with_money(
    job: Job, freelancer: Person, at: datetime
) -> None:
    clara = job.client
    method = add_card(clara)
    unconfirmed = add_card(clara, "needs_authentication")
    pending = payments.fund(job.pk, numbers=[1], method=unconfirmed, by=clara, at=at)
    clara.is_active = freelancer.is_active = False
    for attempt in (
        lambda: payments.fund(job.pk, numbers=[2], method=method, by=clara, at=at),
        lambda: payments.cancel(pending, by=clara, at=at),
        lambda: cards.start_authentication(unconfirmed, by=clara, at=at),
        lambda: cards.remove_card(method, by=clara, at=at),
        lambda: add_card(clara, "declined"),
        lambda: funding.request_funding(job.pk, number=2, by=freelancer, at=at),
    ):
        with refused(WrongParty, "This account is locked."):
            attempt()


def test_an_amount_that_was_not_the_one_seen_is_refused(job: Job, at: datetime) -> None:
    method = add_card(job.client)
    job.escrows.filter(number=1).update(amount_minor=650_00)
    with refused(
        StalePage,
        ("The price has changed: it is $650.00 now. Please check the amounts and fund again."),
    ):
        payments.fund(job.pk, numbers=[1], method=method, by=job.client, at=at, seen_minor=500_00)


def test_a_card_that_cannot_be_used_is_refused(
    job: Job, stranger: Person, at: datetime, settings: object
) -> None:
    removed = add_card(job.client)
    cards.remove_card(removed, by=job.client, at=at)
    expired = add_card(job.client, "closed")
    type(expired).objects.filter(pk=expired.pk).update(expires_on=at.date() - timedelta(days=1))
    foreign = add_card(job.client, "declined")
    type(foreign).objects.filter(pk=foreign.pk).update(gateway="elsewhere")
    for method, message in (
        (add_card(stranger), "This is not your card."),
        (removed, "Visa ending in 4242 was removed from your cards: choose another card."),
        (expired, "Visa ending in 5126 has expired: choose another card."),
        (foreign, "Visa ending in 0002 cannot be charged any more: remove it and add it again."),
    ):
        with refused(Refusal, message):
            payments.fund(job.pk, numbers=[1], method=method, by=job.client, at=at)


def test_a_pending_milestone_says_so(job: Job, at: datetime) -> None:
    fund(job, 1, behaviour="needs_authentication", at=at)
    escrow = job.escrows.get(number=1)
    refusal = payments.may_fund(escrow, by=job.client, at=at)
    assert refusal is not None
    assert refusal.message == "A payment for “Milestone 1” is Pending already."
    assert payments.may_fund(job.escrows.get(number=2), by=job.client, at=at) is None
