"""The case file: all there is to a Job in one archive, for its parties and support."""

import hashlib
import io
import zipfile
from datetime import UTC, datetime

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.models import Document, ProForma
from billing.services import disputes
from jobs.models import Job, Person, StoredFile
from jobs.services import files
from tests.billing.dispute_steps import pdf
from tests.desk import (
    DAY,
    MONDAY,
    World,
    agent_of_the_desk,
    browser_of,
    in_dispute,
    second_agent,
    whole_world,
)
from tests.factories import PersonFactory
from tests.workroom.agreements import draft
from tests.world import world as all_rows
from workroom.services import case_files

pytestmark = pytest.mark.django_db

AT = datetime(2026, 3, 20, 8, 30, tzinfo=UTC)


@pytest.fixture
def world(client_person: Person, freelancer: Person) -> World:
    made = whole_world(client_person, freelancer)
    in_dispute(made.job)
    return made


def read(job: Job, by: Person) -> dict[str, bytes]:
    with case_files.make(job.pk, by=by, at=AT).content as content, zipfile.ZipFile(content) as one:
        assert one.testzip() is None
        return {name: one.read(name) for name in one.namelist()}


def index(job: Job, by: Person) -> str:
    return read(job, by)["index.html"].decode()


def test_everything_is_in_it_and_the_hashes_are_right(world: World, client_person: Person) -> None:
    found = read(world.job, client_person)
    design, screen = StoredFile.objects.filter(job=world.job).order_by("pk")
    assert list(found) == [
        f"documents/{ProForma.objects.get().name}.pdf", f"documents/{world.invoice.name}.pdf",
        "files/001-design.pdf", "files/002-screen.pdf", "index.html", "MANIFEST.txt",
    ]  # fmt: skip
    manifest = dict(
        reversed(line.split("  ", 1)) for line in found.pop("MANIFEST.txt").decode().splitlines()
    )
    assert manifest == {name: hashlib.sha256(body).hexdigest() for name, body in found.items()}
    assert manifest["files/001-design.pdf"] == design.sha256
    assert manifest["files/002-screen.pdf"] == screen.sha256
    assert all(body.startswith(b"%PDF-") for name, body in found.items() if name != "index.html")


def test_a_court_can_read_it(world: World, client_person: Person) -> None:
    told = index(world.job, client_person)
    for words in (
        "Case file of Job", "All times are UTC.", "20 Mar 2026, 08:30 UTC", "clara@example.com",
        "frank@example.com", "Version 1: Superseded", "Version 2: Agreed", "One more week, please.",
        "The design is ready.", "Sketches", world.invoice.name, ProForma.objects.get().name,
        "Escrow of “Design” → Available balance of Frank Freelancer", "The start page is missing.",
        "It is there.", "$600.00", "No time left.", "opened a Dispute about “Build”",
        'href="files/002-screen.pdf"', "Silence releases after",
    ):  # fmt: skip
        assert words in told, words


def test_it_names_no_folder_that_is_not_there(world: World, client_person: Person) -> None:
    told = index(world.invited, client_person)
    assert "There are no documents on this Job. Nothing was uploaded." in told
    assert "in the folder" not in told
    told = index(world.job, client_person)
    for folder in ("documents", "files"):
        assert f"in the folder <code>{folder}</code>." in told


def test_both_sides_and_support_get_the_same(world: World) -> None:
    job = world.job
    assert job.freelancer is not None
    mine, theirs, desk = (
        index(job, by).replace(str(by), "READER")
        for by in (job.client, job.freelancer, agent_of_the_desk())
    )
    # Only the line about who downloaded it differs.
    assert [line for line in desk.splitlines() if "downloaded by" not in line] == [
        line for line in index(job, second_agent()).splitlines() if "downloaded by" not in line
    ]
    assert len(mine.splitlines()) == len(theirs.splitlines()) == len(desk.splitlines())


def test_what_one_side_alone_knows_is_not_in_it(world: World) -> None:
    """No card, no word of a bank, no limit under seal, no decision that is not confirmed."""
    told = index(world.job, agent_of_the_desk())
    for secret in ("4242", "3184", "412.34", "41234", "Half of it is done.", "payment_", "charge_"):
        assert secret not in told, secret


def test_other_people_s_data_is_absent(world: World, client_person: Person) -> None:
    told = index(world.job, client_person)
    for other in ("Carl Other", "nobody@example.com", "CS-", "DE02", "Alma", "bela@example.com"):
        assert other not in told, other
    theirs = read(world.finished, world.finished.client)
    receipt = Document.objects.get(job=world.finished)
    assert list(theirs) == [
        f"documents/{receipt.name}.pdf", f"documents/CS-{world.finished.pk}-1.pdf", "index.html",
        "MANIFEST.txt",
    ]  # fmt: skip
    assert "Clara" not in theirs["index.html"].decode()


