"""Release (R5.1, R5.2) and the examples of R14.1, R14.3."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from billing import ledger
from billing.models import Account, Document, Escrow, ProForma, Release, ReleaseRequest, Transfer
from billing.services import audit, release_requests, releases
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState
from jobs.models import Activity, Job, Notification, Person
from tests.scenarios import fund, running_job
from tests.world import world

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


def request(job: Job, freelancer: Person, at: datetime = NOON) -> ReleaseRequest:
    locked = Job.objects.select_related("policy", "client", "freelancer").get(pk=job.pk)
    (made,) = release_requests.request_release(
        locked, [Escrow.objects.get(job=job, number=1)], by=freelancer, at=at
    )
    return made


def available(person: Person, currency: str = "USD") -> int:
    return ledger.available(person, currency).balance_minor


def test_release_with_a_request(job: Job, client_person: Person, freelancer: Person) -> None:
    """R14.1: 500.00 = 456.25 net + 43.75 fee, final invoice from the pro-forma."""
    made = request(job, freelancer)
    (released,) = releases.release(job.pk, numbers=[1], by=client_person, at=NOON)

    escrow = Escrow.objects.get(job=job, number=1)
    assert escrow.state == "released"
    assert escrow.held_minor == 0
    assert escrow.account.balance_minor == 0
    assert (escrow.released_minor, escrow.service_fee_minor) == (500_00, 43_75)
    assert available(freelancer) == 456_25
    assert ledger.summed_balance(ledger.platform_account("service_fees", "USD")) == 43_75
    made.refresh_from_db()
    assert (made.state, made.ended_at, made.ended_reason) == (
        "released", NOON, "Released by the Client.",
    )  # fmt: skip
    assert made.pro_forma.state == "invoiced"
    document = Document.objects.get()
    assert document.kind == "final_invoice"
    assert document.pro_forma == made.pro_forma
    assert (document.gross_minor, document.service_fee_minor, document.net_minor) == (
        500_00, 43_75, 456_25,
    )  # fmt: skip
    assert document.issued_at == NOON
    assert document.name == f"INV-{freelancer.pk}-0001" == released.document
    assert document.parties["client"]["name"] == "Clara Client"
    references = Transfer.objects.filter(code__in=["release", "service_fee"]).values_list(
        "reference", flat=True
    )
    assert set(references) == {
        f"release:{released.release_id}:net", f"release:{released.release_id}:service_fee",
    }  # fmt: skip


def test_release_without_a_request_makes_a_receipt(job: Job, client_person: Person) -> None:
    (released,) = releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    document = Document.objects.get()
    assert document.kind == "receipt"
    assert document.pro_forma is None
    assert released.document == document.name == f"REC-{job.freelancer_id}-0001"


def test_history_and_notices_of_a_release(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    line = Activity.objects.get(kind="released")
    assert (line.actor, line.actor_kind, line.happened_at) == (client_person, "person", NOON)
    assert line.reason == "Released by the Client."
    assert line.facts["amount_minor"] == 500_00
    assert line.facts["net_minor"] == 456_25
    readers = Notification.objects.filter(activity=line).values_list("person", "state")
    assert set(readers) == {(client_person.pk, "queued"), (freelancer.pk, "queued")}
    job.refresh_from_db()
    assert job.last_activity_at == NOON
    assert job.last_activity_besides_requests_at == NOON
    assert job.dormant_at == NOON.replace(month=5, day=1, hour=0) + timedelta(days=60)


@pytest.mark.parametrize(
    ("currency", "gross_minor", "fee_minor", "net_minor"),
    [("USD", 33_33, 2_92, 30_41), ("JPY", 1_001, 88, 913), ("KWD", 10_005, 875, 9_130)],
)
def test_fees_round_half_up_to_the_smallest_unit(
    client_person: Person,
    freelancer: Person,
    currency: str,
    gross_minor: int,
    fee_minor: int,
    net_minor: int,
) -> None:
    """R14.3."""
    job = running_job(client_person, freelancer, amounts_minor=[gross_minor], currency=currency)
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    row = Release.objects.get()
    assert (row.gross_minor, row.service_fee_minor, row.net_minor) == (
        gross_minor, fee_minor, net_minor,
    )  # fmt: skip
    assert available(freelancer, currency) == net_minor


def test_a_fee_of_nothing_is_not_posted(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[5])
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert not Transfer.objects.filter(code="service_fee").exists()
    assert available(freelancer) == 5


def test_several_milestones_at_once(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[33_33, 100_00, 7_00])
    fund(job, 1, 2, 3)
    released = releases.release(job.pk, numbers=[3, 1], by=client_person, at=NOON)
    assert [result.amounts.gross_minor for result in released] == [33_33, 7_00]
    assert list(Document.objects.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert available(freelancer) == 30_41 + (7_00 - 61)
    assert Escrow.objects.get(job=job, number=2).state == "funded"


@pytest.mark.parametrize(
    ("who", "error", "message"),
    [
        ("freelancer", WrongParty, "Only the Client can release the money of a Milestone."),
        ("stranger", WrongParty, "Only the Client can release the money of a Milestone."),
        ("agent", WrongParty, "Only the Client can release the money of a Milestone."),
    ],
)
def test_only_the_client_releases(
    request: pytest.FixtureRequest, job: Job, who: str, error: type[Refusal], message: str
) -> None:
    before = world()
    with pytest.raises(error, match=message):
        releases.release(job.pk, numbers=[1], by=request.getfixturevalue(who), at=NOON)
    assert world() == before


def test_an_unfunded_milestone_is_not_released(job: Job, client_person: Person) -> None:
    before = world()
    with pytest.raises(WrongState, match="“Milestone 2” is not funded, so there is nothing"):
        releases.release(job.pk, numbers=[1, 2], by=client_person, at=NOON)
    assert world() == before


def test_a_released_milestone_is_not_released_again(job: Job, client_person: Person) -> None:
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    before = world()
    with pytest.raises(WrongState, match="“Milestone 1” is released already"):
        releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert world() == before


@pytest.mark.parametrize("numbers", [[], [99], [2**63], [10**30]])
def test_nothing_chosen(job: Job, client_person: Person, numbers: list[int]) -> None:
    before = world()
    with pytest.raises(WrongState, match="Choose a Milestone to release"):
        releases.release(job.pk, numbers=numbers, by=client_person, at=NOON)
    assert world() == before


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_threads_release_one_request(client_person: Person, freelancer: Person) -> None:
    """One release, one invoice, seven plain refusals."""
    job = running_job(client_person, freelancer)
    fund(job, 1, 2)
    request(job, freelancer)
    refusals: list[str] = []
    successes: list[str] = []
    start = threading.Barrier(8)

    def press() -> None:
        try:
            start.wait()
            (released,) = releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
            successes.append(released.document)
        except WrongState as refusal:
            refusals.append(refusal.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=press) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert successes == [f"INV-{freelancer.pk}-0001"]
    assert refusals == ["“Milestone 1” is released already."] * 7
    assert Release.objects.count() == Document.objects.count() == 1
    assert ProForma.objects.get().state == "invoiced"
    assert available(freelancer) == 456_25
    assert not any(finding.differences for finding in audit.audit_ledger(at=NOON))


def test_the_statements_of_one_release(
    job: Job, client_person: Person, freelancer: Person, django_assert_num_queries: Any
) -> None:
    """Lock, read, money and documents, history: four, whatever the number of Milestones."""
    request(job, freelancer)
    with django_assert_num_queries(6):  # two of them are the savepoint in the test's transaction
        releases.release(job.pk, numbers=[1], by=client_person, at=NOON)


def test_the_audit_is_clean(job: Job, client_person: Person, freelancer: Person) -> None:
    request(job, freelancer)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert [finding.differences for finding in audit.audit_ledger(at=NOON)] == [[]] * len(
        audit.CHECKS
    )
    assert Account.objects.filter(kind="escrow").count() == 2


def test_another_amount_than_the_one_seen(job: Job, client_person: Person) -> None:
    before = world()
    with pytest.raises(StalePage, match="The amounts have changed since you opened this page"):
        releases.release(job.pk, numbers=[1], by=client_person, at=NOON, seen_minor=499_99)
    assert world() == before
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON, seen_minor=500_00)
    assert available(job.freelancer) == 456_25
