"""A lost chargeback ends the freeze of its Job as a won one does: what fell due meanwhile is due now, and
dated by that instant (R8.4, R10.1).
"""

from datetime import datetime

import pytest

from billing.services import releases, sweeping
from jobs.models import Activity, Job, Person
from tests.billing.charging_back import begin, end
from tests.billing.dispute_steps import DAY, HOUR, NOON, differences, figures, funded_job
from tests.scenarios import fund

pytestmark = pytest.mark.django_db

LATE = NOON + 400 * DAY


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00, each by a payment of its own."""
    job = funded_job(client_person, freelancer, 1)
    fund(job, 2)
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def dates(job: Job, kind: str) -> list[datetime]:
    lines = Activity.objects.filter(job=job, kind=kind).order_by("pk")
    return list(lines.values_list("happened_at", flat=True))


def dormant_date(job: Job) -> datetime:
    job.refresh_from_db()
    assert job.dormant_at is not None
    return job.dormant_at


def test_what_is_held_of_another_payment_becomes_dormant_at_last(job: Job) -> None:
    begin(job)
    sweeping.sweep(at=LATE)
    assert dates(job, "dormant") == []
    end("lost", at=LATE)
    sweeping.sweep(at=LATE + HOUR)
    assert dates(job, "dormant") == [LATE]
    assert figures(job, 2) == ("funded", 0, 0, 1_000_00)
    assert differences(LATE + DAY) == []


def test_nothing_is_settled_without_a_new_week_of_notice(job: Job) -> None:
    quiet = dormant_date(job)
    for days in (0, 7):
        sweeping.sweep(at=quiet + days * DAY)
    assert dates(job, "dormant_freelancer") == [quiet + 7 * DAY]
    begin(job, at=quiet + 8 * DAY)
    lost_at = quiet + 30 * DAY
    end("lost", at=lost_at)
    sweeping.sweep(at=lost_at)
    assert dates(job, "dormant_freelancer") == [quiet + 7 * DAY, lost_at]
    sweeping.sweep(at=lost_at + 7 * DAY - HOUR)
    assert figures(job, 2) == ("funded", 0, 0, 1_000_00)
    sweeping.sweep(at=lost_at + 7 * DAY)
    assert figures(job, 2) == ("refunded", 0, 1_000_00, 0)
    assert dates(job, "settled") == [lost_at + 7 * DAY]


@pytest.mark.parametrize("outcome", ["won", "lost"])
def test_one_of_which_nothing_is_held_stops_no_clock_and_starts_none(
    job: Job, client_person: Person, outcome: str
) -> None:
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    quiet = dormant_date(job)
    begin(job, at=quiet - DAY)
    for days in (0, 7):
        sweeping.sweep(at=quiet + days * DAY)
    end(outcome, at=quiet + 10 * DAY)
    sweeping.sweep(at=quiet + 14 * DAY)
    assert dates(job, "dormant_freelancer") == [quiet + 7 * DAY]
    assert figures(job, 2) == ("refunded", 0, 1_000_00, 0)
