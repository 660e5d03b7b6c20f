"""Writing a Status Report on its page, without JavaScript (R4). Reading: test_report_reading."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from billing.models import Escrow, ReleaseRequest
from billing.services import release_requests
from jobs.models import Activity, Job, Person
from tests.scenarios import finished_job, fund, running_job
from tests.workroom.report_steps import (
    NOW,
    PDF,
    billing_total,
    box,
    sent_before,
    set_clock,
    text_of,
    typed,
    value,
)
from workroom.models import ReportAttachment, StatusReport
from workroom.services.reports import Line


@pytest.fixture(autouse=True)
def _clock(tmp_path: Path, settings: Any) -> None:
    """It is Monday, 9 March 2026, 12:00 UTC."""
    set_clock(tmp_path, settings, NOW)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """Two Milestones, 500.00 and 1,000.00; the first is Funded."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


@pytest.fixture
def form_url(client: Client, job: Job) -> str:
    """The address of the page, and the Freelancer signed in."""
    assert job.freelancer is not None
    client.force_login(job.freelancer)
    return reverse("workroom:create_report", args=[job.pk])


def test_a_fresh_page_starts_from_nothing(client: Client, form_url: str) -> None:
    answer = client.get(form_url)
    assert answer.status_code == 200
    assert "Status Report for 9 Mar 2026 – 15 Mar 2026" in text_of(answer)
    assert [value(answer, f"m{number}-percent") for number in (1, 2)] == ["0", "0"]
    assert [box(answer, number) for number in (1, 2)] == ["unticked", None]
    assert billing_total(answer) is None
    assert (
        "Not billed: “Milestone 2” is not funded yet, so there is nothing to release."
        in text_of(answer)
    )


def test_submit_sends_and_goes_to_the_report(client: Client, form_url: str, job: Job) -> None:
    data = typed(m1_percent="60", m1_comment="Half.", comments="A good week.", plan="The footer.")
    answer = client.post(form_url, data, follow=True)
    report = StatusReport.objects.get()
    assert answer.redirect_chain == [(reverse("workroom:report", args=[job.pk, report.pk]), 302)]
    assert "The Status Report for the week of 9 Mar 2026 was sent to Clara Client." in text_of(
        answer
    )
    assert (report.comments, report.plan) == ("A good week.", "The footer.")
    assert report.lines.get(escrow__number=1).percent == 60
    assert "0 % in the report before" not in text_of(answer)


@pytest.mark.parametrize("hundred", ["100", " 100 ", "100.0", "0100", "１００"])
def test_rising_to_100_ticks_the_box_and_asks_before_sending(
    client: Client, form_url: str, hundred: str
) -> None:
    """Without JavaScript the page is shown again, ticked, with the billing section filled."""
    answer = client.post(form_url, typed(m1_percent=hundred, comments="All done."))
    assert answer.status_code == 200
    assert StatusReport.objects.count() == 0
    assert box(answer, 1) == "ticked"
    assert billing_total(answer) == "$500.00"
    assert "Added to Billing – not sent yet" in text_of(answer)
    assert value(answer, "m1-asked") == "1"
    assert "All done." in text_of(answer)


def test_the_confirmed_page_sends_report_request_and_pro_forma(
    client: Client, form_url: str
) -> None:
    answer = client.post(form_url, typed(m1_percent="100", m1_asked="1", m1_bill="on"), follow=True)
    assert "Release requested: “Milestone 1”." in text_of(answer)
    request = ReleaseRequest.objects.get()
    assert (request.escrow.number, request.pro_forma.amount_minor) == (1, 500_00)


def test_the_box_may_be_unticked(client: Client, form_url: str) -> None:
    client.post(form_url, typed(m1_percent="100", m1_asked="1"))
    assert StatusReport.objects.get().lines.get(escrow__number=1).percent == 100
    assert ReleaseRequest.objects.count() == 0


def test_ticked_by_hand_at_100_it_is_sent_at_once(client: Client, form_url: str) -> None:
    client.post(form_url, typed(m1_percent="100", m1_bill="on"))
    assert ReleaseRequest.objects.count() == 1


def test_refresh_fills_the_billing_section_and_sends_nothing(client: Client, form_url: str) -> None:
    answer = client.post(form_url, typed(m1_percent="100", m1_asked="1", m1_bill="on", refresh="1"))
    assert StatusReport.objects.count() == 0
    assert (box(answer, 1), billing_total(answer)) == ("ticked", "$500.00")


def test_an_unfunded_milestone_at_100_is_reported_and_not_billed(
    client: Client, form_url: str
) -> None:
    client.post(form_url, typed(m2_percent="100", m2_bill="on"))
    assert "is not funded yet" in text_of(
        client.post(form_url, typed(m2_percent="100", m2_bill="on"))
    )
    client.post(form_url, typed(m2_percent="100"))
    assert StatusReport.objects.get().lines.get(escrow__number=2).percent == 100
    assert ReleaseRequest.objects.count() == 0


