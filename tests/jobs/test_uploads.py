"""Uploads larger than any file may be: refused by their size, and nowhere kept."""

import io
import os
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from jobs.services import files

MB = 1 << 20
BOUNDARY = "frontier"


class Sent(io.RawIOBase):
    """The body of a request that is made while it is read: fields, then files of some sizes."""

    def __init__(self, *sizes: int) -> None:
        self.parts = self._parts(sizes)
        self.left = b""

    def _parts(self, sizes: tuple[int, ...]) -> Any:
        yield (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="reason"\r\n\r\nMy words\r\n'
        ).encode()
        for number, size in enumerate(sizes):
            yield (
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="evidence"; '
                f'filename="{number}.pdf"\r\nContent-Type: application/pdf\r\n\r\n%PDF-'
            ).encode()
            left = size - 5
            while left > 0:
                yield b"x" * min(left, MB)
                left -= MB
            yield b"\r\n"
        yield f"--{BOUNDARY}--\r\n".encode()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self.left) < size and (part := next(self.parts, b"")):
            self.left += part
        read, self.left = self.left[:size], self.left[size:]
        return read


def request_with(*sizes: int) -> HttpRequest:
    request = RequestFactory().post("/", content_type=f"multipart/form-data; boundary={BOUNDARY}")
    request._stream = request.environ["wsgi.input"] = Sent(*sizes)  # type: ignore[attr-defined]
    request.META["CONTENT_LENGTH"] = str(sum(sizes) + 10_000)
    request._read_started = False  # type: ignore[attr-defined]
    return request


def test_a_huge_file_is_refused_and_takes_no_room(settings: Any) -> None:
    settings.FILES_LARGEST_BYTES = MB
    request = request_with(64 * MB)
    (upload,) = request.FILES.getlist("evidence")
    assert request.POST["reason"] == "My words"
    assert os.path.getsize(upload.temporary_file_path()) <= MB
    with pytest.raises(files.WrongFile, match="“0.pdf” is too large"):
        files.check(upload)


def test_many_files_take_no_more_room_than_is_allowed(settings: Any) -> None:
    settings.FILES_LARGEST_BYTES, settings.FILES_AT_MOST = 2 * MB, 3
    uploads = request_with(*[2 * MB] * 8).FILES.getlist("evidence")
    kept = sum(os.path.getsize(upload.temporary_file_path()) for upload in uploads)
    assert kept == 6 * MB
    assert [upload.size > settings.FILES_LARGEST_BYTES for upload in uploads] == [False] * 3 + [
        True
    ] * 5
    with pytest.raises(files.WrongFile, match="8 files are too many"):
        files.check_all(uploads)


def test_what_fits_is_kept_as_it_was_sent(settings: Any) -> None:
    settings.FILES_LARGEST_BYTES = 4 * MB
    (upload,) = request_with(4 * MB).FILES.getlist("evidence")
    assert upload.size == 4 * MB
    checked = files.check(upload)
    assert (checked.content_type, checked.size_bytes) == ("application/pdf", 4 * MB)
