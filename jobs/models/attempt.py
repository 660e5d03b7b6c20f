"""Attempt: something that may be done only so often was done, such as typing a wrong password."""

from typing import ClassVar

from django.db import models


class Attempt(models.Model):
    """Counted in the database, so that it holds across processes and without the cache; in real time."""

    key = models.CharField(max_length=64, help_text="What and by whom, hashed: no addresses.")
    made_at = models.DateTimeField()

    objects: ClassVar[models.Manager["Attempt"]] = models.Manager()

    class Meta:
        indexes = (
            models.Index(fields=["key", "made_at"], name="attempt_of_key"),
            models.Index(fields=["made_at"], name="attempt_old"),
        )

    def __str__(self) -> str:
        return f"{self.key} at {self.made_at}"
