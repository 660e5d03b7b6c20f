"""Documents: pro-forma invoices, final invoices, receipts, credit notes, Closing Statements."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django_fsm import FSMField, transition

from billing.models.escrow import Escrow
from billing.models.payment import Refund
from billing.models.release import Release, ReleaseRequest
from escrow_site.lib.states import StateMixin
from jobs.models import Job, Person


class DocumentSeries(models.Model):
    """The counter of one Freelancer's gap-free series of issued documents."""

    issuer = models.OneToOneField(Person, models.PROTECT, related_name="document_series")
    last_number = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "document series"

    def __str__(self) -> str:
        return f"Series of {self.issuer}"


class ProForma(StateMixin, models.Model):
    """The pro-forma invoice that a Release Request makes; no tax document, its number is the request's."""

    PREFIX: ClassVar[str] = "PF"

    class State(models.TextChoices):
        ISSUED = "issued", "Issued"
        INVOICED = "invoiced", "Invoiced"
        VOID = "void", "Void"

    request = models.OneToOneField(ReleaseRequest, models.PROTECT, related_name="pro_forma")
    state = FSMField(max_length=10, choices=State, default=State.ISSUED, protected=True)
    amount_minor = models.BigIntegerField()
    service_fee_minor = models.BigIntegerField()
    processing_fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    issued_at = models.DateTimeField()
    parties = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = "pro-forma invoice"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["issued", "invoiced", "void"]),
                name="pro_forma_state_known",
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What people call it."""
        return self.name_of(self.request_id)

    @classmethod
    def name_of(cls, request_id: int) -> str:
        """The name of the pro-forma of the request with this id."""
        return f"{cls.PREFIX}-{request_id:06d}"

    @transition(field=state, source=State.ISSUED, target=State.INVOICED)
    def become_final(self) -> None: ...

    @transition(field=state, source=State.ISSUED, target=State.VOID)
    def void(self) -> None: ...


class Document(models.Model):
    """A final invoice, receipt or credit note. Triggers refuse UPDATE and DELETE.

    ``parties`` is the snapshot of names, addresses and tax ids on the day of issue. ``number`` runs
    without a gap per issuer over all three kinds. A credit note corrects one invoice or receipt: a
    refund that takes back more than one makes as many.
    """

    class Kind(models.TextChoices):
        FINAL_INVOICE = "final_invoice", "Invoice"
        RECEIPT = "receipt", "Receipt"
        CREDIT_NOTE = "credit_note", "Credit note"

    PREFIXES: ClassVar[dict[str, str]] = {
        "final_invoice": "INV", "receipt": "REC", "credit_note": "CRN",
    }  # fmt: skip

    kind = models.CharField(max_length=20, choices=Kind)
    issuer = models.ForeignKey(Person, models.PROTECT, related_name="documents_issued")
    number = models.PositiveIntegerField()
    job = models.ForeignKey(Job, models.PROTECT, related_name="documents")
    escrow = models.ForeignKey(Escrow, models.PROTECT, related_name="documents")
    release = models.OneToOneField(
        Release, models.PROTECT, null=True, blank=True, related_name="document"
    )
    pro_forma = models.ForeignKey(
        ProForma, models.PROTECT, null=True, blank=True, related_name="documents"
    )
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="corrected_by"
    )
    refund = models.ForeignKey(
        Refund, models.PROTECT, null=True, blank=True, related_name="credit_notes"
    )
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    service_fee_minor = models.BigIntegerField()
    processing_fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    issued_at = models.DateTimeField()
    parties = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["issuer", "number"], name="document_number_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["final_invoice", "receipt"], release__isnull=False)
                | Q(kind="credit_note", corrects__isnull=False, refund__isnull=False),
                name="document_has_its_cause",
            ),
            models.CheckConstraint(
                condition=~Q(kind="receipt") | Q(pro_forma__isnull=True),
                name="document_receipt_without_request",
            ),
            models.CheckConstraint(
                condition=~Q(kind="final_invoice") | Q(pro_forma__isnull=False),
                name="document_invoice_from_pro_forma",
            ),
        )
        indexes = (models.Index(fields=["job", "-id"], name="document_of_job"),)

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What people call it: kind, issuer, running number."""
        return self.name_of(self.kind, self.issuer_id, self.number)

    @classmethod
    def name_of(cls, kind: str, issuer_id: int, number: int) -> str:
        """The name of the document with this kind, issuer and number."""
        return f"{cls.PREFIXES[kind]}-{issuer_id}-{number:04d}"


class ClosingStatement(models.Model):
    """All escrow payments of a Job, as they stood at its end; for information only (R11.2).

    ``lines`` and ``totals`` are frozen at issue. A trigger refuses UPDATE and DELETE.
    """

    job = models.ForeignKey(Job, models.PROTECT, related_name="closing_statements")
    number = models.PositiveSmallIntegerField()
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by"
    )
    issued_at = models.DateTimeField()
    parties = models.JSONField(encoder=DjangoJSONEncoder)
    lines = models.JSONField(encoder=DjangoJSONEncoder)
    totals = models.JSONField(encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = "Closing Statement"
        verbose_name_plural = "Closing Statements"
        constraints = (
            models.UniqueConstraint(
                fields=["job", "number"], name="closing_statement_number_in_job"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """What people call it."""
        return f"CS-{self.job_id}-{self.number}"
