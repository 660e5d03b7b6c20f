"""Status Reports: what the Freelancer sends each week, and what he bills with it (R4).

A report of a week that was sent before is a new sending; the older ones are kept. Release Requests
themselves are made in ``billing.services.release_requests``.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Prefetch

from billing.models import Escrow
from billing.services import catching_up, release_requests
from escrow_site.lib.refusals import (
    Refusal,
    StalePage,
    WrongParty,
    WrongState,
    refuse_if,
)
from escrow_site.lib.timing import week_start
from jobs.models import Job, Person, StoredFile
from jobs.services import activity, files
from jobs.services.accounts import refuse_locked
from jobs.services.activity import Entry
from workroom.models import ReportAttachment, ReportLine, StatusReport
from workroom.notices import REPORT_SUBMITTED


@dataclass(frozen=True, kw_only=True)
class Line:
    """What the Freelancer says about the Milestone with this number.

    ``bill`` asks for the release of all that it holds; ``seen_minor`` is the amount that stood
    beside the box, refused if another amount is held by now.
    """

    number: int
    percent: int
    comment: str = ""
    bill: bool = False
    seen_minor: int | None = None


class LinesRefused(Refusal):
    """Some lines are not in order; ``problems`` says which and why, by Milestone number."""

    def __init__(self, problems: dict[int, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


class NothingReported(Refusal):
    """The report says nothing, or nothing that the last sending did not say."""


def may_submit_report(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """The Freelancer reports while the Job runs (R4.1)."""
    if refusal := refuse_locked(by):
        return refusal
    if job.role_of(by) != "freelancer":
        return WrongParty("Only the Freelancer of this Job can send Status Reports.")
    if not job.is_running:
        return WrongState(
            f"This Job is {job.get_state_display().lower()}: "
            "Status Reports can be sent while it is active."
        )
    return None


def submit_report(
    job: Job,
    *,
    by: Person,
    lines: Iterable[Line],
    comments: str = "",
    plan: str = "",
    uploads: Iterable[UploadedFile] = (),
    kept_files: Collection[str] = (),
    at: datetime,
) -> StatusReport:
    """Send the report of the week in which ``at`` falls, and request release of what it bills.

    All or nothing (R4.2). A Milestone without a line keeps its last percent. ``kept_files`` are keys
    of files of an earlier sending that go with this one too. Locks the Job. Raises LinesRefused,
    NothingReported, files.WrongFile, StalePage, WrongParty, WrongState.
    """
    checked = files.check_all(uploads, kept=len(kept_files))
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_submit_report(job, by=by, at=at))
        last = newest_report(job)
        report = StatusReport(
            job=job,
            freelancer=by,
            week_starts_on=current_week(by, at=at),
            time_zone=by.time_zone,
            sent_at=at,
            comments=comments,
            plan=plan,
        )
        report_lines = _checked_lines(job, last, lines, by=by, at=at)
        kept = _kept(job, kept_files)
        _refuse_nothing(report, report_lines, last, has_uploads=bool(checked), kept=kept)
        _send(report, report_lines)
        billed = [line.escrow for line in report_lines if line.billed_minor]
        _record(report, report_lines, by=by, at=at)
        if billed:
            release_requests.request_release(job, billed, by=by, at=at, comments=comments)
        stored = files.store_all(job, by=by, checked=checked, at=at)
        ReportAttachment.objects.bulk_create(
            ReportAttachment(report=report, file=file) for file in [*kept, *stored]
        )
    return report


def current_week(freelancer: Person, *, at: datetime) -> date:
    """The Monday of the week that it is in the Freelancer's time zone (R4.1)."""
    return week_start(at.astimezone(freelancer.zone).date())


def newest_report(job: Job) -> StatusReport | None:
    """The last sending of any week, with its lines and attachments; it says how far things are."""
    return (
        StatusReport.objects.filter(job=job)
        .prefetch_related(
            "lines",
            Prefetch("attachments", ReportAttachment.objects.select_related("file").order_by("pk")),
        )
        .order_by("-pk")
        .first()
    )


def last_percent(escrow: Escrow, last: StatusReport | None) -> int:
    """How far the Milestone was at the last sending; if never reported: 0, or 100 if released."""
    if last is not None:
        for line in last.lines.all():
            if line.escrow_id == escrow.pk:
                return line.percent
    return 100 if escrow.state == Escrow.State.RELEASED else 0


def agreed_escrows(job: Job) -> list[Escrow]:
    """What the guards of a report's lines need to know, read at once."""
    escrows = list(Escrow.objects.of(job).agreed().prefetch_related("release_requests"))
    for escrow in escrows:
        escrow.job = job
    return escrows


