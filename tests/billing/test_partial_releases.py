"""A part of a Milestone is released (R5.3), and the example of R14.11."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing import ledger
from billing.models import Document, Escrow, ProForma, Release, ReleaseRequest
from billing.notices import RELEASED
from billing.services import audit, catching_up, release_requests, releases
from billing.services.amounts import WrongAmount, quote
from billing.services.releases import CHANGED_MEANWHILE
from escrow_site.lib import money
from escrow_site.lib.refusals import StalePage, WrongParty, WrongState
from jobs.models import Activity, Job, Notification, Person, Policy
from tests.billing.banking import at_once, refused
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


def escrow_of(job: Job, number: int = 1) -> Escrow:
    return Escrow.objects.get(job=job, number=number)


def available(person: Person | None, currency: str = "USD") -> int:
    assert person is not None
    return ledger.available(person, currency).balance_minor


def release_part(
    job: Job, amount_minor: int, *, by: Person | None = None, at: datetime = NOON, number: int = 1
) -> releases.Released:
    """The Client releases a part, having seen what is held."""
    return releases.release_part(
        job.pk,
        number=number,
        amount_minor=amount_minor,
        by=by or job.client,
        at=at,
        seen_held_minor=escrow_of(job, number).held_minor,
    )


def assert_adds_up(at: datetime = NOON) -> None:
    assert [finding for finding in audit.audit_ledger(at=at) if finding.differences] == []


def test_three_parts_cost_as_much_as_one(client_person: Person, freelancer: Person) -> None:
    """R14.11: 33.33 in three parts of 11.11: fees 0.97, 0.97, 0.98, in sum 2.92."""
    job = running_job(client_person, freelancer, amounts_minor=[33_33])
    fund(job, 1)
    released = [release_part(job, 11_11) for _ in range(3)]
    assert [one.amounts.service_fee_minor for one in released] == [97, 97, 98]
    escrow = escrow_of(job)
    assert (escrow.state, escrow.released_minor, escrow.service_fee_minor) == (
        "released", 33_33, 2_92,
    )  # fmt: skip
    assert available(freelancer) == 30_41
    assert Job.objects.get(pk=job.pk).state == "completed"
    assert_adds_up()


def test_the_rest_stays_held_and_the_request_stands_for_it(job: Job, freelancer: Person) -> None:
    asked = request_release(job)
    later = NOON + timedelta(days=3)
    first = release_part(job, 300_00, at=later)

    escrow = escrow_of(job)
    assert (escrow.state, escrow.held_minor, escrow.released_minor) == ("funded", 200_00, 300_00)
    assert escrow.account.balance_minor == 200_00
    request = ReleaseRequest.objects.get()
    assert (request.state, request.ended_at) == ("open", None)
    assert (request.overdue_at, request.auto_release_at) == (
        asked.overdue_at,
        asked.auto_release_at,
    )
    assert request.pro_forma.state == "issued"
    invoice = Document.objects.get()
    assert (invoice.kind, invoice.pro_forma, invoice.gross_minor) == (
        "final_invoice", request.pro_forma, 300_00,
    )  # fmt: skip
    assert first.document == invoice.name
    assert available(freelancer) == 273_75
    assert_adds_up(later)

    release_part(job, 200_00, at=later)
    request = ReleaseRequest.objects.get()
    assert (request.state, request.ended_at) == ("released", later)
    assert request.pro_forma.state == "invoiced"
    assert [one.gross_minor for one in request.pro_forma.documents.order_by("number")] == [
        300_00, 200_00,
    ]  # fmt: skip
    assert available(freelancer) == 456_25
    assert_adds_up(later)


def test_silence_releases_the_rest_at_the_old_instant(job: Job, freelancer: Person) -> None:
    request = request_release(job)
    release_part(job, 300_00)
    due_at = request.auto_release_at
    catching_up.carry_out_due([job.pk], at=due_at)
    assert list(Release.objects.order_by("pk").values_list("gross_minor", "happened_at")) == [
        (300_00, NOON), (200_00, due_at),
    ]  # fmt: skip
    assert ProForma.objects.get().state == "invoiced"
    assert available(freelancer) == 456_25
    assert_adds_up(due_at)


def test_each_part_without_a_request_makes_a_receipt(job: Job) -> None:
    release_part(job, 100_00)
    release_part(job, 400_00)
    assert list(Document.objects.order_by("number").values_list("kind", "gross_minor")) == [
        ("receipt", 100_00), ("receipt", 400_00),
    ]  # fmt: skip


def test_a_void_leaves_the_invoices_issued(job: Job, freelancer: Person) -> None:
    request = request_release(job)
    release_part(job, 300_00)
    release_requests.void(request.pk, by=freelancer, at=NOON)
    assert ProForma.objects.get().state == "void"
    assert Document.objects.get().pro_forma == request.pro_forma
    again = request_release(job)
    assert again.pro_forma.amount_minor == 200_00
    assert_adds_up()


def test_the_history_says_what_stays_held(job: Job, freelancer: Person) -> None:
    release_part(job, 300_00)
    line = Activity.objects.get(kind=RELEASED.name)
    assert (line.actor, line.reason) == (
        job.client,
        "A part of the Milestone released by the Client.",
    )
    assert (line.facts["amount_minor"], line.facts["held_minor"]) == (300_00, 200_00)
    told = Notification.objects.filter(activity=line).values_list("person", flat=True)
    assert set(told) == {job.client_id, freelancer.pk}
    assert Job.objects.get(pk=job.pk).last_activity_at == NOON


def test_a_dormant_job_is_active_again(job: Job) -> None:
    dormant_at = Job.objects.get(pk=job.pk).dormant_at
    assert dormant_at == datetime(2026, 6, 30, tzinfo=UTC)
    release_part(job, 100_00, at=dormant_at)
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.dormant_at) == ("active", dormant_at + timedelta(days=60))


def test_all_that_is_held_is_a_whole_release(job: Job) -> None:
    release_part(job, 500_00)
    assert Activity.objects.get(kind="released").reason == "Released by the Client."
    assert "held_minor" not in Activity.objects.get(kind="released").facts


# --- Refused ---


@pytest.mark.parametrize("who", ["freelancer", "stranger", "agent"])
def test_only_the_client(request: pytest.FixtureRequest, job: Job, who: str) -> None:
    with refused(WrongParty, "Only the Client can release the money of a Milestone."):
        release_part(job, 1, by=request.getfixturevalue(who))


@pytest.mark.parametrize("amount_minor", [0, -1])
def test_nothing_is_no_part(job: Job, amount_minor: int) -> None:
    with refused(WrongAmount, "Enter an amount above zero."):
        release_part(job, amount_minor)


def test_more_than_is_held(job: Job) -> None:
    with refused(WrongAmount, "$500.01 is more than there is: the most is $500.00."):
        release_part(job, 500_01)


def test_a_page_that_is_out_of_date(job: Job) -> None:
    """The second click of the same page releases nothing more."""
    release_part(job, 100_00)
    with refused(StalePage, CHANGED_MEANWHILE):
        releases.release_part(
            job.pk, number=1, amount_minor=100_00, by=job.client, at=NOON, seen_held_minor=500_00
        )


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (2, "“Milestone 2” is not funded, so there is nothing to release."),
        (9, "Choose a Milestone to release."),
    ],
)
def test_nothing_is_held(job: Job, number: int, message: str) -> None:
    with refused(WrongState, message):
        releases.release_part(
            job.pk, number=number, amount_minor=1, by=job.client, at=NOON, seen_held_minor=0
        )


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ("pending", "The money for “Milestone 2” is Pending: it can be released once the payment has "
         "been authenticated."),
        ("removed", "“Milestone 2” is removed already."),
    ],
)  # fmt: skip
def test_other_states(job: Job, state: str, message: str) -> None:
    Escrow.objects.filter(job=job, number=2).update(state=state)
    with refused(WrongState, message):
        release_part(job, 1, number=2)


def test_what_is_released_already(job: Job) -> None:
    releases.release(job.pk, numbers=[1], by=job.client, at=NOON)
    with refused(WrongState, "“Milestone 1” is released already."):
        release_part(job, 1)


# --- Whatever the parts ---


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(st.integers(1, 40_00), min_size=1, max_size=6),
    currency=st.sampled_from(["USD", "JPY", "KWD"]),
)
def test_the_fees_of_the_parts_are_the_fee_on_the_whole(
    client_person: Person, freelancer: Person, parts: list[int], currency: str
) -> None:
    before = transaction.savepoint()
    try:
        job = running_job(client_person, freelancer, amounts_minor=[sum(parts)], currency=currency)
        fund(job, 1)
        for place, part_minor in enumerate(parts):
            release_part(job, part_minor)
            escrow = escrow_of(job)
            assert escrow.held_minor == sum(parts[place + 1 :])
            assert escrow.service_fee_minor == money.share(sum(parts[: place + 1]), 875)
            assert_adds_up()
        whole_fee_minor = money.share(sum(parts), 875)
        assert available(freelancer, currency) == sum(parts) - whole_fee_minor
    finally:
        transaction.savepoint_rollback(before)


@settings(max_examples=200, deadline=None)
@given(
    parts=st.lists(st.integers(1, 50), min_size=1, max_size=12),
    service=st.integers(0, 5_000),
    processing=st.integers(0, 5_000),
)
def test_fees_never_take_more_than_the_part(
    parts: list[int], service: int, processing: int
) -> None:
    """Even a part of the smallest unit leaves its receiver nothing less than nothing."""
    policy = Policy(service_fee_basis_points=service, processing_fee_basis_points=processing)
    escrow = Escrow(funded_minor=sum(parts))
    for part_minor in parts:
        amounts = quote(escrow, policy=policy, gross_minor=part_minor)
        assert min(amounts.net_minor, amounts.service_fee_minor, amounts.processing_fee_minor) >= 0
        escrow.released_minor += amounts.gross_minor
        escrow.service_fee_minor += amounts.service_fee_minor
        escrow.processing_fee_minor += amounts.processing_fee_minor
    assert escrow.service_fee_minor == money.share(sum(parts), service)


# --- At the same instant ---


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_threads_release_a_part(client_person: Person, freelancer: Person) -> None:
    """All saw the same page: one part is released, seven are told that the amounts have changed."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    request_release(job)

    def press() -> object:
        return releases.release_part(
            job.pk, number=1, amount_minor=50_00, by=client_person, at=NOON, seen_held_minor=500_00
        )

    outcomes = at_once(*[press] * 8)
    stale = [one for one in outcomes if isinstance(one, StalePage)]
    assert len(stale) == 7
    assert Release.objects.count() == Document.objects.count() == 1
    assert escrow_of(job).held_minor == 450_00
    assert_adds_up()


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_threads_release_what_is_held_by_then(
    client_person: Person, freelancer: Person
) -> None:
    """Who looks again after each refusal gets his part in: eight parts, nothing lost, none twice."""
    job = running_job(client_person, freelancer, open_ended=True)
    fund(job, 1)

    def press() -> object:
        while True:
            try:
                return release_part(job, 62_50)
            except StalePage:
                continue

    outcomes = at_once(*[press] * 8)
    assert [one for one in outcomes if isinstance(one, Exception)] == []
    assert Release.objects.count() == Document.objects.count() == 8
    escrow = escrow_of(job)
    assert (escrow.state, escrow.held_minor, escrow.service_fee_minor) == ("released", 0, 43_75)
    assert available(freelancer) == 456_25
    assert_adds_up()
