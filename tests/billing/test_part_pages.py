"""Pages of a partial release (R5.3), of refunds (R8.1, R8.2) and of a request for changes (R7.3)."""

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import time_machine
from django.urls import resolve, reverse

from billing.models import Document, Escrow, Refund, Release, ReleaseRequest
from billing.services import payouts, refunding, release_requests, releases
from jobs.models import Job, Notification, Person
from jobs.notices import KINDS
from tests.billing.banking import nothing_changes
from tests.billing.dispute_steps import open_dispute
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.scenarios import finished_job, fund, running_job

pytestmark = pytest.mark.django_db

HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


@pytest.fixture
def released(job: Job) -> Job:
    releases.release(job.pk, numbers=[1], by=job.client, at=NOON)
    return job


def url(name: str, job: Job) -> str:
    return reverse(f"billing:{name}", args=[job.pk])


def look(person: Person | None, name: str, job: Job, **query: Any) -> Any:
    assert person is not None
    return signed_in(person).get(url(name, job), {"escrow": 1, **query}, follow=True)


def send(person: Person | None, name: str, job: Job, **sent: Any) -> Any:
    assert person is not None
    return signed_in(person).post(url(name, job), {"escrow": 1, **sent}, follow=True)


def button_of(response: Any) -> list[str]:
    """What the confirming button says, if there is one."""
    html = response.content.decode()
    start = html.find('class="confirm')
    if start < 0:
        return []
    footer = html[html.index("<footer>", start) : html.index("</footer>", start)]
    return [part.split("</button>")[0].split(">")[-1] for part in footer.split("<button")[1:]]


# --- A part is released ---


def test_the_amount_comes_first(job: Job, client_person: Person) -> None:
    response = look(client_person, "release_part", job)
    assert "$500.00 held" in text_of(response)
    assert button_of(response) == []


def test_every_amount_before_the_click(job: Job, client_person: Person) -> None:
    request_release(job)
    response = look(client_person, "release_part", job, amount="300")
    text = text_of(response)
    assert "Gross a part of what is held $300.00" in text
    assert "Service fee, 8.75 % − $26.25" in text
    assert "Net to Frank Freelancer $273.75" in text
    assert "$200.00 stays held for “Milestone 1”. The Release Request stands for it" in text
    assert "without your answer it is released on 8 Apr 2026, 12:00 UTC" in text
    assert "A final invoice is made for this part." in text
    assert button_of(response) == ["Release $300.00"]


def test_the_click_releases_the_part(job: Job, client_person: Person) -> None:
    response = send(client_person, "release_part", job, amount="300.00", seen_minor="50000")
    document = Document.objects.get()
    assert response.redirect_chain == [(reverse("billing:document", args=[document.pk]), 302)]
    assert (document.kind, document.gross_minor) == ("receipt", 300_00)
    assert Escrow.objects.get(job=job, number=1).held_minor == 200_00


def test_a_second_click_of_the_part(job: Job, client_person: Person) -> None:
    send(client_person, "release_part", job, amount="300.00", seen_minor="50000")
    with nothing_changes():
        response = send(client_person, "release_part", job, amount="100.00", seen_minor="50000")
    assert "The amounts have changed since you opened this page." in text_of(response)
    assert "$100.00 stays held" in text_of(response)
    assert Release.objects.count() == 1


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("500.01", "$500.01 is more than there is: the most is $500.00."),
        ("0", "Enter an amount above zero."),
        ("1.234", "USD has 2 decimals at most."),
        ("x", "Enter an amount above zero with a point for decimals"),
        ("", "Enter an amount."),
        ("9" * 40, "at most 30 characters"),
    ],
)
@pytest.mark.parametrize("name", ["release_part", "refund"])
def test_amounts_that_cannot_be(job: Job, name: str, amount: str, message: str) -> None:
    person = job.client if name == "release_part" else job.freelancer
    with nothing_changes():
        for response in (
            look(person, name, job, amount=amount),
            send(person, name, job, amount=amount, seen_minor="50000"),
        ):
            assert response.status_code == 200
            assert message in text_of(response)
            assert button_of(response) == []
    if amount:
        assert f'value="{amount}"' in response.content.decode()


@pytest.mark.parametrize("name", ["release_part", "refund", "refund_released"])
@pytest.mark.parametrize("number", ["", "x", "9", "²", "-1", "9" * 30])
def test_milestones_that_are_not_there(job: Job, name: str, number: str) -> None:
    person = job.client if name == "release_part" else job.freelancer
    with nothing_changes():
        assert "Choose a Milestone to re" in look(person, name, job, escrow=number).content.decode()
        send(person, name, job, escrow=number, amount="1", seen_minor="1")


@pytest.mark.parametrize("name", ["release_part", "refund", "refund_released"])
def test_to_a_stranger_the_job_does_not_exist(job: Job, stranger: Person, name: str) -> None:
    assert look(stranger, name, job).status_code == 404
    assert send(stranger, name, job, amount="1", seen_minor="50000").status_code == 404


