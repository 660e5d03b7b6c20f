"""Funding Requests (R3.1), and the Fund page: what is chosen, with which card."""

import re
from datetime import date, datetime, timedelta

import pytest
from django.test import Client

from billing.models import Allocation, FundingRequest, Payment
from billing.services import cards, funding, payments
from escrow_site.lib.refusals import WrongParty, WrongState
from jobs.models import Activity, Job, Person
from tests.billing.banking import (
    NUMBERS,
    add_card,
    escrow_states,
    fund,
    history,
    nothing_changes,
    refused,
    told,
)
from tests.billing.steps import signed_in, text_of
from tests.scenarios import finished_job, running_job

pytestmark = pytest.mark.django_db

LATER = timedelta(hours=3)


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00])


@pytest.fixture
def clara(client_person: Person) -> Client:
    return signed_in(client_person)


def fund_url(job: Job, *numbers: int) -> str:
    query = "&".join(f"escrow={number}" for number in numbers)
    return f"/billing/jobs/{job.pk}/fund/" + (f"?{query}" if query else "")


# --- Funding Requests ---


def test_the_system_requests_the_first_milestone_itself(job: Job) -> None:
    request = FundingRequest.objects.get()
    assert (request.escrow.number, request.requested_by, request.closed_at) == (1, None, None)
    line = Activity.objects.get(job=job)
    assert (line.kind, line.actor, line.actor_kind) == ("funding_requested", None, "system")
    assert told(job, "funding_requested") == {"clara@example.com"}
    job.refresh_from_db()
    assert job.last_activity_at is None


def test_the_freelancer_requests_another_milestone(
    job: Job, freelancer: Person, at: datetime
) -> None:
    request = funding.request_funding(job.pk, number=2, by=freelancer, at=at + LATER)

    assert (request.requested_by, request.requested_at) == (freelancer, at + LATER)
    line = Activity.objects.filter(job=job).latest("pk")
    assert (line.kind, line.actor) == ("funding_requested", freelancer)
    assert line.facts == {"escrow": "Milestone 2", "number": 2, "amount_minor": 1_000_00}
    assert told(job, "funding_requested") == {"clara@example.com"}
    job.refresh_from_db()
    assert job.last_activity_at == at + LATER


def test_only_the_freelancer_requests_funding(
    job: Job, client_person: Person, stranger: Person, at: datetime
) -> None:
    for person in (client_person, stranger):
        with refused(WrongParty, "Only the Freelancer can request funding."):
            funding.request_funding(job.pk, number=2, by=person, at=at)


def test_funding_is_requested_once_while_the_request_is_open(
    job: Job, freelancer: Person, at: datetime
) -> None:
    with refused(WrongState, "Funding of “Milestone 1” has been requested already."):
        funding.request_funding(job.pk, number=1, by=freelancer, at=at)


def test_what_is_funded_or_being_paid_is_not_requested(
    job: Job, freelancer: Person, at: datetime
) -> None:
    fund(job, 1, at=at)
    with refused(WrongState, "“Milestone 1” is funded: there is nothing to request."):
        funding.request_funding(job.pk, number=1, by=freelancer, at=at)
    silent = add_card(job.client, "silent")
    payments.fund(job.pk, numbers=[2], method=silent, by=job.client, at=at)
    with refused(WrongState, "A payment for “Milestone 2” is under way already."):
        funding.request_funding(job.pk, number=2, by=freelancer, at=at)


def test_what_is_not_there_is_not_requested(job: Job, freelancer: Person, at: datetime) -> None:
    for number in (0, 9, 10**40):
        with refused(WrongState, "This Milestone is not part of the agreed Terms."):
            funding.request_funding(job.pk, number=number, by=freelancer, at=at)


def test_an_ended_job_and_an_hourly_one_have_nothing_to_request(
    client_person: Person, freelancer: Person, at: datetime
) -> None:
    ended = finished_job(client_person, freelancer)
    with refused(WrongState, "This Job is completed: nothing can be funded."):
        funding.request_funding(ended.pk, number=1, by=freelancer, at=at)
    hourly = running_job(client_person, freelancer, amounts_minor=[])
    Job.objects.filter(pk=hourly.pk).update(kind="hourly", hourly_rate_minor=50_00)
    with refused(
        WrongState,
        "This is an hourly Job. Hourly Jobs have no escrow, so nothing can be funded on it.",
    ):
        funding.request_funding(hourly.pk, number=1, by=freelancer, at=at)


def test_the_request_fund_button(job: Job, freelancer: Person, stranger: Person) -> None:
    url = f"/billing/jobs/{job.pk}/request-funding/"
    assert signed_in(freelancer).get(url).status_code == 405
    answer = signed_in(freelancer).post(url, {"escrow": "2"})
    assert answer.url == f"/jobs/{job.pk}/billing/"
    assert history(job) == ["funding_requested", "funding_requested"]
    with nothing_changes():
        for number in ("2", "9", "", "x", "-1", "9" * 5000, "\0"):
            again = signed_in(freelancer).post(url, {"escrow": number})
            assert again.url == f"/jobs/{job.pk}/billing/"
        assert signed_in(stranger).post(url, {"escrow": "3"}).status_code == 404