def test_the_last_percent_is_where_it_starts(client: Client, form_url: str, job: Job) -> None:
    sent_before(job, Line(number=1, percent=60, comment="Half."))
    answer = client.get(form_url)
    assert value(answer, "m1-percent") == "60"
    assert value(answer, "m1-comment") == ""
    assert "was 60 %" in text_of(answer)


def test_with_an_open_request_the_box_is_not_offered(
    client: Client, form_url: str, job: Job
) -> None:
    sent_before(job, Line(number=1, percent=100, bill=True))
    answer = client.get(form_url)
    assert box(answer, 1) is None
    assert "Not billed: A Release Request for “Milestone 1” is open already." in text_of(answer)


def test_after_a_void_it_is_offered_unticked(client: Client, form_url: str, job: Job) -> None:
    sent_before(job, Line(number=1, percent=100, bill=True))
    assert job.freelancer is not None
    release_requests.void(ReleaseRequest.objects.get().pk, by=job.freelancer, at=NOW)
    assert box(client.get(form_url), 1) == "unticked"
    client.post(form_url, typed(m1_percent="100"))
    assert StatusReport.objects.count() == 2
    assert ReleaseRequest.objects.count() == 1
    answer = client.post(form_url, typed(m1_percent="100", m1_bill="on"), follow=True)
    assert "Release requested: “Milestone 1”." in text_of(answer)


def test_after_a_later_funding_it_is_offered_unticked(
    client: Client, form_url: str, job: Job
) -> None:
    sent_before(job, Line(number=2, percent=100))
    fund(job, 2, at=NOW)
    answer = client.get(form_url)
    assert (box(answer, 2), billing_total(answer)) == ("unticked", None)
    assert ReleaseRequest.objects.count() == 0


def test_this_weeks_report_starts_from_what_was_sent(client: Client, form_url: str) -> None:
    upload = SimpleUploadedFile("plan.pdf", PDF)
    first = typed(m1_percent="60", m1_comment="Half.", comments="A good week.", plan="More.")
    client.post(form_url, first | {"attachments": [upload]})
    answer = client.get(form_url)
    assert "What you send now replaces it; the earlier sending is kept." in text_of(answer)
    assert (value(answer, "m1-percent"), value(answer, "m1-comment")) == ("60", "Half.")
    assert "A good week." in text_of(answer)
    key = ReportAttachment.objects.get().file.key
    assert value(answer, "kept_files") == key
    client.post(form_url, typed(m1_percent="70") | {"kept_files": key})
    second = StatusReport.objects.get(current=True)
    assert second.sending == 2
    assert [one.file.name for one in second.attachments.all()] == ["plan.pdf"]


# --- Send Invoice leads here (R4.3) ---


def test_bill_shows_the_milestone_complete_and_billed(
    client: Client, form_url: str, job: Job
) -> None:
    sent_before(job, Line(number=1, percent=60), Line(number=2, percent=20))
    answer = client.get(form_url, {"bill": "1"})
    assert (value(answer, "m1-percent"), value(answer, "m2-percent")) == ("100", "20")
    assert (box(answer, 1), billing_total(answer)) == ("ticked", "$500.00")
    assert value(answer, "m1-asked") == "1"
    sent = typed(m1_percent="100", m1_asked="1", m1_bill="on", m2_percent="20", comments="Done.")
    client.post(f"{form_url}?bill=1", sent)
    assert ReleaseRequest.objects.get().comments == "Done."


def test_bill_of_what_cannot_be_billed_says_why(client: Client, form_url: str) -> None:
    answer = client.get(form_url, {"bill": "2"})
    assert value(answer, "m2-percent") == "0"
    assert "“Milestone 2” is not funded yet, so there is nothing to release." in text_of(answer)


@pytest.mark.parametrize("number", ["7", "", "abc", "-1", "9" * 40, "1\x00", "²"])
def test_bill_of_no_milestone_is_a_message(client: Client, form_url: str, number: str) -> None:
    answer = client.get(form_url, {"bill": number})
    assert answer.status_code == 200
    assert "This Milestone is not part of the agreed Terms." in text_of(answer)


# --- What is refused (R13) ---


