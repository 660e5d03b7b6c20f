"""What the mails about an act of support say follows of it: of what there was, and of nothing else (R9.7, R12)."""

from typing import Any

import pytest
import time_machine

from billing.services import interventions
from jobs.models import Activity, Job, Notification, Person
from jobs.notices import KINDS
from jobs.selectors import history, notices
from tests.billing.dispute_steps import funded_job
from tests.billing.intervening import DAY, NOON, agent_in, propose
from tests.billing.steps import request_release
from tests.workroom.notice_facts import FACTS
from tests.workroom.test_mail import tell
from tests.workroom.test_request_ways import LOOK, STOPS, use_up_the_changes
from tests.workroom.timer_mails import Told

pytestmark = pytest.mark.django_db

AT = NOON + DAY
NOTHING = "Nothing more happens with this money."
STANDS = (
    "The Release Request for “Milestone 1” stands for the $300.00, with its clock unchanged: "
    "without an answer it is released on 8 Apr 2026, 12:00 UTC."
)
NOT_REQUESTED = "No release is requested for the $300.00, so the 30-day rule does not release it."
VOIDED = (
    "The Release Request for “Milestone 1” has ended: its pro-forma invoice is kept, marked void."
)
THEY_CAN_SAY = (
    "If this is not right, write to support at support@localhost at once: they can say who asked for it, when and "
    "how."
)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


def mails(job: Job, kind: str, *, asked_by: Person | None, **more: Any) -> tuple[Told, Told]:
    """What Client and Freelancer are told once support has done it."""
    alma, bela = agent_in("Agent", "Alma"), agent_in("Senior agent", "Bela")
    made = propose(job, kind, alma, asked_by=asked_by, at=AT, **more)
    interventions.confirm(made.pk, by=bela, at=AT)
    found = Notification.objects.filter(activity__kind__startswith="support_").order_by("pk")
    with time_machine.travel(AT, tick=False):
        to_client, to_freelancer = (Told(one) for one in notices.with_all_they_name(found))
    return to_client, to_freelancer


@pytest.mark.parametrize(
    ("is_requested", "said"), [(False, NOTHING), (True, f"{NOTHING} {VOIDED}")]
)
def test_a_refund_of_all_says_what_ended_with_it(job: Job, is_requested: bool, said: str) -> None:
    _begin(job, is_requested=is_requested)
    client, freelancer = mails(job, "refund_held", asked_by=job.freelancer, amount_minor=500_00)
    assert freelancer.otherwise == said
    assert client.otherwise == (
        f"{said} If your card takes no money back, it is put on your available balance, and you are "
        "told."
    )


@pytest.mark.parametrize("is_requested", [False, True])
def test_after_a_release_of_all_nothing_more_happens(job: Job, is_requested: bool) -> None:
    _begin(job, is_requested=is_requested)
    told = mails(job, "release", asked_by=job.client, amount_minor=500_00)
    assert [one.otherwise for one in told] == [NOTHING, NOTHING]


@pytest.mark.parametrize(("kind", "by"), [("refund_held", "freelancer"), ("release", "client")])
@pytest.mark.parametrize(("is_requested", "said"), [(True, STANDS), (False, NOT_REQUESTED)])
def test_after_a_part_a_request_stands_if_there_is_one(
    job: Job, kind: str, by: str, is_requested: bool, said: str
) -> None:
    _begin(job, is_requested=is_requested)
    _, freelancer = mails(job, kind, asked_by=getattr(job, by), amount_minor=200_00)
    assert freelancer.otherwise == said


def test_the_history_tells_of_one_release_and_of_who_confirmed_it(job: Job) -> None:
    mails(job, "release", asked_by=job.client, amount_minor=200_00)
    kinds = ["support_released", "released"]
    lines = [
        history.describe(Activity.objects.select_related("actor", "job").get(kind=kind), job.client)
        for kind in kinds
    ]
    assert [line["what"] for line in lines] == [
        "Confirmed the release of $200.00 of “Milestone 1” at the request of the Client, Clara Client",
        "Released $200.00 of “Milestone 1”",
    ]
    assert not any("R9" in line["why"] for line in lines)


def test_more_time_offers_what_the_client_still_can(job: Job) -> None:
    request_release(job)
    client, freelancer = mails(
        job, "extend_release", asked_by=job.freelancer, until=NOON + 31 * DAY
    )
    assert client.now == (
        f"{LOOK} If something is missing, request changes or open a Dispute: {STOPS} {THEY_CAN_SAY}"
    )
    assert freelancer.now == (
        "Nothing is asked of you. If the work is not done yet, void the request: its clock stops, and "
        f"the money stays held. {THEY_CAN_SAY}"
    )
    until = "If nobody does anything until 9 Apr 2026, 12:00 UTC, what is held for the request is "
    assert client.otherwise == f"{until}released to Frank Freelancer."
    assert freelancer.otherwise == f"{until}released to you, less the fees."


def test_more_time_offers_no_changes_when_they_are_used_up(job: Job) -> None:
    use_up_the_changes(job)
    request_release(job)
    client, _ = mails(job, "extend_release", asked_by=job.freelancer, until=NOON + 31 * DAY)
    assert client.now == f"{LOOK} If something is missing, open a Dispute: {STOPS} {THEY_CAN_SAY}"


BY_SUPPORT = sorted(name for name in FACTS if name.startswith("support_"))


@pytest.mark.parametrize("name", BY_SUPPORT)
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"asked_how": "by phone on 3 March"}, THEY_CAN_SAY),
        ({"asked_how": ""}, "If this is not right, write to support at support@localhost at once."),
    ],
)
def test_support_can_say_who_asked_if_anybody_did(
    job: Job, name: str, asked: dict[str, str], said: str
) -> None:
    for notice in tell(job, KINDS[name], **(FACTS[name] | asked)):
        assert Told(notice).now.endswith(said)


def _begin(job: Job, *, is_requested: bool) -> None:
    if is_requested:
        request_release(job)
