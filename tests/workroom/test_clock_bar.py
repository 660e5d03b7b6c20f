"""The movable clock as people meet it: the command, and the bar on every page."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from escrow_site.lib import timing
from escrow_site.lib.timing import DAY
from jobs.models import Job, Person
from tests.billing.steps import signed_in
from tests.factories import PASSWORD
from tests.workroom.clock_steps import NOON, is_at, press, requested
from tests.workroom.report_steps import set_clock


@pytest.fixture(autouse=True)
def _clock(tmp_path: Path, settings: Any) -> None:
    """It is noon on 9 March 2026, to the second."""
    set_clock(tmp_path, settings, NOON)
    timing.move_to(NOON)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return requested(client_person, freelancer, at=NOON)


# --- The command ---


def test_the_command_prints_the_same(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("advance_clock", "--days", "14")
    call_command("advance_clock", "--hours", "1")
    call_command("advance_clock", "--to-next-event")

    assert capsys.readouterr().out.splitlines() == [
        "14 days later: nothing fell due.",
        "1 hour later: nothing fell due.",
        "23 hours later: one thing happened by itself.",
        "24 Mar 2026, 12:00 UTC · Website: Marked the Release Request for “Milestone 1” ($500.00) as Overdue.",
    ]


@pytest.mark.parametrize(
    "arguments", [[], ["--days", "0"], ["--days", "-1"], ["--days", "1", "--hours", "1"]]
)
def test_the_command_refuses_what_it_does_not_understand(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("advance_clock", *arguments)

    assert is_at(NOON)


def test_the_bar_is_on_every_page(job: Job, client_person: Person) -> None:
    client_person.time_zone = "Asia/Kolkata"
    client_person.save()
    pages = [
        (Client(), "/accounts/login/", "9 Mar 2026, 12:00 UTC"),
        (Client(), "/nothing/here/", "9 Mar 2026, 12:00 UTC"),
        (signed_in(client_person), "/jobs/", "9 Mar 2026, 17:30 IST"),
    ]

    for browser, url, shown in pages:
        html = browser.get(url).content.decode()
        assert html.count('<aside class="clock-bar"') == 1, url
        assert shown in html, url


def test_a_step_leads_back_to_the_page_and_tells_what_happened(
    job: Job, client_person: Person
) -> None:
    browser = signed_in(client_person)
    page = reverse("workroom:my_jobs") + "?state=active"

    answer = press(browser, "15-days", next=page)

    assert (answer.status_code, answer.url) == (302, page)
    html = browser.get(page).content.decode()
    assert '<span class="line">15 days later: one thing happened by itself.</span>' in html
    assert "Marked the Release Request for “Milestone 1” ($500.00) as Overdue." in html


def test_who_is_not_signed_in_hears_of_no_job(job: Job) -> None:
    browser = Client()

    press(browser, "next-event")

    html = browser.get("/accounts/login/").content.decode()
    assert "15 days later: one thing happened by itself." in html
    assert "Website" not in html


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["", "https://elsewhere.example/", "//elsewhere.example/", "jobs"])
def test_a_step_leads_nowhere_else(page: str) -> None:
    answer = press(Client(), "1-day", next=page)

    assert (answer.status_code, answer.url) == (302, "/")


@pytest.mark.django_db
def test_steps_that_there_are_not() -> None:
    browser = Client()

    assert press(browser, "-1-day").status_code == 404
    assert browser.post(reverse("local_clock")).status_code == 404
    assert browser.get(reverse("local_clock")).status_code == 405
    assert Client(enforce_csrf_checks=True).post(reverse("local_clock")).status_code == 403
    assert is_at(NOON)


def test_after_a_form_was_sent_the_way_back_is_the_page_it_stood_on(
    client_person: Person,
) -> None:
    url = "http://testserver/accounts/login/?next=/jobs/"

    answer = Client().post("/accounts/login/", {}, headers={"referer": url})

    assert 'name="next" value="/accounts/login/?next=/jobs/"' in answer.content.decode()


def test_sign_in_sessions_and_forms_with_the_clock_far_ahead(client_person: Person) -> None:
    """They go by real time: the product's clock is 60 days ahead of it, and then 120."""
    timing.move_to(timing.real_now() + 60 * DAY)
    browser = Client(enforce_csrf_checks=True)
    browser.get("/accounts/login/")

    def token() -> str:
        return browser.cookies["csrftoken"].value

    typed = {"login": client_person.email, "password": PASSWORD, "csrfmiddlewaretoken": token()}
    assert browser.post("/accounts/login/", typed).status_code == 302
    assert browser.get("/jobs/").status_code == 200

    sent = {"step": "15-days", "next": "/jobs/", "csrfmiddlewaretoken": token()}
    for _ in range(4):
        assert browser.post(reverse("local_clock"), sent).status_code == 302
    assert browser.get("/jobs/").status_code == 200
    assert is_at(timing.real_now() + 120 * DAY)