# --- The Fund page ---


def test_what_was_requested_is_chosen_unless_the_address_says_otherwise(
    job: Job, freelancer: Person, clara: Client, at: datetime
) -> None:
    assert "Fund $500.00" in text_of(clara.get(fund_url(job)))
    funding.request_funding(job.pk, number=3, by=freelancer, at=at)
    assert "Fund $700.00" in text_of(clara.get(fund_url(job)))
    assert "Fund $1,000.00" in text_of(clara.get(fund_url(job, 2)))
    assert "Fund $1,500.00" in text_of(clara.get(fund_url(job, 1, 2)))
    nothing = text_of(clara.get(fund_url(job) + "?choose=1"))
    assert "Choose at least one Milestone, and its amount appears here." in nothing


def test_numbers_that_are_none_choose_nothing(job: Job, clara: Client) -> None:
    for number in ("9", "x", "-1", "9" * 5000, "1\0"):
        page = clara.get(fund_url(job), {"escrow": number})
        assert page.status_code == 200
        assert "Choose at least one Milestone" in text_of(page)


def test_without_a_card_one_is_added_first_and_the_choice_is_kept(job: Job, clara: Client) -> None:
    page = clara.get(fund_url(job, 1, 3))
    assert "You have no card yet" in text_of(page)
    link = re.search(r'href="(/billing/cards/add/\?next=[^"]+)"', page.content.decode())
    assert link is not None
    assert "Add a card" in text_of(clara.get(link[1]))
    form = {"number": NUMBERS["good"], "expires_on": "01/30", "next": fund_url(job, 1, 3)}
    back = clara.post("/billing/cards/add/", form)
    assert back.url == fund_url(job, 1, 3)
    assert "Visa ending in 4242" in text_of(clara.get(back.url))


def test_the_button_funds_and_says_what_happened(
    job: Job, client_person: Person, clara: Client
) -> None:
    card = add_card(client_person)
    answer = clara.post(fund_url(job), {"escrow": [1, 3], "seen_minor": 700_00, "card": card.pk})
    payment = Payment.objects.get()
    assert answer.url == f"/billing/payments/{payment.pk}/"
    page = text_of(clara.get(answer.url))
    assert "2 Milestones are Funded" in page
    assert "$700.00 is held in escrow. Frank Freelancer has been told." in page
    assert escrow_states(job) == ["funded", "unfunded", "funded"]


def test_a_card_that_must_be_authenticated_leads_straight_to_the_bank_and_back(
    job: Job, client_person: Person, clara: Client
) -> None:
    card = add_card(client_person, "needs_authentication")
    form = {"escrow": [1], "seen_minor": 500_00, "card": card.pk}
    to_the_bank = clara.post(fund_url(job), form)
    payment = Payment.objects.get()
    assert to_the_bank.url == f"/billing/payments/{payment.pk}/authenticate/"
    bank = clara.get(to_the_bank.url)
    assert bank.url == f"/bank/{payment.gateway_reference}/"
    assert "$500.00" in clara.get(bank.url).content.decode()

    pending = text_of(clara.get(f"/billing/payments/{payment.pk}/"))
    assert "Frank Freelancer has been told that work need not start" in pending
    back = clara.post(bank.url, {"answer": "authenticate"})
    assert back.url == f"/billing/payments/{payment.pk}/"
    assert "“Milestone 1” is Funded" in text_of(clara.get(back.url))
    assert escrow_states(job)[0] == "funded"


def test_the_refusal_of_an_unauthenticated_card_shows_the_way(
    job: Job, client_person: Person, clara: Client
) -> None:
    card = add_card(client_person, "needs_authentication")
    page = clara.post(fund_url(job), {"escrow": [2], "seen_minor": 1_000_00, "card": card.pk})
    assert page.status_code == 200
    assert "Visa ending in 3184 is not authenticated." in text_of(page)
    link = f"/billing/cards/{card.pk}/authenticate/?next=%2Fbilling%2Fjobs%2F{job.pk}%2Ffund%2F%3F"
    assert link in page.content.decode()
    assert not Payment.objects.exists()


def test_a_card_that_cannot_fund_this_says_so_before_the_click(
    job: Job, client_person: Person, clara: Client
) -> None:
    card = add_card(client_person, "needs_authentication")
    link = f"/billing/cards/{card.pk}/authenticate/?next="
    first = clara.get(fund_url(job, 1))
    assert "Visa ending in 3184 Not authenticated: first Milestone only" in text_of(first)
    assert "the money is Pending" in text_of(first)
    assert link not in first.content.decode()
    later = clara.get(fund_url(job, 2))
    assert "Visa ending in 3184 Cannot fund this before it is authenticated" in text_of(later)
    assert "Authenticate a card first" in text_of(later)
    assert "the money is Pending" not in text_of(later)
    assert link in later.content.decode()
    add_card(client_person)
    with_another = text_of(clara.get(fund_url(job, 2)))
    assert "Not every card can fund this" in with_another
    assert "the money is Pending" in with_another


