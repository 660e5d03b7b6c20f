"""Steps that the tests of Status Reports share: sent by the service, and typed on a page."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from billing.models import Account, Escrow, ProForma, ReleaseRequest, Transfer
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Notification, StoredFile
from workroom.models import ReportAttachment, ReportLine, StatusReport
from workroom.services import reports
from workroom.services.reports import Line

NOW = datetime(2026, 3, 9, 12, tzinfo=UTC)
PDF = b"%PDF-1.7\n1 0 obj\n"


def set_clock(folder: Path, settings: Any, now: datetime) -> None:
    """Move the product's clock, as local mode does."""
    file = folder / "clock"
    file.write_text(str(int((now - timing.real_now()).total_seconds())))
    settings.CLOCK_OFFSET_FILE = file


def typed(**fields: Any) -> dict[str, Any]:
    """What a browser without JavaScript sends of a fresh page; ``m1_percent`` is ``m1-percent``."""
    fresh = {
        "m1-percent": "0", "m1-comment": "", "m1-seen": "50000", "m1-asked": "",
        "m2-percent": "0", "m2-comment": "",
        "comments": "", "plan": "",
    }  # fmt: skip
    return fresh | {name.replace("_", "-"): value for name, value in fields.items()}


def text_of(answer: Any) -> str:
    """The words of the page."""
    body = re.sub(r"(?s)<(script|style)\b.*?</\1>", "", answer.content.decode())
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", body)).split())


def box(answer: Any, number: int) -> str | None:
    """Whether the box "Add to Billing" is shown ``ticked`` or ``unticked``, or None: not offered."""
    found = re.search(
        rf'<input type="checkbox" name="m{number}-bill"[^>]*>', answer.content.decode()
    )
    if found is None:
        return None
    return "ticked" if " checked" in found[0] else "unticked"


def value(answer: Any, name: str) -> str | None:
    found = re.search(rf'<input [^>]*name="{name}"[^>]*>', answer.content.decode())
    return found and unescape(re.search(r'value="([^"]*)"', found[0])[1])  # type: ignore[index]


def billing_total(answer: Any) -> str | None:
    """The total of the billing section; None while it is empty."""
    body = answer.content.decode()
    if re.search(r'data-billing="some" hidden', body):
        return None
    found = re.search(r'data-total="0">([^<]*)<', body)
    return found and found[1]


def sent_before(job: Job, *lines: Line, days: int = 7) -> StatusReport:
    assert job.freelancer is not None
    return reports.submit_report(job, by=job.freelancer, lines=lines, at=NOW - timedelta(days=days))


def cost(client: Client, url: str) -> tuple[int, int]:
    """Statements and bytes of a page."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        answer = client.get(url)
    assert answer.status_code == 200
    return len(queries), len(answer.content)


def upload(name: str = "plan.pdf", content: bytes = PDF) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def send(job: Job, at: datetime, *lines: Line, **said: Any) -> StatusReport:
    assert job.freelancer is not None
    return reports.submit_report(job, by=job.freelancer, lines=lines, at=at, **said)


def percents(report: StatusReport) -> dict[int, int]:
    return dict(report.lines.values_list("escrow__number", "percent"))


def everything() -> list[Any]:
    """All that a refused report must leave as it was."""
    return [
        list(StatusReport.objects.order_by("pk").values()),
        list(ReportLine.objects.order_by("pk").values()),
        list(ReportAttachment.objects.order_by("pk").values()),
        list(StoredFile.objects.order_by("pk").values()),
        list(ReleaseRequest.objects.order_by("pk").values()),
        list(ProForma.objects.order_by("pk").values()),
        list(Escrow.objects.order_by("pk").values()),
        list(Account.objects.order_by("pk").values()),
        list(Activity.objects.order_by("pk").values()),
        list(Job.objects.order_by("pk").values()),
        Transfer.objects.count(),
        Notification.objects.count(),
    ]


def refused(
    kind: type[Refusal], job: Job, at: datetime, lines: Iterable[Line] = (), **said: Any
) -> str:
    """The message of the refusal, once it is sure that nothing has changed."""
    before = everything()
    said = {"by": job.freelancer, "lines": lines, "at": at, **said}
    with pytest.raises(kind) as caught:
        reports.submit_report(job, **said)
    assert everything() == before
    return caught.value.message
