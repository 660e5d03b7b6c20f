"""The case file of a Job: all there is to it in one ZIP archive that a court or an accountant can read.

Both sides and support get the same: nothing in it is known to one of them alone. So no card and no word
of a bank is in it, no limit under seal (R9.6), and of decisions only confirmed ones (R9.3). Instants are
in UTC. The archive is put together on disk, a piece of one file at a time in memory.
"""

import hashlib
import re
import tempfile
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import IO

from django.core.files.storage import default_storage
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import timezone

from billing import pdf
from billing.selectors.documents import (
    document_paper,
    documents_seen_by,
    pro_forma_paper,
    pro_formas_seen_by,
)
from billing.selectors.papers import Paper
from billing.selectors.statements import statement_paper, statements_seen_by
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person, StoredFile
from jobs.services import files
from workroom.selectors.story import Story, as_parties_read, story_of

INDEX, MANIFEST = "index.html", "MANIFEST.txt"
LONGEST_NAME = 80
CHUNK_BYTES = 64 * 1024
# What does not get smaller by packing it again.
PACKED = (".pdf", ".png", ".jpg", ".jpeg", ".gif", ".webp", ".zip", ".docx", ".xlsx", ".odt")


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """The finished archive, at its beginning; it is gone from the disk once it is closed."""

    name: str
    content: IO[bytes]


@dataclass(frozen=True, kw_only=True)
class Enclosed:
    """A file of the case in the archive; ``sha256`` is empty when its bytes are gone."""

    file: StoredFile
    path: str
    sha256: str

    @property
    def is_changed(self) -> bool:
        """Whether the bytes are not those that were uploaded."""
        return bool(self.sha256) and self.sha256 != self.file.sha256


@dataclass(kw_only=True)
class Archive:
    """A ZIP archive that remembers the SHA-256 of all that is put into it."""

    target: zipfile.ZipFile
    at: datetime
    sums: list[tuple[str, str]] = field(default_factory=list)

    def add(self, path: str, chunks: Iterable[bytes]) -> str:
        """Write one file piece by piece; its SHA-256."""
        info = zipfile.ZipInfo(path, self.at.astimezone(UTC).timetuple()[:6])
        info.external_attr = 0o644 << 16
        is_packed = PurePosixPath(path).suffix in PACKED
        info.compress_type = zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED
        digest = hashlib.sha256()
        with self.target.open(info, "w") as entry:
            for chunk in chunks:
                digest.update(chunk)
                entry.write(chunk)
        self.sums.append((path, digest.hexdigest()))
        return digest.hexdigest()

    def add_manifest(self) -> None:
        """The sums in the form that ``sha256sum --check`` reads."""
        lines = "".join(f"{sha256}  {path}\n" for path, sha256 in self.sums)
        self.add(MANIFEST, [lines.encode()])


def may_make(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """The two parties, and support that may read Jobs; from the award on."""
    if job.role_of(by) is None and not by.reads_as_support:
        return WrongParty("Only the two parties and support get the case file.")
    if job.state == Job.State.DRAFT:
        return WrongState("This Job is a draft: there is nothing to put into a case file yet.")
    return None


def make(job_id: int, *, by: Person, at: datetime) -> CaseFile:
    """Put the case file together, as of ``at``; changes nothing.

    The rows are read with the Job locked, so that they are of one instant; the archive is written
    after that. The caller closes it. Raises the Refusal of may_make, Job.DoesNotExist.
    """
    with timezone.override(UTC):
        with transaction.atomic():
            job = Job.objects.locked().get(pk=job_id)
            refuse_if(may_make(job, by=by, at=at))
            story = as_parties_read(story_of(_with_people(job)))
            papers = dict(_papers(story, reader=by))
        content = tempfile.TemporaryFile()  # noqa: SIM115  whoever gets it closes it
        try:
            _write(content, story, papers, by=by, at=at)
        except BaseException:
            content.close()
            raise
    content.seek(0)
    return CaseFile(
        name=f"case-file-job-{job_id}-{at.astimezone(UTC):%Y-%m-%d}.zip", content=content
    )


def _with_people(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def _papers(story: Story, *, reader: Person) -> Iterator[tuple[str, Paper]]:
    """Every invoice, receipt, credit note and statement as its own page shows it, by its path."""
    job = story.job
    for pro_forma in pro_formas_seen_by(reader).filter(request__job=job).order_by("pk"):
        yield _paper_path(pro_forma.name), pro_forma_paper(pro_forma)
    for document in documents_seen_by(reader).filter(job=job).order_by("pk"):
        yield _paper_path(document.name), document_paper(document)
    for statement in statements_seen_by(reader).filter(job=job).order_by("number"):
        yield _paper_path(statement.name), statement_paper(statement)


def _paper_path(name: str) -> str:
    return f"documents/{name}.pdf"


def _write(
    content: IO[bytes], story: Story, papers: dict[str, Paper], *, by: Person, at: datetime
) -> None:
    """Documents and files first, as the index names them with what was found in them."""
    with zipfile.ZipFile(content, "w") as target:
        archive = Archive(target=target, at=at)
        for path, paper in papers.items():
            archive.add(path, [pdf.render(paper)])
        enclosed = [enclose(archive, file, number) for number, file in enumerate(story.files, 1)]
        archive.add(INDEX, [_index(story, papers, enclosed, by=by, at=at).encode()])
        archive.add_manifest()


def enclose(archive: Archive, file: StoredFile, number: int) -> Enclosed:
    """Put one stored file into the archive, under a name that is safe everywhere."""
    path = f"files/{number:03d}-{safe_name(file.name)}"
    try:
        content = default_storage.open(files.path_of(file.key))
    except FileNotFoundError:
        return Enclosed(file=file, path=path, sha256="")
    with content:
        return Enclosed(file=file, path=path, sha256=archive.add(path, content.chunks(CHUNK_BYTES)))


def safe_name(name: str) -> str:
    """What a file is called in the archive: letters, digits, ``-``, ``_`` and one point, whatever its
    uploader called it. The number before it keeps apart what becomes the same.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    stem, _, extension = plain.rpartition(".")
    stem = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_")[:LONGEST_NAME]
    return f"{stem or 'file'}.{re.sub(r'[^A-Za-z0-9]', '', extension)[:10].lower() or 'bin'}"


def _index(
    story: Story,
    papers: dict[str, Paper],
    enclosed: list[Enclosed],
    *,
    by: Person,
    at: datetime,
) -> str:
    """The page that tells it all and leads to the rest."""
    context = {
        "story": story,
        "job": story.job,
        "currency": story.job.currency,
        "versions": [terms for terms in story.versions if terms.proposed_at is not None],
        "papers": papers,
        "enclosed": enclosed,
        "paths": {one.file.pk: one for one in enclosed},
        "by": by,
        "at": at,
        "manifest": MANIFEST,
    }
    return render_to_string("workroom/case_file/index.html", context)
