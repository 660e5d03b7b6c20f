"""What nobody gets into a Dispute as evidence, by any of its forms, and to whom evidence is nothing: a
refusal changes nothing and leaves on the page what was typed.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import RequestFactory
from django.urls import reverse

from billing.models import Dispute, Evidence
from billing.services import disputes
from jobs.models import Job, Person, StoredFile
from jobs.services import files
from tests.billing.banking import nothing_changes
from tests.billing.dispute_page_steps import page, said, send
from tests.billing.dispute_steps import NOON, funded_job, open_dispute, pdf
from tests.billing.steps import signed_in
from tests.factories import PersonFactory
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db

GIGABYTE = 1 << 30
TYPED = "All that I typed"
FORMS = ("answer_dispute", "add_statement", "add_evidence", "open_dispute")


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded and disputed by the Client, 1,000.00 funded."""
    job = funded_job(client_person, freelancer, 1, 2)
    open_dispute(job, client_person)
    return job


def bomb() -> bytes:
    """A few hundred kilobytes that unpack to 600 megabytes of zeros."""
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("zeros.txt", "w", force_zip64=True) as inside,
    ):
        for _ in range(600):
            inside.write(bytes(1 << 20))
    return buffer.getvalue()


def declared_bomb() -> bytes:
    """The same by what its list of names declares, without the work of packing it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("zeros.txt", b"0")
    packed = bytearray(buffer.getvalue())
    # The size, unpacked, stands 24 bytes into the entry of the list of names.
    entry = packed.index(b"PK\x01\x02")
    packed[entry + 24 : entry + 28] = (600 << 20).to_bytes(4, "little")
    return bytes(packed)


HOSTILE = {
    "HTML by another name": (
        "report.pdf", b"<html><script>alert(1)</script></html>",
        "The content of “report.pdf” does not agree with its name",
    ),
    "a zip bomb": (
        "proof.zip", declared_bomb(),
        "“proof.zip” would unpack to 600.0\xa0MB: the most that an archive may come to is 500.0\xa0MB.",
    ),
    "a zip bomb as a letter": (
        "letter.docx", declared_bomb(), "“letter.docx” would unpack to 600.0\xa0MB",
    ),
    "a program": ("run.exe", b"MZ\x90\x00\x03", "“run.exe” is of a type that is not accepted."),
    "nothing": ("empty.pdf", b"", "“empty.pdf” is empty."),
}  # fmt: skip


def send_to(name: str, job: Job, person: Person, *uploads: Any) -> Any:
    """Send files by one of the forms, with words where it takes some."""
    if name == "open_dispute":
        sent = {
            "escrow": "2", "asks": "release", "amount": "1000.00", "reason": TYPED,
            "seen_minor": "100000", "evidence": list(uploads),
        }  # fmt: skip
        return signed_in(person).post(page(name, job.pk), sent, follow=True)
    row = Dispute.objects.get(escrow__number=1)
    return send(person, row, name, text=TYPED, evidence=list(uploads))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("name", FORMS)
def test_hostile_files_are_refused_by_every_form(
    job: Job, freelancer: Person, name: str, hostile: str
) -> None:
    called, content, message = HOSTILE[hostile]
    with nothing_changes():
        response = send_to(name, job, freelancer, SimpleUploadedFile(called, content))
    assert response.status_code == 200
    assert message in said(response)
    if name != "add_evidence":
        assert TYPED in said(response)
    assert StoredFile.objects.count() == 0


def test_a_real_zip_bomb_is_told_without_unpacking_it() -> None:
    content = bomb()
    assert len(content) < 10 << 20
    with pytest.raises(files.WrongFile, match="would unpack to 600"):
        files.check(SimpleUploadedFile("proof.zip", content))


@pytest.mark.parametrize("name", FORMS)
def test_one_hostile_file_among_good_ones_refuses_all(
    job: Job, freelancer: Person, name: str
) -> None:
    bad = SimpleUploadedFile("report.pdf", b"<html></html>")
    with nothing_changes():
        response = send_to(name, job, freelancer, pdf("a.pdf"), bad, pdf("b.pdf"))
    assert "Choose the files again" in said(response)


class Sent(io.RawIOBase):
    """The body of a request: a beginning, so much of the same, an end; made while it is read."""

    def __init__(self, begin: bytes, *, left: int, end: bytes) -> None:
        self.waiting, self.left, self.end = begin, left, end

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self.waiting) < size and self.left > 0:
            self.waiting += b"x" * (1 << 16)
            self.left -= 1 << 16
            if self.left <= 0:
                self.waiting += self.end
        read, self.waiting = self.waiting[:size], self.waiting[size:]
        return read


def test_five_gigabytes_are_declared_and_refused_by_their_size(settings: Any) -> None:
    """Read to the end, as the rest of the form may stand behind it, and nowhere kept."""
    settings.FILES_LARGEST_BYTES = 1 << 20
    head = (
        b'--frontier\r\nContent-Disposition: form-data; name="evidence"; filename="all.pdf"\r\n'
        b"Content-Type: application/pdf\r\n\r\n%PDF-"
    )
    request = RequestFactory().post("/", content_type="multipart/form-data; boundary=frontier")
    body = Sent(head, left=32 << 20, end=b"\r\n--frontier--\r\n")
    request._stream = request.environ["wsgi.input"] = body  # type: ignore[attr-defined]
    request.META["CONTENT_LENGTH"] = str(5 * GIGABYTE)
    request._read_started = False  # type: ignore[attr-defined]
    (upload,) = request.FILES.getlist("evidence")
    assert upload.file.seek(0, 2) <= 1 << 20
    with pytest.raises(files.WrongFile, match="the most that one file can have is"):
        files.check(upload)


def test_a_file_larger_than_any_may_be_is_refused_on_the_page(
    job: Job, freelancer: Person, settings: Any
) -> None:
    settings.FILES_LARGEST_BYTES = 1 << 10
    large = SimpleUploadedFile("all.pdf", b"%PDF-1.7\n" + b"x" * 4096)
    for name in FORMS:
        with nothing_changes():
            response = send_to(name, job, freelancer, large)
        assert "the most that one file can have is 1.0\xa0KB" in said(response)
        large.seek(0)


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.pdf", "..\\..\\windows\\system.pdf", "/etc/cron.d/job.pdf"]
)
@pytest.mark.parametrize("form", FORMS)
def test_a_path_in_a_name_leads_nowhere(job: Job, freelancer: Person, form: str, name: str) -> None:
    upload = pdf("plain.pdf")
    upload._name = name  # what a browser of ill will sends
    send_to(form, job, freelancer, upload)
    stored = StoredFile.objects.get()
    assert stored.name == name.replace("\\", "/").rsplit("/", 1)[-1]
    assert "/" not in str(stored.key)
    assert Evidence.objects.get().file == stored


# --- Whom it does not concern ---


@pytest.fixture
def party_of_another_job(freelancer: Person) -> Person:
    other = PersonFactory(name="Otto Other", email="otto@example.com")
    fund(running_job(other, freelancer), 1)
    return other


@pytest.mark.parametrize("who", ["stranger", "party_of_another_job"])
@pytest.mark.parametrize("form", FORMS)
def test_others_send_nothing_and_fetch_nothing(
    request: pytest.FixtureRequest, job: Job, freelancer: Person, who: str, form: str
) -> None:
    person = request.getfixturevalue(who)
    row = Dispute.objects.get()
    (evidence,) = disputes.add_evidence(row.pk, uploads=[pdf()], by=freelancer, at=NOON)
    link = reverse("jobs:file", args=[evidence.file.key])
    with nothing_changes():
        assert send_to(form, job, person, pdf("mine.pdf")).status_code == 404
        assert signed_in(person).get(link).status_code == 404
    assert signed_in(job.client).get(link).status_code == 200
