"""People: everyone who signs in, by e-mail address."""

from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from escrow_site.lib import timing


def validate_time_zone(name: str) -> None:
    """Refuse a name that is no time zone."""
    if name not in available_timezones():
        raise ValidationError("Choose a time zone from the list.")


class PersonManager(BaseUserManager["Person"]):
    """Makes people; the e-mail address is the login."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        person = self.model(email=email.strip().lower(), **fields)
        person.set_password(password)
        person.save(using=self._db)
        return person

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "Person":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "Person":
        return self.get(email__iexact=username)


class Person(AbstractBaseUser, PermissionsMixin):
    """Somebody with an account; Client on one Job and Freelancer on another, as it comes."""

    email = models.EmailField("e-mail address", unique=True)
    name = models.CharField(max_length=120)
    time_zone = models.CharField(max_length=64, default="UTC", validators=[validate_time_zone])
    language = models.CharField(max_length=10, default="en")
    billing_address = models.TextField(max_length=500, blank=True)
    tax_id = models.CharField("tax id", max_length=40, blank=True)
    is_staff = models.BooleanField("support agent", default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(default=timing.real_now, editable=False)
    calendar_token = models.CharField(
        max_length=64, blank=True, db_default="", default="", editable=False
    )
    calendar_opened_at = models.DateTimeField(null=True, blank=True, editable=False)
    closed_at = models.DateTimeField("closed", null=True, blank=True, editable=False)

    # False for a reader on the site's own host where the desk has another one (`escrow_site.desk_host`).
    is_at_the_desk = True

    objects: ClassVar[PersonManager] = PersonManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        permissions = (("lock_account", "Can lock an account, or unlock it"),)
        constraints = (
            models.UniqueConstraint(Lower("email"), name="person_email_any_case"),
            models.UniqueConstraint(
                fields=["calendar_token"],
                condition=~Q(calendar_token=""),
                name="person_calendar_token_once",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None)
                | Q(
                    is_active=False,
                    is_staff=False,
                    is_superuser=False,
                    billing_address="",
                    tax_id="",
                    calendar_token="",
                    email__endswith=".invalid",
                ),
                name="person_closed_is_nobody",
            ),
        )

    def __str__(self) -> str:
        return self.name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)

    @property
    def reads_as_support(self) -> bool:
        """Whether rows of Jobs that are not his own are his to read (R1.4): the box alone is no right."""
        return self.is_at_the_desk and self.is_staff and self.has_perm("jobs.view_job")

    @property
    def zone(self) -> ZoneInfo:
        """The time zone that instants are shown in."""
        return ZoneInfo(self.time_zone)
