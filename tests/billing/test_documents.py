"""Pro-forma invoices, final invoices and receipts, as pages and as PDFs (R5.1)."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pypdf
import pytest
import time_machine
from django.urls import reverse

from billing.models import Document, ReleaseRequest
from billing.services import release_requests, releases
from jobs.models import Job, Person
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.factories import PersonFactory
from tests.scenarios import fund, running_job

LATER = NOON + timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not; the Freelancer has a tax id."""
    Person.objects.filter(pk=freelancer.pk).update(tax_id="DE 123")
    freelancer.refresh_from_db()
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


@pytest.fixture
def made(job: Job) -> ReleaseRequest:
    return request_release(job)


def release(job: Job, client_person: Person) -> Document:
    releases.release(job.pk, numbers=[1], by=client_person, at=LATER)
    return Document.objects.get()


def pro_forma_page(made: ReleaseRequest) -> str:
    return reverse("billing:pro_forma", args=[made.pro_forma.pk])


def document_page(document: Document) -> str:
    return reverse("billing:document", args=[document.pk])


def pdf_text(response: object) -> str:
    content = response.content  # type: ignore[attr-defined]
    return " ".join(
        word
        for sheet in pypdf.PdfReader(io.BytesIO(content)).pages
        for word in sheet.extract_text().split()
    )


def test_pro_forma(made: ReleaseRequest, client_person: Person) -> None:
    text = text_of(signed_in(client_person).get(pro_forma_page(made)))
    assert f"Pro-forma invoice PF-{made.pk:06d} Issued Frank Freelancer" in text
    assert "From Frank Freelancer 1 Main Street Springfield frank@example.com Tax id DE 123" in text
    assert "To be paid by Clara Client 1 Main Street Springfield clara@example.com" in text
    assert "Issued 9 Mar 2026, 12:00 UTC" in text
    assert "Milestone “Milestone 1” Website $500.00" in text
    assert (
        "Total, asked for $500.00 Service fee, 8.75 % $43.75 Net to the Freelancer $456.25" in text
    )
    assert "no tax document" in text
    assert "Without an answer it is released on 8 Apr 2026, 12:00 UTC, by the 30-day rule." in text


def test_void_pro_forma_is_stamped(
    made: ReleaseRequest, freelancer: Person, client_person: Person
) -> None:
    release_requests.void(made.pk, by=freelancer, at=LATER, reason="Too early.")
    response = signed_in(client_person).get(pro_forma_page(made))
    assert 'class="document is-void"' in response.content.decode()
    text = text_of(response)
    assert (
        "Void since 9 Mar 2026, 13:00 UTC: Frank Freelancer took the Release Request back, and "
        "nothing more is to be paid on it." in text
    )
    assert "Reason given: Too early." in text
    pdf = signed_in(client_person).get(f"{pro_forma_page(made)}pdf/")
    assert "VOID" in pdf_text(pdf)


def test_issued_pro_forma_is_not_stamped(made: ReleaseRequest, client_person: Person) -> None:
    assert "is-void" not in signed_in(client_person).get(pro_forma_page(made)).content.decode()
    pdf = signed_in(client_person).get(f"{pro_forma_page(made)}pdf/")
    assert "VOID" not in pdf_text(pdf)


def test_invoiced_pro_forma_links_its_final_invoice(
    made: ReleaseRequest, client_person: Person
) -> None:
    document = release(made.job, client_person)
    response = signed_in(client_person).get(pro_forma_page(made))
    assert f'<a href="{document_page(document)}">{document}</a>' in response.content.decode()
    assert (
        "Paid on 9 Mar 2026, 13:00 UTC: the final invoice named above takes the place of this "
        "pro-forma invoice. Released by the Client." in text_of(response)
    )


def test_final_invoice_reads_the_same_for_both(
    made: ReleaseRequest, client_person: Person, freelancer: Person
) -> None:
    document = release(made.job, client_person)
    for reader in (client_person, freelancer):
        response = signed_in(reader).get(document_page(document))
        text = text_of(response)
        assert f"Final invoice INV-{freelancer.pk}-0001 Paid Frank Freelancer" in text
        assert "Billed to Clara Client" in text
        assert "Issued 9 Mar 2026, 13:00 UTC" in text
        assert "Requested 9 Mar 2026, 12:00 UTC" in text
        assert "Released by Clara Client" in text
        assert (
            "Total, paid by the Client $500.00 Service fee, 8.75 % $43.75 "
            "Net to the Freelancer $456.25" in text
        )
        assert "Released by the Client." in text
        assert f'<a href="{pro_forma_page(made)}">{made.pro_forma}</a>' in response.content.decode()


