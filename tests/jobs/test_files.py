"""Stored files: judged by content, kept under random names, handed out to the parties only."""

import hashlib
import io
import struct
import zipfile
from datetime import datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse

from escrow_site.headers import DOWNLOAD_POLICY
from jobs.models import Job, Person, StoredFile
from jobs.services import files
from tests.factories import PersonFactory
from tests.scenarios import running_job

PDF = b"%PDF-1.7\n1 0 obj\n"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
OFFICE = "application/vnd.openxmlformats-officedocument"


def upload(name: str, content: bytes, content_type: str = "text/html") -> SimpleUploadedFile:
    """The type that a browser claims is never believed: here it is always wrong."""
    return SimpleUploadedFile(name, content, content_type)


def archive(*names: str, mimetype: str = "") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        if mimetype:
            file.writestr("mimetype", mimetype)
        for name in names:
            file.writestr(name, "x")
    return buffer.getvalue()


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer)


def bytes_on_disk() -> set[Path]:
    return {path for path in Path(settings.FILES_DIR).rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("name", "content", "content_type"),
    [
        ("plan.pdf", PDF, "application/pdf"),
        ("Plan.PDF", PDF, "application/pdf"),
        ("shot.png", PNG, "image/png"),
        ("photo.jpg", b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        ("photo.jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        ("loop.gif", b"GIF89a\x01\x00", "image/gif"),
        ("small.webp", b"RIFF\x24\x00\x00\x00WEBPVP8 ", "image/webp"),
        ("notes.txt", "Grüße\r\n\tzwei".encode(), "text/plain"),
        ("old.txt", "Grüße".encode("latin-1"), "text/plain"),
        ("table.csv", b"a,b\n1,2\n", "text/csv"),
        ("all.zip", archive("a.txt"), "application/zip"),
        ("empty.zip", archive(), "application/zip"),
        (
            "letter.docx",
            archive("[Content_Types].xml", "word/document.xml"),
            f"{OFFICE}.wordprocessingml.document",
        ),
        (
            "sums.xlsx",
            archive("[Content_Types].xml", "xl/workbook.xml"),
            f"{OFFICE}.spreadsheetml.sheet",
        ),
        (
            "letter.odt",
            archive("content.xml", mimetype="application/vnd.oasis.opendocument.text"),
            "application/vnd.oasis.opendocument.text",
        ),
        (
            "letter.zip",
            archive("[Content_Types].xml", "word/document.xml"),
            "application/zip",
        ),
    ],
)
def test_the_content_decides_the_type(name: str, content: bytes, content_type: str) -> None:
    checked = files.check(upload(name, content))
    assert (checked.name, checked.content_type, checked.size_bytes, checked.sha256) == (
        name,
        content_type,
        len(content),
        hashlib.sha256(content).hexdigest(),
    )


NOT_ACCEPTED = (
    "is of a type that is not accepted. Accepted are PDF, PNG, JPEG, GIF, WebP, text, CSV, ZIP, "
    "DOCX, XLSX and ODT."
)
DISAGREES = "does not agree with its name: what is in it is called"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("empty.pdf", b"", "“empty.pdf” is empty."),
        ("run.exe", b"MZ\x90\x00\x03", f"“run.exe” {NOT_ACCEPTED}"),
        ("run.pdf", b"MZ\x90\x00\x03", f"“run.pdf” {NOT_ACCEPTED}"),
        ("nothing", b"\x00\x01", f"“nothing” {NOT_ACCEPTED}"),
        ("page.html", b"<script>alert(1)</script>", f"“page.html” {NOT_ACCEPTED}"),
        ("image.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>", f"“image.svg” {NOT_ACCEPTED}"),
        ("notes.txt", b"a\x00b", f"“notes.txt” {NOT_ACCEPTED}"),
        ("shot.pdf", PNG, f"The content of “shot.pdf” {DISAGREES} .png."),
        ("plan.txt", PDF, f"The content of “plan.txt” {DISAGREES} .pdf."),
        ("plan.pdf", b"only text", f"The content of “plan.pdf” {DISAGREES} .txt or .csv."),
        (
            "photo.png",
            b"\xff\xd8\xff\xe0",
            f"The content of “photo.png” {DISAGREES} .jpg or .jpeg.",
        ),
        ("fake.docx", archive("a.txt"), f"The content of “fake.docx” {DISAGREES} .zip."),
        (
            "fake.xlsx",
            archive("[Content_Types].xml", "word/document.xml"),
            f"The content of “fake.xlsx” {DISAGREES} .docx or .zip.",
        ),
        ("broken.zip", b"PK\x03\x04 and then nothing", "“broken.zip” is damaged."),
    ],
)
def test_what_is_not_accepted_is_refused_in_plain_words(
    name: str, content: bytes, message: str
) -> None:
    with pytest.raises(files.WrongFile) as refused:
        files.check(upload(name, content))
    assert refused.value.message == message


