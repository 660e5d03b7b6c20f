"""The first page: what the service is, or one's own Jobs."""

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from jobs.models import Attempt, Person
from tests.factories import PASSWORD
from tests.signing_in import code_now, give_second_factor

pytestmark = pytest.mark.django_db


def test_a_visitor_sees_what_the_service_is(client: Client) -> None:
    response = client.get(reverse("jobs:home"))
    assert response.status_code == 200
    assert next(template.name for template in response.templates) == "landing.html"


def test_the_numbers_are_those_of_the_policy_in_force(client: Client) -> None:
    response = client.get(reverse("jobs:home"))
    numbers = ("release_days", "overdue_days", "dormant_days", "service_fee_percent")
    assert [response.context[name] for name in numbers] == [30, 15, 60, "8.75"]


def test_a_signed_in_person_goes_to_his_jobs(client: Client, client_person: Person) -> None:
    client.force_login(client_person)
    response = client.get(reverse("jobs:home"))
    assert response.status_code == 302
    assert response["Location"] == reverse("workroom:my_jobs")


def test_a_support_agent_goes_to_the_support_desk(
    client: Client, agent: Person, client_person: Person
) -> None:
    client.force_login(agent)
    desk = reverse("admin:index")
    assert client.get(reverse("jobs:home"))["Location"] == desk
    link = f'<a href="{desk}">Support desk</a>'
    assert link in client.get(reverse("jobs:profile")).content.decode()
    client.force_login(client_person)
    assert link not in client.get(reverse("jobs:profile")).content.decode()


def test_signing_in_leads_to_where_each_begins(
    client: Client, agent: Person, client_person: Person
) -> None:
    give_second_factor(agent)
    begins = {agent: reverse("admin:index"), client_person: reverse("workroom:my_jobs")}
    for person, page in begins.items():
        for wanted, reached in (("", page), (reverse("jobs:profile"), reverse("jobs:profile"))):
            client.logout()
            typed = {"login": person.email, "password": PASSWORD, "next": wanted}
            answer = client.post(reverse("account_login"), typed, follow=True)
            if person.is_staff:
                cache.clear()  # a code counts once
                Attempt.objects.all().delete()
                answer = client.post(reverse("mfa_authenticate"), {"code": code_now()}, follow=True)
            assert answer.redirect_chain[-1] == (reached, 302)


def test_the_home_page_names_every_way_to_stop_the_clock(client: Client) -> None:
    page = client.get(reverse("jobs:home")).content.decode()
    assert (
        "Until then the Client can release it, request changes or open a Dispute; the Freelancer can "
        "void the request or refund the money. Each of these stops the clock."
    ) in page


def test_it_cannot_be_posted_to(client: Client) -> None:
    assert client.post(reverse("jobs:home")).status_code == 405
