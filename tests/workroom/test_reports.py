"""Status Reports: sent, sent again, and the billing in them (R4)."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from billing.models import Account, Escrow, ProForma, ReleaseRequest, Transfer
from billing.services import release_requests, releases
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState
from escrow_site.lib.timing import DAY
from jobs.models import Activity, Job, Notification, Person, StoredFile
from jobs.services import files
from tests.scenarios import finished_job, fund, running_job
from workroom.models import ReportAttachment, ReportLine, StatusReport
from workroom.services import reports
from workroom.services.reports import Line

PDF = b"%PDF-1.7\n1 0 obj\n"


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Two Milestones, 500.00 and 1,000.00; the first is Funded."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


def upload(name: str = "plan.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def send(job: Job, at: datetime, *lines: Line, **said: Any) -> StatusReport:
    assert job.freelancer is not None
    return reports.submit_report(job, by=job.freelancer, lines=lines, at=at, **said)


def percents(report: StatusReport) -> dict[int, int]:
    return dict(report.lines.values_list("escrow__number", "percent"))


def everything() -> list[Any]:
    """All that a refused report must leave as it was."""
    return [
        list(StatusReport.objects.order_by("pk").values()),
        list(ReportLine.objects.order_by("pk").values()),
        list(ReportAttachment.objects.order_by("pk").values()),
        list(StoredFile.objects.order_by("pk").values()),
        list(ReleaseRequest.objects.order_by("pk").values()),
        list(ProForma.objects.order_by("pk").values()),
        list(Escrow.objects.order_by("pk").values()),
        list(Account.objects.order_by("pk").values()),
        list(Activity.objects.order_by("pk").values()),
        list(Job.objects.order_by("pk").values()),
        Transfer.objects.count(),
        Notification.objects.count(),
    ]


def refused(
    kind: type[Refusal], job: Job, at: datetime, lines: Iterable[Line] = (), **said: Any
) -> str:
    """The message of the refusal, once it is sure that nothing has changed."""
    before = everything()
    said = {"by": job.freelancer, "lines": lines, "at": at, **said}
    with pytest.raises(kind) as caught:
        reports.submit_report(job, **said)
    assert everything() == before
    return caught.value.message


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
        "“Milestone 1” was reported at 60 % already. "
        "Say in its comment why it goes down to 59 %."
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


# --- Billing ---


def test_billing_makes_report_request_and_pro_forma_together(job: Job, at: datetime) -> None:
    """R14.1: report at 100 % on 9 Mar 12:00."""
    sent_at = datetime.fromisoformat("2026-03-09T12:00:00+00:00")
    report = send(job, sent_at, Line(number=1, percent=100, bill=True), comments="All done.")
    request = ReleaseRequest.objects.get()
    assert (request.escrow.number, request.requested_by, request.requested_at) == (
        1,
        job.freelancer,
        sent_at,
    )
    assert (request.state, request.comments) == ("open", "All done.")
    assert request.auto_release_at == datetime.fromisoformat("2026-04-08T12:00:00+00:00")
    assert request.overdue_at == datetime.fromisoformat("2026-03-24T12:00:00+00:00")
    pro_forma = ProForma.objects.get()
    assert (pro_forma.request, pro_forma.state, pro_forma.amount_minor) == (
        request,
        "issued",
        500_00,
    )
    assert (pro_forma.net_minor, pro_forma.service_fee_minor) == (456_25, 43_75)
    assert list(report.lines.order_by("pk").values_list("percent", "billed_minor")) == [
        (100, 500_00),
        (0, None),
    ]
    assert list(
        Activity.objects.filter(happened_at=sent_at).order_by("pk").values_list("kind", flat=True)
    ) == ["report_submitted", "release_requested"]
    facts = Activity.objects.get(kind="report_submitted").facts
    assert (facts["billed"], facts["amount_minor"]) == (1, 500_00)


def test_several_milestones_are_billed_at_once(job: Job, at: datetime) -> None:
    fund(job, 2)
    send(job, at, Line(number=1, percent=100, bill=True), Line(number=2, percent=100, bill=True))
    assert list(
        ReleaseRequest.objects.order_by("pk").values_list("escrow__number", "pro_forma__amount_minor")
    ) == [(1, 500_00), (2, 1_000_00)]
    facts = Activity.objects.get(kind="report_submitted").facts
    assert (facts["billed"], facts["amount_minor"]) == (2, 1_500_00)


def test_at_100_percent_unticked_nothing_is_billed(job: Job, at: datetime) -> None:
    report = send(job, at, Line(number=1, percent=100))
    assert percents(report) == {1: 100, 2: 0}
    assert ReleaseRequest.objects.count() == 0


def test_billing_below_100_percent_is_refused(job: Job, at: datetime) -> None:
    assert refused(reports.LinesRefused, job, at, [Line(number=1, percent=99, bill=True)]) == (
        "“Milestone 1” can be billed when it is at 100 %."
    )


def test_an_unfunded_milestone_cannot_be_billed(job: Job, at: datetime) -> None:
    assert refused(reports.LinesRefused, job, at, [Line(number=2, percent=100, bill=True)]) == (
        "“Milestone 2” is not funded yet, so there is nothing to release."
    )


def test_one_refused_milestone_sends_nothing_of_the_other(job: Job, at: datetime) -> None:
    both = [Line(number=1, percent=100, bill=True), Line(number=2, percent=100, bill=True)]
    assert refused(reports.LinesRefused, job, at, both, comments="Done.", uploads=[upload()])


def test_an_open_request_is_not_billed_again(job: Job, at: datetime) -> None:
    send(job, at, Line(number=1, percent=100, bill=True))
    assert refused(
        reports.LinesRefused, job, at, [Line(number=1, percent=100, bill=True)]
    ) == "A Release Request for “Milestone 1” is open already."


def test_after_a_void_it_is_billed_again(job: Job, at: datetime) -> None:
    send(job, at, Line(number=1, percent=100, bill=True))
    first = ReleaseRequest.objects.get()
    assert job.freelancer is not None
    release_requests.void(first.pk, by=job.freelancer, at=at + 1 * DAY)
    send(job, at + 2 * DAY, Line(number=1, percent=100, bill=True))
    assert list(
        ReleaseRequest.objects.order_by("pk").values_list("state", "requested_at")
    ) == [("voided", at), ("open", at + 2 * DAY)]


def test_another_amount_than_the_one_seen_is_not_billed(job: Job, at: datetime) -> None:
    line = Line(number=1, percent=100, bill=True, seen_minor=400_00)
    assert refused(reports.LinesRefused, job, at, [line]) == (
        "What is held for “Milestone 1” has changed since you opened this page. "
        "Please look at the amount again."
    )
    send(job, at, Line(number=1, percent=100, bill=True, seen_minor=500_00))
    assert ReleaseRequest.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_tabs_in_the_same_second_make_one_request(job: Job, at: datetime) -> None:
    """R14.10: one request, one pro-forma; the second gets a message."""
    start, messages = Barrier(2), []

    def submit(comments: str) -> None:
        start.wait()
        try:
            send(job, at, Line(number=1, percent=100, bill=True), comments=comments)
        except Refusal as refusal:
            messages.append(refusal.message)
        finally:
            connection.close()

    tabs = [Thread(target=submit, args=[f"Tab {number}"]) for number in (1, 2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert messages == ["A Release Request for “Milestone 1” is open already."]
    assert ReleaseRequest.objects.count() == 1
    assert ProForma.objects.count() == 1
    assert StatusReport.objects.count() == 1
    assert Activity.objects.filter(kind="release_requested").count() == 1


# --- Attachments ---


def test_attachments_go_with_the_report(job: Job, at: datetime) -> None:
    report = send(job, at, uploads=[upload("a.pdf"), upload("b.txt", b"words")])
    assert list(
        report.attachments.order_by("pk").values_list(
            "file__name", "file__content_type", "file__uploaded_by"
        )
    ) == [
        ("a.pdf", "application/pdf", job.freelancer_id),
        ("b.txt", "text/plain", job.freelancer_id),
    ]


def test_a_wrong_file_stops_the_whole_report(job: Job, at: datetime) -> None:
    message = refused(
        files.WrongFile,
        job,
        at,
        [Line(number=1, percent=100, bill=True)],
        uploads=[upload(), upload("run.exe", b"MZ\x90")],
    )
    assert message.startswith("“run.exe” is of a type that is not accepted.")


def test_kept_files_go_with_the_next_sending_too(job: Job, at: datetime) -> None:
    first = send(job, at, uploads=[upload("a.pdf"), upload("b.pdf")])
    kept = first.attachments.get(file__name="b.pdf").file
    second = send(job, at, kept_files=[kept.key], uploads=[upload("c.pdf")], comments="More.")
    assert [one.file.name for one in second.attachments.order_by("pk")] == ["b.pdf", "c.pdf"]
    assert first.attachments.count() == 2


def test_a_file_of_another_job_is_not_kept(
    job: Job, client_person: Person, freelancer: Person, at: datetime
) -> None:
    other = running_job(client_person, freelancer)
    secret = send(other, at, uploads=[upload()]).attachments.get().file
    assert refused(StalePage, job, at, kept_files=[secret.key]) == (
        "An attachment of the earlier sending was not found."
    )
