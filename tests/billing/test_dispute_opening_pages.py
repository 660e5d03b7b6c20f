"""The way into a Dispute: the tab of a Job, and the page on which one is opened (R9.1)."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing.models import Dispute, Evidence
from escrow_site.lib import states
from jobs.models import Job, Person, StoredFile
from tests.billing.banking import nothing_changes
from tests.billing.dispute_page_steps import page, said, tab
from tests.billing.dispute_steps import NOON, funded_job, open_dispute, pdf
from tests.billing.steps import request_release, signed_in, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    return funded_job(client_person, freelancer)


@pytest.fixture
def opened(job: Job, client_person: Person) -> Dispute:
    """By the Client, about a Release Request, for a refund of all."""
    request_release(job)
    return open_dispute(job, client_person)


def test_the_tab_offers_a_dispute_for_each_funded_milestone(job: Job) -> None:
    for person in (job.client, job.freelancer):
        assert person is not None
        html = tab(person, job).content.decode()
        assert f'href="{page("open_dispute", job.pk)}?escrow=1"' in html
        assert f'href="{page("open_dispute", job.pk)}?escrow=2"' not in html
        assert "No Dispute" in html


def test_the_tab_says_whose_turn_it_is(opened: Dispute, freelancer: Person) -> None:
    text = text_of(tab(freelancer, opened.job))
    assert "Your turn until 11 Mar 2026, 12:00 UTC" in text
    assert "Clara Client" in text
    text = text_of(tab(opened.job.client, opened.job))
    assert "Frank Freelancer’s turn until 11 Mar 2026, 12:00 UTC" in text
    assert f'href="{page("dispute", opened.pk)}"' in tab(freelancer, opened.job).content.decode()
    assert page("open_dispute", opened.job_id) not in tab(freelancer, opened.job).content.decode()


def test_the_tab_of_other_jobs(
    client_person: Person, freelancer: Person, stranger: Person, job: Job
) -> None:
    assert tab(stranger, job).status_code == 404
    hourly = Job.objects.create(
        title="Hours", kind="hourly", currency="USD", hourly_rate_minor=50_00, client=client_person,
        freelancer=freelancer, drafted_at=NOON, policy=job.policy,
    )  # fmt: skip
    states.move([hourly], "award", at=NOON)
    states.move([hourly], "activate", at=NOON)
    assert "Hourly Jobs have no escrow" in said(tab(client_person, hourly))


def test_the_way_from_a_release_request(job: Job, client_person: Person) -> None:
    row = request_release(job)
    url = reverse("billing:release_request", args=[row.pk])
    html = signed_in(client_person).get(url).content.decode()
    assert f'href="{page("open_dispute", job.pk)}?escrow=1"' in html
    opened = open_dispute(job, client_person)
    html = signed_in(client_person).get(url).content.decode()
    assert page("open_dispute", job.pk) not in html
    assert f'href="{page("dispute", opened.pk)}"' in html


# --- Opening ---


def try_to_open(person: Person | None, job: Job, **sent: Any) -> Any:
    assert person is not None
    given = {
        "escrow": 1, "asks": "refund", "amount": "500.00", "seen_minor": "50000",
        "reason": "The logo is a copy.", **sent,
    }  # fmt: skip
    return signed_in(person).post(page("open_dispute", job.pk), given, follow=True)


def test_what_opening_does_is_said_first(job: Job, client_person: Person) -> None:
    request_release(job)
    response = signed_in(client_person).get(page("open_dispute", job.pk), {"escrow": 1})
    text = text_of(response)
    assert "$500.00 is frozen: no timer moves it" in text
    assert "nothing is released on 8 Apr 2026, 12:00 UTC" in text
    assert "Frank Freelancer is told, and has until 11 Mar 2026, 12:00 UTC to answer" in text
    assert "After that you cannot open another one about this Release Request." in text
    assert response.context["form"]["asks"].value() == "refund"


def test_a_dispute_is_opened_with_evidence(job: Job, client_person: Person) -> None:
    response = try_to_open(client_person, job, amount="300", evidence=[pdf("a.pdf"), pdf("b.pdf")])
    row = Dispute.objects.get()
    assert response.redirect_chain == [(page("dispute", row.pk), 302)]
    assert (row.asks, row.asked_minor, row.reason) == ("refund", 300_00, "The logo is a copy.")
    text = text_of(response)
    assert "The logo is a copy." in text
    for file in StoredFile.objects.all():
        assert f"SHA-256 {file.sha256}" in text
        assert reverse("jobs:file", args=[file.key]) in response.content.decode()
    assert "is to answer by 11 Mar 2026, 12:00 UTC" in said(response)


TOO_LARGE = "the most that one file can have is"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([SimpleUploadedFile("report.pdf", b"<html><script>alert(1)</script></html>")],
         "The content of “report.pdf” does not agree with its name"),
        ([SimpleUploadedFile("page.html", b"<html></html>")], "of a type that is not accepted"),
        ([SimpleUploadedFile("empty.pdf", b"")], "“empty.pdf” is empty."),
        ([pdf(f"{number}.pdf") for number in range(11)], "11 files are too many: 10 can be"),
        ([pdf(), SimpleUploadedFile("bad.png", b"%PDF-1.7")], "“bad.png” does not agree"),
    ],
)  # fmt: skip
def test_files_that_are_refused_lose_nothing_else(
    job: Job, client_person: Person, files: list[SimpleUploadedFile], message: str
) -> None:
    with nothing_changes():
        response = try_to_open(client_person, job, evidence=files, amount="123.45")
    assert response.status_code == 200
    assert message in said(response)
    assert "The logo is a copy." in said(response)
    assert 'value="123.45"' in response.content.decode()
    assert "Choose the files again" in said(response)
    assert (StoredFile.objects.count(), Evidence.objects.count()) == (0, 0)


def test_a_file_that_is_too_large(job: Job, client_person: Person) -> None:
    content = b"%PDF-1.7" + b"x" * settings.FILES_LARGEST_BYTES
    with nothing_changes():
        response = try_to_open(
            client_person, job, evidence=[SimpleUploadedFile("big.pdf", content)]
        )
    assert TOO_LARGE in said(response)
    assert "The logo is a copy." in said(response)


def test_a_path_in_a_file_name(job: Job, client_person: Person) -> None:
    upload = SimpleUploadedFile("x", b"%PDF-1.7 a")
    upload._name = "../../../etc/cron.d/job.pdf"  # type: ignore[attr-defined]
    try_to_open(client_person, job, evidence=[upload])
    file = StoredFile.objects.get()
    assert file.name == "job.pdf"
    assert len(file.key) == 64


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"reason": ""}, "Write why you dispute it."),
        ({"reason": "   "}, "Write why you dispute it."),
        ({"reason": "x" * 5001}, "at most 5000 characters"),
        ({"amount": "500.01"}, "the most is $500.00"),
        ({"amount": "0"}, "Enter an amount above zero."),
        ({"asks": "everything"}, "Select a valid choice"),
        ({"seen_minor": "40000"}, "What is held has changed since you opened this page."),
        ({"seen_minor": ""}, "What is held has changed since you opened this page."),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_stays_typed(
    job: Job, client_person: Person, sent: dict[str, str], message: str
) -> None:
    with nothing_changes():
        response = try_to_open(client_person, job, **sent)
    assert response.status_code == 200
    assert message in said(response)
    assert sent.get("reason", "The logo is a copy.") in said(response)


def test_opening_twice(opened: Dispute, freelancer: Person) -> None:
    with nothing_changes():
        response = try_to_open(freelancer, opened.job, asks="release", reason="My words")
        assert "“Milestone 1” is disputed already." in said(response)
        assert "My words" in said(response)
        assert "Open the Dispute</button>" not in said(response)
        looked = signed_in(freelancer).get(
            page("open_dispute", opened.job_id), {"escrow": 1}, follow=True
        )
    assert "“Milestone 1” is disputed already." in said(looked)


@pytest.mark.parametrize("number", ["", "x", "9", "²", "-1"])
def test_milestones_that_are_not_there(job: Job, client_person: Person, number: str) -> None:
    with nothing_changes():
        assert "Choose a Milestone to dispute." in said(
            try_to_open(client_person, job, escrow=number)
        )