def _checked_lines(
    job: Job, last: StatusReport | None, lines: Iterable[Line], *, by: Person, at: datetime
) -> list[ReportLine]:
    """A line for every Milestone of the agreed Terms, or the refusal that says what is wrong."""
    given = {line.number: line for line in lines}
    escrows = agreed_escrows(job)
    if given.keys() - {escrow.number for escrow in escrows}:
        raise StalePage(
            "The Milestones of this Job have changed since you opened this page. "
            "Please look at them again."
        )
    report_lines, problems = [], {}
    for escrow in escrows:
        before = last_percent(escrow, last)
        line = given.get(escrow.number, Line(number=escrow.number, percent=before))
        if problem := _problem(escrow, line, before=before, by=by, at=at):
            problems[escrow.number] = problem
        report_lines.append(
            ReportLine(
                escrow=escrow,
                percent=line.percent,
                comment=line.comment,
                billed_minor=escrow.held_minor if line.bill else None,
            )
        )
    if problems:
        raise LinesRefused(problems)
    return report_lines


def _problem(escrow: Escrow, line: Line, *, before: int, by: Person, at: datetime) -> str | None:
    """What speaks against this line, in words for the person."""
    if not 0 <= line.percent <= 100:
        return f"“{escrow}”: percent complete goes from 0 to 100."
    if line.percent < before and not line.comment.strip():
        return (
            f"“{escrow}” was reported at {before} % already. "
            f"Say in its comment why it goes down to {line.percent} %."
        )
    if not line.bill:
        return None
    if line.percent < 100:
        return f"“{escrow}” can be billed when it is at 100 %."
    if refusal := release_requests.may_request_release(escrow, by=by, at=at):
        return refusal.message
    if line.seen_minor is not None and line.seen_minor != escrow.held_minor:
        return (
            f"What is held for “{escrow}” has changed since you opened this page. "
            "Please look at the amount again."
        )
    return None


def _kept(job: Job, keys: Collection[str]) -> list[StoredFile]:
    """The files of earlier reports of this Job that this sending repeats."""
    if not keys:
        return []
    kept = list(
        StoredFile.objects.filter(
            key__in=keys,
            pk__in=ReportAttachment.objects.filter(report__job=job).values("file"),
        ).order_by("pk")
    )
    if len(kept) != len(set(keys)):
        raise StalePage("An attachment of the earlier sending was not found.")
    return kept


def _refuse_nothing(
    report: StatusReport,
    lines: list[ReportLine],
    last: StatusReport | None,
    *,
    has_uploads: bool,
    kept: list[StoredFile],
) -> None:
    """Refuse what says nothing, and what says exactly what the last sending of this week said."""
    if not (lines or report.comments or report.plan or has_uploads or kept):
        raise NothingReported("Write a comment first: this report is empty.")
    if last is None or last.week_starts_on != report.week_starts_on or has_uploads:
        return
    if any(line.billed_minor for line in lines):
        return
    if (
        (report.comments, report.plan) == (last.comments, last.plan)
        and {(line.escrow_id, line.percent, line.comment) for line in lines}
        == {(line.escrow_id, line.percent, line.comment) for line in last.lines.all()}
        and {file.pk for file in kept} == {one.file_id for one in last.attachments.all()}
    ):
        raise NothingReported(
            "You have sent exactly this report for this week already: nothing was sent again."
        )


def _send(report: StatusReport, lines: list[ReportLine]) -> None:
    """Write the report as the newest sending of its week."""
    before = (
        StatusReport.objects.filter(job=report.job, week_starts_on=report.week_starts_on)
        .order_by("-sending")
        .first()
    )
    if before:
        report.sending = before.sending + 1
        StatusReport.objects.filter(pk=before.pk).update(current=False)
    report.save(force_insert=True)
    for line in lines:
        line.report = report
    ReportLine.objects.bulk_create(lines)


def _record(report: StatusReport, lines: list[ReportLine], *, by: Person, at: datetime) -> None:
    billed = [line.billed_minor for line in lines if line.billed_minor]
    facts = {
        "report": report.pk,
        "week_on": report.week_starts_on,
        "sending": report.sending,
        "billed": len(billed),
        "amount_minor": sum(billed) if billed else None,
    }
    # Every Release Request comes with a report: it must not count as more than the request (R10.3).
    activity.record_all(
        [
            Entry(
                job=report.job, kind=REPORT_SUBMITTED, by=by, at=at, facts=facts,
                as_release_request=bool(billed),
            )
        ]
    )  # fmt: skip
