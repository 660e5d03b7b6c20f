"""AddressChange: another address is to be the primary one, and the present one has not agreed yet."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from jobs.models.person import Person


class AddressChange(models.Model):
    """Whoever holds the browser asks, whoever reads the present address agrees; in real time."""

    person = models.ForeignKey(Person, models.CASCADE, related_name="address_changes")
    from_email = models.EmailField()
    to_email = models.EmailField()
    asked_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["AddressChange"]] = models.Manager()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["person"], condition=Q(done_at=None), name="address_change_open_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.from_email} to {self.to_email}"