def test_receipt_has_no_pro_forma(job: Job, client_person: Person, freelancer: Person) -> None:
    document = release(job, client_person)
    text = text_of(signed_in(client_person).get(document_page(document)))
    assert f"Receipt REC-{freelancer.pk}-0001 Paid" in text
    assert "Pro-forma" not in text


def test_parties_are_those_of_the_day_of_issue(made: ReleaseRequest, client_person: Person) -> None:
    document = release(made.job, client_person)
    Person.objects.filter(pk=client_person.pk).update(
        name="Clara Married", billing_address="Away 2"
    )
    text = text_of(signed_in(client_person).get(document_page(document)))
    assert "Billed to Clara Client 1 Main Street Springfield" in text
    assert "Away 2" not in text


def test_both_read_the_same_instants_wherever_they_are(
    made: ReleaseRequest, client_person: Person, freelancer: Person
) -> None:
    Person.objects.filter(pk=freelancer.pk).update(time_zone="Pacific/Kiritimati")
    freelancer.refresh_from_db()
    document = release(made.job, client_person)
    for url in (document_page(document), pro_forma_page(made)):
        pages = [signed_in(reader).get(url) for reader in (client_person, freelancer)]
        sheets = [signed_in(reader).get(f"{url}pdf/") for reader in (client_person, freelancer)]
        assert text_of(pages[0]) == text_of(pages[1])
        assert pdf_text(sheets[0]) == pdf_text(sheets[1])
        assert "9 Mar 2026, 13:00 UTC" in text_of(pages[1]) or url == pro_forma_page(made)
        assert "Times on documents are in UTC" in pages[1].content.decode()


def test_amounts_have_the_digits_of_their_currency(
    client_person: Person, freelancer: Person
) -> None:
    """R14.3: KWD 10.005 has a fee of 0.875 and a net of 9.130."""
    job = running_job(client_person, freelancer, amounts_minor=[10_005], currency="KWD")
    fund(job, 1)
    document = release(job, client_person)
    text = text_of(signed_in(client_person).get(document_page(document)))
    assert re.findall(r"KWD\s?([\d.]+)", text) == ["10.005", "10.005", "0.875", "9.130"]


def test_pdf_says_what_the_page_says(made: ReleaseRequest, client_person: Person) -> None:
    document = release(made.job, client_person)
    response = signed_in(client_person).get(f"{document_page(document)}pdf/")
    assert response["Content-Type"] == "application/pdf"
    assert response["Content-Disposition"] == f'inline; filename="{document}.pdf"'
    text = pdf_text(response)
    for words in (
        "Final invoice",
        document.name,
        "Frank Freelancer",
        "Tax id DE 123",
        "Clara Client",
        "Milestone “Milestone 1”",
        "$500.00",
        "$43.75",
        "$456.25",
        "9 Mar 2026, 13:00 UTC",
        made.pro_forma.name,
        "Page 1 of 1",
    ):
        assert words in text


def test_pro_forma_pdf_is_named_as_the_pro_forma(
    made: ReleaseRequest, client_person: Person
) -> None:
    response = signed_in(client_person).get(f"{pro_forma_page(made)}pdf/")
    assert response["Content-Disposition"] == f'inline; filename="PF-{made.pk:06d}.pdf"'
    assert "Pro-forma invoice" in pdf_text(response)


def test_only_the_parties_and_support_see_papers(
    made: ReleaseRequest,
    client_person: Person,
    freelancer: Person,
    stranger: Person,
    agent: Person,
) -> None:
    document = release(made.job, client_person)
    pages = [
        f"{page}{twin}"
        for page in (pro_forma_page(made), document_page(document))
        for twin in ("", "pdf/")
    ]
    boxed = PersonFactory(is_staff=True)  # in no group: the box alone is no right
    readers = {client_person: 200, freelancer: 200, agent: 200, stranger: 404, boxed: 404}
    for reader, status in readers.items():
        browser = signed_in(reader)
        assert [browser.get(page).status_code for page in pages] == [status] * 4


def test_signing_in_comes_first(made: ReleaseRequest, client: object) -> None:
    response = client.get(pro_forma_page(made))  # type: ignore[attr-defined]
    assert response.status_code == 302
    assert response["Location"].startswith(reverse("account_login"))


@pytest.mark.parametrize("kind", ["documents", "pro-formas", "statements"])
def test_a_paper_that_is_not_there(client_person: Person, kind: str) -> None:
    browser = signed_in(client_person)
    for key in (10**9, 10**30):
        assert browser.get(f"/billing/{kind}/{key}/").status_code == 404
        assert browser.get(f"/billing/{kind}/{key}/pdf/").status_code == 404
