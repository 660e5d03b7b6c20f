"""The load run is believed only because it can fail: what its verdict calls an error, and how its people read pages."""

from typing import Any

import pytest

from billing.models import SimulatedCharge
from escrow_site.lib.timing import real_now
from jobs.models import Person
from load import browser, verdict
from tests.scenarios import fund, running_job

AWAY = (1000.0, 1004.0)


def answer(status: int, *, at: float = 1002.0, kind: bool = True) -> dict[str, Any]:
    return {"name": "GET /", "status": status, "at": at, "seconds": 0.5, "kind": kind}


@pytest.mark.parametrize(
    ("given", "failures"),
    [
        (answer(200), []),
        (answer(404), []),
        (answer(500), ["GET /: 500"]),
        (answer(502), ["GET /: 502"]),
        (answer(0), ["GET /: no answer"]),
        # A kind "try again" while the database is away, and not one that is unkind, early or late.
        (answer(503), []),
        (answer(503, kind=False), ["GET /: 503"]),
        (answer(503, at=990.0), ["GET /: 503"]),
        (answer(503, at=1030.0), ["GET /: 503"]),
    ],
)
def test_which_answers_are_errors(given: dict[str, Any], failures: list[str]) -> None:
    assert verdict.failed_answers([given], AWAY) == failures


def test_without_a_restart_no_page_may_ask_to_try_again() -> None:
    assert verdict.failed_answers([answer(503)], None) == ["GET /: 503"]


@pytest.mark.django_db
def test_what_was_confirmed_and_is_not_there_is_lost(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    done = {"what": "fund", "by": client_person.pk, "job": job.pk, "number": 1, "state": "done"}
    assert verdict.lost_and_doubled([done]) == []
    assert len(verdict.lost_and_doubled([done | {"number": 2}])) == 1
    assert verdict.lost_and_doubled([done | {"number": 2, "state": "tried"}]) == []


@pytest.mark.django_db
def test_money_that_the_bank_does_not_know_of_is_an_error(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, at=real_now())
    fund(job, 1, at=real_now())
    assert verdict.differences_in_money() == []
    SimulatedCharge.objects.update(amount_minor=400_00)
    assert verdict.differences_in_money() == ["the bank charged 40000, 50000 came into the ledger"]


def test_a_form_is_sent_as_a_browser_sends_it() -> None:
    html = """<form method="post" action="/sign-out/"></form><main>
        <form method="get"><input name="q"></form>
        <form method="post"><input type="hidden" name="token" value="t"><input name="amount" value="1">
        <input type="radio" name="card" value="7"><input type="radio" name="card" value="8" checked>
        <input type="checkbox" name="bill" checked><textarea name="words">x</textarea>
        <input type="file" name="file"><button name="refresh">Refresh</button></form>
        <a href="/billing/offers/7/accept/">Accept</a></main>"""
    form = browser.form_of(html)
    assert form is not None
    assert sorted(form.filled(words="mine", unknown="y")) == [
        ("amount", "1"), ("bill", "on"), ("card", "8"), ("token", "t"), ("words", "mine"),
    ]  # fmt: skip
    assert browser.links(html, r"/billing/offers/\d+/accept/") == ["/billing/offers/7/accept/"]
