"""A Job's whole story for support: everything that was agreed, paid, sent and said, on one page.

The number of statements is the same for a Job of any size. What the parties see is in the selectors of their pages.
"""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Prefetch, Sum

from billing.models import (
    Allocation,
    Cancellation,
    ClosingStatement,
    Dispute,
    Document,
    Escrow,
    FundingRequest,
    Intervention,
    Payment,
    Refund,
    Release,
    ReleaseRequest,
)
from billing.selectors.ledger_lines import JobLedger, ledger_of
from billing.selectors.rules import Number, numbers_of
from jobs.models import Activity, Invitation, Job, Notification, StoredFile
from jobs.notices import names_for_support
from jobs.selectors.history import HistoryLine, describe
from workroom.models import (
    Milestone,
    ReportAttachment,
    ReportLine,
    StatusReport,
    Terms,
    Timesheet,
    TimesheetEntry,
)
from workroom.selectors.cases import cancellations_of, disputes_of
from workroom.selectors.interventions import interventions_of


@dataclass(frozen=True, kw_only=True)
class Totals:
    """The sums over all Milestones of the Job, in minor units."""

    price_minor: int
    funded_minor: int
    held_minor: int
    released_minor: int
    refunded_minor: int
    fees_minor: int


@dataclass(frozen=True, kw_only=True)
class Happening:
    """One line of history with the notices that it made."""

    activity: Activity
    line: HistoryLine
    notices: list[Notification]


@dataclass(frozen=True, kw_only=True)
class Story:
    """All there is to a Job; lists in the order in which things happened."""

    job: Job
    invitation: Invitation | None
    numbers: list[Number]
    versions: list[Terms]
    escrows: list[Escrow]
    totals: Totals
    funding_requests: list[FundingRequest]
    payments: list[Payment]
    requests: list[ReleaseRequest]
    releases: list[Release]
    ledger: JobLedger
    documents: list[Document]
    statements: list[ClosingStatement]
    reports: list[StatusReport]
    timesheets: list[Timesheet]
    files: list[StoredFile]
    disputes: list[Dispute]
    cancellations: list[Cancellation]
    interventions: list[Intervention]
    history: list[Happening]


def story_of(job: Job) -> Story:
    """Read it all; the Job comes with its parties and Policy."""
    escrows = list(Escrow.objects.of(job))
    for escrow in escrows:
        escrow.job = job
    return Story(
        job=job,
        invitation=Invitation.objects.filter(job=job).first(),
        numbers=numbers_of(job.policy) if job.policy else [],
        versions=_versions(job),
        escrows=escrows,
        totals=_totals(escrows),
        funding_requests=list(
            FundingRequest.objects.filter(escrow__job=job)
            .select_related("escrow", "requested_by")
            .order_by("pk")
        ),
        payments=_payments(job),
        requests=list(
            ReleaseRequest.objects.filter(job=job)
            .select_related("escrow", "requested_by", "pro_forma")
            .order_by("pk")
        ),
        releases=list(
            Release.objects.filter(job=job)
            .select_related("escrow", "released_by", "document")
            .order_by("pk")
        ),
        ledger=ledger_of(job),
        documents=list(
            Document.objects.filter(job=job).select_related("issuer", "escrow").order_by("pk")
        ),
        statements=list(
            ClosingStatement.objects.filter(job=job).select_related("replaces").order_by("number")
        ),
        reports=_reports(job),
        timesheets=_timesheets(job),
        files=list(StoredFile.objects.filter(job=job).select_related("uploaded_by").order_by("pk")),
        disputes=disputes_of(job, escrows),
        cancellations=cancellations_of(job),
        interventions=interventions_of(job),
        history=_history(job),
    )


def as_parties_read(story: Story) -> Story:
    """Without what is for support alone: what was proposed, and the lines of history about it (R9.7)."""
    hidden = set(names_for_support())
    known = [one for one in story.history if one.activity.kind not in hidden]
    return replace(story, interventions=[], history=known)


def _versions(job: Job) -> list[Terms]:
    milestones = Milestone.objects.order_by("position", "number")
    return list(
        Terms.objects.of(job)
        .select_related("proposed_by")
        .prefetch_related(Prefetch("milestones", milestones))
        .order_by("version")
    )


def _totals(escrows: list[Escrow]) -> Totals:
    return Totals(
        price_minor=sum(
            escrow.amount_minor for escrow in escrows if escrow.state != Escrow.State.REMOVED
        ),
        funded_minor=sum(escrow.funded_minor for escrow in escrows),
        held_minor=sum(escrow.held_minor for escrow in escrows),
        released_minor=sum(escrow.released_minor for escrow in escrows),
        refunded_minor=sum(escrow.refunded_minor for escrow in escrows),
        fees_minor=sum(
            escrow.service_fee_minor + escrow.processing_fee_minor for escrow in escrows
        ),
    )


def _payments(job: Job) -> list[Payment]:
    allocations = Allocation.objects.select_related("escrow").order_by("pk")
    refunds = Refund.objects.select_related("escrow").order_by("pk")
    return list(
        Payment.objects.filter(job=job)
        .select_related("payer", "method")
        .prefetch_related(Prefetch("allocations", allocations), Prefetch("refunds", refunds))
        .order_by("pk")
    )


def _reports(job: Job) -> list[StatusReport]:
    lines = ReportLine.objects.select_related("escrow").order_by(
        "escrow__position", "escrow__number"
    )
    attachments = ReportAttachment.objects.select_related("file").order_by("pk")
    return list(
        StatusReport.objects.filter(job=job)
        .select_related("freelancer")
        .prefetch_related(Prefetch("lines", lines), Prefetch("attachments", attachments))
        .order_by("pk")
    )


def _timesheets(job: Job) -> list[Timesheet]:
    entries = TimesheetEntry.objects.order_by("worked_on")
    return list(
        Timesheet.objects.filter(job=job)
        .select_related("freelancer")
        .annotate(minutes=Sum("entries__minutes", default=0))
        .prefetch_related(Prefetch("entries", entries))
        .order_by("pk")
    )


def _history(job: Job) -> list[Happening]:
    """From the beginning, with who was told; a story is read forwards."""
    told = Notification.objects.select_related("person").order_by("pk")
    activities: Any = (
        Activity.objects.filter(job=job)
        .select_related("actor")
        .prefetch_related(Prefetch("notifications", told))
        .order_by("happened_at", "pk")
    )
    happenings = []
    for activity in activities:
        activity.job = job
        happenings.append(
            Happening(
                activity=activity,
                line=describe(activity, None),
                notices=list(activity.notifications.all()),
            )
        )
    return happenings
