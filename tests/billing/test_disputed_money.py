"""What a Dispute freezes, and the two ways in which one party's money ends it (R9.1, R9.5)."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from billing.models import Dispute, Document, Escrow, ProForma, ReleaseRequest
from billing.selectors.frozen import Disputed
from billing.services import audit, disputes, refunding, release_requests, releases
from escrow_site.lib.refusals import Refusal, WrongState
from jobs.models import Job, Person
from tests.billing.banking import history, nothing_changes, refused
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(hours=3)
FROZEN = (
    "“Milestone 1” is disputed: until the Dispute has ended, its money can only be released whole by the "
    "Client, refunded whole by the Freelancer, or split by agreement."
)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded and 100.00 of it released, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    releases.release_part(
        job.pk, number=1, amount_minor=100_00, by=client_person, at=NOON, seen_held_minor=500_00
    )
    return job


def freelancer_of(job: Job) -> Person:
    assert job.freelancer is not None
    return job.freelancer


def dispute(job: Job) -> Dispute:
    return disputes.open(
        job.pk, number=1, by=job.client, at=NOON, reason="It is not done.", asks="refund",
        asked_minor=400_00, uploads=[],
    )  # fmt: skip


def release_a_part(job: Job) -> object:
    return releases.release_part(
        job.pk, number=1, amount_minor=1_00, by=job.client, at=LATER, seen_held_minor=400_00
    )


def refund_a_part(job: Job) -> object:
    return refunding.refund_held(
        job.pk, number=1, amount_minor=1_00, by=freelancer_of(job), at=LATER, reason="",
        seen_held_minor=400_00,
    )  # fmt: skip


def refund_what_was_released(job: Job) -> object:
    return refunding.refund_released(
        job.pk, number=1, amount_minor=1_00, by=freelancer_of(job), at=LATER, reason=""
    )


def request_it(job: Job) -> object:
    return request_release(job, at=LATER)


@pytest.mark.parametrize(
    "touch", [release_a_part, refund_a_part, refund_what_was_released, request_it]
)
def test_what_is_disputed_is_not_touched(job: Job, touch: Callable[[Job], object]) -> None:
    dispute(job)
    with refused(Disputed, FROZEN):
        touch(job)


@pytest.mark.parametrize("what", ["void", "request_changes"])
def test_a_disputed_request_is_neither_voided_nor_sent_back(job: Job, what: str) -> None:
    request = request_release(job)
    dispute(job)
    done = {"void": "voided", "request_changes": "sent back"}[what]
    with refused(WrongState, f"This Release Request is disputed, so it cannot be {done}."):
        if what == "void":
            release_requests.void(request.pk, by=freelancer_of(job), at=LATER)
        else:
            release_requests.request_changes(request.pk, comment="x", by=job.client, at=LATER)


@pytest.mark.parametrize("is_requested", [True, False])
@pytest.mark.parametrize("as_part", [True, False])
def test_the_clients_whole_release_ends_it(job: Job, is_requested: bool, as_part: bool) -> None:
    if is_requested:
        request_release(job)
    dispute(job)
    if as_part:
        releases.release_part(
            job.pk, number=1, amount_minor=400_00, by=job.client, at=LATER, seen_held_minor=400_00
        )
    else:
        releases.release(job.pk, numbers=[1], by=job.client, at=LATER)
    ended = Dispute.objects.get()
    assert (ended.state, ended.ended_at, ended.ended_reason) == (
        "settled", LATER, "Released by the Client.",
    )  # fmt: skip
    escrow = Escrow.objects.get(job=job, number=1)
    assert (escrow.state, escrow.released_minor, escrow.disputed_at) == ("released", 500_00, None)
    if is_requested:
        assert ReleaseRequest.objects.get().state == "released"
        assert ProForma.objects.get().state == "invoiced"
    assert Document.objects.latest("pk").kind == ("final_invoice" if is_requested else "receipt")
    assert history(job)[-2:] == ["dispute_ended", "released"]
    assert_adds_up()


@pytest.mark.parametrize("is_requested", [True, False])
def test_the_freelancers_whole_refund_ends_it(job: Job, is_requested: bool) -> None:
    if is_requested:
        request_release(job)
    dispute(job)
    refunding.refund_held(
        job.pk, number=1, amount_minor=400_00, by=freelancer_of(job), at=LATER, reason="You are right",
        seen_held_minor=400_00,
    )  # fmt: skip
    ended = Dispute.objects.get()
    assert (ended.state, ended.ended_reason) == (
        "settled", "Refunded by the Freelancer: You are right.",
    )  # fmt: skip
    escrow = Escrow.objects.get(job=job, number=1)
    assert (escrow.state, escrow.refunded_minor, escrow.disputed_at) == ("released", 400_00, None)
    if is_requested:
        assert ReleaseRequest.objects.get().state == "settled"
        assert ProForma.objects.get().state == "void"
    assert_adds_up()


def assert_adds_up() -> None:
    assert [finding for finding in audit.audit_ledger(at=LATER) if finding.differences] == []


# --- Every state of a request against what one party does with it ---

DO: dict[str, Callable[[Job, ReleaseRequest], object]] = {
    "void": lambda job, row: release_requests.void(row.pk, by=freelancer_of(job), at=NOON),
    "request_changes": lambda job, row: release_requests.request_changes(
        row.pk, comment="x", by=job.client, at=NOON
    ),
}


@pytest.mark.parametrize("verb", DO)
@pytest.mark.parametrize("state", ReleaseRequest.State.values)
def test_every_state_of_a_request(job: Job, verb: str, state: str) -> None:
    row = request_release(job)
    ended_at = None if state in ReleaseRequest.UNANSWERED else NOON
    ReleaseRequest.objects.filter(pk=row.pk).update(state=state, ended_at=ended_at)
    if state in ("open", "overdue"):
        DO[verb](job, row)
        assert ReleaseRequest.objects.get().is_unanswered is False
    else:
        with nothing_changes(), pytest.raises(WrongState):
            DO[verb](job, row)


MOVE: dict[str, Callable[[Job], object]] = {
    "release": lambda job: releases.release(job.pk, numbers=[2], by=job.client, at=NOON),
    "release_part": lambda job: releases.release_part(
        job.pk, number=2, amount_minor=1, by=job.client, at=NOON, seen_held_minor=1_000_00
    ),
    "refund_held": lambda job: refunding.refund_held(
        job.pk, number=2, amount_minor=1, by=freelancer_of(job), at=NOON, reason="",
        seen_held_minor=1_000_00,
    ),
}  # fmt: skip


@pytest.mark.parametrize("verb", MOVE)
@pytest.mark.parametrize("state", Escrow.State.values)
def test_every_state_of_a_milestone(job: Job, verb: str, state: str) -> None:
    fund(job, 2)
    sums = {} if state == "funded" else {"funded_minor": 0}
    Escrow.objects.filter(job=job, number=2).update(state=state, **sums)
    if state == "funded":
        MOVE[verb](job)
        assert Escrow.objects.get(job=job, number=2).held_minor < 1_000_00
    else:
        with nothing_changes(), pytest.raises(Refusal):
            MOVE[verb](job)
