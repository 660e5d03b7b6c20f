"""While the database is away every page says so, kindly, and that it is worth trying again."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import middleware
from django.db import InterfaceError, OperationalError
from django.test import Client
from django.urls import reverse

from jobs.models import Person
from workroom.views import my_jobs

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client_person: Person) -> Client:
    browser = Client(raise_request_exception=False)
    browser.force_login(client_person)
    return browser


def failing_with(error: Exception) -> Callable[..., Any]:
    def fails(*_: Any, **__: Any) -> Any:
        raise error

    return fails


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("couldn't get a connection after 5.00 sec"),
        OperationalError("terminating connection due to administrator command"),
        InterfaceError("connection already closed"),
    ],
)
def test_a_page_says_that_it_is_worth_trying_again(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(my_jobs, "render", failing_with(error))
    response = signed_in.get(reverse("workroom:my_jobs"))
    assert (response.status_code, response["Retry-After"]) == (503, "5")
    assert "try again in a moment" in response.content.decode()
    assert str(error) not in response.content.decode()


def test_so_it_does_when_not_even_the_reader_can_be_known(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "get_user", failing_with(OperationalError("away")))
    response = signed_in.get(reverse("workroom:my_jobs"))
    assert (response.status_code, response["Retry-After"]) == (503, "5")


def test_any_other_failure_is_ours(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(my_jobs, "render", failing_with(ValueError("a bug")))
    response = signed_in.get(reverse("workroom:my_jobs"))
    assert (response.status_code, response.headers.get("Retry-After")) == (500, None)
    assert "went wrong on our side" in response.content.decode()
    assert response["X-Request-ID"] in response.content.decode()
