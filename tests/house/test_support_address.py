"""Whoever is stuck can reach a human: the address of support is on every page and in every mail."""

from typing import Any

import pytest
from django.core import mail
from django.db import OperationalError
from django.test import Client
from django.urls import reverse

from jobs.models import Person
from tests.house.test_database_away import failing_with
from workroom.services import account_mails
from workroom.views import my_jobs

pytestmark = pytest.mark.django_db

AWAY = OperationalError("couldn't get a connection after 5.00 sec")
LINK = '<a href="mailto:support@localhost">support@localhost</a>'


@pytest.mark.parametrize(
    ("path", "status", "times"),
    [
        ("/", 200, 1),
        ("/accounts/login/", 200, 1),
        ("/accounts/inactive/", 200, 2),
        ("/rules/", 200, 2),
        ("/no/such/page/", 404, 2),
    ],
)
def test_a_stranger_reads_where_to_write(
    client: Client, path: str, status: int, times: int
) -> None:
    page = client.get(path)
    assert (page.status_code, page.content.decode().count(LINK)) == (status, times)


def test_so_does_who_is_signed_in(client: Client, client_person: Person) -> None:
    client.force_login(client_person)
    for name in ("workroom:my_jobs", "jobs:profile", "jobs:notices"):
        assert LINK in client.get(reverse(name)).content.decode(), name


def test_who_may_not_see_a_page_reads_it_too(client: Client, client_person: Person) -> None:
    client.force_login(client_person)
    page = client.get(reverse("admin:jobs_job_changelist"), follow=True)
    assert LINK in page.content.decode()


@pytest.mark.parametrize(("error", "status"), [(ValueError("a bug"), 500), (AWAY, 503)])
def test_so_does_a_page_that_fails(
    client_person: Person, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(client_person)
    monkeypatch.setattr(my_jobs, "render", failing_with(error))
    page = browser.get(reverse("workroom:my_jobs"))
    assert (page.status_code, LINK in page.content.decode()) == (status, True)


def test_an_answer_to_a_mail_about_an_account_goes_to_support(
    settings: Any,
) -> None:
    settings.SUPPORT_EMAIL = "help@example.com"
    account_mails.send(
        account_mails.AccountMail(
            subject="A key was added",
            text="Was that you?",
            html="",
            sender="no-reply@example.com",
            recipients=["clara@example.com"],
            message_id="<1@example.com>",
        )
    )
    assert [message.reply_to for message in mail.outbox] == [["help@example.com"]]