@pytest.mark.parametrize(
    ("name", "who", "message"),
    [
        ("release_part", "freelancer", "Only the Client can release the money of a Milestone."),
        ("refund", "client_person", "Only the Freelancer can refund the money of a Milestone."),
        ("refund_released", "client_person", "Only the Freelancer can refund what was released"),
    ],
)
def test_the_other_party(
    request: pytest.FixtureRequest, job: Job, name: str, who: str, message: str
) -> None:
    with nothing_changes():
        person = request.getfixturevalue(who)
        assert message in look(person, name, job).content.decode()
        assert message in send(person, name, job, amount="1", seen_minor="50000").content.decode()


def test_the_ways_to_it(job: Job, client_person: Person) -> None:
    row = request_release(job)
    part = f'href="{url("release_part", job)}?escrow=1"'
    assert part in look(client_person, "release", job).content.decode()
    response = signed_in(client_person).get(reverse("billing:release_request", args=[row.pk]))
    html = response.content.decode()
    assert part in html
    assert f'href="{reverse("billing:request_changes", args=[row.pk])}"' in html
    assert (
        "You can ask for changes: the request goes back, the money stays held. You can do so twice"
        in text_of(response)
    )


# --- Held money is refunded ---


def test_all_that_is_held_or_a_part(job: Job, freelancer: Person) -> None:
    request_release(job)
    assert button_of(look(freelancer, "refund", job)) == []
    response = look(freelancer, "refund", job, amount="500")
    text = text_of(response)
    assert button_of(response) == ["Refund $500.00"]
    assert "Stays held for “Milestone 1” $0.00" in text
    assert "Your Release Request ends with it: its pro-forma invoice is kept, marked void." in text
    response = look(freelancer, "refund", job, amount="200")
    assert button_of(response) == ["Refund $200.00"]
    assert "Your Release Request stands for the $300.00, with its clock unchanged" in text_of(
        response
    )


def test_the_click_refunds(job: Job, freelancer: Person) -> None:
    response = send(
        freelancer, "refund", job, amount="200", seen_minor="50000", reason="Less to do."
    )
    assert response.redirect_chain == [(reverse("workroom:job_billing", args=[job.pk]), 302)]
    assert "Refunded. $200.00 goes back to Clara Client" in response.content.decode()
    assert Refund.objects.get().reason == "Refunded by the Freelancer: Less to do."
    with nothing_changes():
        again = send(freelancer, "refund", job, amount="200", seen_minor="50000", reason="Again.")
    assert "The amounts have changed since you opened this page." in text_of(again)
    assert "Again." in again.content.decode()


@pytest.mark.parametrize("name", ["refund", "refund_released"])
def test_how_much_and_why_come_before_the_click(
    request: pytest.FixtureRequest, freelancer: Person, name: str
) -> None:
    job = request.getfixturevalue("job" if name == "refund" else "released")
    first = look(freelancer, name, job)
    assert button_of(first) == []
    assert 'value="500.00"' in first.content.decode()
    typed = {"amount": "200", "reason": 'Less "to" do.', "step": "show"}
    with nothing_changes():
        shown = send(freelancer, name, job, **typed)
    assert button_of(shown) == ["Refund $200.00"]
    assert 'Your reason: Less "to" do.' in text_of(shown)
    confirm = shown.content.decode().split('class="confirm', 1)[1]
    sent = {key: unescape(value) for key, value in HIDDEN.findall(confirm)}
    assert "step" not in sent
    send(freelancer, name, job, **sent)
    assert Refund.objects.get().reason.endswith(': Less "to" do.')


@pytest.mark.parametrize("name", ["refund", "refund_released"])
def test_a_reason_that_cannot_be_is_refused_before_the_click(
    request: pytest.FixtureRequest, freelancer: Person, name: str
) -> None:
    job = request.getfixturevalue("job" if name == "refund" else "released")
    shown = send(freelancer, name, job, amount="200", reason="y" * 300, step="show")
    assert button_of(shown) == []
    assert "at most 250 characters" in text_of(shown)
    assert "y" * 300 in shown.content.decode()


