"""What happens if nobody acts, at the end of every mail about a Job that goes on."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.mail import EmailMultiAlternatives

from billing.services import release_requests, releases
from jobs.models import Job, Notification, Person
from jobs.selectors import notices
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund
from tests.workroom.agreements import START, agreed, awarded
from workroom.proposals import MilestoneInput
from workroom.selectors import forecasts
from workroom.services import mail

pytestmark = pytest.mark.django_db

HEADING = "WHAT HAPPENS ON THIS JOB IF NOBODY ACTS\n"
DORMANT = (
    "30 Jun 2026, 00:00 UTC: The Job becomes Dormant. Nobody has done anything for 60 days by "
    "then, while money is held. You are told. Until then: You can release a Milestone. Frank "
    "Freelancer can send a Status Report or a timesheet, request a release or refund a Milestone. "
    "Either of you can propose or accept changed Terms, request cancellation of the Job or open a "
    "Dispute. Each of these starts the 60 days anew. The 60 days begin on 1 May 2026, 00:00 UTC "
    "at the earliest, when the last Milestone date ends."
)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """“Design” and “Build” funded."""
    job = agreed(client_person, freelancer)
    fund(job, 1, 2, at=START + timedelta(days=1))
    return Job.objects.get(pk=job.pk)


def compose(kind: str, to: str) -> EmailMultiAlternatives:
    found = Notification.objects.filter(activity__kind=kind)
    by_reader = {
        notice.person.email if notice.person else notice.address: notice
        for notice in notices.with_all_they_name(found)
    }
    return mail.compose(by_reader[to])


def told(message: EmailMultiAlternatives) -> list[str]:
    """The paragraphs of the forecast, each on one line."""
    text = str(message.body)
    assert text.count(HEADING) == 1
    block = text.split(HEADING)[1].split("\n\n-- \n")[0]
    return [" ".join(part.split()) for part in block.split("\n\n")]


def test_it_says_what_comes_next_to_each_reader(job: Job) -> None:
    request_release(job, 1)
    assert told(compose("release_requested", "clara@example.com")) == [
        "8 Apr 2026, 12:00 UTC: “Design” is released. $500.00 goes to Frank Freelancer, $456.25 "
        "net after fees of $43.75, because you have not answered. Until then: You can release it, "
        "request changes (at most twice) or open a Dispute. Frank Freelancer can void the "
        "request, refund the money or open a Dispute. After a void or a request for changes the "
        "money stays held, and a new request starts a new 30 days.",
        DORMANT,
        "14 Jul 2026, 00:00 UTC: The escrow account is settled. What Frank Freelancer has not "
        "requested by then goes back to you. “Build”: $1,000.00 goes back to you, without a fee. "
        "Then the Job is complete, and both of you get the Closing Statement. Until then: Frank "
        "Freelancer can request release of a Milestone: it does not go back, and is released 30 "
        "days later unless you answer. Once every held Milestone is requested, the Job is active "
        "again. You can release a Milestone or request cancellation of the Job, and either of you "
        "can propose or accept changed Terms: the Job is active again, and 60 days begin anew. "
        "Either of you can open a Dispute: nothing is settled while it is open. Any other "
        "activity (a Status Report, a timesheet, a refund or a request for cancellation by Frank "
        "Freelancer) begins the 14 days until the settlement anew.",
    ]
    [released, *_] = told(compose("funded", "frank@example.com"))
    assert released.startswith("8 Apr 2026, 12:00 UTC: “Design” is released. $500.00 goes to you,")


def test_the_html_says_the_same(job: Job) -> None:
    request_release(job, 1)
    message = compose("release_requested", "clara@example.com")
    [(html, _)] = message.alternatives
    page = str(html)
    for text in (
        "What happens on this Job if nobody acts",
        '<time datetime="2026-04-08T12:00:00Z" title="2026-04-08 12:00 UTC">8 Apr 2026, 12:00 UTC',
        ">“Design” is released</p>",
        "$500.00 goes to Frank Freelancer, $456.25 net after fees of $43.75",
        "Until then: You can release it, request changes (at most twice) or open a Dispute. Frank",
    ):
        assert page.count(text) == 1
    assert "{{" not in page


def test_it_is_written_in_the_zone_of_its_reader(job: Job) -> None:
    Person.objects.filter(pk=job.client_id).update(time_zone="Pacific/Pago_Pago")
    request_release(job, 1)
    [released, dormant, _] = told(compose("release_requested", "clara@example.com"))
    assert released.startswith("8 Apr 2026, 01:00 SST: ")
    assert dormant.startswith("29 Jun 2026, 13:00 SST: ")


def test_a_mail_that_was_delayed_says_how_it_is_when_it_is_sent(job: Job) -> None:
    request = request_release(job, 1)
    release_requests.void(request.pk, by=request.requested_by, at=NOON + timedelta(minutes=5))
    [dormant, settled] = told(compose("release_requested", "clara@example.com"))
    assert dormant == DORMANT
    assert "“Design”: $500.00 goes back to you, without a fee." in settled


def test_more_than_three_dates_are_counted(client_person: Person, freelancer: Person) -> None:
    milestones = tuple(MilestoneInput(title=f"Part {n}", amount_minor=100_00) for n in range(1, 6))
    job = agreed(client_person, freelancer, milestones=milestones)
    fund(job, 1, 2, 3, 4, 5, at=START)
    for number in range(1, 6):
        request_release(job, number, at=NOON + timedelta(minutes=number))
    message = compose("release_requested", "clara@example.com")
    *released, more = told(message)
    assert [part.split(" is released")[0] for part in released] == [
        "8 Apr 2026, 12:01 UTC: “Part 1”",
        "8 Apr 2026, 12:02 UTC: “Part 2”",
        "8 Apr 2026, 12:03 UTC: “Part 3”",
    ]
    assert more == "2 more dates stand on the Job’s page."
    assert "2 more dates stand on the Job’s page." in str(message.alternatives[0][0])


def test_an_invited_address_is_told_as_the_freelancer_to_be(client_person: Person) -> None:
    with time_machine.travel(START, tick=False):
        awarded(client_person, "nora@example.com")
        [lapse] = told(compose("invited", "nora@example.com"))
    assert lapse == (
        "8 Mar 2026, 10:00 UTC: Terms 1 lapse. With them the award lapses: nothing is agreed and "
        "nobody has paid anything. Until then: You can accept, decline or send changed Terms. Clara "
        "Client can withdraw them."
    )


def test_what_is_due_already_is_told_without_a_way_to_stop_it(job: Job) -> None:
    request_release(job, 1)
    with time_machine.travel(datetime(2026, 4, 8, 12, 0, 10, tzinfo=UTC), tick=False):
        [released, *_] = told(compose("release_requested", "clara@example.com"))
    assert released == (
        "At once, due 8 Apr 2026, 12:00 UTC: “Design” is released. $500.00 goes to Frank Freelancer, "
        "$456.25 net after fees of $43.75, because you have not answered."
    )


def test_a_job_that_is_over_has_no_such_part(job: Job) -> None:
    releases.release(job.pk, numbers=[1, 2], by=job.client, at=NOON)
    message = compose("completed", "clara@example.com")
    assert HEADING not in str(message.body)
    assert "if nobody acts" not in str(message.alternatives[0][0])


def test_its_price(job: Job, django_assert_num_queries: Any) -> None:
    """Two statements more, for one mail or for a batch."""
    request_release(job, 1)
    found = list(notices.with_all_they_name(Notification.objects.all()))
    assert len(found) > 5
    with django_assert_num_queries(2):
        forecasts.read_for_mails(notice.activity.job for notice in found)
        for notice in found:
            mail.compose(notice)
    [alone] = notices.with_all_they_name(Notification.objects.filter(pk=found[0].pk))
    with django_assert_num_queries(2):
        mail.compose(alone)
