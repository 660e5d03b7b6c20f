"""Terms and Milestones: numbered versions of what is agreed (R2)."""

from datetime import datetime
from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from billing.models import Escrow
from escrow_site.lib.states import StateMixin
from jobs.models import Job, Person


class TermsQuerySet(models.QuerySet["Terms"]):
    """Conditions on Terms that read as English."""

    def of(self, job: Job) -> Self:
        return self.filter(job=job)

    def open(self, *, at: datetime) -> Self:
        """Proposed and not lapsed."""
        return self.filter(state=Terms.State.PROPOSED, lapses_at__gt=at)

    def agreed(self) -> Self:
        return self.filter(state=Terms.State.AGREED)


class Terms(StateMixin, models.Model):
    """One version; kept for ever. ``draft`` is the Client's before the award, seen by him alone.

    A proposal that nobody answered lapses at ``lapses_at`` (R2.3); one on a Job that has ended
    reads as lapsed.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        PROPOSED = "proposed", "Proposed"
        AGREED = "agreed", "Agreed"
        DECLINED = "declined", "Declined"
        WITHDRAWN = "withdrawn", "Withdrawn"
        SUPERSEDED = "superseded", "Superseded"

    job = models.ForeignKey(Job, models.PROTECT, related_name="terms")
    version = models.PositiveIntegerField()
    proposed_by = models.ForeignKey(Person, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(null=True, blank=True)
    lapses_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    scope = models.TextField(max_length=10_000)
    starts_on = models.DateField(null=True, blank=True)
    ends_on = models.DateField(null=True, blank=True, help_text="Empty: to be determined.")
    message = models.TextField(max_length=2000, blank=True)
    answer = models.TextField(max_length=2000, blank=True)
    state = FSMField(max_length=20, choices=State, default=State.DRAFT, protected=True)

    objects: ClassVar[models.Manager["Terms"]] = TermsQuerySet.as_manager()

    class Meta:
        verbose_name = "Terms"
        verbose_name_plural = "Terms"
        constraints = (
            models.UniqueConstraint(fields=["job", "version"], name="terms_version_in_job"),
            models.UniqueConstraint(
                fields=["job"], condition=Q(state="proposed"), name="terms_one_open_per_job"
            ),
            models.UniqueConstraint(
                fields=["job"], condition=Q(state="agreed"), name="terms_one_agreed_per_job"
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[
                        "draft", "proposed", "agreed", "declined", "withdrawn", "superseded",
                    ]
                ),
                name="terms_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="draft")
                | Q(proposed_at__isnull=False, lapses_at__isnull=False),
                name="terms_proposed_at_an_instant",
            ),
        )  # fmt: skip

    def __str__(self) -> str:
        return f"Terms {self.version} of {self.job}"

    @property
    def open_ended(self) -> bool:
        """Whether the end of the timeline is to be determined (R2.5)."""
        return self.ends_on is None

    @property
    def was_agreed(self) -> bool:
        """Whether both sides have agreed to this version, now or until a later one."""
        return self.state == self.State.AGREED or (
            self.state == self.State.SUPERSEDED and self.answered_at is not None
        )

    def has_lapsed(self, *, at: datetime) -> bool:
        """Whether this proposal can no longer be answered."""
        return self.state == self.State.PROPOSED and (
            self.job.has_ended or (self.lapses_at is not None and at >= self.lapses_at)
        )

    @transition(field=state, source=State.DRAFT, target=State.PROPOSED)
    def propose(self, *, at: datetime, lapses_at: datetime) -> None:
        self.proposed_at = at
        self.lapses_at = lapses_at

    @transition(field=state, source=State.PROPOSED, target=State.AGREED)
    def agree(self, *, at: datetime) -> None:
        self.answered_at = at

    @transition(field=state, source=State.PROPOSED, target=State.DECLINED)
    def decline(self, *, at: datetime, answer: str) -> None:
        self.answered_at = at
        self.answer = answer

    @transition(field=state, source=State.PROPOSED, target=State.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        self.answered_at = at

    @transition(field=state, source=[State.PROPOSED, State.AGREED], target=State.SUPERSEDED)
    def supersede(self) -> None: ...


class Milestone(models.Model):
    """A named, dated, priced part of one Terms version; ``number`` is the same in every version."""

    terms = models.ForeignKey(Terms, models.PROTECT, related_name="milestones")
    number = models.PositiveIntegerField()
    position = models.PositiveIntegerField()
    title = models.CharField(max_length=120)
    description = models.TextField(max_length=2000, blank=True)
    due_on = models.DateField(null=True, blank=True)
    amount_minor = models.BigIntegerField("price")
    escrow = models.ForeignKey(
        Escrow, models.PROTECT, null=True, blank=True, related_name="milestones"
    )

    class Meta:
        verbose_name = "Milestone"
        verbose_name_plural = "Milestones"
        constraints = (
            models.UniqueConstraint(fields=["terms", "number"], name="milestone_number_in_terms"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="milestone_above_zero"),
        )

    def __str__(self) -> str:
        return self.title
