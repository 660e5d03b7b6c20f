"""The worked examples of the rules (R14) that are about a Job without timers, whole, through the services."""

import threading
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from billing import ledger
from billing.models import Document, FundingRequest, ProForma, ReleaseRequest
from billing.services import audit, release_requests, releases
from escrow_site.lib import money
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Person
from tests.scenarios import fund
from workroom.models import StatusReport
from workroom.proposals import JobDetails, MilestoneInput, TermsInput
from workroom.services import awards, drafts, reports, terms
from workroom.services.reports import Line

ACCEPTED = datetime(2026, 3, 1, 10, tzinfo=UTC)
FUNDED = datetime(2026, 3, 2, 9, tzinfo=UTC)
REPORTED = datetime(2026, 3, 9, 12, tzinfo=UTC)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """R14.1 up to 1 March: Milestones 500.00 and 1,000.00, Terms accepted at 10:00."""
    agreed = TermsInput(
        scope="A website.",
        ends_on=date(2026, 4, 30),
        milestones=(
            MilestoneInput(title="M1", amount_minor=500_00, due_on=date(2026, 3, 31)),
            MilestoneInput(title="M2", amount_minor=1_000_00, due_on=date(2026, 4, 30)),
        ),
    )
    draft = drafts.start_draft(
        by=client_person, details=JobDetails(title="Website"), terms=agreed, at=ACCEPTED
    )
    awarded = awards.award(draft, by=client_person, email=freelancer.email, at=ACCEPTED)
    terms.accept(awarded, by=freelancer, version=1, at=ACCEPTED)
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=draft.pk)


def report_at_100(job: Job, *, at: datetime = REPORTED) -> StatusReport:
    assert job.freelancer is not None
    return reports.submit_report(
        job, by=job.freelancer, lines=[Line(number=1, percent=100, bill=True)], at=at
    )


def test_1_the_ordinary_job_released_by_the_client(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    requested = FundingRequest.objects.get()
    assert (requested.escrow.title, requested.requested_by) == ("M1", None)
    assert requested.requested_at == ACCEPTED

    fund(job, 1, at=FUNDED)
    report_at_100(job)
    request = ReleaseRequest.objects.get()
    assert request.requested_at == REPORTED
    assert request.overdue_at == datetime(2026, 3, 24, 12, tzinfo=UTC)
    assert request.auto_release_at == datetime(2026, 4, 8, 12, tzinfo=UTC)
    assert request.pro_forma.state == "issued"

    (released,) = releases.release(
        job.pk, numbers=[1], by=client_person, at=datetime(2026, 3, 10, tzinfo=UTC)
    )
    assert released.amounts.net_minor == 456_25
    assert released.amounts.service_fee_minor == 43_75
    assert ledger.available(freelancer, "USD").balance_minor == 456_25
    assert Document.objects.get().kind == "final_invoice"
    assert list(Activity.objects.order_by("pk").values_list("kind", flat=True)) == [
        "awarded", "terms_accepted", "funding_requested", "funded", "report_submitted",
        "release_requested", "released",
    ]  # fmt: skip


def test_2_voided_and_requested_again(job: Job, freelancer: Person) -> None:
    fund(job, 1, at=FUNDED)
    report_at_100(job)
    first = ReleaseRequest.objects.get()
    release_requests.void(first.pk, by=freelancer, at=datetime(2026, 3, 20, tzinfo=UTC))
    report_at_100(job, at=datetime(2026, 4, 1, 9, tzinfo=UTC))
    second = ReleaseRequest.objects.unanswered().get()
    assert second.overdue_at == datetime(2026, 4, 16, 9, tzinfo=UTC)
    assert second.auto_release_at == datetime(2026, 5, 1, 9, tzinfo=UTC)
    assert ProForma.objects.filter(state="void").count() == 1
    assert StatusReport.objects.count() == 2


@pytest.mark.parametrize(
    ("currency", "gross", "fee", "net"),
    [
        ("USD", "500.00", "43.75", "456.25"),
        ("USD", "33.33", "2.92", "30.41"),
        ("JPY", "1001", "88", "913"),
        ("KWD", "10.005", "0.875", "9.130"),
    ],
)
def test_3_fees(currency: str, gross: str, fee: str, net: str) -> None:
    gross_minor = money.parse(gross, currency)
    fee_minor = money.share(gross_minor, 875)
    assert money.editable(fee_minor, currency) == fee
    assert money.editable(gross_minor - fee_minor, currency) == net


def test_11_fees_of_three_parts_add_up_to_the_fee_of_the_whole() -> None:
    taken: list[int] = []
    for part in range(3):
        taken.append(
            money.fee_on_part(
                11_11,
                released_before_minor=part * 11_11,
                taken_before_minor=sum(taken),
                basis_points=875,
            )
        )
    assert taken == [97, 97, 98]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_10_two_tabs_in_the_same_second(job: Job) -> None:
    """One request, one pro-forma; the second gets a message, and its report is not sent either."""
    fund(job, 1, at=FUNDED)
    messages: list[str] = []
    start = threading.Barrier(2)

    def press() -> None:
        try:
            start.wait()
            report_at_100(job)
        except Refusal as refusal:
            messages.append(refusal.message)
        finally:
            connection.close()

    tabs = [threading.Thread(target=press) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert len(messages) == 1
    assert "M1" in messages[0]
    assert "open already" in messages[0]
    assert ReleaseRequest.objects.count() == ProForma.objects.count() == 1
    assert StatusReport.objects.count() == 1
    assert not any(finding.differences for finding in audit.audit_ledger(at=REPORTED))
