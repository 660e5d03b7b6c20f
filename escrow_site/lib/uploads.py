"""Uploads that are larger than any file may be take no room on the disk: what is beyond is thrown away."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import TemporaryFileUploadHandler


class BoundedUploadHandler(TemporaryFileUploadHandler):
    """Keeps of each file what one may have, and of a request what all its files may have together.

    A file of which something was thrown away says how large it was sent, so that it is refused by
    its size (``jobs.services.files``); what else was typed is kept.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.room = settings.FILES_LARGEST_BYTES * settings.FILES_AT_MOST
        self.room_in_file = 0

    def new_file(self, *arguments: Any, **options: Any) -> None:
        super().new_file(*arguments, **options)
        self.room_in_file = settings.FILES_LARGEST_BYTES
        self.is_cut = False

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        kept = raw_data[: max(0, min(self.room_in_file, self.room))]
        self.is_cut = self.is_cut or len(kept) < len(raw_data)
        self.room -= len(kept)
        self.room_in_file -= len(kept)
        if kept:
            self.file.write(kept)

    def file_complete(self, file_size: int) -> Any:
        file = super().file_complete(file_size)
        if self.is_cut and file is not None:
            file.size = max(file_size, settings.FILES_LARGEST_BYTES + 1)
        return file
