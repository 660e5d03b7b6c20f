"""Status Reports: sent, sent again, and how far things are (R4.1). Billing: test_report_billing."""

from datetime import date, datetime, timedelta

import pytest

from billing.models import ReleaseRequest
from billing.services import releases
from escrow_site.lib.refusals import StalePage, WrongParty, WrongState
from escrow_site.lib.timing import DAY
from jobs.models import Activity, Job, Person
from tests.scenarios import finished_job, fund, running_job
from tests.workroom.report_steps import percents, refused, send
from workroom.models import StatusReport
from workroom.services import reports
from workroom.services.reports import Line


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Two Milestones, 500.00 and 1,000.00; the first is Funded."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


# --- Sending ---


def test_a_report_says_how_far_every_milestone_is(job: Job, at: datetime) -> None:
    report = send(
        job,
        at,
        Line(number=1, percent=60, comment="Header is done."),
        Line(number=2, percent=10),
        comments="A good week.",
        plan="The footer.",
    )
    report.refresh_from_db()
    assert (report.week_starts_on, report.time_zone) == (date(2026, 2, 23), "UTC")
    assert (report.sending, report.current, report.sent_at) == (1, True, at)
    assert (report.comments, report.plan) == ("A good week.", "The footer.")
    assert list(
        report.lines.order_by("pk").values_list(
            "escrow__number", "percent", "comment", "billed_minor"
        )
    ) == [(1, 60, "Header is done.", None), (2, 10, "", None)]
    assert ReleaseRequest.objects.count() == 0


def test_it_is_activity_and_the_client_is_told(job: Job, at: datetime) -> None:
    report = send(job, at + 2 * DAY, Line(number=1, percent=60))
    happened = Activity.objects.latest("pk")
    assert (happened.kind, happened.actor, happened.happened_at) == (
        "report_submitted",
        job.freelancer,
        at + 2 * DAY,
    )
    assert happened.facts == {
        "report": report.pk,
        "week_on": "2026-03-02",
        "sending": 1,
        "billed": 0,
        "amount_minor": None,
    }
    assert [notice.person for notice in happened.notifications.all()] == [job.client]
    job.refresh_from_db()
    assert job.last_activity_at == job.last_activity_besides_requests_at == at + 2 * DAY


def test_a_milestone_without_a_line_keeps_its_percent(job: Job, at: datetime) -> None:
    send(job, at, Line(number=1, percent=60))
    assert percents(send(job, at + 7 * DAY, Line(number=2, percent=5))) == {1: 60, 2: 5}


def test_a_milestone_that_was_released_unreported_counts_as_complete(
    job: Job, at: datetime
) -> None:
    releases.release(job.pk, numbers=[1], by=job.client, at=at)
    assert percents(send(job, at, Line(number=2, percent=5))) == {1: 100, 2: 5}


def test_an_unfunded_milestone_can_be_reported_complete(job: Job, at: datetime) -> None:
    assert percents(send(job, at, Line(number=2, percent=100))) == {1: 0, 2: 100}
    assert ReleaseRequest.objects.count() == 0


def test_hourly_jobs_have_reports_without_milestones(
    client_person: Person, freelancer: Person, at: datetime
) -> None:
    hourly = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=hourly.pk).update(kind="hourly", hourly_rate_minor=50_00)
    report = send(hourly, at, comments="Twelve calls.")
    assert report.lines.count() == 0
    assert report.comments == "Twelve calls."


# --- Weeks and sendings ---


@pytest.mark.parametrize(
    ("zone", "sent_at", "monday"),
    [
        ("UTC", "2026-03-08T23:59:59+00:00", date(2026, 3, 2)),
        ("UTC", "2026-03-09T00:00:00+00:00", date(2026, 3, 9)),
        ("Pacific/Kiritimati", "2026-03-08T10:00:00+00:00", date(2026, 3, 9)),
        ("Pacific/Honolulu", "2026-03-09T09:59:59+00:00", date(2026, 3, 2)),
        ("Pacific/Honolulu", "2026-03-09T10:00:00+00:00", date(2026, 3, 9)),
    ],
)
def test_the_week_is_the_freelancers(
    job: Job, freelancer: Person, zone: str, sent_at: str, monday: date
) -> None:
    freelancer.time_zone = zone
    freelancer.save()
    report = send(job, datetime.fromisoformat(sent_at), Line(number=1, percent=10))
    assert (report.week_starts_on, report.time_zone) == (monday, zone)


