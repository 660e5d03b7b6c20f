"""The end of a Job and its Closing Statement (R11)."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import ClosingStatement, Escrow
from billing.services import closing, release_requests, releases
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Notification, Person
from tests.scenarios import START, fund, running_job
from tests.world import world

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def fresh(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def test_the_last_release_completes_the_job(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00])
    fund(job, 1, 2)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(job).state == "active"
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON + timedelta(days=1))
    ended = fresh(job)
    assert (ended.state, ended.ended_at) == ("completed", NOON + timedelta(days=1))
    assert ended.dormant_at is None
    line = Activity.objects.get(kind="completed")
    assert line.actor_kind == "system"
    assert line.reason == ("Every Milestone of the agreed Terms is released, refunded or removed.")
    readers = Notification.objects.filter(activity=line).values_list("person", flat=True)
    assert set(readers) == {client_person.pk, freelancer.pk}
    assert Activity.objects.order_by("pk").last() == line


def test_the_statement_says_every_movement_and_sums_to_zero(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 33_33])
    fund(job, 1, at=START)
    fund(job, 2, at=START + timedelta(days=2))
    release_requests.request_release(
        fresh(job), [Escrow.objects.get(job=job, number=1)], by=freelancer, at=NOON
    )
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON + timedelta(hours=1))

    statement = ClosingStatement.objects.get(job=job)
    assert statement.name == f"CS-{job.pk}-1"
    assert statement.replaces is None
    assert statement.parties["freelancer"]["email"] == "frank@example.com"
    said = [
        (line["what"], line["number"], line["amount_minor"], line["actor"])
        for line in statement.lines
    ]
    assert said == [
        ("funding", 1, 500_00, "Clara Client"),
        ("funding", 2, 33_33, "Clara Client"),
        ("release", 1, 500_00, "Clara Client"),
        ("release", 2, 33_33, "Clara Client"),
    ]
    assert statement.lines[2]["service_fee_minor"] == 43_75
    assert statement.lines[2]["note"] == (f"INV-{freelancer.pk}-0001. Released by the Client.")
    assert statement.totals["job"] == {
        "funded_minor": 533_33,
        "released_minor": 533_33,
        "refunded_minor": 0,
        "credited_minor": 0,
        "service_fee_minor": 46_67,
        "processing_fee_minor": 0,
        "net_minor": 486_66,
    }
    assert [row["net_minor"] for row in statement.totals["milestones"]] == [456_25, 30_41]


def test_an_open_terms_proposal_holds_completion_back(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    Job.objects.filter(pk=job.pk).update(open_proposal_until=NOON + timedelta(days=7))
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(job).state == "active"
    assert not ClosingStatement.objects.exists()


def test_a_lapsed_proposal_does_not(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    Job.objects.filter(pk=job.pk).update(open_proposal_until=NOON)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(job).state == "completed"


@pytest.fixture
def open_ended(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not, the end to be determined."""
    job = running_job(client_person, freelancer, open_ended=True)
    fund(job, 1)
    return job


@pytest.mark.parametrize("who", ["client_person", "freelancer"])
def test_either_side_completes_an_open_ended_job(
    open_ended: Job, who: str, request: pytest.FixtureRequest, client_person: Person
) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(open_ended).state == "active"
    by = request.getfixturevalue(who)
    closing.complete(open_ended.pk, by=by, at=NOON + timedelta(days=1))
    assert fresh(open_ended).state == "completed"
    states = Escrow.objects.of(open_ended).values_list("state", flat=True)
    assert list(states) == ["released", "removed"]
    assert Activity.objects.get(kind="completed").actor == by
    assert ClosingStatement.objects.count() == 1


def refused(job: Job, by: Person) -> str:
    before = world()
    with pytest.raises(Refusal) as caught:
        closing.complete(job.pk, by=by, at=NOON)
    assert world() == before
    return caught.value.message


def test_held_money_keeps_a_job_open(open_ended: Job, client_person: Person) -> None:
    assert refused(open_ended, client_person) == (
        "The Job cannot be completed yet: “Milestone 1” is funded."
    )


def test_pending_money_keeps_a_job_open(open_ended: Job, client_person: Person) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    Escrow.objects.filter(job=open_ended, number=2).update(state="pending")
    assert refused(open_ended, client_person) == (
        "The Job cannot be completed yet: “Milestone 2” is pending."
    )


def test_a_proposal_keeps_a_job_open(open_ended: Job, client_person: Person) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    Job.objects.filter(pk=open_ended.pk).update(open_proposal_until=NOON + timedelta(days=1))
    assert refused(open_ended, client_person) == (
        "A Terms proposal is open: answer or withdraw it first."
    )


def test_a_stranger_completes_nothing(open_ended: Job, stranger: Person) -> None:
    assert refused(open_ended, stranger) == (
        "Only the Client or the Freelancer can complete a Job."
    )


def test_a_dated_job_completes_by_itself(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    assert refused(job, client_person) == (
        "This Job completes by itself when every Milestone is released, refunded or removed."
    )


def test_a_completed_job_is_not_completed_again(open_ended: Job, client_person: Person) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    closing.complete(open_ended.pk, by=client_person, at=NOON)
    assert refused(open_ended, client_person) == "This Job is completed."
