"""What happens if nobody acts, as both sides read it on the Job and on its Billing tab (R10.6)."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from billing.services import payments, releases
from billing.services.catching_up import carry_out_due
from escrow_site.lib import display
from jobs.models import Job, Person
from tests.billing.banking import add_card
from tests.billing.steps import request_release, signed_in, text_of
from tests.scenarios import fund
from tests.workroom.agreements import agreed, awarded
from workroom.proposals import MilestoneInput

pytestmark = pytest.mark.django_db

HEADING = "What happens if nobody acts"
FUNDED, REQUESTED = datetime(2026, 3, 2, 9, tzinfo=UTC), datetime(2026, 3, 9, 12, tzinfo=UTC)
Travel = Callable[[datetime], None]


@pytest.fixture
def travel() -> Iterator[Travel]:
    """Pages are looked at in the past of the test; each journey ends the one before."""
    journeys: list[Any] = []

    def to(at: datetime) -> None:
        while journeys:
            journeys.pop().stop()
        journeys.append(time_machine.travel(at, tick=False))
        journeys[0].start()

    yield to
    while journeys:
        journeys.pop().stop()


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """“Design” and “Build”, both funded on 2 March; the last Milestone is due on 30 April."""
    job = agreed(client_person, freelancer)
    fund(job, 1, 2, at=FUNDED)
    return Job.objects.get(pk=job.pk)


def look(person: Person, job: Job, name: str = "job") -> Any:
    response = signed_in(person).get(reverse(f"workroom:{name}", args=[job.pk]))
    assert response.status_code == 200
    return response


def told(person: Person, job: Job, name: str = "job") -> str:
    """The timeline, without tags."""
    return text_of(look(person, job, name)).split(HEADING)[1].split("Recent activity")[0].strip()


def request_design(job: Job, travel: Travel) -> None:
    request_release(job, 1, at=REQUESTED)
    travel(REQUESTED + timedelta(hours=1))


def fall_dormant(job: Job, travel: Travel, *, at: datetime) -> Job:
    carry_out_due([job.pk], at=at)
    travel(at)
    dormant = Job.objects.get(pk=job.pk)
    assert dormant.state == Job.State.DORMANT
    return dormant


DORMANT_TO_CLIENT = (
    "30 Jun 2026, 00:00 UTC The Job becomes Dormant Nobody has done anything for 60 days by then, "
    "while money is held. You are told. Until then You can release a Milestone. Frank Freelancer "
    "can send a Status Report or a timesheet, request a release or refund a Milestone. Either of "
    "you can propose or accept changed Terms, request cancellation of the Job or open a Dispute. "
    "Each of these starts the 60 days anew. The 60 days begin on 1 May 2026, 00:00 UTC at the "
    "earliest, when the last Milestone date ends. 7 Jul 2026, 00:00 UTC Frank Freelancer is told "
    "that the Job is Dormant The escrow account is settled 7 days later. 14 Jul 2026, 00:00 UTC "
    "The escrow account is settled What Frank Freelancer has not requested by then goes back to "
    "you. “Build”: $1,000.00 goes back to you, without a fee. Then the Job is complete, and both "
    "of you get the Closing Statement. Until then Frank Freelancer can request release of a "
    "Milestone: it does not go back, and is released 30 days later unless you answer. Once every "
    "held Milestone is requested, the Job is active again. You can release a Milestone or request "
    "cancellation of the Job, and either of you can propose or accept changed Terms: the Job is "
    "active again, and 60 days begin anew. Either of you can open a Dispute: nothing is settled "
    "while it is open. Any other activity (a Status Report, a timesheet, a refund or a request "
    "for cancellation by Frank Freelancer) begins the 14 days until the settlement anew."
)
RELEASED_TO_CLIENT = (
    "8 Apr 2026, 12:00 UTC “Design” is released $500.00 goes to Frank Freelancer, $456.25 net "
    "after fees of $43.75, because you have not answered. Until then You can release it, request "
    "changes (at most twice) or open a Dispute. Frank Freelancer can void the request, refund the "
    "money or open a Dispute. After a void or a request for changes the money stays held, and a "
    "new request starts a new 30 days. 5 reminders before 24 Mar 2026, 12:00 UTC : Both of you "
    "are reminded: the request is Overdue. 29 Mar 2026, 12:00 UTC : You are warned: 10 days left. "
    "3 Apr 2026, 12:00 UTC : You are warned: 5 days left. 6 Apr 2026, 12:00 UTC : You are warned: "
    "2 days left. 7 Apr 2026, 12:00 UTC : You are warned: 1 day left."
)
RELEASED_TO_FREELANCER = (
    "8 Apr 2026, 12:00 UTC “Design” is released $500.00 goes to you, $456.25 net after fees of "
    "$43.75, because Clara Client has not answered. Until then Clara Client can release it, "
    "request changes (at most twice) or open a Dispute. You can void the request, refund the "
    "money or open a Dispute. After a void or a request for changes the money stays held, and a "
    "new request starts a new 30 days. 5 reminders before 24 Mar 2026, 12:00 UTC : Both of you "
    "are reminded: the request is Overdue. 29 Mar 2026, 12:00 UTC : Clara Client is warned: 10 "
    "days left. 3 Apr 2026, 12:00 UTC : Clara Client is warned: 5 days left. 6 Apr 2026, 12:00 "
    "UTC : Clara Client is warned: 2 days left. 7 Apr 2026, 12:00 UTC : Clara Client is warned: 1 "
    "day left."
)


@pytest.mark.parametrize("tab", ["job", "job_billing"])
def test_a_request_and_the_rest_of_the_money_from_both_sides(
    job: Job, travel: Travel, tab: str
) -> None:
    request_design(job, travel)
    assert told(job.client, job, tab) == f"{RELEASED_TO_CLIENT} {DORMANT_TO_CLIENT}"
    assert told(job.freelancer, job, tab).startswith(
        f"{RELEASED_TO_FREELANCER} 30 Jun 2026, 00:00 UTC The Job becomes Dormant Nobody has done "
        "anything for 60 days by then, while money is held. Clara Client is told."
    )


def test_utc_stands_behind_every_instant(job: Job, travel: Travel) -> None:
    Person.objects.filter(pk=job.client_id).update(time_zone="America/New_York")
    request_design(job, travel)
    page = look(Person.objects.get(pk=job.client_id), job).content.decode()
    assert (
        '<time datetime="2026-04-08T12:00:00Z" title="2026-04-08 12:00 UTC">8 Apr 2026, 08:00 EDT'
        "</time>" in page
    )


@pytest.mark.parametrize(
    ("zone", "released", "dormant"),
    [
        ("Pacific/Apia", "9 Apr 2026, 01:00 UTC+13", "30 Jun 2026, 13:00 UTC+13"),
        ("Pacific/Pago_Pago", "8 Apr 2026, 01:00 SST", "29 Jun 2026, 13:00 SST"),
        ("Europe/Berlin", "8 Apr 2026, 14:00 CEST", "30 Jun 2026, 02:00 CEST"),
        ("Asia/Kathmandu", "8 Apr 2026, 17:45 UTC+05:45", "30 Jun 2026, 05:45 UTC+05:45"),
    ],
)
def test_each_reader_reads_his_own_zone(
    job: Job, travel: Travel, zone: str, released: str, dormant: str
) -> None:
    Person.objects.filter(pk=job.client_id).update(time_zone=zone)
    request_design(job, travel)
    text = told(Person.objects.get(pk=job.client_id), job)
    assert text.startswith(f"{released} “Design” is released")
    assert f"{dormant} The Job becomes Dormant" in text


def test_thirty_days_are_the_same_over_the_change_to_summer_time() -> None:
    """In Berlin 9 March 12:00 UTC is 13:00 CET, and 30 times 24 hours later it is 14:00 CEST."""
    with timezone.override("Europe/Berlin"):
        assert display.instant(REQUESTED) == "9 Mar 2026, 13:00 CET"
        assert display.instant(REQUESTED + timedelta(days=30)) == "8 Apr 2026, 14:00 CEST"


# A Dormant Job


def test_a_dormant_job_begins_with_what_will_become_of_the_money(job: Job, travel: Travel) -> None:
    dormant = fall_dormant(job, travel, at=datetime(2026, 7, 1, tzinfo=UTC))
    begin = (
        "Dormant since 30 Jun 2026, 00:00 UTC: nobody had done anything for 60 days. If nobody acts, "
        "on 14 Jul 2026, 00:00 UTC : “Design”: $500.00 goes back to"
    )
    assert (
        f"{begin} you, without a fee. “Build”: $1,000.00 goes back to you, without a fee. Release a "
        "Milestone, and the Job is active again. What Frank Freelancer requests is not sent back. "
        "Agreed"
    ) in text_of(look(dormant.client, dormant))
    assert (
        f"{begin} Clara Client, without a fee. “Build”: $1,000.00 goes back to Clara Client, without "
        "a fee. What you request is not sent back. Clara Client can release a Milestone, and the Job "
        "is active again. Agreed"
    ) in text_of(look(dormant.freelancer, dormant))
    # What stops the settlement stands at length in the timeline.
    for tab in ("job", "job_billing"):
        assert told(dormant.client, dormant, tab).endswith(
            "and both of you get the Closing Statement. Until then "
            + DORMANT_TO_CLIENT.split("then ")[-1]
        )


def test_an_active_job_begins_otherwise(job: Job, travel: Travel) -> None:
    travel(REQUESTED)
    assert "Dormant since" not in text_of(look(job.client, job))


# At once, and nothing


def test_what_no_sweep_has_carried_out_yet_happens_at_once(job: Job, travel: Travel) -> None:
    request_design(job, travel)
    travel(datetime(2026, 4, 8, 12, 0, 20, tzinfo=UTC))
    text = told(job.client, job)
    assert text.startswith("At once: it was due 8 Apr 2026, 12:00 UTC “Design” is released $500.00")
    assert text.index("5 reminders before") < text.index("Until then")


@pytest.mark.parametrize("tab", ["job", "job_billing"])
def test_where_nothing_is_held_nothing_happens(
    client_person: Person, freelancer: Person, travel: Travel, tab: str
) -> None:
    job = agreed(client_person, freelancer)
    travel(FUNDED)
    assert told(client_person, job, tab) == (
        "Nothing happens by itself: no money is held and no deadline runs."
    )


def test_a_job_that_is_over_says_so(job: Job, travel: Travel) -> None:
    releases.release(job.pk, numbers=[1, 2], by=job.client, at=REQUESTED)
    travel(REQUESTED)
    assert told(job.client, job) == "Nothing: this Job is over."


# Proposals and payments


def test_an_award_speaks_to_who_must_answer(
    client_person: Person, freelancer: Person, travel: Travel
) -> None:
    job = awarded(client_person, freelancer.email)
    travel(FUNDED)
    before = (
        "8 Mar 2026, 10:00 UTC Terms 1 lapse With them the award lapses: nothing is agreed and nobody "
        "has paid anything. Until then"
    )
    assert told(client_person, job) == (
        f"{before} Frank Freelancer can accept, decline or send changed Terms. You can withdraw them."
    )
    assert told(freelancer, job) == (
        f"{before} You can accept, decline or send changed Terms. Clara Client can withdraw them."
    )


def test_a_pending_payment_lapses(
    client_person: Person, freelancer: Person, travel: Travel
) -> None:
    job = agreed(client_person, freelancer)
    method = add_card(client_person, "needs_authentication", at=FUNDED)
    payments.fund(job.pk, numbers=[1], method=method, by=client_person, at=FUNDED)
    travel(FUNDED)
    assert told(client_person, job) == (
        "9 Mar 2026, 09:00 UTC The pending payment for “Design” lapses $500.00 is not charged, and "
        "the Milestone is unfunded again. Until then You can pass the bank’s authentication, and the "
        "payment is Funded; or cancel it at once. 2 reminders before 5 Mar 2026, 09:00 UTC : You are "
        "reminded: 4 days left. 8 Mar 2026, 09:00 UTC : You are reminded: 1 day left."
    )


# What it costs


@pytest.mark.parametrize("tab", ["job", "job_billing"])
@pytest.mark.parametrize("together", [True, False])
def test_thirty_milestones_cost_no_more_statements(
    client_person: Person,
    freelancer: Person,
    travel: Travel,
    django_assert_max_num_queries: Any,
    tab: str,
    together: bool,
) -> None:
    def price(count: int) -> int:
        milestones = tuple(
            MilestoneInput(title=f"Part {number}", amount_minor=100_00) for number in range(count)
        )
        job = agreed(client_person, freelancer, milestones=milestones)
        numbers = range(1, count + 1)
        fund(job, *numbers, at=FUNDED)
        for number in numbers:
            request_release(
                job,
                number,
                at=REQUESTED + (timedelta(0) if together else number * timedelta(hours=1)),
            )
        travel(REQUESTED + timedelta(days=3))
        browser = Client()
        browser.force_login(freelancer)
        url = reverse(f"workroom:{tab}", args=[job.pk])
        browser.get(url)
        with django_assert_max_num_queries(8) as queries:
            response = browser.get(url)
        assert len(response.content) < 55_000
        return len(queries)

    assert price(1) == price(30)
