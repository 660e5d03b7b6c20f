"""StoredFile: an attachment or a piece of evidence, kept outside the web root (R4.1, R9.1)."""

from django.db import models

from jobs.models.job import Job
from jobs.models.person import Person


class StoredFile(models.Model):
    """The bytes lie under ``key``, a random name; ``name`` is what the person called the file."""

    job = models.ForeignKey(Job, models.PROTECT, related_name="files")
    uploaded_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    uploaded_at = models.DateTimeField()
    key = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    size_bytes = models.BigIntegerField()
    sha256 = models.CharField("SHA-256", max_length=64)

    def __str__(self) -> str:
        return self.name
