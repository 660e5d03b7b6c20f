"""What the pages about Status Reports and Send Invoice read."""

from dataclasses import dataclass

from django.db.models import (
    Count,
    Exists,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
)
from django.db.models.functions import Coalesce

from billing.models import Escrow, ReleaseRequest
from jobs.models import Job, Person
from workroom.models import ReportAttachment, ReportLine, StatusReport


def sendings(job: Job) -> QuerySet[StatusReport]:
    """Every sending, the newest week first, with how much is complete and what was billed."""
    return (
        StatusReport.objects.filter(job=job)
        .annotate(
            milestones=Count("lines"),
            complete=Count("lines", filter=Q(lines__percent=100)),
            billed_minor=Sum("lines__billed_minor"),
        )
        .order_by("-week_starts_on", "-sending")
    )


def seen_reports(person: Person) -> QuerySet[StatusReport]:
    """The reports that the person may read, each with its Job and its parties (R1.4)."""
    return StatusReport.objects.filter(job__in=Job.objects.seen_by(person)).select_related(
        "job__client", "job__freelancer", "job__policy"
    )


def lines_of(report: StatusReport) -> list[ReportLine]:
    """The lines in the order of the Terms; ``before`` is what the sending before this one said."""
    before = (
        ReportLine.objects.filter(escrow=OuterRef("escrow"), report__lt=report)
        .order_by("-report")
        .values("percent")[:1]
    )
    return list(
        ReportLine.objects.filter(report=report)
        .annotate(before=Subquery(before, output_field=IntegerField()))
        .select_related("escrow")
        .order_by("escrow__position", "escrow__number")
    )


@dataclass(frozen=True)
class Billed:
    """One line of a report's billing section."""

    line: ReportLine
    request: ReleaseRequest | None

    @property
    def has_clock(self) -> bool:
        """Whether the money will be released by itself if nobody acts (R6.2)."""
        return self.request is not None and self.request.state in (
            ReleaseRequest.State.OPEN,
            ReleaseRequest.State.OVERDUE,
        )


def billed_in(report: StatusReport, lines: list[ReportLine]) -> list[Billed]:
    """The billing section: what was billed, each with the Release Request that it made."""
    billed = [line for line in lines if line.billed_minor]
    if not billed:
        return []
    # Report and request are made in one transaction and carry the same instant.
    requests = {
        request.escrow_id: request
        for request in ReleaseRequest.objects.filter(
            job_id=report.job_id, requested_at=report.sent_at
        ).select_related("pro_forma")
    }
    return [Billed(line, requests.get(line.escrow_id)) for line in billed]


def report_of_request(job: Job, request_id: int) -> StatusReport | None:
    """The report that made a Release Request: made in one transaction, at the same instant."""
    requests = ReleaseRequest.objects.filter(pk=request_id, job=job)
    return StatusReport.objects.filter(
        job=job,
        sent_at=Subquery(requests.values("requested_at")),
        lines__escrow=Subquery(requests.values("escrow")),
        lines__billed_minor__isnull=False,
    ).first()


def billable_jobs(person: Person) -> QuerySet[Job]:
    """The running fixed-price Jobs of a Freelancer, the liveliest first.

    ``requestable`` counts the Milestones whose release can be requested, ``requestable_minor`` is
    what they hold.
    """
    unanswered = ReleaseRequest.objects.unanswered().filter(escrow=OuterRef("pk"))
    requestable = (
        Escrow.objects.filter(job=OuterRef("pk"), state=Escrow.State.FUNDED)
        .exclude(Exists(unanswered))
        .order_by()
        .values("job")
    )
    held = F("funded_minor") - F("released_minor") - F("refunded_minor")
    return (
        Job.objects.running()
        .filter(freelancer=person, kind=Job.Kind.FIXED_PRICE)
        .annotate(
            requestable=Coalesce(Subquery(requestable.annotate(n=Count("pk")).values("n")), 0),
            requestable_minor=Coalesce(
                Subquery(requestable.annotate(total=Sum(held)).values("total")), 0
            ),
        )
        .select_related("client")
        .order_by(F("last_activity_at").desc(nulls_last=True), "-pk")
    )


def attachments_of(report: StatusReport) -> list[ReportAttachment]:
    """The files that were sent with a report."""
    return list(
        ReportAttachment.objects.filter(report=report).select_related("file").order_by("pk")
    )


def other_sendings(report: StatusReport) -> list[StatusReport]:
    """The other sendings of the same week, the newest first."""
    if report.current and report.sending == 1:
        return []
    return list(
        StatusReport.objects.filter(job_id=report.job_id, week_starts_on=report.week_starts_on)
        .exclude(pk=report.pk)
        .order_by("-sending")
    )
