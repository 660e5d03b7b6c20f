"""What is hidden at the desk can't be asked for either: not by filters, not by searching, not by ordering (R9.6)."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.core.exceptions import EmptyResultSet
from django.db import models
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import reverse

from billing.models import SealedLimit, SimulatedCard
from escrow_site.lib.admin import DeskAdmin, NarrowedAdmin
from jobs.models import Invitation, Person
from tests.desk import (
    agent_of_the_desk,
    auditor,
    browser_of,
    in_dispute,
    second_agent,
    superuser,
    whole_world,
)

pytestmark = pytest.mark.django_db

SECRETS: dict[type[models.Model], tuple[str, ...]] = {
    SealedLimit: ("limit_minor",),
    SimulatedCard: ("challenge",),
    Invitation: ("token",),
    Person: ("password", "calendar_token"),
}
HOW = ("", "__exact", "__gte", "__lt", "__in", "__isnull", "__startswith", "__regex", "__icontains")


@pytest.fixture
def limit(client_person: Person, freelancer: Person) -> SealedLimit:
    in_dispute(whole_world(client_person, freelancer).job)
    return SealedLimit.objects.get()


def every_reader() -> dict[str, Client]:
    readers = (agent_of_the_desk(), second_agent(), auditor(), superuser())
    return {person.name: browser_of(person) for person in readers}


def secrets_of(model: type[models.Model], depth: int = 2) -> Iterator[str]:
    """Every way from a row to a secret: its own columns, and those of the rows that hang on it."""
    yield from SECRETS.get(model, ())
    if depth == 0:
        return
    for field in model._meta.get_fields():
        if field.is_relation and isinstance(field.related_model, type):
            name = getattr(field, "name", "")
            yield from (f"{name}__{path}" for path in secrets_of(field.related_model, depth - 1))


def request_of(person: Person) -> HttpRequest:
    request = RequestFactory().get("/")
    request.user = person
    return request


def test_a_limit_under_seal_is_found_by_no_question(limit: SealedLimit) -> None:
    """Whether the guess is right or wrong, and from whichever list: the answer is the same."""
    assert limit.limit_minor == 412_34
    lists = {
        reverse("admin:billing_sealedlimit_changelist"): "limit_minor",
        reverse("admin:billing_dispute_changelist"): "sealed_limits__limit_minor",
        reverse("admin:billing_offer_changelist"): "dispute__sealed_limits__limit_minor",
        reverse("admin:jobs_job_changelist"): "disputes__sealed_limits__limit_minor",
    }
    wrong = []
    for reader, browser in every_reader().items():
        for url, path in lists.items():
            for how, right, not_right in (
                ("__gte", "41234", "41235"), ("__lt", "41235", "41234"), ("", "41234", "1"),
                ("__startswith", "41", "42"), ("__regex", "^41", "^42"), ("__in", "41234", "1"),
            ):  # fmt: skip
                answers = {
                    (answer.status_code, answer.headers["location"])
                    for answer in (browser.get(url, {path + how: guess}) for guess in (right, not_right))
                }  # fmt: skip
                if answers != {(302, f"{url}?e=1")}:
                    wrong.append((reader, url, path + how, answers))
    assert wrong == []


def test_a_search_and_an_order_are_told_nothing_of_it(limit: SealedLimit) -> None:
    url = reverse("admin:billing_sealedlimit_changelist")
    for browser in every_reader().values():
        for words in ("41234", "412.34", "#41234"):
            assert list(browser.get(url, {"q": words}).context["cl"].result_list) == []
        for column in range(12):
            order = browser.get(url, {"o": column}).context["cl"].queryset.query
            assert "limit_minor" not in str(order).partition("ORDER BY")[2]


def test_no_list_is_narrowed_by_a_secret() -> None:
    """Of any model, over any two relations, however it is asked; superusers are told no more."""
    request = request_of(superuser())
    asked, allowed = 0, []
    for model, model_admin in admin.site._registry.items():
        assert isinstance(model_admin, NarrowedAdmin), model
        for path in secrets_of(model):
            for how in HOW:
                asked += 1
                if model_admin.lookup_allowed(path + how, "1", request):
                    allowed.append(f"{model._meta.label}: {path}{how}")
    assert allowed == []
    assert asked > 1000


def test_no_list_shows_finds_or_orders_by_a_secret() -> None:
    request = request_of(superuser())
    secrets = {name for names in SECRETS.values() for name in names}
    for model, model_admin in admin.site._registry.items():
        if not isinstance(model_admin, DeskAdmin):
            continue
        assert set(model_admin.hidden) == set(SECRETS.get(model, ())), model
        shown: set[Any] = set(model_admin.get_ordering(request))
        for column in model_admin.get_list_display(request):
            shown |= {getattr(column, "admin_order_field", None), column}
        for _title, options in model_admin.get_fieldsets(request):
            shown |= set(options["fields"])
        assert {str(one).lstrip("-") for one in shown} & secrets == set(), model
        rows = model._default_manager.all()
        for term in ("words", "4711"):
            found, _ = model_admin.get_search_results(request, rows, term)
            assert not [name for name in secrets if f'"{name}"' in conditions_of(found)], model


def conditions_of(rows: models.QuerySet[Any]) -> str:
    """In SQL; nothing where it is plain that there is no such row."""
    try:
        return str(rows.query).partition(" WHERE ")[2]
    except EmptyResultSet:
        return ""
