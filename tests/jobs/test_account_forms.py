"""allauth's pages in the words of the product."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db


def labels(page: object) -> dict[str, str]:
    return {name: str(field.label) for name, field in page.context["form"].fields.items()}  # type: ignore[attr-defined]


def test_sign_in_and_sign_up(client: Client) -> None:
    page = client.get("/accounts/login/")
    assert labels(page) == {
        "login": "E-mail address",
        "password": "Password",
        "remember": "Stay signed in",
    }
    attributes = page.context["form"].fields["login"].widget.attrs
    assert (attributes["autocomplete"], "placeholder" in attributes) == ("email", False)
    assert labels(client.get("/accounts/signup/")) == {
        "name": "Name",
        "email": "E-mail address",
        "password1": "Password",
        "time_zone": "Time zone",
    }


def test_an_address_offers_only_what_can_be_done_with_it(client: Client) -> None:
    person = PersonFactory.create(email="olga@example.com")
    client.force_login(person)
    EmailAddress.objects.update_or_create(
        user=person, email=person.email, defaults={"primary": True, "verified": True}
    )
    html = client.get("/accounts/email/").content.decode()
    assert [html.count(f"action_{name}") for name in ("primary", "send", "remove")] == [0, 0, 0]
    EmailAddress.objects.create(user=person, email="olga@home.example", verified=True)
    EmailAddress.objects.create(user=person, email="olga@work.example")
    html = client.get("/accounts/email/").content.decode()
    assert [html.count(f"action_{name}") for name in ("primary", "send", "remove")] == [1, 1, 2]
