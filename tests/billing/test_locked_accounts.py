"""A locked account can do nothing and is paid nothing out (R1.5)."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from billing import ledger
from billing.models import Escrow, Payout, SimulatedCharge
from billing.services import closing, funding, payouts, reconciling, release_requests, releases
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from tests.billing.steps import request_release
from tests.scenarios import finished_job, fund, running_job
from tests.world import world
from workroom.services import reports, timesheets
from workroom.services.reports import Line

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
Act = Callable[[Job, Person], object]

ACTS: dict[str, tuple[str, Act]] = {
    "release": (
        "client_person",
        lambda job, by: releases.release(job.pk, numbers=[1], by=by, at=NOON),
    ),
    "request release": (
        "freelancer",
        lambda job, by: release_requests.request_release(
            job, [Escrow.objects.get(job=job, number=2)], by=by, at=NOON
        ),
    ),
    "void": (
        "freelancer",
        lambda job, by: release_requests.void(job.release_requests.get().pk, by=by, at=NOON),
    ),
    "request funding": (
        "freelancer",
        lambda job, by: funding.request_funding(job.pk, number=3, by=by, at=NOON),
    ),
    "complete": ("client_person", lambda job, by: closing.complete(job.pk, by=by, at=NOON)),
    "report": (
        "freelancer",
        lambda job, by: reports.submit_report(
            job, by=by, lines=[Line(number=2, percent=10)], at=NOON
        ),
    ),
    "timesheet": (
        "freelancer",
        lambda job, by: timesheets.submit_timesheet(
            job, by=by, week_starts_on=NOON.date(), entries=[], at=NOON
        ),
    ),
}


@pytest.mark.parametrize("name", ACTS)
def test_a_locked_account_does_nothing(
    name: str, client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 100_00, 7_00])
    fund(job, 1, 2)
    request_release(job)
    who, act = ACTS[name]
    person = {"client_person": client_person, "freelancer": freelancer}[who]
    Person.objects.filter(pk=person.pk).update(is_active=False)
    person.refresh_from_db()
    job = Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)
    before = world()
    with pytest.raises(Refusal, match="This account is locked"):
        act(job, person)
    assert world() == before


def test_a_payout_that_never_arrived_waits_for_the_lock_to_go(
    client_person: Person, freelancer: Person
) -> None:
    finished_job(client_person, freelancer)
    payout = payouts.start(
        freelancer, currency="USD", amount_minor=100_00, destination="DE0012345678", at=NOON
    )
    Person.objects.filter(pk=freelancer.pk).update(is_active=False)
    reconciling.reconcile(at=NOON)
    assert Payout.objects.get(pk=payout.pk).state == "started"
    assert not SimulatedCharge.objects.filter(kind="payout").exists()

    Person.objects.filter(pk=freelancer.pk).update(is_active=True)
    reconciling.reconcile(at=NOON)
    assert Payout.objects.get(pk=payout.pk).state == "paid"
    assert ledger.available(freelancer, "USD").balance_minor == 356_25