def test_of_disputed_money_all_is_refunded_and_the_reason_stands_with_it(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    open_dispute(job, client_person)
    shown = look(freelancer, "refund", job)
    assert button_of(shown) == ["Refund $500.00"]
    assert 'name="reason"' in shown.content.decode()
    long = send(freelancer, "refund", job, amount="500", seen_minor="50000", reason="y" * 300)
    assert button_of(long) == ["Refund $500.00"]
    assert "at most 250 characters" in text_of(long)


def test_a_reason_that_is_too_long_stays_typed(job: Job, freelancer: Person) -> None:
    with nothing_changes():
        response = send(freelancer, "refund", job, amount="1", seen_minor="50000", reason="y" * 300)
    assert "y" * 300 in response.content.decode()
    assert "at most 250 characters" in text_of(response)


# --- Released money is refunded ---


def test_what_it_takes_from_the_balance(released: Job, freelancer: Person) -> None:
    response = look(freelancer, "refund_released", released, amount="100")
    text = text_of(response)
    assert "Service fee given back − $8.75" in text
    assert "From your available balance $456.25 available $91.25" in text
    assert button_of(response) == ["Refund $100.00"]
    response = send(freelancer, "refund_released", released, amount="100", seen_minor="50000")
    note = Document.objects.get(kind="credit_note")
    assert response.redirect_chain == [(reverse("billing:document", args=[note.pk]), 302)]
    assert "Credit note" in text_of(response)
    pdf = signed_in(freelancer).get(reverse("billing:document_pdf", args=[note.pk]))
    assert pdf["Content-Type"] == "application/pdf"
    with nothing_changes():
        again = send(freelancer, "refund_released", released, amount="100", seen_minor="50000")
    assert "The amounts have changed" in text_of(again)


def test_without_the_money_there_is_no_button(released: Job, freelancer: Person) -> None:
    payouts.start(
        freelancer,
        currency="USD",
        amount_minor=456_25,
        destination="DE02120300000000202051",
        at=NOON,
    )
    words = "This refund takes $456.25 from the Freelancer’s available balance, which is $0.00."
    response = look(freelancer, "refund_released", released, amount="500")
    assert words in text_of(response)
    assert button_of(response) == []
    with nothing_changes():
        response = send(freelancer, "refund_released", released, amount="500", seen_minor="50000")
    assert words in text_of(response)


def test_after_the_end_a_new_statement_is_announced(
    client_person: Person, freelancer: Person
) -> None:
    job = finished_job(client_person, freelancer)
    assert "a new Closing Statement that takes the place" in text_of(
        look(freelancer, "refund_released", job, amount="500")
    )
    refunding.refund_released(
        job.pk, number=1, amount_minor=1_00, by=freelancer, at=NOON, reason=""
    )
    tab = text_of(signed_in(freelancer).get(reverse("workroom:job_billing", args=[job.pk])))
    assert f"CS-{job.pk}-2 Closing Statement" in tab
    assert "Credit note" in tab


# --- Changes are requested ---


def changes_page(row: ReleaseRequest) -> str:
    return reverse("billing:request_changes", args=[row.pk])


def test_what_asking_for_changes_means(job: Job, client_person: Person) -> None:
    row = request_release(job)
    browser = signed_in(client_person)
    text = text_of(browser.get(changes_page(row)))
    assert "The clock stops: nothing is released on 8 Apr 2026, 12:00 UTC" in text
    assert "After this you can ask for changes of this Milestone once more." in text
    response = browser.post(changes_page(row), {"comment": "Larger, please."}, follow=True)
    assert "Sent back. The money stays held for “Milestone 1”" in response.content.decode()
    assert "Larger, please." in text_of(response)
    assert "The request was sent back for changes and its clock stopped" in text_of(response)
    assert ReleaseRequest.objects.get().state == "returned"


@pytest.mark.parametrize("comment", ["", "   ", "x" * 2001])
def test_a_comment_that_cannot_be(job: Job, client_person: Person, comment: str) -> None:
    row = request_release(job)
    with nothing_changes():
        response = signed_in(client_person).post(changes_page(row), {"comment": comment})
    assert response.status_code == 200
    assert "That did not go through, and nothing has changed." in text_of(response)


def test_who_may_not_ask_for_changes(job: Job, freelancer: Person, stranger: Person) -> None:
    row = request_release(job)
    with nothing_changes():
        response = signed_in(freelancer).get(changes_page(row), follow=True)
        assert "Only the Client can request changes." in response.content.decode()
        signed_in(freelancer).post(changes_page(row), {"comment": "x"})
        assert signed_in(stranger).get(changes_page(row)).status_code == 404


def test_a_stale_page_of_a_request(job: Job, client_person: Person) -> None:
    row = request_release(job)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    with nothing_changes():
        response = signed_in(client_person).post(changes_page(row), {"comment": "Too late"})
    assert "This Release Request cannot be sent back: it is released already." in text_of(response)
    assert "Too late" in response.content.decode()


# --- The notices lead to them ---


def test_every_notice_opens_for_its_reader(job: Job, client_person: Person) -> None:
    row = request_release(job)
    release_requests.request_changes(row.pk, comment="Larger.", by=client_person, at=NOON)
    releases.release_part(
        job.pk, number=1, amount_minor=1_00, by=client_person, at=NOON, seen_held_minor=500_00
    )
    assert job.freelancer is not None
    refunding.refund_released(
        job.pk, number=1, amount_minor=1_00, by=job.freelancer, at=NOON, reason=""
    )
    refunding.refund_held(
        job.pk, number=1, amount_minor=1_00, by=job.freelancer, at=NOON, reason="",
        seen_held_minor=499_00,
    )  # fmt: skip
    followed = set()
    for notice in Notification.objects.select_related("person", "activity"):
        assert notice.person is not None
        response = signed_in(notice.person).get(f"/notices/{notice.pk}/", follow=True)
        assert response.status_code == 200
        kind = KINDS[notice.activity.kind]
        assert resolve(response.redirect_chain[0][0]).view_name == kind.url_name
        followed.add(kind.name)
    assert {"changes_requested", "credited", "refunded", "released"} <= followed
