"""Heartbeat: when a recurring job was last done, so that a site that has fallen silent is noticed."""

from typing import ClassVar

from django.db import models


class Heartbeat(models.Model):
    """One row per recurring job, written when a run of it has succeeded; in real time.

    A run that fails leaves the row as it is, so its age says how long nothing was done.
    """

    name = models.CharField(max_length=40, primary_key=True)
    last_at = models.DateTimeField(help_text="When the last successful run ended.")
    last_seconds = models.FloatField(help_text="How long it took.")
    runs = models.BigIntegerField(help_text="Successful runs so far.")
    seconds_total = models.FloatField(help_text="How long all of them took together.")
    facts = models.JSONField(default=dict, help_text="What the last run had to say.")

    objects: ClassVar[models.Manager["Heartbeat"]] = models.Manager()

    def __str__(self) -> str:
        return self.name
