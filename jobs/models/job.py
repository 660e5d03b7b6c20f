"""The Job: one piece of work, one Client, one Freelancer, one currency (R1)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django_fsm import FSMField, transition

from escrow_site.lib import money
from escrow_site.lib.states import StateMixin
from escrow_site.lib.timing import DAY, end_of
from jobs.models.person import Person
from jobs.models.policy import Policy


def of_party(person: Person, path: str = "") -> Q:
    """Rows of the Jobs that the person is a party of; ``path`` leads from a row to its Job."""
    way = f"{path}__" if path else ""
    return Q(**{f"{way}client": person}) | Q(**{f"{way}freelancer": person})


class JobQuerySet(models.QuerySet["Job"]):
    """Conditions on Jobs that read as English."""

    def seen_by(self, person: Person) -> Self:
        """Jobs that the person is a party of; to anyone else a Job does not exist (R1.4)."""
        return self.filter(Q(client=person) | Q(freelancer=person, awarded_at__isnull=False))

    def running(self) -> Self:
        """Jobs that are active or dormant."""
        return self.filter(state__in=[Job.State.ACTIVE, Job.State.DORMANT])

    def locked(self) -> Self:
        """Lock in id order, without blocking rows that merely point to the Job."""
        return self.order_by("pk").select_for_update(no_key=True, of=("self",))


class Job(StateMixin, models.Model):
    """States per R1.2; the clock columns are kept with the row so that a sweep has one index."""

    class Kind(models.TextChoices):
        FIXED_PRICE = "fixed_price", "Fixed price"
        HOURLY = "hourly", "Hourly"

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        AWARDED = "awarded", "Awarded"
        ACTIVE = "active", "Active"
        DORMANT = "dormant", "Dormant"
        COMPLETED = "completed", "Completed"
        CANCELLED = "cancelled", "Cancelled"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        EXPIRED = "expired", "Expired"

    title = models.CharField(max_length=120)
    description = models.TextField(max_length=5000, blank=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.FIXED_PRICE)
    currency = models.CharField(max_length=3, choices=[(code, code) for code in money.CURRENCIES])
    hourly_rate_minor = models.BigIntegerField("hourly rate", null=True, blank=True)
    client = models.ForeignKey(Person, models.PROTECT, related_name="jobs_as_client")
    freelancer = models.ForeignKey(
        Person, models.PROTECT, related_name="jobs_as_freelancer", null=True, blank=True
    )
    freelancer_email = models.EmailField(blank=True)
    policy = models.ForeignKey(Policy, models.PROTECT, null=True, blank=True)
    state = FSMField(max_length=20, choices=State, default=State.DRAFT, protected=True)
    drafted_at = models.DateTimeField()
    awarded_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    # Pushed down from the agreed Terms, because the money needs them and must not look up.
    last_milestone_on = models.DateField(null=True, blank=True)
    open_ended = models.BooleanField(default=False)
    open_proposal_until = models.DateTimeField(null=True, blank=True)
    open_cancellation_until = models.DateTimeField(null=True, blank=True)

    # Clocks (UTC).
    last_activity_at = models.DateTimeField(null=True, blank=True)
    last_activity_besides_requests_at = models.DateTimeField(null=True, blank=True)
    dormant_at = models.DateTimeField(null=True, blank=True)
    freelancer_told_dormant_at = models.DateTimeField(null=True, blank=True)
    dispute_ended_at = models.DateTimeField(null=True, blank=True)
    next_due_at = models.DateTimeField(null=True, blank=True)
    set_aside_at = models.DateTimeField(null=True, blank=True)
    set_aside_reason = models.TextField(blank=True)

    objects: ClassVar[models.Manager["Job"]] = JobQuerySet.as_manager()

    class Meta:
        verbose_name = "Job"
        verbose_name_plural = "Jobs"
        permissions = (
            ("take_up_job_again", "Can take up again a Job that was set aside"),
            ("see_as_party", "Can see the pages of a Job as a party sees them"),
        )
        constraints = (
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft",
                        "awarded",
                        "active",
                        "dormant",
                        "completed",
                        "cancelled",
                        "declined",
                        "withdrawn",
                        "expired",
                    ]
                ),
                name="job_state_known",
            ),
            models.CheckConstraint(
                condition=Q(freelancer__isnull=True) | ~Q(client=F("freelancer")),
                name="job_never_both_parties",
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(policy__isnull=False, awarded_at__isnull=False),
                name="job_policy_pinned_at_award",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["active", "dormant", "completed", "cancelled"])
                | Q(freelancer__isnull=False),
                name="job_active_with_freelancer",
            ),
            models.CheckConstraint(
                condition=Q(kind="fixed_price", hourly_rate_minor__isnull=True)
                | Q(kind="hourly", hourly_rate_minor__gt=0),
                name="job_rate_only_when_hourly",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=["completed", "cancelled", "declined", "withdrawn", "expired"],
                    ended_at__isnull=False,
                )
                | Q(state__in=["draft", "awarded", "active", "dormant"], ended_at__isnull=True),
                name="job_ended_at_when_ended",
            ),
        )
        indexes = (
            models.Index(fields=["client", "-id"], name="job_of_client"),
            models.Index(fields=["freelancer", "-id"], name="job_of_freelancer"),
            models.Index(fields=["freelancer_email"], name="job_of_invited"),
            models.Index(
                "next_due_at",
                "id",
                name="job_due",
                condition=Q(next_due_at__isnull=False, set_aside_at__isnull=True),
            ),
            models.Index(
                fields=["set_aside_at"],
                name="job_set_aside",
                condition=Q(set_aside_at__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.title

    # Who is who

    def role_of(self, person: Person) -> str | None:
        """'client', 'freelancer', or None for everybody else (R1.4)."""
        if person.pk == self.client_id:
            return "client"
        if self.freelancer_id is not None and person.pk == self.freelancer_id:
            return "freelancer"
        return None

    def other_party(self, person: Person) -> Person | None:
        """The party across the table."""
        return self.freelancer if person.pk == self.client_id else self.client

    @property
    def is_running(self) -> bool:
        """Whether work and money go on: active or dormant."""
        return self.state in (self.State.ACTIVE, self.State.DORMANT)

    @property
    def has_ended(self) -> bool:
        """Whether the Job is over, in whatever way."""
        return self.ended_at is not None

    @property
    def largest_amount_minor(self) -> int:
        """The most that one amount on this Job can be, in minor units (R13)."""
        policy = self.policy or Policy.objects.current()
        return policy.largest_amount * 10 ** money.digits(self.currency)

    # Clocks

    def note_activity(self, at: datetime, *, release_request: bool = False) -> None:
        """Push the clocks of R10.1 in memory; whoever calls this writes the row."""
        self.last_activity_at = max(self.last_activity_at or at, at)
        if not release_request:
            self.last_activity_besides_requests_at = max(
                self.last_activity_besides_requests_at or at, at
            )
        self.reckon_dormant_at()

    def note_due(self, at: datetime) -> None:
        """Something falls due then: the sweep visits the Job at the earliest such instant. A visit
        that is too early finds nothing and does no harm; one that is too late would.
        """
        self.next_due_at = min(self.next_due_at or at, at)

    def note_own_dues(self, *, after: datetime) -> None:
        """Note what falls due by the Job's own columns: its open proposal, and the dates of R10."""
        dues = [self.open_proposal_until]
        if self.state == self.State.ACTIVE:
            dues.append(self.dormant_at)
        if self.state == self.State.DORMANT and self.dormant_at and self.policy:
            quiet_since = max(
                self.dormant_at, self.last_activity_besides_requests_at or self.dormant_at
            )
            dues.append(quiet_since + self.policy.dormant_freelancer_days * DAY)
            dues.append(quiet_since + self.policy.dormant_settlement_days * DAY)
        for due_at in dues:
            if due_at is not None and due_at > after:
                self.note_due(due_at)

    @property
    def last_milestone_ends_at(self) -> datetime | None:
        """When the last dated Milestone of the agreed Terms ends: 24:00 UTC (R10.1)."""
        return end_of(self.last_milestone_on) if self.last_milestone_on else None

    def reckon_dormant_at(self) -> None:
        """D of R10.1: fixed while Dormant, none before the Job is active or after its end."""
        if self.state == self.State.ACTIVE and self.last_activity_at and self.policy:
            begins_at = max(
                self.last_activity_at, self.last_milestone_ends_at or self.last_activity_at
            )
            self.dormant_at = begins_at + self.policy.dormant_days * DAY

    # Moves (R1.2)

    @transition(field=state, source=State.DRAFT, target=State.AWARDED)
    def award(self, *, at: datetime) -> None:
        self.awarded_at = at

    @transition(field=state, source=State.AWARDED, target=State.ACTIVE)
    def activate(self, *, at: datetime) -> None:
        self.activated_at = at

    @transition(field=state, source=State.AWARDED, target=State.DECLINED)
    def decline(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.AWARDED, target=State.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.AWARDED, target=State.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        self.ended_at = at

    @transition(field=state, source=State.ACTIVE, target=State.DORMANT)
    def fall_dormant(self) -> None: ...

    @transition(field=state, source=State.DORMANT, target=State.ACTIVE)
    def reactivate(self) -> None:
        self.freelancer_told_dormant_at = None

    @transition(field=state, source=[State.ACTIVE, State.DORMANT], target=State.COMPLETED)
    def complete(self, *, at: datetime) -> None:
        self.ended_at = at
        self.dormant_at = None
        self.next_due_at = None

    @transition(field=state, source=[State.ACTIVE, State.DORMANT], target=State.CANCELLED)
    def cancel(self, *, at: datetime) -> None:
        self.ended_at = at
        self.dormant_at = None
        self.next_due_at = None
        self.open_proposal_until = None
        self.open_cancellation_until = None
