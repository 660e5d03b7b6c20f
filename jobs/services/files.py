"""Stored files: attachments and evidence (R4.1, R9.1).

An upload is judged by its content, never by what it calls itself. The bytes lie under a random name
outside the web root; pages hand them out (``jobs.views.files``). What a file belongs to is known above.
"""

import hashlib
import logging
import re
import secrets
import unicodedata
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person, StoredFile

logger = logging.getLogger(__name__)

LONGEST_NAME = 200
LONGEST_EXTENSION = 10
HEAD_BYTES = 512
# Of an archive: to read a list of 200,000 names costs seconds and 100 MB, and nobody reads such a one.
ENTRIES_AT_MOST = 10_000
ENTRY = b"PK\x01\x02"
ACCEPTED = "PDF, PNG, JPEG, GIF, WebP, text, CSV, ZIP, DOCX, XLSX and ODT"
ACCEPTED_EXTENSIONS = (
    ".pdf,.png,.jpg,.jpeg,.gif,.webp,.txt,.csv,.zip,.docx,.xlsx,.odt"  # for <input accept>
)

# What no text has: control characters other than tab, line feed, form feed and carriage return.
CONTROL_BYTES = bytes({*range(0x20), 0x7F} - {0x09, 0x0A, 0x0C, 0x0D})
NOT_IN_NAMES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
ODT = "application/vnd.oasis.opendocument.text"
OFFICE = "application/vnd.openxmlformats-officedocument"


class WrongFile(Refusal):
    """An upload that is not accepted: too large, too many, of a wrong type, or not to be stored."""


@dataclass(frozen=True, kw_only=True)
class Checked:
    """An upload that may be stored, and what was found out about it."""

    upload: UploadedFile
    name: str
    content_type: str
    size_bytes: int
    sha256: str


def check(upload: UploadedFile) -> Checked:
    """Judge one upload by its content; nothing is written. Raises WrongFile."""
    name = clean_name(upload.name or "")
    size_bytes = upload.size or 0
    if size_bytes == 0:
        raise WrongFile(f"“{name}” is empty.")
    if size_bytes > settings.FILES_LARGEST_BYTES:
        largest = filesizeformat(settings.FILES_LARGEST_BYTES)
        raise WrongFile(f"“{name}” is too large: the most that one file can have is {largest}.")
    head, sha256, is_text = _read(upload)
    extension = PurePosixPath(name).suffix.lower()
    content_type = _content_type(upload, head, is_text=is_text, extension=extension)
    return Checked(
        upload=upload, name=name, content_type=content_type, size_bytes=size_bytes, sha256=sha256
    )


def check_all(uploads: Iterable[UploadedFile], *, kept: int = 0) -> list[Checked]:
    """Judge all uploads of one sending, before anything is written.

    ``kept`` more files count against the limit. Raises WrongFile for the first that is not accepted.
    """
    uploads = list(uploads)
    if len(uploads) + kept > settings.FILES_AT_MOST:
        raise WrongFile(
            f"{len(uploads) + kept} files are too many: {settings.FILES_AT_MOST} can be attached."
        )
    return [check(upload) for upload in uploads]


def store(job: Job, *, by: Person, upload: UploadedFile, at: datetime) -> StoredFile:
    """Check and store one upload for a Job. Raises WrongFile."""
    return store_all(job, by=by, checked=[check(upload)], at=at)[0]


def store_all(
    job: Job, *, by: Person, checked: Sequence[Checked], at: datetime
) -> list[StoredFile]:
    """Write the bytes, then the rows, inside the caller's transaction.

    A transaction that is rolled back leaves no row; the bytes that it leaves behind harm nobody, as
    nothing names them. Raises WrongFile when the disk refuses.
    """
    try:
        keys = [_write(one.upload) for one in checked]
    except OSError as error:
        logger.exception("An upload for Job %s could not be written", job.pk)
        raise WrongFile("The files could not be stored. Please try again later.") from error
    return StoredFile.objects.bulk_create(
        StoredFile(
            job=job,
            uploaded_by=by,
            uploaded_at=at,
            key=key,
            name=one.name,
            content_type=one.content_type,
            size_bytes=one.size_bytes,
            sha256=one.sha256,
        )
        for key, one in zip(keys, checked, strict=True)
    )


def path_of(key: str) -> str:
    """Where in the storage the bytes lie: spread over folders, so that none grows without end."""
    return f"{key[:2]}/{key}"


def clean_name(name: str) -> str:
    """The name without folders and invisible characters, at most 200 long, its extension kept.

    Invisible are also those that turn the direction of writing, which make ``exe.pdf`` of ``fdp.exe``.
    """
    base = re.split(r"[/\\]", name)[-1]
    visible = "".join(letter for letter in base if unicodedata.category(letter) not in NOT_IN_NAMES)
    cleaned = " ".join(visible.split()).strip(". ") or "file"
    stem, dot, extension = cleaned.rpartition(".")
    if not stem or len(extension) > LONGEST_EXTENSION:
        return cleaned[:LONGEST_NAME]
    return stem[: LONGEST_NAME - len(extension) - 1] + dot + extension