def test_an_archive_is_not_unpacked() -> None:
    """A gigabyte of nothing weighs a megabyte packed; it is stored as it came."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file, file.open("bomb", "w") as bomb:
        for _ in range(64):
            bomb.write(bytes(1 << 20))
    checked = files.check(upload("bomb.zip", buffer.getvalue()))
    assert (checked.content_type, checked.size_bytes < 100_000) == ("application/zip", True)


def test_an_archive_of_too_many_names_is_not_read() -> None:
    entry = b"PK\x01\x02" + bytes(42)
    count = files.ENTRIES_AT_MOST + 1
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, count, count, len(entry) * count, 0, 0)
    first = archive("a.txt")[:40]
    with pytest.raises(files.WrongFile) as refused:
        files.check(upload("many.zip", first + entry * count + end))
    assert refused.value.message == "“many.zip” has more than 10,000 files in it."


def test_text_is_judged_to_its_last_byte() -> None:
    with pytest.raises(files.WrongFile):
        files.check(upload("long.txt", b"a" * 200_000 + b"\x00"))


def test_a_file_of_ten_megabytes_is_the_largest() -> None:
    limit = 10 * 1024 * 1024
    assert files.check(upload("plan.pdf", PDF.ljust(limit, b"x"))).size_bytes == limit
    with pytest.raises(files.WrongFile) as refused:
        files.check(upload("plan.pdf", PDF.ljust(limit + 1, b"x")))
    assert refused.value.message == (
        "“plan.pdf” is too large: the most that one file can have is 10.0\xa0MB."
    )


def test_ten_files_are_the_most() -> None:
    ten = [upload(f"{number}.pdf", PDF) for number in range(10)]
    assert len(files.check_all(ten)) == 10
    with pytest.raises(files.WrongFile) as refused:
        files.check_all(ten, kept=1)
    assert refused.value.message == "11 files are too many: 10 can be attached."


@pytest.mark.parametrize(
    ("given", "cleaned"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\Ann\\plan.pdf", "plan.pdf"),
        ("pl\x00an\r\n\t.pdf", "plan.pdf"),
        ("  two   words .pdf", "two words .pdf"),
        ("exe.\u202efdp", "exe.fdp"),
        ("...", "file"),
        ("", "file"),
        (".pdf", "pdf"),
        ("a" * 300 + ".pdf", "a" * 196 + ".pdf"),
        ("a." + "b" * 300, "a." + "b" * 198),
        ("Überblick – final.pdf", "Überblick – final.pdf"),
    ],
)
def test_names_lose_folders_and_what_cannot_be_seen(given: str, cleaned: str) -> None:
    assert files.clean_name(given) == cleaned


def test_store_keeps_the_bytes_under_a_random_key(
    job: Job, freelancer: Person, at: datetime
) -> None:
    stored = files.store(job, by=freelancer, upload=upload("plan.pdf", PDF), at=at)
    row = StoredFile.objects.get()
    assert row == stored
    assert (row.job, row.uploaded_by, row.uploaded_at) == (job, freelancer, at)
    assert (row.name, row.content_type, row.size_bytes) == ("plan.pdf", "application/pdf", len(PDF))
    assert row.sha256 == hashlib.sha256(PDF).hexdigest()
    assert len(row.key) == 64
    assert "plan" not in row.key
    path = Path(settings.FILES_DIR) / files.path_of(row.key)
    assert path.read_bytes() == PDF
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_large_upload_is_stored_as_it_came(job: Job, freelancer: Person, at: datetime) -> None:
    content = PDF.ljust(3_000_000, b"x")
    large = TemporaryUploadedFile("plan.pdf", "text/html", len(content), None)
    large.write(content)
    large.seek(0)
    stored = files.store(job, by=freelancer, upload=large, at=at)
    assert (Path(settings.FILES_DIR) / files.path_of(stored.key)).read_bytes() == content
    assert stored.sha256 == hashlib.sha256(content).hexdigest()
    large.close()


def test_a_refused_file_leaves_nothing(job: Job, freelancer: Person, at: datetime) -> None:
    before = bytes_on_disk()
    with pytest.raises(files.WrongFile):
        files.store(job, by=freelancer, upload=upload("run.exe", b"MZ\x90"), at=at)
    assert StoredFile.objects.count() == 0
    assert bytes_on_disk() == before


def test_a_rolled_back_transaction_leaves_no_row(
    job: Job, freelancer: Person, at: datetime
) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        files.store(job, by=freelancer, upload=upload("plan.pdf", PDF), at=at)
        1 / 0
    assert StoredFile.objects.count() == 0


def test_a_disk_that_refuses_is_a_message(
    job: Job, freelancer: Person, at: datetime, tmp_path: Path, settings: object
) -> None:
    in_the_way = tmp_path / "a file, not a folder"
    in_the_way.touch()
    settings.STORAGES = {  # type: ignore[attr-defined]
        **settings.STORAGES,  # type: ignore[attr-defined]
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": in_the_way},
        },
    }
    with pytest.raises(files.WrongFile) as refused:
        files.store(job, by=freelancer, upload=upload("plan.pdf", PDF), at=at)
    assert refused.value.message == "The files could not be stored. Please try again later."
    assert StoredFile.objects.count() == 0


@pytest.fixture
def stored(job: Job, freelancer: Person, at: datetime) -> StoredFile:
    return files.store(job, by=freelancer, upload=upload("Plan – ä.pdf", PDF), at=at)


@pytest.mark.parametrize("reader", ["client_person", "freelancer", "agent"])
def test_the_parties_and_support_download_it(
    reader: str, stored: StoredFile, client: Client, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(reader))
    answer = client.get(reverse("jobs:file", args=[stored.key]))
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content) == PDF  # type: ignore[arg-type]
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == (
        "attachment; filename*=utf-8''Plan%20%E2%80%93%20%C3%A4.pdf"
    )
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Cache-Control"] == "private, no-store"
    assert answer["Content-Security-Policy"] == DOWNLOAD_POLICY


def test_to_a_stranger_it_does_not_exist(
    stored: StoredFile, stranger: Person, client: Client
) -> None:
    """Nor to staff who are in no group: the box alone is no right."""
    for person in (stranger, PersonFactory(is_staff=True)):
        client.force_login(person)
        assert client.get(reverse("jobs:file", args=[stored.key])).status_code == 404


def test_without_signing_in_nothing_is_handed_out(stored: StoredFile, client: Client) -> None:
    answer = client.get(reverse("jobs:file", args=[stored.key]))
    assert answer.status_code == 302
    assert answer["Location"].startswith(reverse("account_login"))


def test_a_key_that_nobody_gave_out_is_404(
    stored: StoredFile, agent: Person, client: Client
) -> None:
    client.force_login(agent)
    assert client.get(reverse("jobs:file", args=["0" * 64])).status_code == 404


def test_lost_bytes_are_404(stored: StoredFile, agent: Person, client: Client) -> None:
    (Path(settings.FILES_DIR) / files.path_of(stored.key)).unlink()
    client.force_login(agent)
    assert client.get(reverse("jobs:file", args=[stored.key])).status_code == 404
