"""One's own profile: name, time zone, language, what stands on invoices."""

from typing import Any

import pytest
from django.test import Client

from jobs.models import Person

pytestmark = pytest.mark.django_db

URL = "/profile/"
GOOD = {
    "name": "Clara Client-Muster",
    "time_zone": "Europe/Berlin",
    "language": "en",
    "billing_address": "Hauptstraße 1\r\n10115 Berlin",
    "tax_id": "DE123456789",
}


@pytest.fixture
def signed_in(client: Client, client_person: Person) -> Client:
    client.force_login(client_person)
    return client


def profile_of(person: Person) -> dict[str, Any]:
    return Person.objects.filter(pk=person.pk).values(*GOOD).get()


def test_the_profile_is_saved(signed_in: Client, client_person: Person) -> None:
    response = signed_in.post(URL, GOOD, follow=True)
    assert response.redirect_chain == [(URL, 302)]
    assert [str(message) for message in response.context["messages"]] == ["Your profile is saved."]
    saved = GOOD | {"billing_address": "Hauptstraße 1\n10115 Berlin"}
    assert profile_of(client_person) == saved


def test_the_page_shows_what_is_saved(signed_in: Client, client_person: Person) -> None:
    Person.objects.filter(pk=client_person.pk).update(time_zone="Asia/Tokyo", tax_id="T-9")
    page = signed_in.get(URL).content.decode()
    assert '<option value="Asia/Tokyo" selected>Tokyo</option>' in page
    assert page.count(" selected>") == 2
    assert 'value="T-9"' in page
    assert len(page.encode()) <= 45_000


def test_times_are_shown_in_the_time_zone_of_the_reader(
    signed_in: Client, client_person: Person
) -> None:
    signed_in.post(URL, GOOD)
    assert "Times are shown in Europe/Berlin" in signed_in.get(URL).content.decode()


def test_a_zone_that_support_has_set_is_kept(signed_in: Client, client_person: Person) -> None:
    Person.objects.filter(pk=client_person.pk).update(time_zone="US/Pacific")
    page = signed_in.get(URL).content.decode()
    assert '<option value="US/Pacific" selected>US/Pacific</option>' in page
    signed_in.post(URL, GOOD | {"time_zone": "US/Pacific"})
    assert profile_of(client_person)["time_zone"] == "US/Pacific"


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"name": ""}, "This field is required."),
        ({"name": " \n "}, "This field is required."),
        ({"name": "a" * 121}, "Ensure this value has at most 120 characters (it has 121)."),
        ({"name": "a\x00b"}, "Null characters are not allowed."),
        ({"time_zone": "Mars/Olympus"}, "Choose a time zone from the list."),
        ({"time_zone": "\x00"}, "Choose a time zone from the list."),
        ({"time_zone": ""}, "This field is required."),
        ({"language": "xx"}, "Select a valid choice. xx is not one of the available choices."),
        (
            {"billing_address": "a" * 501},
            "Ensure this value has at most 500 characters (it has 501).",
        ),
        ({"tax_id": "a" * 41}, "Ensure this value has at most 40 characters (it has 41)."),
    ],
)
def test_bad_input_is_explained_and_kept_on_the_page(
    signed_in: Client, client_person: Person, bad: dict[str, str], message: str
) -> None:
    before = profile_of(client_person)
    response = signed_in.post(URL, GOOD | bad)
    assert response.status_code == 200
    field = next(iter(bad))
    assert response.context["form"].errors == {field: [message]}
    typed = {name: response.context["form"][name].value() for name in GOOD}
    assert typed == GOOD | bad
    assert profile_of(client_person) == before


def test_a_name_is_one_line(signed_in: Client, client_person: Person) -> None:
    signed_in.post(URL, GOOD | {"name": " Clara\nBcc: x@example.com "})
    assert profile_of(client_person)["name"] == "Clara Bcc: x@example.com"


def test_nobody_becomes_an_agent_or_changes_his_address_here(
    signed_in: Client, client_person: Person
) -> None:
    signed_in.post(URL, GOOD | {"is_staff": "1", "is_superuser": "1", "email": "x@example.com"})
    found = Person.objects.values("is_staff", "is_superuser", "email").get(pk=client_person.pk)
    assert found == {"is_staff": False, "is_superuser": False, "email": "clara@example.com"}


def test_a_visitor_is_asked_to_sign_in(client: Client) -> None:
    assert client.get(URL)["Location"] == f"/accounts/login/?next={URL}"
    assert client.post(URL, GOOD)["Location"] == f"/accounts/login/?next={URL}"
