"""Manage ▸ Billing: what stands in the list, how it is filtered and sorted, what it costs."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from billing.services import release_requests, releases
from jobs.models import Job, Person
from tests.billing import charging_back
from tests.billing.dispute_steps import open_dispute
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.factories import PersonFactory
from tests.scenarios import fund, running_job

URL = "/billing/"


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


def rows(person: Person, **filters: Any) -> list[tuple[str, str, str]]:
    """Number, amount and state of each line, as shown."""
    response = signed_in(person).get(URL, filters)
    assert response.status_code == 200
    return [(row.name, row.amount, row.state_label) for row in response.context["rows"]]


def names(person: Person, **filters: Any) -> list[str]:
    return [name for name, _, _ in rows(person, **filters)]


def titled(job: Job, title: str) -> Job:
    Job.objects.filter(pk=job.pk).update(title=title)
    job.refresh_from_db()
    return job


def request_of(job: Job, number: int = 1, at: datetime = NOON) -> str:
    """Fund and request; the name of the pro-forma."""
    fund(job, number)
    return request_release(job, number, at=at).pro_forma.name


@pytest.fixture
def bakery(client_person: Person, freelancer: Person) -> Job:
    return titled(running_job(client_person, freelancer), "Logo for Bakery")


def test_both_sides_see_requests_and_documents(
    bakery: Job, client_person: Person, freelancer: Person
) -> None:
    first, second = request_of(bakery, 1), request_of(bakery, 2, NOON + timedelta(minutes=1))
    (released,) = releases.release(
        bakery.pk, numbers=[1], by=client_person, at=NOON + timedelta(minutes=2)
    )
    expected = [
        (released.document, "$500.00", "Paid"),
        (second, "$1,000.00", "Open"),
        (first, "$500.00", "Released"),
    ]
    assert rows(client_person) == expected
    assert rows(freelancer) == expected


def test_a_line_says_all_and_leads_to_view(
    bakery: Job, client_person: Person, freelancer: Person
) -> None:
    name = request_of(bakery)
    response = signed_in(freelancer).get(URL)
    assert (
        f"{name} Release Request Logo for Bakery Milestone 1 Client: Clara Client $500.00 Open "
        "9 Mar 2026 12:00 UTC 8 Apr 2026 12:00 UTC View" in text_of(response)
    )
    request = bakery.release_requests.get()
    assert reverse("billing:release_request", args=[request.pk]) in response.content.decode()
    assert "Waiting for release: $500.00" in text_of(response)


def test_the_number_of_a_document_leads_to_the_document(
    bakery: Job, client_person: Person, freelancer: Person
) -> None:
    # Numbers of requests and of pro-formas run apart, or a wrong address would not be noticed.
    fund(bakery, 1)
    releases.release(bakery.pk, numbers=[1], by=client_person, at=NOON)
    voided = request_of(bakery, 2)
    release_requests.void(bakery.release_requests.get().pk, by=freelancer, at=NOON)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval('billing_proforma_id_seq', 5000)")
    name = request_release(bakery, 2, at=NOON + timedelta(minutes=1)).pro_forma.name
    browser = signed_in(client_person)
    pages = (browser.get(URL), browser.get(reverse("workroom:job_billing", args=[bakery.pk])))
    for page in pages:
        papers = dict(
            re.findall(r'<td class="nowrap"><a href="([^"]+)">([^<]+)</a>', page.content.decode())
        )
        assert len(papers) == 3
        assert {name, voided} < set(papers.values())
        for url, document in papers.items():
            assert document in text_of(browser.get(url))
        assert signed_in(freelancer).get(next(iter(papers))).status_code == 200


def test_send_invoice_is_at_the_left(freelancer: Person) -> None:
    html = signed_in(freelancer).get(URL).content.decode()
    side = html[html.index('class="side-nav"') :]
    assert f'<a href="{reverse("workroom:send_invoice")}">Send Invoice</a>' in side


def test_a_stranger_sees_nothing_of_others(bakery: Job, stranger: Person) -> None:
    request_of(bakery)
    assert rows(stranger) == []
    assert rows(stranger, job=bakery.pk) == []
    assert (
        "Logo for Bakery" not in signed_in(stranger).get(URL, {"job": bakery.pk}).content.decode()
    )


def test_an_agent_sees_only_his_own(bakery: Job, agent: Person) -> None:
    request_of(bakery)
    assert rows(agent) == []


def test_filter_by_role(client_person: Person, freelancer: Person) -> None:
    as_client = request_of(running_job(client_person, freelancer))
    as_freelancer = request_of(running_job(freelancer, client_person))
    assert names(client_person, role="client") == [as_client]
    assert names(client_person, role="freelancer") == [as_freelancer]
    assert set(names(client_person)) == {as_client, as_freelancer}


def test_filter_by_what_is_shown(bakery: Job, client_person: Person, freelancer: Person) -> None:
    voided = request_of(bakery, 1)
    release_requests.void(bakery.release_requests.get().pk, by=freelancer, at=NOON)
    invoiced = request_of(bakery, 2)
    (invoice,) = releases.release(bakery.pk, numbers=[2], by=client_person, at=NOON)
    (receipt,) = releases.release(bakery.pk, numbers=[1], by=client_person, at=NOON)
    waiting = request_of(running_job(client_person, freelancer))
    shown = {
        "open": {waiting},
        "overdue": set(),
        "released": {invoiced},
        "voided": {voided},
        "requests": {waiting, invoiced, voided},
        "final_invoice": {invoice.document},
        "receipt": {receipt.document},
        "": {waiting, invoiced, voided, invoice.document, receipt.document},
    }
    assert {show: set(names(client_person, show=show)) for show in shown} == shown


def test_filter_by_job(bakery: Job, client_person: Person, freelancer: Person) -> None:
    request_of(running_job(client_person, freelancer))
    name = request_of(bakery)
    assert names(client_person, job=bakery.pk) == [name]


def test_search(bakery: Job, client_person: Person, freelancer: Person) -> None:
    other = titled(running_job(client_person, PersonFactory(name="Mira Maler")), "100% paint_job")
    painted, baked = request_of(other), request_of(bakery)
    (released,) = releases.release(bakery.pk, numbers=[1], by=client_person, at=NOON)
    found = {
        "bakery": {baked, released.document},
        "MIRA": {painted},
        "maler paint": {painted},
        "maler bakery": set(),
        "milestone": {painted, baked, released.document},
        released.document: {released.document},
        released.document.lower(): {released.document},
        f"inv-{freelancer.pk}-1": {released.document},
        "inv-1": {released.document},
        painted: {painted},
        f"pf-{int(painted.removeprefix('PF-'))}": {painted},
        "rec-1": set(),
        "100%": {painted},
        "t_j": {painted},
        "%": {painted},
        "\\": set(),
        "'; --": set(),
        "frank@example.com": {baked, released.document},
    }
    assert {words: set(names(client_person, words=words)) for words in found} == found


def test_sort(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[300, 100, 200])
    a, b, c = (request_of(job, number, NOON + timedelta(minutes=number)) for number in (1, 2, 3))
    assert names(client_person, sort="date") == [a, b, c]
    assert names(client_person, sort="-date") == [c, b, a]
    assert names(client_person, sort="amount") == [b, c, a]
    assert names(client_person, sort="-amount") == [a, c, b]
    assert names(client_person, sort="due") == [a, b, c]
    assert names(client_person, sort="-due") == [c, b, a]


def test_amounts_sort_within_their_currency(client_person: Person, freelancer: Person) -> None:
    yen = request_of(running_job(client_person, freelancer, amounts_minor=[900], currency="JPY"))
    dollars = [
        request_of(running_job(client_person, freelancer, amounts_minor=[amount]))
        for amount in (500, 700)
    ]
    assert names(client_person, sort="-amount") == [yen, dollars[1], dollars[0]]
    text = text_of(signed_in(client_person).get(URL))
    assert "Waiting for release: ¥900 · $12.00" in text


def test_what_is_not_due_any_more_sorts_last(
    bakery: Job, client_person: Person, freelancer: Person
) -> None:
    voided = request_of(bakery, 1)
    release_requests.void(bakery.release_requests.get().pk, by=freelancer, at=NOON)
    waiting = request_of(bakery, 2)
    assert names(client_person, sort="due") == [waiting, voided]
    assert names(client_person, sort="-due") == [waiting, voided]


def test_what_a_dispute_freezes_is_neither_due_nor_waiting(
    bakery: Job, client_person: Person, freelancer: Person
) -> None:
    disputed, waiting = request_of(bakery, 1), request_of(bakery, 2)
    open_dispute(bakery, client_person, at=NOON + timedelta(minutes=1))

    response = signed_in(client_person).get(URL)
    assert {row.name: row.due_day for row in response.context["rows"]} == {
        disputed: "",
        waiting: "8 Apr 2026",
    }
    assert response.context["waiting"] == ["$1,000.00"]
    assert names(client_person, show="disputed") == [disputed]


def test_nor_is_what_a_bank_wants_back(bakery: Job, client_person: Person) -> None:
    request_of(bakery, 1)
    charging_back.begin(bakery, at=NOON + timedelta(minutes=1))

    response = signed_in(client_person).get(URL)
    assert [row.due_day for row in response.context["rows"]] == [""]
    assert response.context["waiting"] == []


@pytest.mark.parametrize(
    "filters",
    [
        {"role": "king"},
        {"show": "everything"},
        {"job": "first"},
        {"job": "-1"},
        {"job": str(10**30)},
        {"words": "x" * 101},
        {"words": "a\x00b"},
        {"sort": "price"},
    ],
)
def test_a_filter_that_is_none_is_named_and_not_applied(
    bakery: Job, client_person: Person, filters: dict[str, str]
) -> None:
    name = request_of(bakery)
    response = signed_in(client_person).get(URL, filters)
    assert "Please check:" in text_of(response)
    assert [row.name for row in response.context["rows"]] == [name]


@pytest.mark.parametrize("page", ["0", "-1", "2", "last", str(10**30)])
def test_a_page_that_is_not_there(bakery: Job, client_person: Person, page: str) -> None:
    name = request_of(bakery)
    assert names(client_person, page=page) == [name]


def test_nothing_yet_and_nothing_found(bakery: Job, client_person: Person) -> None:
    assert "Nothing billed yet" in text_of(signed_in(client_person).get(URL))
    request_of(bakery)
    text = text_of(signed_in(client_person).get(URL, {"words": "zebra"}))
    assert "Nothing found" in text
    assert "Show all" in text


def test_signing_in_comes_first(client: Any) -> None:
    assert client.get(URL)["Location"] == f"{reverse('account_login')}?next={URL}"


def many(client_person: Person, freelancer: Person, number: int) -> None:
    """Jobs with one released request each: two lines a Job."""
    for _ in range(number):
        job = titled(
            running_job(client_person, freelancer, amounts_minor=[123_456_78]), "A long title " * 9
        )
        request_of(job)
        releases.release(job.pk, numbers=[1], by=client_person, at=NOON)


def measured(person: Person, **filters: str) -> tuple[int, int, int]:
    """Statements, bytes of HTML, lines."""
    browser = signed_in(person)
    browser.get(URL)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = browser.get(URL, filters)
    return len(queries), len(response.content), len(response.context["rows"])


def test_statements_and_size(client_person: Person, freelancer: Person) -> None:
    many(client_person, freelancer, 1)
    with_one, _, _ = measured(client_person)
    searched, _, _ = measured(client_person, words="long", show="requests", sort="-amount")
    many(client_person, freelancer, 29)
    statements, size_bytes, lines = measured(client_person)
    assert statements == with_one == searched
    assert measured(client_person, words="long", show="requests", sort="-amount")[0] == searched
    assert statements <= 8
    assert lines == 50
    assert size_bytes <= 40_000


def test_the_second_page(client_person: Person, freelancer: Person) -> None:
    many(client_person, freelancer, 26)
    response = signed_in(client_person).get(URL, {"page": "2"})
    assert len(response.context["rows"]) == 2
    assert "51–52 of 52 entries" in text_of(response)
