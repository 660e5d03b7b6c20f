"""Whoever tries the service out reads its mail in the browser."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.mail import get_connection
from django.core.mail.message import EmailMessage
from playwright.sync_api import Page, expect

from jobs.models import Person


@pytest.fixture
def one_mail(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    backend = "django.core.mail.backends.filebased.EmailBackend"
    connection = get_connection(backend, file_path=str(tmp_path / "mail"))
    text = "Confirm your address:\n\nhttp://localhost:8000/accounts/confirm-email/key/"
    mail = EmailMessage("Please confirm", text, "site@example.com", ["clara@example.com"])
    connection.send_messages([mail])


@pytest.mark.usefixtures("one_mail")
def test_a_mail_is_read(
    page: Page,
    check_accessibility: Callable[[Page], None],
    photograph: Callable[[Page, str], None],
) -> None:
    page.goto("/local/mail/")
    check_accessibility(page)
    photograph(page, "local-mailbox")

    page.get_by_role("link", name="Please confirm").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Please confirm")
    expect(page.get_by_role("link", name="confirm-email")).to_be_visible()
    check_accessibility(page)
    photograph(page, "local-mail")


def test_an_empty_mailbox(
    open_browser: Callable[..., Page],
    client_person: Person,
    settings: Any,
    tmp_path: Path,
    check_accessibility: Callable[[Page], None],
) -> None:
    settings.DATA_DIR = tmp_path
    page = open_browser(client_person)

    page.goto("/local/mail/")

    expect(page.get_by_text("No mail yet")).to_be_visible()
    expect(page.get_by_text(client_person.email)).to_have_count(1)
    check_accessibility(page)
