"""A Dispute is withdrawn, and the clock of its request runs again (R9.4, R14.8); what it freezes."""

from datetime import timedelta

import pytest

from billing.models import Escrow, ReleaseRequest
from billing.services import disputes, release_requests, sweeping
from jobs.models import Activity, Job, Notification, Person
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    differences,
    figures,
    funded_job,
    open_dispute,
    refused,
)
from tests.billing.steps import request_release

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


def newest() -> Activity:
    return Activity.objects.latest("pk")


def told(line: Activity) -> set[str]:
    return {str(notice.person) for notice in Notification.objects.filter(activity=line)}


# --- Withdrawing: R14.8 ---


def test_eighteen_days_were_left(job: Job, client_person: Person) -> None:
    """R14.8: opened on day 12, withdrawn 5 days later: released 18 days after the withdrawal."""
    request = request_release(job)
    made = open_dispute(job, client_person, at=NOON + 12 * DAY)
    withdrawn_at = NOON + 17 * DAY
    disputes.withdraw(made.pk, by=client_person, at=withdrawn_at, reason="A misunderstanding.")
    made.refresh_from_db()
    assert (made.state, made.ended_at, made.ended_reason) == (
        "withdrawn", withdrawn_at, "A misunderstanding.",
    )  # fmt: skip
    request = ReleaseRequest.objects.get(pk=request.pk)
    assert (request.state, request.auto_release_at, request.overdue_at) == (
        "open", withdrawn_at + 18 * DAY, withdrawn_at + 3 * DAY,
    )  # fmt: skip
    assert (request.clock_stopped_at, request.minimum_granted_at) == (None, None)
    assert told(newest()) == {"Frank Freelancer"}
    due_at = withdrawn_at + 18 * DAY
    second = timedelta(seconds=1)
    sweeping.sweep(at=due_at - second)
    assert figures(job) == ("funded", 0, 0, 500_00)
    sweeping.sweep(at=due_at + DAY)
    assert figures(job) == ("released", 500_00, 0, 0)
    assert Activity.objects.get(kind="released").happened_at == due_at
    assert Activity.objects.get(kind="overdue").happened_at == withdrawn_at + 3 * DAY
    assert differences(due_at + DAY) == []


def test_three_days_were_left_so_it_is_seven(job: Job, client_person: Person) -> None:
    """R14.8: opened on day 27, 3 left: at least 7 days; nothing that is past is said again."""
    request = request_release(job)
    made = open_dispute(job, client_person, at=NOON + 27 * DAY)
    withdrawn_at = NOON + 29 * DAY
    disputes.withdraw(made.pk, by=client_person, at=withdrawn_at)
    request = ReleaseRequest.objects.get(pk=request.pk)
    assert (request.state, request.auto_release_at) == ("overdue", withdrawn_at + 7 * DAY)
    assert request.overdue_at == NOON + 15 * DAY
    assert request.minimum_granted_at == withdrawn_at
    before = Activity.objects.count()
    at = withdrawn_at
    while at < withdrawn_at + 8 * DAY:
        at += HOUR
        sweeping.sweep(at=at)
    lines = Activity.objects.order_by("pk")[before:]
    assert [(line.kind, line.facts.get("days_left"), line.happened_at) for line in lines] == [
        ("release_warning", 5, withdrawn_at + 2 * DAY),
        ("release_warning", 2, withdrawn_at + 5 * DAY),
        ("release_warning", 1, withdrawn_at + 6 * DAY),
        ("released", None, withdrawn_at + 7 * DAY),
    ]


def test_the_minimum_is_granted_once(job: Job, client_person: Person, freelancer: Person) -> None:
    """R9.4: the other side's second Dispute on the request leaves the time that is left."""
    request = request_release(job)
    first = open_dispute(job, client_person, at=NOON + 29 * DAY)
    disputes.withdraw(first.pk, by=client_person, at=NOON + 30 * DAY)
    sweeping.sweep(at=NOON + 31 * DAY)
    assert refused(lambda: open_dispute(job, client_person, at=NOON + 31 * DAY)) == (
        "You withdrew a Dispute about this Release Request, so you cannot open another one about it. "
        "Frank Freelancer still can."
    )
    second = open_dispute(job, freelancer, at=NOON + 33 * DAY)
    disputes.withdraw(second.pk, by=freelancer, at=NOON + 40 * DAY)
    request = ReleaseRequest.objects.get(pk=request.pk)
    assert request.auto_release_at == NOON + 44 * DAY
    assert request.minimum_granted_at == NOON + 30 * DAY


def test_a_new_request_may_be_disputed_anew(job: Job, client_person: Person) -> None:
    request = request_release(job)
    made = open_dispute(job, client_person)
    disputes.withdraw(made.pk, by=client_person, at=NOON + HOUR)
    assert job.freelancer is not None
    release_requests.void(request.pk, by=job.freelancer, at=NOON + 2 * HOUR)
    request_release(job, at=NOON + 3 * HOUR)
    assert open_dispute(job, client_person, at=NOON + 4 * HOUR).state == "open"


def test_only_the_opener_withdraws(
    job: Job, client_person: Person, freelancer: Person, stranger: Person
) -> None:
    made = open_dispute(job, client_person)

    def withdraw_by(person: Person) -> str:
        return refused(lambda: disputes.withdraw(made.pk, by=person, at=NOON + HOUR))

    assert withdraw_by(freelancer) == "Only the side that opened the Dispute can withdraw it."
    assert withdraw_by(stranger) == "Only the Client or the Freelancer can act in this Dispute."
    disputes.withdraw(made.pk, by=client_person, at=NOON + HOUR)
    assert withdraw_by(client_person) == "This Dispute is withdrawn already."
    assert figures(job) == ("funded", 0, 0, 500_00)
    escrow = Escrow.objects.get(job=job, number=1)
    assert (escrow.disputed_at, escrow.disputed_by, escrow.answer_due_at) == (None, None, None)


# --- What is frozen ---


def test_other_milestones_clocks_run_on(client_person: Person, freelancer: Person) -> None:
    job = funded_job(client_person, freelancer, 1, 2)
    request_release(job, 1)
    request_release(job, 2)
    open_dispute(job, client_person, number=1, at=NOON + DAY)
    sweeping.sweep(at=NOON + 31 * DAY)
    assert figures(job, 1) == ("funded", 0, 0, 500_00)
    assert figures(job, 2) == ("released", 1_000_00, 0, 0)


def test_no_request_and_no_void_while_it_is_open(job: Job, client_person: Person) -> None:
    assert job.freelancer is not None
    open_dispute(job, client_person)
    assert "“Milestone 1” is disputed" in refused(lambda: request_release(job, at=NOON + HOUR))
    second = funded_job(client_person, job.freelancer)
    request = request_release(second)
    open_dispute(second, client_person)
    assert "disputed" in refused(
        lambda: release_requests.void(request.pk, by=second.freelancer, at=NOON + HOUR)
    )
    assert "disputed" in refused(
        lambda: release_requests.request_changes(
            request.pk, comment="x", by=client_person, at=NOON + HOUR
        )
    )
