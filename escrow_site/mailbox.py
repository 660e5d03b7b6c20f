"""The mailbox of local mode: reads the files that Django's file backend wrote. It has no address elsewhere.

Shows the text part of each mail; a person who tries the service out follows its links from here.
"""

import email
import email.policy
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

# What the file backend writes after each mail of a connection.
SEPARATOR = b"\n" + b"-" * 79 + b"\n"
NEWEST = 200


@dataclass(frozen=True)
class Mail:
    file_name: str
    number: int
    sender: str
    recipient: str
    subject: str
    sent_at: datetime | None
    text: str


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "local/mailbox.html", {"mails": read_newest(), "mail": None})


@require_safe
def message(request: HttpRequest, file_name: str, number: int) -> HttpResponse:
    files = [path for path in mail_folder().glob("*.log") if path.name == file_name]
    mails = {mail.number: mail for path in files for mail in read_file(path)}
    if number not in mails:
        raise Http404
    return render(request, "local/mailbox.html", {"mail": mails[number], "mails": []})


def mail_folder() -> Path:
    return settings.DATA_DIR / "mail"


def read_newest() -> list[Mail]:
    files = sorted(mail_folder().glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    return [mail for path in files[:NEWEST] for mail in reversed(read_file(path))][:NEWEST]


def read_file(path: Path) -> list[Mail]:
    if not path.is_file():
        return []
    parts = path.read_bytes().split(SEPARATOR)
    # After the last separator comes nothing, or a mail that is still being written.
    return [read_mail(path.name, number, part) for number, part in enumerate(parts[:-1])]


def read_mail(file_name: str, number: int, content: bytes) -> Mail:
    parsed = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    body = parsed.get_body(preferencelist=("plain",))
    return Mail(
        file_name=file_name,
        number=number,
        sender=str(parsed["From"] or ""),
        recipient=str(parsed["To"] or ""),
        subject=str(parsed["Subject"] or ""),
        sent_at=instant_of(parsed),
        text=body.get_content() if body else "",
    )


def instant_of(parsed: EmailMessage) -> datetime | None:
    """Django dates its mails in UTC by writing `-0000`, which is read as no time zone at all."""
    sent_at = parsed["Date"].datetime if parsed["Date"] else None
    return sent_at.replace(tzinfo=sent_at.tzinfo or UTC) if sent_at else None
