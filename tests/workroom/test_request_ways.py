"""What the mails about a Release Request tell the Client that he can do is what he still can."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import time_machine

from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Payment
from billing.services import disputes, release_requests, releases
from billing.services.catching_up import carry_out_due
from jobs.models import Job, Notification, Person
from jobs.selectors import notices
from tests.billing.banking import deliver
from tests.billing.dispute_steps import HOUR, NOON, open_dispute
from tests.billing.steps import request_release
from tests.scenarios import fund
from tests.workroom.agreements import agreed
from tests.workroom.timer_mails import Told

pytestmark = pytest.mark.django_db

OVERDUE_AT, WARNED_AT = (
    datetime(2026, 3, 24, 12, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC),
)  # fmt: skip
LOOK = (
    "Look at the work: the link below leads to the request, and from there to the Status Report with "
    "its files. If it is done as agreed, release the money: that is final."
)
STOPS = "the clock stops, and the money stays held."


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    job = agreed(client_person, freelancer)
    fund(job, 1)
    return job


def newest(kind: str, person: Person) -> Told:
    found = Notification.objects.filter(activity__kind=kind, person=person)
    return Told(notices.with_all_they_name(found).latest("pk"))


def use_up_the_changes(job: Job) -> None:
    for hours in (-4, -2):
        request = request_release(job, at=NOON + hours * HOUR)
        at = NOON + (hours + 1) * HOUR
        release_requests.request_changes(request.pk, comment="Red.", by=job.client, at=at)


def test_at_first_everything(job: Job) -> None:
    request_release(job)
    with time_machine.travel(NOON, tick=False):
        told = newest("release_requested", job.client)
    assert told.now == f"{LOOK} If something is missing, request changes or open a Dispute: {STOPS}"


@pytest.mark.parametrize(("at", "kind"), [(OVERDUE_AT, "overdue"), (WARNED_AT, "release_warning")])
def test_no_changes_when_they_are_used_up(job: Job, at: datetime, kind: str) -> None:
    use_up_the_changes(job)
    request_release(job)
    carry_out_due([job.pk], at=at)
    with time_machine.travel(at, tick=False):
        told = newest(kind, job.client)
    assert told.now == f"{LOOK} If something is missing, open a Dispute: {STOPS}"


def test_no_dispute_for_who_withdrew_one(job: Job) -> None:
    request_release(job)
    dispute = open_dispute(job, job.client, at=NOON)
    disputes.withdraw(dispute.pk, by=job.client, at=NOON + HOUR)
    at = datetime(2026, 3, 24, 13, tzinfo=UTC)
    carry_out_due([job.pk], at=at)
    with time_machine.travel(at, tick=False):
        told = newest("overdue", job.client)
        his = newest("overdue", job.freelancer)
    assert told.now == f"{LOOK} If something is missing, request changes: {STOPS}"
    assert his.now.endswith(f"If the work is not done yet, void the request: its {STOPS[4:]}")


ANSWERS: dict[str, Callable[[Job], object]] = {
    "released": lambda job: releases.release(job.pk, numbers=[1], by=job.client, at=OVERDUE_AT),
    "disputed": lambda job: open_dispute(job, job.client, at=OVERDUE_AT),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_a_mail_that_was_delayed_asks_for_nothing_that_is_over(job: Job, answer: str) -> None:
    request_release(job)
    carry_out_due([job.pk], at=OVERDUE_AT)
    ANSWERS[answer](job)
    with time_machine.travel(OVERDUE_AT + HOUR, tick=False):
        told = newest("overdue", job.client)
        his = newest("overdue", job.freelancer)
    assert told.now == "Nothing more: the request has been answered, or was due."
    assert his.now.endswith("You can talk to Clara Client.")


def withdrawn(job: Job, by: Person | None, *, at: datetime = NOON) -> None:
    assert by is not None
    dispute = open_dispute(job, by, at=at)
    disputes.withdraw(dispute.pk, by=by, at=at + HOUR)


def test_once_a_dispute_is_withdrawn_the_client_can_what_he_could_before(job: Job) -> None:
    request_release(job)
    withdrawn(job, job.freelancer)
    with time_machine.travel(NOON + 2 * HOUR, tick=False):
        told = newest("dispute_withdrawn", job.client)
    assert told.now == f"{LOOK} If something is missing, request changes or open a Dispute: {STOPS}"


def test_but_for_a_dispute_if_he_had_withdrawn_one_himself(job: Job) -> None:
    request_release(job)
    withdrawn(job, job.client)
    withdrawn(job, job.freelancer, at=NOON + 2 * HOUR)
    with time_machine.travel(NOON + 4 * HOUR, tick=False):
        told = newest("dispute_withdrawn", job.client)
    assert told.now == f"{LOOK} If something is missing, request changes: {STOPS}"


@pytest.mark.parametrize(
    ("is_requested", "said"),
    [
        (
            True,
            "There is nothing that you have to do. If the work is not done yet, void the Release Request. "
            "If you do not want to wait, open a Dispute of your own.",
        ),
        (False, "You can request the release of the money, or open a Dispute of your own."),
    ],
)
def test_the_freelancer_can_void_what_is_requested(job: Job, is_requested: bool, said: str) -> None:
    if is_requested:
        request_release(job)
    withdrawn(job, job.client)
    with time_machine.travel(NOON + 2 * HOUR, tick=False):
        told = newest("dispute_withdrawn", job.freelancer)  # type: ignore[arg-type]
    assert told.now == said


def test_while_the_bank_wants_the_money_back_there_is_nothing_to_do(job: Job) -> None:
    request_release(job)
    dispute = open_dispute(job, job.client)
    deliver(charge_back(Payment.objects.get(job=job).gateway_reference), at=NOON + HOUR)
    disputes.withdraw(dispute.pk, by=job.client, at=NOON + 2 * HOUR)
    with time_machine.travel(NOON + 3 * HOUR, tick=False):
        told = newest("dispute_withdrawn", job.freelancer)  # type: ignore[arg-type]
    assert told.now.startswith("Nothing yet: the bank wants the payment back")
    assert told.otherwise == "The money stays held."
