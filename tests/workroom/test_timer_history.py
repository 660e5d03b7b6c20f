"""What the timers did, as the history of a Job tells it: who, what, by which rule."""

from typing import Any

import pytest
from django.utils import timezone

from billing import notices as kinds
from jobs.models import Activity, Job, Person
from jobs.selectors import history
from jobs.services import activity
from tests.workroom.agreements import agreed
from tests.workroom.timer_mails import DORMANT, DUE_AT, PAYMENT, RELEASED, REQUEST, RULE

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return agreed(client_person, freelancer)


@pytest.mark.parametrize(
    ("kind", "facts", "sentence"),
    [
        (
            kinds.OVERDUE,
            REQUEST,
            "The timer marked the Release Request for “Design” ($500.00) as Overdue",
        ),
        (
            kinds.RELEASE_WARNING,
            {**REQUEST, "days_left": 10},
            "The timer warned the Client with 10 days left: $500.00 of “Design” will be released on "
            "8 Apr 2026, 12:00 UTC",
        ),
        (kinds.RELEASED, RELEASED, "The timer released $500.00 of “Design”"),
        (
            kinds.AUTHENTICATION_REMINDER,
            {**PAYMENT, "days_left": 1},
            "The timer reminded the Client with 1 day left to authenticate the payment of $500.00 for "
            "“Design” by 8 Apr 2026, 12:00 UTC",
        ),
        (
            kinds.PAYMENT_LAPSED,
            PAYMENT,
            "The timer let the Pending payment of $500.00 for “Design” lapse",
        ),
        (
            kinds.AWARD_EXPIRED,
            {"due_at": DUE_AT},
            "The timer let the award expire: its Terms were not accepted by 8 Apr 2026, 12:00 UTC",
        ),
        (
            kinds.TERMS_LAPSED,
            {"due_at": DUE_AT},
            "The timer let the proposed Terms lapse: they were not answered by "
            "8 Apr 2026, 12:00 UTC",
        ),
        (
            kinds.DORMANT,
            DORMANT,
            "The timer made the Job Dormant, with $1,580.50 held, and told the Client",
        ),
        (
            kinds.FREELANCER_TOLD,
            DORMANT,
            "The timer told the Freelancer that the Job is Dormant, with $1,580.50 held",
        ),
        (
            kinds.RETURNED,
            {"escrow": "Build", "number": 2, "amount_minor": 1_000_00, "fee_minor": 0},
            "The timer sent $1,000.00 of “Build” back to the Client",
        ),
        (
            kinds.SETTLED,
            {"amount_minor": 1_080_50, "escrow": "Build, Texts", "milestones": "“Build”, “Texts”"},
            "The timer settled the dormant Job: $1,080.50 went back to the Client (“Build”, “Texts”)",
        ),
        (
            kinds.REMOVED,
            {"escrow": "Build", "number": 2},
            "The timer removed “Build”, which was not funded",
        ),
        (kinds.REACTIVATED, {"due_at": DUE_AT}, "The timer made the Job active again"),
    ],
    ids=lambda value: value.name if hasattr(value, "name") else "",
)
def test_the_history_names_the_timer_and_its_rule(
    job: Job, kind: Any, facts: dict[str, Any], sentence: str
) -> None:
    timer = Activity.Actor.TIMER
    activity.record(job, kind, by=None, at=DUE_AT, actor_kind=timer, reason=RULE, **facts)
    newest = Activity.objects.select_related("actor", "job").latest("pk")
    with timezone.override("UTC"):
        line = history.describe(newest, job.client)
    assert (line["sentence"], line["who"], line["why"]) == (sentence, "The timer", RULE)


def test_the_rule_is_read_in_the_readers_zone_and_what_was_typed_as_it_was_typed(job: Job) -> None:
    activity.record(
        job,
        kinds.OVERDUE,
        by=None,
        at=DUE_AT,
        actor_kind=Activity.Actor.TIMER,
        reason=RULE,
        **REQUEST,
    )
    timers = Activity.objects.select_related("actor", "job").latest("pk")
    activity.record(job, kinds.VOIDED, by=job.freelancer, at=DUE_AT, reason=RULE, **REQUEST)
    typed = Activity.objects.select_related("actor", "job").latest("pk")
    with timezone.override("Asia/Tokyo"):
        assert history.describe(timers, job.client)["why"] == (
            "30-day rule: requested 9 Mar 2026 21:00 JST, no answer by 8 Apr 2026 21:00 JST."
        )
        assert history.describe(typed, job.client)["why"] == RULE
