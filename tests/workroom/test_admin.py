"""The support desk: every model is there, can be read by who may, and is changed by nobody."""

from datetime import datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from billing.models import (
    Account,
    ClosingStatement,
    Document,
    Payment,
    SimulatedCard,
    Transfer,
)
from escrow_site.lib.admin import ReadOnlyAdmin
from jobs.models import Activity, Invitation, Job, Notification, Person, Policy
from tests.desk import (
    World,
    agent_of_the_desk,
    browser_of,
    in_dispute,
    statements,
    superuser,
    whole_world,
)
from tests.factories import PersonFactory
from tests.scenarios import finished_job

pytestmark = pytest.mark.django_db

OURS = [
    model for model in apps.get_models() if model._meta.app_label in ("jobs", "billing", "workroom")
]
READ_ONLY = [model for model in (*OURS, EmailAddress) if model not in (Person, Policy)]


@pytest.fixture
def world(client_person: Person, freelancer: Person) -> World:
    made = whole_world(client_person, freelancer)
    in_dispute(made.job)
    return made


@pytest.fixture
def desk(db: None) -> Client:
    """An agent's browser."""
    return browser_of(agent_of_the_desk())


def url_of(model: type[Model], page: str, *arguments: object) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}"
    return reverse(name, args=arguments)


# --- Every model is there ---


def test_every_model_of_the_three_apps_is_at_the_desk() -> None:
    assert len(OURS) > 40
    assert [model for model in OURS if not admin.site.is_registered(model)] == []


def test_everything_but_people_and_policies_is_read_only() -> None:
    editable = [
        model for model in OURS if not isinstance(admin.site.get_model_admin(model), ReadOnlyAdmin)
    ]
    assert editable == [Person, Policy]


@pytest.mark.parametrize("who", ["agent", "superuser"])
def test_every_list_search_and_row_can_be_read(world: World, who: str) -> None:
    browser = browser_of(agent_of_the_desk() if who == "agent" else superuser())
    seen = []
    for model in (*OURS, EmailAddress):
        rows = list(model._default_manager.order_by("pk"))
        assert rows, f"the world has no {model.__name__}"
        for query in ("", "clara", "1", "INV-1-1", "4242", "job 1", "no such thing"):
            answer = browser.get(url_of(model, "changelist"), {"q": query})
            assert answer.status_code == 200, (model, query, answer.headers)
        for row in (rows[0], rows[-1]):
            answer = browser.get(url_of(model, "change", row.pk))
            assert answer.status_code == 200, (model, row)
            assert answer.context["original"] == row
        seen.append(model)
    assert seen == [*OURS, EmailAddress]


def test_what_has_a_state_or_money_is_changed_by_nobody(world: World) -> None:
    browser = browser_of(superuser())
    assert len(READ_ONLY) == len(OURS) - 1
    for model in READ_ONLY:
        nothing_can_be_done(browser, model)


def nothing_can_be_done(browser: Client, model: type[Model]) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row is not None
    before = list(model._default_manager.order_by("pk").values())
    change, delete = url_of(model, "change", row.pk), url_of(model, "delete", row.pk)

    assert browser.get(url_of(model, "add")).status_code == 403
    assert browser.post(url_of(model, "add"), {}).status_code == 403
    everything: dict[str, Any] = {
        name: value for name, value in before[0].items() if value is not None
    }
    assert browser.post(change, everything | {"state": "released"}).status_code == 403
    assert browser.get(delete).status_code == 403
    assert browser.post(delete, {"post": "yes"}).status_code == 403
    several = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    browser.post(url_of(model, "changelist"), several)

    assert list(model._default_manager.order_by("pk").values()) == before
    page = browser.get(change).content.decode()
    assert 'name="_save"' not in page


def test_what_is_secret_is_not_shown(world: World) -> None:
    browser = browser_of(superuser())
    invitation = Invitation.objects.get()
    SimulatedCard.objects.update(challenge="auth_secret_challenge")
    hidden = {
        url_of(Invitation, "change", invitation.pk): invitation.token,
        url_of(SimulatedCard, "change", SimulatedCard.objects.all()[0].pk): "auth_secret_challenge",
        url_of(Person, "change", world.job.client_id): world.job.client.password,
    }
    for url, secret in hidden.items():
        page = browser.get(url)
        assert page.status_code == 200
        assert secret not in page.content.decode()


# --- Who may see it ---


def test_only_staff_come_in(world: World, client_person: Person) -> None:
    party, nobody = browser_of(client_person), Client()
    for url in (
        reverse("admin:index"),
        url_of(Job, "changelist"),
        url_of(Job, "change", world.job.pk),
        reverse("admin:jobs_job_story", args=[world.job.pk]),
    ):
        login = f"{reverse('admin:login')}?next={url}"
        for browser in (party, nobody):
            answer = browser.get(url)
            assert (answer.status_code, answer.headers["location"]) == (302, login)
        assert party.get(login).status_code == 403
        answer = nobody.get(login)
        assert answer.status_code == 302
        assert answer.headers["location"].startswith(reverse("account_login"))