@pytest.mark.parametrize(
    ("field", "bad", "message"),
    [
        ("m1-percent", "", "Enter how far it is, from 0 to 100."),
        ("m1-percent", "half", "Enter a whole number from 0 to 100."),
        ("m1-percent", "9" * 5000, "Enter a whole number from 0 to 100."),
        ("m1-percent", "101", "Percent complete goes from 0 to 100."),
        ("m1-percent", "-1", "Percent complete goes from 0 to 100."),
        ("m1-comment", "a\x00b", "Null characters are not allowed."),
        ("m1-comment", "x" * 501, "Ensure this value has at most 500 characters"),
        ("comments", "x" * 5001, "Ensure this value has at most 5000 characters"),
        ("plan", "a\x00b", "Null characters are not allowed."),
        ("m1-seen", "lots", "Enter a whole number."),
    ],
)
def test_bad_input_is_a_message_and_what_was_typed_stays(
    client: Client, form_url: str, field: str, bad: str, message: str
) -> None:
    data = typed(comments="Typed.", m2_percent="7") | {field: bad}
    answer = client.post(form_url, data)
    assert answer.status_code == 200
    assert message in text_of(answer)
    assert "Nothing was sent. Please check:" in text_of(answer)
    assert value(answer, "m2-percent") == "7"
    assert field == "comments" or "Typed." in text_of(answer)
    assert StatusReport.objects.count() == 0


def test_missing_fields_are_a_message(client: Client, form_url: str) -> None:
    answer = client.post(form_url, {})
    assert answer.status_code == 200
    assert text_of(answer).count("Enter how far it is, from 0 to 100.") == 4
    assert StatusReport.objects.count() == 0


def test_percent_down_without_a_comment_is_said_on_its_line(
    client: Client, form_url: str, job: Job
) -> None:
    sent_before(job, Line(number=1, percent=60))
    answer = client.post(form_url, typed(m1_percent="50", comments="Typed."))
    line = answer.content.decode().split('id="m1-errors"')[1].split("</ul>")[0]
    assert "“Milestone 1” was reported at 60 % already." in line
    assert value(answer, "m1-percent") == "50"
    assert "Typed." in text_of(answer)
    assert StatusReport.objects.count() == 1


def test_the_second_tab_gets_a_message_and_keeps_its_input(
    client: Client, form_url: str, job: Job
) -> None:
    """R14.10, one after the other: the first tab has sent the request meanwhile."""
    data = typed(m1_percent="100", m1_asked="1", m1_bill="on")
    client.post(form_url, data | {"comments": "From the first tab."})
    upload = SimpleUploadedFile("plan.pdf", PDF)
    answer = client.post(
        form_url, data | {"comments": "From the second tab.", "attachments": [upload]}
    )
    assert answer.status_code == 200
    assert "A Release Request for “Milestone 1” is open already." in text_of(answer)
    assert "From the second tab." in text_of(answer)
    assert (
        "Choose the attachments again Your browser does not keep chosen files when a page is "
        "shown again. Not attached yet: plan.pdf." in text_of(answer)
    )
    assert box(answer, 1) is None
    assert ReleaseRequest.objects.count() == StatusReport.objects.count() == 1
    assert ReportAttachment.objects.count() == 0


def test_another_amount_than_shown_is_shown_again(client: Client, form_url: str) -> None:
    data = typed(m1_percent="100", m1_asked="1", m1_bill="on", m1_seen="40000")
    answer = client.post(form_url, data)
    assert "What is held for “Milestone 1” has changed since you opened this page." in text_of(
        answer
    )
    assert value(answer, "m1-seen") == "50000"
    assert ReleaseRequest.objects.count() == 0


def test_a_wrong_file_is_said_beside_the_attachments(client: Client, form_url: str) -> None:
    upload = SimpleUploadedFile("run.exe", b"MZ\x90")
    answer = client.post(form_url, typed(comments="Typed.") | {"attachments": [upload]})
    assert "Attachments: “run.exe” is of a type that is not accepted." in text_of(answer)
    assert "Typed." in text_of(answer)
    assert StatusReport.objects.count() == 0


def test_a_job_that_ended_meanwhile_keeps_what_was_typed(
    client: Client, client_person: Person, freelancer: Person
) -> None:
    job = finished_job(client_person, freelancer)
    client.force_login(freelancer)
    form_url = reverse("workroom:create_report", args=[job.pk])
    answer = client.post(form_url, typed(m1_percent="100", comments="Typed."))
    assert "This Job is completed: Status Reports can be sent while it is active." in text_of(
        answer
    )
    assert "Typed." in text_of(answer)


def test_the_client_cannot_write_one(client: Client, job: Job) -> None:
    client.force_login(job.client)
    form_url = reverse("workroom:create_report", args=[job.pk])
    answer = client.get(form_url, follow=True)
    assert answer.redirect_chain == [(reverse("workroom:reports", args=[job.pk]), 302)]
    assert "Only the Freelancer of this Job can send Status Reports." in text_of(answer)
    posted = client.post(form_url, typed(m1_percent="60"))
    assert "Only the Freelancer of this Job can send Status Reports." in text_of(posted)
    assert StatusReport.objects.count() == 0


def test_the_history_of_a_refused_report_is_empty(client: Client, form_url: str) -> None:
    before = Activity.objects.count()
    client.post(form_url, typed(m1_percent="101"))
    assert Activity.objects.count() == before
    assert Escrow.objects.get(number=1).held_minor == 500_00