def test_sent_again_within_its_week_each_sending_is_kept(job: Job, at: datetime) -> None:
    first = send(job, at, Line(number=1, percent=60), comments="First.")
    second = send(job, at + timedelta(hours=1), Line(number=1, percent=70), comments="Second.")
    third = send(job, at + 1 * DAY, Line(number=1, percent=70), comments="Next week.")
    assert list(
        StatusReport.objects.order_by("pk").values_list(
            "pk", "week_starts_on", "sending", "current", "comments"
        )
    ) == [
        (first.pk, date(2026, 2, 23), 1, False, "First."),
        (second.pk, date(2026, 2, 23), 2, True, "Second."),
        (third.pk, date(2026, 3, 2), 1, True, "Next week."),
    ]
    assert percents(first) == {1: 60, 2: 0}
    assert percents(second) == {1: 70, 2: 0}


def test_the_same_report_twice_in_a_week_is_sent_once(job: Job, at: datetime) -> None:
    lines = [Line(number=1, percent=60, comment="Half.")]
    send(job, at, *lines, comments="A good week.")
    assert refused(reports.NothingReported, job, at, lines, comments="A good week.") == (
        "You have sent exactly this report for this week already: nothing was sent again."
    )
    assert send(job, at + 1 * DAY, *lines, comments="A good week.").sending == 1


# --- Percent ---


def test_percent_goes_down_with_a_comment_only(job: Job, at: datetime) -> None:
    send(job, at, Line(number=1, percent=60))
    down = Line(number=1, percent=59)
    assert refused(reports.LinesRefused, job, at, [down]) == (
        "“Milestone 1” was reported at 60 % already. Say in its comment why it goes down to 59 %."
    )
    assert refused(reports.LinesRefused, job, at, [Line(number=1, percent=59, comment=" \n")])
    explained = Line(number=1, percent=59, comment="The menu must be done again.")
    assert percents(send(job, at, explained)) == {1: 59, 2: 0}


def test_the_last_sending_of_any_week_is_what_percent_goes_down_from(
    job: Job, at: datetime
) -> None:
    send(job, at, Line(number=1, percent=60))
    send(job, at, Line(number=1, percent=40, comment="Counted wrongly."))
    assert percents(send(job, at + 21 * DAY, Line(number=1, percent=41))) == {1: 41, 2: 0}


@pytest.mark.parametrize("percent", [-1, 101, 10**30])
def test_percent_goes_from_0_to_100(job: Job, at: datetime, percent: int) -> None:
    assert refused(reports.LinesRefused, job, at, [Line(number=1, percent=percent)]) == (
        "“Milestone 1”: percent complete goes from 0 to 100."
    )


def test_every_line_that_is_wrong_is_named(job: Job, at: datetime) -> None:
    send(job, at, Line(number=1, percent=60))
    with pytest.raises(reports.LinesRefused) as caught:
        send(job, at, Line(number=1, percent=5), Line(number=2, percent=101))
    assert set(caught.value.problems) == {1, 2}


def test_a_milestone_that_is_not_agreed_makes_the_page_stale(job: Job, at: datetime) -> None:
    assert refused(StalePage, job, at, [Line(number=3, percent=10)]) == (
        "The Milestones of this Job have changed since you opened this page. "
        "Please look at them again."
    )


# --- Who and when ---


def test_only_the_freelancer_reports(
    job: Job, stranger: Person, agent: Person, at: datetime
) -> None:
    for person in (job.client, stranger, agent):
        assert refused(WrongParty, job, at, [Line(number=1, percent=5)], by=person) == (
            "Only the Freelancer of this Job can send Status Reports."
        )


def test_an_ended_job_takes_no_reports(
    client_person: Person, freelancer: Person, at: datetime
) -> None:
    ended = finished_job(client_person, freelancer)
    assert refused(WrongState, ended, at, [Line(number=1, percent=100)]) == (
        "This Job is completed: Status Reports can be sent while it is active."
    )


def test_an_empty_report_is_refused_where_no_milestone_speaks(
    client_person: Person, freelancer: Person, at: datetime
) -> None:
    hourly = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=hourly.pk).update(kind="hourly", hourly_rate_minor=50_00)
    assert refused(reports.NothingReported, hourly, at) == (
        "Write a comment first: this report is empty."
    )