def test_staff_without_permissions_see_nothing(world: World, clerk: Person) -> None:
    browser = browser_of(clerk)
    assert browser.get(reverse("admin:index")).status_code == 200
    for model in OURS:
        assert browser.get(url_of(model, "changelist")).status_code == 403
    assert browser.get(url_of(Job, "change", world.job.pk)).status_code == 403
    assert browser.get(reverse("admin:jobs_job_story", args=[world.job.pk])).status_code == 403


# --- What a list costs ---


def more_jobs(count: int) -> None:
    for _ in range(count):
        finished_job(PersonFactory(), PersonFactory())


def test_a_list_costs_the_same_for_one_row_and_for_many(desk: Client) -> None:
    models = [
        Job, Transfer, Document, Payment, Account, Activity, Notification, ClosingStatement,
    ]  # fmt: skip
    more_jobs(1)
    few = {model: statements(desk, url_of(model, "changelist")) for model in models}
    more_jobs(29)
    assert [model for model in models if model._default_manager.count() < 30] == []
    many = {model: statements(desk, url_of(model, "changelist")) for model in models}
    assert many == few
    assert max(few.values()) <= 9


# --- How values are written ---


def test_values_are_ready_to_read(desk: Client, world: World) -> None:
    row = url_of(Payment, "change", world.payment.pk)
    page = desk.get(row).content.decode()
    assert "$1,500.00" in page
    assert "8 Mar 2026, 12:00 UTC" in page
    assert f'<a href="{url_of(Job, "change", world.job.pk)}">Website</a>' in page
    assert '<span class="state state-succeeded">Succeeded</span>' in page
    assert "150000" not in page


def test_the_ledger_is_in_plain_words(desk: Client, world: World) -> None:
    answer = desk.get(url_of(Transfer, "changelist"), {"job": world.job.pk})
    page = answer.content.decode()
    for words in (
        "Escrow of “Design”",
        "Available balance of Frank Freelancer",
        "Cash at the gateway “simulated”",
        f"Refund of Payment {world.returned.pk} on its way",
        "Service fees",
    ):
        assert words in page
    assert desk.get(url_of(Transfer, "changelist")).content.decode().count("Payout") >= 1


def test_the_lists_of_a_job_and_of_a_person_can_be_opened(desk: Client, world: World) -> None:
    pages = [
        url_of(Job, "change", world.job.pk),
        url_of(Person, "change", world.job.freelancer_id),
        url_of(Payment, "change", world.payment.pk),
        url_of(Activity, "change", Activity.objects.all()[0].pk),
    ]
    opened = 0
    for page in pages:
        for part in desk.get(page).content.decode().split('<ul class="related-lists">')[1:]:
            links = [piece.split('"')[0] for piece in part.split("</ul>")[0].split('href="')[1:]]
            for link in links:
                answer = desk.get(link.replace("&amp;", "&"))
                assert answer.status_code == 200, (link, answer.headers)
                opened += 1
    assert opened == 32


# --- Nonsense in the address ---


NONSENSE = [
    "q=%00",
    "q=" + "9" * 400,
    "q=INV-999999999999-999999999999",
    "p=99999999999999999999",
    "o=9.9.-9",
    "state__exact=%00",
    "state__exact=nonsense",
    "currency=%00",
    "drafted_at__year=" + "9" * 30,
    "drafted_at__year=0&drafted_at__month=13",
    "client__id__exact=" + "9" * 30,
    "client__id__exact=x",
    "no_such_field=1",
    "has_set_aside_at=maybe",
]


def test_nonsense_in_the_address_of_a_list_is_no_crash(desk: Client, at: datetime) -> None:
    finished_job(PersonFactory(), PersonFactory(), at=at)
    for query in NONSENSE:
        answer = desk.get(f"{url_of(Job, 'changelist')}?{query}", follow=True)
        assert answer.status_code == 200, query
    for name in ("job", "account"):
        for value in ("x", "9" * 30, "%00", ""):
            url = f"{url_of(Transfer, 'changelist')}?{name}={value}"
            assert desk.get(url, follow=True).status_code == 200, url


def test_a_row_that_is_not_there_leads_back_to_the_desk(desk: Client) -> None:
    for key in ("0", "9" * 30, "9" * 5000, "x", "1%00"):
        answer = desk.get(f"/admin/jobs/job/{key}/change/")
        assert (answer.status_code, answer.headers["location"]) == (302, reverse("admin:index"))
    for key in ("0", "9" * 30):
        assert desk.get(f"/admin/jobs/job/{key}/story/").status_code == 404