def test_hostile_names_and_words_are_harmless(world: World, freelancer: Person) -> None:
    dispute = world.job.disputes.get()
    names = [
        "../../etc/passwd.pdf", "..\\..\\boot.pdf", "<script>alert(1)</script>.pdf", "CON.pdf",
        "a\u202egpj.pdf", "-rf *.pdf", "ümläut 漢字.pdf", "same.pdf", "same.pdf", "?.pdf",
    ]  # fmt: skip
    uploads = [pdf(name) for name in names]
    disputes.add_evidence(dispute.pk, uploads=uploads, by=freelancer, at=MONDAY + 5 * DAY)
    words = "<script>alert(2)</script><img src=x onerror=alert(3)>{{ job.client }}"
    disputes.add_statement(dispute.pk, text=words, by=freelancer, at=MONDAY + 5 * DAY)
    found = read(world.job, freelancer)
    enclosed = [name for name in found if name.startswith("files/")]
    assert enclosed[2:] == [
        "files/003-passwd.pdf", "files/004-boot.pdf", "files/005-script.pdf", "files/006-CON.pdf",
        "files/007-agpj.pdf", "files/008--rf.pdf", "files/009-umlaut.pdf", "files/010-same.pdf",
        "files/011-same.pdf", "files/012-file.pdf",
    ]  # fmt: skip
    told = found["index.html"].decode()
    assert "<script" not in told
    assert "<img" not in told
    assert "{{ job.client }}" in told
    assert "default-src &#x27;none&#x27;" in told or "default-src 'none'" in told


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"), ("no extension", "file.noextensio"), ("", "file.bin"),
        ("..", "file.bin"), ("a/b\\c.txt", "a_b_c.txt"), ("x" * 300 + ".CSV", "x" * 80 + ".csv"),
        ("new\nline.txt", "new_line.txt"), ("a.tar.gz", "a_tar.gz"),
    ],
)  # fmt: skip
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert case_files.safe_name(name) == safe


def test_bytes_that_changed_or_are_gone_are_said_to_be(world: World, client_person: Person) -> None:
    design, screen = StoredFile.objects.filter(job=world.job).order_by("pk")
    default_storage.delete(files.path_of(design.key))
    default_storage.delete(files.path_of(screen.key))
    default_storage.save(files.path_of(screen.key), SimpleUploadedFile("x", b"other"))
    found = read(world.job, client_person)
    assert [name for name in found if name.startswith("files/")] == ["files/002-screen.pdf"]
    told = found["index.html"].decode()
    assert "The file is missing." in told
    now = hashlib.sha256(b"other").hexdigest()
    assert f"The file is not what was uploaded: its SHA-256 is now {now}." in told


def test_it_changes_nothing_and_costs_the_same_for_more(
    world: World, client_person: Person
) -> None:
    before = all_rows()

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            read(world.job, client_person)
        return len(queries)

    few = cost()
    assert all_rows() == before
    dispute = world.job.disputes.get()
    for number in range(5):
        at = MONDAY + 5 * DAY
        disputes.add_statement(dispute.pk, text=f"{number}", by=client_person, at=at)
        disputes.add_evidence(dispute.pk, uploads=[pdf(f"{number}.pdf")], by=client_person, at=at)
    assert cost() == few <= 50


# --- Who gets it ---


def test_it_is_downloaded_in_one_click(world: World, client_person: Person) -> None:
    browser = browser_of(client_person)
    url = reverse("workroom:case_file", args=[world.job.pk])
    assert url in browser.get(reverse("workroom:job", args=[world.job.pk])).content.decode()
    for person in (client_person, world.job.freelancer, agent_of_the_desk()):
        assert person is not None
        answer = browser_of(person).get(url)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "private, no-store")
        assert answer.headers["Content-Type"] == "application/zip"
        assert answer.headers["Content-Disposition"].startswith(
            f'attachment; filename="case-file-job-{world.job.pk}-'
        )
        body = b"".join(answer.streaming_content)  # type: ignore[arg-type]
        assert "index.html" in zipfile.ZipFile(io.BytesIO(body)).namelist()


def test_to_a_stranger_there_is_none(world: World, stranger: Person) -> None:
    """Nor to a party of another Job, nor to staff without the right, nor of a draft."""
    url = reverse("workroom:case_file", args=[world.job.pk])
    for person in (stranger, world.finished.client, PersonFactory(is_staff=True)):
        assert browser_of(person).get(url).status_code == 404
    own = reverse("workroom:case_file", args=[draft(stranger).pk])
    assert browser_of(stranger).get(own).status_code == 404
    client = browser_of(world.job.client)
    client.logout()
    assert client.get(url).status_code == 302
    desk = browser_of(agent_of_the_desk())
    assert desk.get(f"/jobs/{'9' * 30}/case-file/").status_code == 404
    assert desk.post(url).status_code == 405
