"""The mailbox of local mode shows what the file backend wrote."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.urls import reverse

from escrow_site import mailbox


@pytest.fixture
def mails(settings: Any, tmp_path: Path) -> None:
    """Two mails of one connection, as one file."""
    settings.DATA_DIR = tmp_path
    backend = "django.core.mail.backends.filebased.EmailBackend"
    connection = get_connection(backend, file_path=str(tmp_path / "mail"))
    first = EmailMultiAlternatives("First", "Grüße", "site@example.com", ["clara@example.com"])
    link = "Look: http://localhost:8000/jobs/1/?a=1&b=2"
    second = EmailMultiAlternatives("Second", link, "site@example.com", ["frank@example.com"])
    second.attach_alternative("<p>Look</p>", "text/html")
    connection.send_messages([first, second])


@pytest.mark.usefixtures("mails")
def test_mails_are_read_newest_first() -> None:
    second, first = mailbox.read_newest()

    assert (second.subject, second.recipient) == ("Second", "frank@example.com")
    assert second.sent_at is not None
    assert datetime.now(UTC) - second.sent_at < timedelta(minutes=1)
    assert (first.subject, first.text.strip()) == ("First", "Grüße")


@pytest.mark.usefixtures("mails", "db")
def test_pages(client: Client) -> None:
    index = client.get(reverse("local_mailbox"))
    second, _ = index.context["mails"]
    page = client.get(reverse("local_mail", args=[second.file_name, second.number]))

    assert index.status_code == 200
    assert 'href="http://localhost:8000/jobs/1/?a=1&amp;b=2"' in page.content.decode()


@pytest.mark.usefixtures("mails", "db")
@pytest.mark.parametrize("file_name", ["..", "secret_key", "other.log", "x" * 500])
def test_what_is_no_mail_is_not_found(client: Client, file_name: str) -> None:
    assert client.get(f"/local/mail/{file_name}/0/").status_code == 404