def test_a_stale_amount_is_refused_and_the_new_one_is_shown(
    job: Job, client_person: Person, clara: Client
) -> None:
    card = add_card(client_person)
    job.escrows.filter(number=1).update(amount_minor=650_00)
    page = clara.post(fund_url(job), {"escrow": [1], "seen_minor": 500_00, "card": card.pk})
    assert page.status_code == 200
    assert "The price has changed: it is $650.00 now." in text_of(page)
    assert 'name="seen_minor" value="65000"' in page.content.decode()
    assert "checked" in page.content.decode()
    assert not Payment.objects.exists()


def test_the_second_click_is_told_of_the_first(
    job: Job, client_person: Person, clara: Client
) -> None:
    card = add_card(client_person)
    form = {"escrow": [1], "seen_minor": 500_00, "card": card.pk}
    first = clara.post(fund_url(job), form)
    with nothing_changes():
        second = clara.post(fund_url(job), form)
    assert second.url == first.url
    assert "“Milestone 1” is funded: it cannot be funded." in text_of(clara.get(second.url))


def test_what_does_not_belong_into_the_form_is_refused_on_the_page(
    job: Job, client_person: Person, stranger: Person, clara: Client
) -> None:
    card = add_card(client_person)
    good = {"escrow": [1], "seen_minor": 500_00, "card": card.pk}
    for change, message in (
        ({"escrow": []}, "Choose at least one Milestone to fund."),
        ({"escrow": [1, 99]}, "A Milestone that you chose is not part of this Job."),
        ({"escrow": ["9" * 5000]}, "A Milestone that you chose is not part of this Job."),
        ({"escrow": ["1\0"]}, "A Milestone that you chose is not part of this Job."),
        ({"seen_minor": ""}, "This page was out of date."),
        ({"seen_minor": "-5"}, "This page was out of date."),
        ({"seen_minor": "9" * 5000}, "This page was out of date."),
        ({"card": ""}, "Choose a card."),
        ({"card": add_card(stranger).pk}, "This card is not on your list: choose another one."),
        ({"card": "9" * 5000}, "This card is not on your list: choose another one."),
    ):
        page = clara.post(fund_url(job), good | change)
        assert page.status_code == 200, change
        assert message in text_of(page), change
    assert not Payment.objects.exists()
    assert not Allocation.objects.exists()


def test_who_is_not_the_client_does_not_get_the_page(
    job: Job, freelancer: Person, stranger: Person, client: Client
) -> None:
    answer = signed_in(freelancer).get(fund_url(job, 1))
    assert answer.url == f"/jobs/{job.pk}/billing/"
    assert signed_in(stranger).get(fund_url(job, 1)).status_code == 404
    assert signed_in(stranger).post(fund_url(job, 1)).status_code == 404
    assert client.get(fund_url(job, 1)).url.startswith("/accounts/login/")


def test_an_hourly_job_leads_away_from_the_page_with_the_reason(job: Job, clara: Client) -> None:
    Job.objects.filter(pk=job.pk).update(kind="hourly", hourly_rate_minor=50_00)
    for answer in (clara.get(fund_url(job, 1)), clara.post(fund_url(job, 1))):
        assert answer.url == f"/jobs/{job.pk}/billing/"
        said = {str(message) for message in answer.wsgi_request._messages}
        assert said == {
            "This is an hourly Job. Hourly Jobs have no escrow, so nothing can be funded on it."
        }


def test_a_page_with_nothing_to_fund_says_so(job: Job, clara: Client, at: datetime) -> None:
    fund(job, 1, 2, 3, at=at)
    assert "There is nothing to fund" in text_of(clara.get(fund_url(job)))


def test_expired_cards_are_not_offered(
    job: Job, client_person: Person, clara: Client, at: datetime
) -> None:
    cards.add_card(by=client_person, number=NUMBERS["good"], expires_on=date(2026, 3, 31), at=at)
    assert "You have no card yet" in text_of(clara.get(fund_url(job, 1)))


def test_the_page_takes_the_same_queries_for_one_milestone_and_for_thirty(
    client_person: Person,
    freelancer: Person,
    clara: Client,
    at: datetime,
    django_assert_num_queries: object,
) -> None:
    add_card(client_person)
    small = running_job(client_person, freelancer, amounts_minor=[500_00])
    large = running_job(client_person, freelancer, amounts_minor=[500_00] * 30)
    clara.get(fund_url(small))
    for job in (small, large):
        with django_assert_num_queries(8):  # type: ignore[operator]
            page = clara.get(fund_url(job))
    assert len(page.content) < 40_000