def _read(upload: UploadedFile) -> tuple[bytes, str, bool]:
    """One pass over the bytes: the first of them, the SHA-256, and whether all of it is text."""
    digest, head, is_text = hashlib.sha256(), b"", True
    for chunk in upload.chunks():
        digest.update(chunk)
        head = head if len(head) >= HEAD_BYTES else (head + chunk)[:HEAD_BYTES]
        is_text = is_text and len(chunk.translate(None, CONTROL_BYTES)) == len(chunk)
    return head, digest.hexdigest(), is_text


def _write(upload: UploadedFile) -> str:
    key = secrets.token_hex(32)
    upload.seek(0)
    default_storage.save(path_of(key), upload)
    return key


# --- What the bytes are ---


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _starts(*signatures: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(signatures)


# Content type, how its bytes are known, and the extensions that agree with it.
BY_HEAD: tuple[tuple[str, Callable[[bytes], bool], tuple[str, ...]], ...] = (
    ("application/pdf", _starts(b"%PDF-"), (".pdf",)),
    ("image/png", _starts(b"\x89PNG\r\n\x1a\n"), (".png",)),
    ("image/jpeg", _starts(b"\xff\xd8\xff"), (".jpg", ".jpeg")),
    ("image/gif", _starts(b"GIF87a", b"GIF89a"), (".gif",)),
    ("image/webp", _is_webp, (".webp",)),
)
TEXTS = {".txt": "text/plain", ".csv": "text/csv"}
# How much more than the largest file an archive may hold, unpacked.
UNPACKED_TIMES = 50
ZIPPED = {
    ".zip": "application/zip",
    ".docx": f"{OFFICE}.wordprocessingml.document",
    ".xlsx": f"{OFFICE}.spreadsheetml.sheet",
    ".odt": ODT,
}


def _content_type(upload: UploadedFile, head: bytes, *, is_text: bool, extension: str) -> str:
    """The type that the content has, if it is an accepted one and the extension agrees."""
    name = clean_name(upload.name or "")
    for content_type, is_so, extensions in BY_HEAD:
        if is_so(head):
            if extension in extensions:
                return content_type
            raise _disagrees(name, extensions)
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        found = _zipped_extensions(upload, head)
        if extension in found:
            return ZIPPED[extension]
        raise _disagrees(name, found)
    if is_text:
        if extension in TEXTS:
            return TEXTS[extension]
        if extension in ACCEPTED_EXTENSIONS.split(","):
            raise _disagrees(name, tuple(TEXTS))
    raise WrongFile(f"“{name}” is of a type that is not accepted. Accepted are {ACCEPTED}.")


def _disagrees(name: str, extensions: tuple[str, ...]) -> WrongFile:
    return WrongFile(
        f"The content of “{name}” does not agree with its name: "
        f"what is in it is called {' or '.join(extensions)}."
    )


def _refuse_bomb(upload: UploadedFile, unpacked_bytes: int) -> None:
    """A small archive that fills the disk of whoever unpacks it is not handed on to anybody."""
    most = UNPACKED_TIMES * settings.FILES_LARGEST_BYTES
    if unpacked_bytes > most:
        raise WrongFile(
            f"“{clean_name(upload.name or '')}” would unpack to {filesizeformat(unpacked_bytes)}: the "
            f"most that an archive may come to is {filesizeformat(most)}."
        )


def _zipped_extensions(upload: UploadedFile, head: bytes) -> tuple[str, ...]:
    """The extensions that a ZIP archive may carry; only its list of names is read, nothing unpacked."""
    assert upload.file is not None
    if sum(chunk.count(ENTRY) for chunk in upload.chunks()) > ENTRIES_AT_MOST:
        raise WrongFile(
            f"“{clean_name(upload.name or '')}” has more than {ENTRIES_AT_MOST:,} files in it."
        )
    try:
        upload.seek(0)
        with zipfile.ZipFile(upload.file) as archive:
            names = set(archive.namelist())
            unpacked_bytes = sum(one.file_size for one in archive.infolist())
    except Exception as error:  # zipfile raises whatever a broken archive makes it stumble over
        raise WrongFile(f"“{clean_name(upload.name or '')}” is damaged.") from error
    _refuse_bomb(upload, unpacked_bytes)
    # An .odt begins with its own type, stored unpacked, for readers such as this one.
    if head[30:38] == b"mimetype" and head[38:].startswith(ODT.encode()):
        return (".odt", ".zip")
    if "[Content_Types].xml" in names:
        if "word/document.xml" in names:
            return (".docx", ".zip")
        if "xl/workbook.xml" in names:
            return (".xlsx", ".zip")
    return (".zip",)
