"""Activity: the append-only history of a Job; also its audit trail and its outbox."""

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models

from escrow_site.lib import timing
from jobs.models.job import Job
from jobs.models.person import Person


class Activity(models.Model):
    """One line of history: what, who, when, why. A trigger refuses UPDATE and DELETE.

    ``facts`` holds what the sentence needs: ``*_minor`` are amounts in the Job's currency,
    ``*_at`` are UTC instants, ``*_on`` dates.
    """

    class Actor(models.TextChoices):
        PERSON = "person", "Person"
        SYSTEM = "system", "The system"
        TIMER = "timer", "Timer"
        SUPPORT = "support", "Support agent"

    job = models.ForeignKey(Job, models.PROTECT, related_name="activities")
    kind = models.CharField(max_length=40)
    actor_kind = models.CharField(max_length=10, choices=Actor)
    actor = models.ForeignKey(Person, models.PROTECT, null=True, related_name="+")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timing.real_now)
    reason = models.TextField(blank=True)
    facts = models.JSONField(default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = "Activity"
        verbose_name_plural = "Activity"
        constraints = (
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=["person", "support"], actor__isnull=False)
                | models.Q(actor_kind__in=["system", "timer"], actor__isnull=True),
                name="activity_actor_named",
            ),
        )
        indexes = (models.Index(fields=["job", "-happened_at", "-id"], name="activity_of_job"),)

    def __str__(self) -> str:
        return f"{self.kind} on Job {self.job_id}"
