"""The Client sends a Release Request back with a request for changes (R7.3)."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.models import Escrow, ReleaseRequest
from billing.notices import CHANGES_REQUESTED
from billing.services import catching_up, release_requests, releases
from billing.services.release_requests import COMMENT_AT_MOST, NoComment
from escrow_site.lib.refusals import WrongParty, WrongState
from jobs.models import Activity, Job, Person
from tests.billing.banking import history, refused, told
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db

COMMENT = "The logo is too small."


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


@pytest.fixture
def asked(job: Job) -> ReleaseRequest:
    return request_release(job)


def send_back(request: ReleaseRequest, **changed: Any) -> ReleaseRequest:
    given: dict[str, Any] = {
        "comment": COMMENT,
        "by": request.job.client,
        "at": NOON + timedelta(days=2),
    }
    return release_requests.request_changes(request.pk, **(given | changed))


def test_it_ends_as_if_voided(job: Job, asked: ReleaseRequest) -> None:
    at = NOON + timedelta(days=2)
    send_back(asked, comment=f"  {COMMENT}\n")
    request = ReleaseRequest.objects.get()
    assert (request.state, request.ended_at, request.ended_reason) == ("returned", at, COMMENT)
    assert request.pro_forma.state == "void"
    escrow = Escrow.objects.get(job=job, number=1)
    assert (escrow.state, escrow.held_minor, escrow.times_returned) == ("funded", 500_00, 1)
    line = Activity.objects.get(kind=CHANGES_REQUESTED.name)
    assert (line.actor, line.reason, line.facts["times_left"]) == (job.client, COMMENT, 1)
    assert told(job, "changes_requested") == {"frank@example.com"}


def test_its_clock_stops_and_the_next_request_starts_anew(job: Job, asked: ReleaseRequest) -> None:
    send_back(asked)
    catching_up.carry_out_due([job.pk], at=asked.auto_release_at)
    assert Escrow.objects.get(job=job, number=1).state == "funded"
    again = request_release(job, at=datetime(2026, 4, 10, 9, tzinfo=UTC))
    assert again.auto_release_at == datetime(2026, 5, 10, 9, tzinfo=UTC)


def test_an_overdue_request_is_sent_back_too(job: Job, asked: ReleaseRequest) -> None:
    send_back(asked, at=asked.overdue_at + timedelta(hours=1))
    assert ReleaseRequest.objects.get().state == "returned"
    assert history(job)[-2:] == ["overdue", "changes_requested"]


def test_it_does_not_keep_the_job_awake(job: Job, asked: ReleaseRequest) -> None:
    """R10.2: a request for changes is no Activity in its sense."""
    send_back(asked)
    row = Job.objects.get(pk=job.pk)
    assert row.last_activity_at == NOON


def test_twice_and_no_more(job: Job, asked: ReleaseRequest) -> None:
    send_back(asked)
    send_back(request_release(job, at=NOON + timedelta(days=3)), at=NOON + timedelta(days=4))
    third = request_release(job, at=NOON + timedelta(days=5))
    assert release_requests.returns_left(third) == 0
    with refused(
        WrongState,
        "You have asked for changes of “Milestone 1” 2 times, which is the most. Release the money or "
        "open a Dispute.",
    ):
        send_back(third, at=NOON + timedelta(days=6))
    releases.release(job.pk, numbers=[1], by=job.client, at=NOON + timedelta(days=6))


def test_each_milestone_has_its_own_count(job: Job, asked: ReleaseRequest) -> None:
    fund(job, 2)
    send_back(asked)
    other = request_release(job, 2, at=NOON + timedelta(days=3))
    assert release_requests.returns_left(other) == 2


def test_after_the_settlement_the_job_is_active_again(
    client_person: Person, freelancer: Person
) -> None:
    """As R14.14, sent back instead of voided: what is no longer requested stays held."""
    job = running_job(client_person, freelancer, amounts_minor=[1_000_00, 200_00])
    fund(job, 1, 2)
    for dormant_or_told in (datetime(2026, 6, 30, tzinfo=UTC), datetime(2026, 7, 7, tzinfo=UTC)):
        catching_up.carry_out_due([job.pk], at=dormant_or_told)
    asked = request_release(job, 2, at=datetime(2026, 7, 10, 8, tzinfo=UTC))
    catching_up.carry_out_due([job.pk], at=datetime(2026, 7, 14, tzinfo=UTC))
    assert [escrow.state for escrow in Escrow.objects.of(job)] == ["refunded", "funded"]
    send_back(asked, at=datetime(2026, 7, 20, 8, tzinfo=UTC))
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.dormant_at) == ("active", datetime(2026, 9, 18, 8, tzinfo=UTC))
    assert [escrow.state for escrow in Escrow.objects.of(job)] == ["refunded", "funded"]


# --- Refused ---


@pytest.mark.parametrize("who", ["freelancer", "stranger", "agent"])
def test_only_the_client(request: pytest.FixtureRequest, asked: ReleaseRequest, who: str) -> None:
    with refused(WrongParty, "Only the Client can request changes."):
        send_back(asked, by=request.getfixturevalue(who))


@pytest.mark.parametrize("comment", ["", " \n "])
def test_without_a_comment(asked: ReleaseRequest, comment: str) -> None:
    with refused(NoComment, "Say what is to be changed: the Freelancer reads it."):
        send_back(asked, comment=comment)


def test_a_comment_that_is_too_long(asked: ReleaseRequest) -> None:
    with refused(NoComment, "Say it in at most 2,000 characters."):
        send_back(asked, comment="x" * (COMMENT_AT_MOST + 1))


def voided(request: ReleaseRequest) -> None:
    release_requests.void(request.pk, by=request.requested_by, at=NOON)


def released(request: ReleaseRequest) -> None:
    releases.release(request.job_id, numbers=[1], by=request.job.client, at=NOON)


@pytest.mark.parametrize(
    ("end", "ended"),
    [(voided, "voided"), (released, "released"), (send_back, "sent back for changes")],
)
def test_what_has_ended(
    asked: ReleaseRequest, end: Callable[[ReleaseRequest], object], ended: str
) -> None:
    end(asked)
    with refused(WrongState, f"This Release Request cannot be sent back: it is {ended} already."):
        send_back(asked)
    with refused(WrongState, f"This Release Request cannot be voided: it is {ended} already."):
        release_requests.void(asked.pk, by=asked.requested_by, at=NOON + timedelta(days=2))


def test_what_fell_due_before(asked: ReleaseRequest) -> None:
    """R6.4: on the 31st day the money is released already."""
    before = Activity.objects.count()
    with pytest.raises(WrongState, match="it is released already"):
        send_back(asked, at=asked.auto_release_at + timedelta(hours=1))
    assert Activity.objects.count() > before
    assert ReleaseRequest.objects.get().state == "released"
