"""View of a Release Request and voiding it: Manage ▸ Billing ▸ View ▸ Void (R7.1, R7.2)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from billing.models import Escrow, ReleaseRequest
from billing.services import release_requests, releases
from jobs.models import Activity, Job, Person
from tests.billing.steps import NOON, request_release, signed_in, text_of
from tests.scenarios import fund, running_job
from tests.world import world


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON + timedelta(hours=1), tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    job = running_job(client_person, freelancer)
    fund(job, 1)
    return job


@pytest.fixture
def made(job: Job) -> ReleaseRequest:
    return request_release(job, comments="All pages are there.")


def view_page(made: ReleaseRequest) -> str:
    return reverse("billing:release_request", args=[made.pk])


def void_page(made: ReleaseRequest) -> str:
    return reverse("billing:void_request", args=[made.pk])


def test_client_sees_amounts_clock_and_release(made: ReleaseRequest, client_person: Person) -> None:
    response = signed_in(client_person).get(view_page(made))
    text = text_of(response)
    assert "Gross $500.00 Service fee, 8.75 % − $43.75" in text
    assert "Net to Frank Freelancer $456.25" in text
    assert "Requested 9 Mar 2026, 12:00 UTC by Frank Freelancer" in text
    assert "Overdue 24 Mar 2026, 12:00 UTC" in text
    assert "Due 8 Apr 2026, 12:00 UTC" in text
    assert "All pages are there." in text
    release = f"{reverse('billing:release', args=[made.job_id])}?escrow=1"
    assert (
        f'<a class="button primary" href="{release}">Release $500.00</a>'
        in response.content.decode()
    )
    assert void_page(made) not in response.content.decode()


def test_what_happens_if_nobody_acts(made: ReleaseRequest, client_person: Person) -> None:
    text = text_of(signed_in(client_person).get(view_page(made)))
    told = text[text.index("What happens if nobody acts") :]
    assert told == (
        "What happens if nobody acts 8 Apr 2026, 12:00 UTC “Milestone 1” is released $500.00 goes to "
        "Frank Freelancer, $456.25 net after fees of $43.75, because you have not answered. Until "
        "then You can release it, request changes (at most twice) or open a Dispute. Frank Freelancer "
        "can void the request, refund the money or open a Dispute. After a void or a request for "
        "changes the money stays held, and a new request starts a new 30 days. 5 reminders before 24 Mar "
        "2026, 12:00 UTC : Both of you are reminded: the request is Overdue. 29 Mar 2026, 12:00 UTC : "
        "You are warned: 10 days left. 3 Apr 2026, 12:00 UTC : You are warned: 5 days left. 6 Apr 2026, 12:00 "
        "UTC : You are warned: 2 days left. 7 Apr 2026, 12:00 UTC : You are warned: 1 day left."
    )


def test_instants_are_in_the_readers_zone(made: ReleaseRequest, client_person: Person) -> None:
    Person.objects.filter(pk=client_person.pk).update(time_zone="Europe/Berlin")
    client_person.refresh_from_db()
    text = text_of(signed_in(client_person).get(view_page(made)))
    assert "Requested 9 Mar 2026, 13:00 CET" in text
    assert "Due 8 Apr 2026, 14:00 CEST" in text


def test_freelancer_has_void_in_the_upper_right(made: ReleaseRequest, freelancer: Person) -> None:
    html = signed_in(freelancer).get(view_page(made)).content.decode()
    actions = html[html.index('class="page-actions"') :]
    actions = actions[: actions.index("</header>")]
    assert f'href="{void_page(made)}">Void</a>' in actions
    assert "Release $500.00" not in html


def test_void_page_says_what_it_means(made: ReleaseRequest, freelancer: Person) -> None:
    text = text_of(signed_in(freelancer).get(void_page(made)))
    assert "nothing is released on 8 Apr 2026, 12:00 UTC" in text
    assert "$500.00 stays held in escrow for “Milestone 1”" in text
    assert f"{made.pro_forma} is kept, marked void" in text
    assert "That starts a new 30 days." in text


def test_void(made: ReleaseRequest, freelancer: Person) -> None:
    response = signed_in(freelancer).post(
        void_page(made), {"reason": "One page is missing."}, follow=True
    )
    assert response.redirect_chain == [(view_page(made), 302)]
    assert "Voided. The money stays held for “Milestone 1”, and Clara Client has been told." in (
        text_of(response)
    )
    made.refresh_from_db()
    assert (made.state, made.ended_reason) == ("voided", "One page is missing.")
    assert made.pro_forma.state == "void"
    assert Escrow.objects.get(job=made.job, number=1).held_minor == 500_00


def test_voided_request_reads_as_voided(made: ReleaseRequest, client_person: Person) -> None:
    assert made.job.freelancer is not None
    release_requests.void(made.pk, by=made.job.freelancer, at=NOON, reason="Too early.")
    response = signed_in(client_person).get(view_page(made))
    text = text_of(response)
    assert "Voided 9 Mar 2026, 12:00 UTC by Frank Freelancer Reason Too early." in text
    assert "The request was taken back and its clock stopped" in text
    assert "Release $500.00" not in text
    assert "If nobody does anything" not in text


def test_second_void_is_refused(made: ReleaseRequest, freelancer: Person) -> None:
    signed_in(freelancer).post(void_page(made), {})
    before = world()
    response = signed_in(freelancer).post(void_page(made), {}, follow=True)
    assert "This Release Request cannot be voided: it is voided already." in text_of(response)
    assert world() == before


def test_released_request_cannot_be_voided(
    made: ReleaseRequest, freelancer: Person, client_person: Person
) -> None:
    releases.release(made.job_id, numbers=[1], by=client_person, at=NOON)
    before = world()
    browser = signed_in(freelancer)
    for response in (
        browser.get(void_page(made), follow=True),
        browser.post(void_page(made), {}, follow=True),
    ):
        assert "it is released already" in text_of(response)
    assert world() == before
    text = text_of(browser.get(view_page(made)))
    assert f"INV-{freelancer.pk}-0001 Final invoice, $500.00 Paid" in text
    assert "The money was released and this request is closed." in text


def test_the_reason_of_a_second_void_stays_typed(made: ReleaseRequest, freelancer: Person) -> None:
    signed_in(freelancer).post(void_page(made), {})
    before = world()
    response = signed_in(freelancer).post(void_page(made), {"reason": "All that I typed"})
    assert response.status_code == 200
    text = text_of(response)
    assert "This Release Request cannot be voided: it is voided already." in text
    assert "All that I typed" in text
    assert "The clock stops" not in text
    assert '<button class="button danger primary">' not in response.content.decode()
    assert f'href="{view_page(made)}">See the request</a>' in response.content.decode()
    assert world() == before


def test_client_cannot_void(made: ReleaseRequest, client_person: Person) -> None:
    before = world()
    response = signed_in(client_person).post(void_page(made), {}, follow=True)
    assert "Only the Freelancer can void a Release Request." in text_of(response)
    assert world() == before


def test_a_reason_that_is_too_long_stays_typed(made: ReleaseRequest, freelancer: Person) -> None:
    before = world()
    response = signed_in(freelancer).post(void_page(made), {"reason": "x" * 501})
    assert response.status_code == 200
    assert "at most 500 characters" in text_of(response)
    assert "x" * 501 in response.content.decode()
    assert world() == before


def test_a_reason_with_a_nul_is_refused(made: ReleaseRequest, freelancer: Person) -> None:
    before = world()
    response = signed_in(freelancer).post(void_page(made), {"reason": "a\x00b"})
    assert "Null characters are not allowed." in text_of(response)
    assert world() == before


def test_for_a_stranger_there_is_no_request(made: ReleaseRequest, stranger: Person) -> None:
    before = world()
    browser = signed_in(stranger)
    assert browser.get(view_page(made)).status_code == 404
    assert browser.get(void_page(made)).status_code == 404
    assert browser.post(void_page(made), {}).status_code == 404
    assert world() == before


def test_support_reads_but_has_no_button(made: ReleaseRequest, agent: Person) -> None:
    response = signed_in(agent).get(view_page(made))
    assert "Net to Frank Freelancer $456.25" in text_of(response)
    assert void_page(made) not in response.content.decode()
    assert "Release $500.00" not in text_of(response)
    assert f'"/jobs/{made.job_id}/' not in response.content.decode()


@pytest.mark.parametrize("request_id", [10**9, 10**30])
def test_a_request_that_is_not_there(client_person: Person, request_id: int) -> None:
    assert signed_in(client_person).get(f"/billing/requests/{request_id}/").status_code == 404


def test_the_history_names_the_void(made: ReleaseRequest, freelancer: Person) -> None:
    signed_in(freelancer).post(void_page(made), {"reason": "Too early."})
    line = Activity.objects.get(kind="voided")
    assert (line.actor, line.reason) == (freelancer, "Too early.")
