"""Status Reports that bill Milestones, and their attachments (R4.2, R4.4, R14.1, R14.10)."""

from datetime import datetime
from threading import Barrier, Thread

import pytest
from django.db import connection

from billing.models import ProForma, ReleaseRequest
from billing.services import release_requests
from escrow_site.lib.refusals import Refusal, StalePage
from escrow_site.lib.timing import DAY
from jobs.models import Activity, Job, Person
from jobs.services import files
from tests.scenarios import fund, running_job
from tests.workroom.report_steps import percents, refused, send, upload
from workroom.models import StatusReport
from workroom.services import reports
from workroom.services.reports import Line


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Two Milestones, 500.00 and 1,000.00; the first is Funded."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


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
        ReleaseRequest.objects.order_by("pk").values_list(
            "escrow__number", "pro_forma__amount_minor"
        )
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
    assert (
        refused(reports.LinesRefused, job, at, [Line(number=1, percent=100, bill=True)])
        == "A Release Request for “Milestone 1” is open already."
    )


def test_after_a_void_it_is_billed_again(job: Job, at: datetime) -> None:
    send(job, at, Line(number=1, percent=100, bill=True))
    first = ReleaseRequest.objects.get()
    assert job.freelancer is not None
    release_requests.void(first.pk, by=job.freelancer, at=at + 1 * DAY)
    send(job, at + 2 * DAY, Line(number=1, percent=100, bill=True))
    assert list(ReleaseRequest.objects.order_by("pk").values_list("state", "requested_at")) == [
        ("voided", at),
        ("open", at + 2 * DAY),
    ]


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
