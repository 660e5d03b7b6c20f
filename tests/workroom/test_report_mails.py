"""The mails about reports, timesheets and Release Requests: what happened, what now, until when (R12)."""

from datetime import UTC, date, datetime

import pytest

from billing.models import ReleaseRequest
from billing.services import release_requests
from jobs.models import Job, Notification, Person
from jobs.selectors.notices import with_all_they_name
from tests.scenarios import fund, running_job
from workroom.models import StatusReport, Timesheet
from workroom.services import mail, reports, timesheets
from workroom.services.reports import Line
from workroom.services.timesheets import Entry

SENT_AT = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


def mail_of(kind: str) -> tuple[str, str]:
    """Subject and text of the only mail of a kind, on one line."""
    notice = with_all_they_name(Notification.objects.filter(activity__kind=kind)).get()
    assert notice.person is not None
    assert notice.person.email == "clara@example.com"
    made = mail.compose(notice)
    return made.subject, " ".join(str(made.body).split())


def test_a_report_that_bills(job: Job, freelancer: Person) -> None:
    line = Line(number=1, percent=100, bill=True)
    reports.submit_report(job, by=freelancer, lines=[line], at=SENT_AT)
    subject, text = mail_of("report_submitted")
    assert subject == "Status Report: Website"
    assert (
        "Frank Freelancer sent the Status Report of “Website” for the week of 9 Mar 2026. "
        "With it the release of $500.00 is requested, for 1 Milestone. "
        "You get a notice of its own for each. "
    ) in text
    assert f"/jobs/{job.pk}/reports/{StatusReport.objects.get().pk}/" in text


def test_a_second_sending_that_bills_nothing(job: Job, freelancer: Person) -> None:
    reports.submit_report(job, by=freelancer, lines=[], at=SENT_AT)
    Notification.objects.all().delete()
    line = Line(number=1, percent=10)
    reports.submit_report(job, by=freelancer, lines=[line], at=SENT_AT)
    _, text = mail_of("report_submitted")
    assert (
        "It replaces the one that was sent before for this week; both are kept. "
        "It bills nothing. WHAT YOU CAN DO"
    ) in text
    assert "Nothing follows: no money moves because of this report." in text


def test_a_timesheet(job: Job, freelancer: Person) -> None:
    entry = Entry(worked_on=date(2026, 3, 9), minutes=450)
    timesheets.submit_timesheet(
        job, by=freelancer, week_starts_on=date(2026, 3, 9), entries=[entry], at=SENT_AT
    )
    subject, text = mail_of("timesheet_submitted")
    assert subject == "Timesheet: Website"
    assert (
        "Frank Freelancer submitted the timesheet of “Website” for the week of 9 Mar 2026: "
        "7:30 hours. WHAT YOU CAN DO"
    ) in text
    assert "nothing is charged or paid because of it." in text
    assert f"/jobs/{job.pk}/timesheets/{Timesheet.objects.get().pk}/" in text


def test_a_release_request_and_its_void(job: Job, freelancer: Person) -> None:
    line = Line(number=1, percent=100, bill=True)
    reports.submit_report(job, by=freelancer, lines=[line], at=SENT_AT)
    request = ReleaseRequest.objects.get()
    subject, text = mail_of("release_requested")
    assert subject == "Release requested: Milestone 1, $500.00"
    assert (
        "UNTIL WHEN 8 Apr 2026, 12:00 UTC. Unanswered on 24 Mar 2026, 12:00 UTC, the request "
        "counts as Overdue, and both of you are reminded. IF YOU DO NOTHING On 8 Apr 2026, "
        "12:00 UTC what is still held for “Milestone 1” is released to Frank Freelancer, and the "
        "final invoice is made."
    ) in text
    assert f"/billing/requests/{request.pk}/" in text
    release_requests.void(request.pk, by=freelancer, at=SENT_AT, reason="Footer is missing.")
    subject, text = mail_of("voided")
    assert subject == "Release Request voided: Milestone 1"
    assert (
        "Frank Freelancer took back the Release Request for “Milestone 1” ($500.00). "
        "Its clock has stopped, and its pro-forma invoice is kept, marked void. "
        "Frank Freelancer writes: Footer is missing. WHAT YOU CAN DO"
    ) in text
    assert "A new Release Request by Frank Freelancer would start a new 30 days." in text
