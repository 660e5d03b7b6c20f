"""Invitation: the link that leads an address without an account through sign-up to its Job (R1.1)."""

import secrets

from django.db import models

from jobs.models.job import Job


def new_token() -> str:
    return secrets.token_urlsafe(32)


class Invitation(models.Model):
    """It shows the way only: the Job is bound to an account that has confirmed the address."""

    job = models.OneToOneField(Job, models.PROTECT, related_name="invitation")
    email = models.EmailField()
    token = models.CharField(max_length=64, unique=True, default=new_token)
    invited_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Invitation of {self.email}"
