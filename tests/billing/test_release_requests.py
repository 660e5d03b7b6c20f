"""Release Requests (R4.2, R6.1) and their Void (R7.1, R7.2); the examples of R14.1 and R14.2."""

from datetime import UTC, datetime, timedelta

import pytest

from billing.models import Escrow, ProForma, ReleaseRequest
from billing.services import release_requests, releases
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState
from jobs.models import Activity, Job, Notification, Person
from tests.scenarios import finished_job, fund, running_job
from tests.world import world

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def request(job: Job, by: Person, *, number: int = 1, at: datetime = NOON) -> ReleaseRequest:
    escrow = Escrow.objects.get(job=job, number=number)
    (made,) = release_requests.request_release(job, [escrow], by=by, at=at, comments="Done.")
    return made


def test_a_request_starts_the_clock(job: Job, freelancer: Person) -> None:
    """R14.1: requested 9 Mar 12:00, Overdue 24 Mar 12:00, due 8 Apr 12:00."""
    made = request(job, freelancer)
    assert made.state == "open"
    assert made.requested_at == NOON
    assert made.overdue_at == datetime(2026, 3, 24, 12, tzinfo=UTC)
    assert made.auto_release_at == datetime(2026, 4, 8, 12, tzinfo=UTC)
    pro_forma = made.pro_forma
    assert pro_forma.state == "issued"
    assert (pro_forma.amount_minor, pro_forma.service_fee_minor, pro_forma.net_minor) == (
        500_00, 43_75, 456_25,
    )  # fmt: skip
    line = Activity.objects.get(kind="release_requested")
    assert (line.actor, line.happened_at) == (freelancer, NOON)
    assert Notification.objects.get(activity=line).person == job.client


def test_a_request_does_not_count_as_other_activity(job: Job, freelancer: Person) -> None:
    """R10.3 sets Release Requests apart."""
    Job.objects.filter(pk=job.pk).update(last_activity_besides_requests_at=None)
    job.refresh_from_db()
    request(job, freelancer)
    job.refresh_from_db()
    assert job.last_activity_at == NOON
    assert job.last_activity_besides_requests_at is None


def test_a_request_is_for_what_is_held_and_asked_once(job: Job, freelancer: Person) -> None:
    """R14.10: the second of two requests for one Milestone gets a message."""
    request(job, freelancer)
    before = world()
    with pytest.raises(
        release_requests.RequestOpen, match="A Release Request for “Milestone 1” is open already."
    ):
        request(job, freelancer, at=NOON + timedelta(milliseconds=300))
    assert world() == before
    assert ReleaseRequest.objects.count() == ProForma.objects.count() == 1


def refused(job: Job, by: Person, number: int = 1) -> str:
    """Ask for a release that must be refused; what was said."""
    before = world()
    with pytest.raises(Refusal) as caught:
        request(job, by, number=number)
    assert world() == before
    return caught.value.message


def test_the_client_does_not_request(job: Job, client_person: Person, stranger: Person) -> None:
    assert refused(job, client_person) == "Only the Freelancer can request a release."
    assert refused(job, stranger) == "Only the Freelancer can request a release."


def test_an_unfunded_milestone_is_not_requested(job: Job, freelancer: Person) -> None:
    assert refused(job, freelancer, 2) == (
        "“Milestone 2” is not funded yet, so there is nothing to release."
    )


def test_pending_money_is_not_requested(job: Job, freelancer: Person) -> None:
    Escrow.objects.filter(job=job, number=2).update(state="pending")
    assert refused(job, freelancer, 2) == (
        "The money for “Milestone 2” is Pending: it can be billed as soon as the Client has "
        "authenticated the payment."
    )


def test_a_released_milestone_is_not_requested(job: Job, freelancer: Person) -> None:
    releases.release(job.pk, numbers=[1], by=job.client, at=NOON)
    assert refused(job, freelancer) == "“Milestone 1” is released already."


def test_an_ended_job_has_no_requests(client_person: Person, freelancer: Person) -> None:
    job = finished_job(client_person, freelancer)
    assert refused(job, freelancer) == "This Job is completed."


def test_void_stops_the_clock_and_a_new_request_starts_a_new_one(
    job: Job, freelancer: Person
) -> None:
    """R14.2: voided 20 Mar; a request of 1 Apr 09:00 is Overdue 16 Apr 09:00, due 1 May 09:00."""
    made = request(job, freelancer)
    twentieth = datetime(2026, 3, 20, 8, tzinfo=UTC)
    release_requests.void(made.pk, by=freelancer, at=twentieth, reason="A page is missing.")
    made = ReleaseRequest.objects.get(pk=made.pk)
    assert (made.state, made.ended_at, made.ended_reason) == (
        "voided", twentieth, "A page is missing.",
    )  # fmt: skip
    assert made.pro_forma.state == "void"
    escrow = Escrow.objects.get(job=job, number=1)
    assert (escrow.state, escrow.held_minor) == ("funded", 500_00)
    line = Activity.objects.get(kind="voided")
    assert (line.actor, line.reason) == (freelancer, "A page is missing.")
    assert Notification.objects.get(activity=line).person == job.client

    second = request(job, freelancer, at=datetime(2026, 4, 1, 9, tzinfo=UTC))
    assert second.overdue_at == datetime(2026, 4, 16, 9, tzinfo=UTC)
    assert second.auto_release_at == datetime(2026, 5, 1, 9, tzinfo=UTC)
    assert ReleaseRequest.objects.unanswered().count() == 1


def test_only_the_freelancer_voids(job: Job, freelancer: Person, stranger: Person) -> None:
    made = request(job, freelancer)
    before = world()
    for person in (job.client, stranger):
        with pytest.raises(WrongParty, match="Only the Freelancer can void a Release Request."):
            release_requests.void(made.pk, by=person, at=NOON)
    assert world() == before


def test_what_is_released_or_void_is_not_voided(job: Job, freelancer: Person) -> None:
    """R7.2."""
    voided = request(job, freelancer)
    release_requests.void(voided.pk, by=freelancer, at=NOON)
    released = request(job, freelancer)
    releases.release(job.pk, numbers=[1], by=job.client, at=NOON)
    before = world()
    for made, state in ((voided, "voided"), (released, "released")):
        with pytest.raises(WrongState, match=f"cannot be voided: it is {state} already."):
            release_requests.void(made.pk, by=freelancer, at=NOON)
    assert world() == before


def test_a_disputed_request_is_not_voided(job: Job, freelancer: Person) -> None:
    made = request(job, freelancer)
    ReleaseRequest.objects.filter(pk=made.pk).update(state="disputed")
    with pytest.raises(WrongState, match="disputed, so it cannot be voided"):
        release_requests.void(made.pk, by=freelancer, at=NOON)


def test_daylight_saving_does_not_stretch_a_day(job: Job, freelancer: Person) -> None:
    """A day is 24 h: over the change of 29 March the due instant stays 720 hours away."""
    made = request(job, freelancer, at=datetime(2026, 3, 28, 23, 30, tzinfo=UTC))
    assert made.auto_release_at - made.requested_at == timedelta(hours=720)
