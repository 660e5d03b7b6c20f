"""What support edits by hand: people's profiles, and the Policy as a new version."""

from datetime import date
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission
from django.core.exceptions import NON_FIELD_ERRORS
from django.test import Client
from django.urls import reverse

from jobs.models import Job, Person, Policy
from jobs.services import policies
from tests.desk import agent_of_the_desk, browser_of, superuser
from tests.factories import PASSWORD, PersonFactory
from tests.scenarios import running_job

pytestmark = pytest.mark.django_db

PEOPLE = "/admin/jobs/person/"
POLICIES = "/admin/jobs/policy/"


@pytest.fixture
def editor(db: None) -> Client:
    """Staff who may change people, but are no superusers."""
    person = agent_of_the_desk()
    person.user_permissions.add(
        *Permission.objects.filter(codename__in=["change_person", "change_policy"])
    )
    return browser_of(person)


@pytest.fixture
def root(db: None) -> Client:
    return browser_of(superuser())


def typed(person: Person, **changes: Any) -> dict[str, Any]:
    """What the form of a person sends; None leaves a field out, as an unticked box does."""
    values: dict[str, Any] = {
        "name": person.name, "time_zone": person.time_zone, "language": person.language,
        "billing_address": person.billing_address, "tax_id": person.tax_id,
    }  # fmt: skip
    return {name: value for name, value in (values | changes).items() if value is not None}


def save(browser: Client, person: Person, **changes: Any) -> Any:
    return browser.post(f"{PEOPLE}{person.pk}/change/", typed(person, **changes))


# --- People ---


def test_support_puts_a_profile_right(editor: Client, client_person: Person) -> None:
    answer = save(
        editor, client_person, name="  Clara  C. Client ", time_zone="Europe/Berlin",
        billing_address="2 Side Street", tax_id="DE123",
    )  # fmt: skip
    assert (answer.status_code, answer.headers["location"]) == (302, PEOPLE)
    client_person.refresh_from_db()
    assert client_person.name == "Clara C. Client"
    assert client_person.time_zone == "Europe/Berlin"
    assert client_person.billing_address == "2 Side Street"
    assert client_person.tax_id == "DE123"
    entry = LogEntry.objects.get()
    assert entry.object_id == str(client_person.pk)
    assert "Billing address" in entry.get_change_message()


def test_the_page_of_a_person_is_in_plain_words(
    root: Client, editor: Client, client_person: Person
) -> None:
    for browser in (root, editor):
        page = browser.get(f"{PEOPLE}{client_person.pk}/change/").content.decode()
        for words in (
            "Can sign in",
            "Last signed in",
            "Support agent",
            "Roles",
            "May do everything",
        ):
            assert words in page, words
        for words in (
            "Is active",
            "Active:",
            "Last login",
            "The groups this user",
            "uperuser status",
            ">Close<",
        ):
            assert words not in page, words
    job = running_job(client_person, PersonFactory(), amounts_minor=[500_00])
    page = editor.get(f"/admin/jobs/job/{job.pk}/change/").content.decode()
    assert ">Back to the list<" in page
    assert ">Close<" not in page


def test_the_address_the_password_and_the_dates_stay(editor: Client, client_person: Person) -> None:
    before = Person.objects.filter(pk=client_person.pk).values().get()
    save(
        editor, client_person, email="thief@example.com", password="!", last_login="2026-01-01",
        joined_at="2026-01-01", id=1,
    )  # fmt: skip
    assert Person.objects.filter(pk=client_person.pk).values().get() == before


def test_bad_values_are_refused_and_stay_typed(editor: Client, client_person: Person) -> None:
    for changes, field in [
        ({"name": ""}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"language": "tlh"}, "language"),
        ({"billing_address": "x" * 501}, "billing_address"),
        ({"tax_id": "x" * 41}, "tax_id"),
    ]:
        answer = save(editor, client_person, **{"tax_id": "kept"} | changes)
        assert answer.status_code == 200
        assert list(answer.context["adminform"].form.errors) == [field]
        assert 'value="kept"' in answer.content.decode() or field == "tax_id"
    client_person.refresh_from_db()
    assert client_person.tax_id == ""


def test_a_locked_account_is_signed_out(editor: Client, client_person: Person) -> None:
    party = browser_of(client_person)
    assert party.get("/profile/").status_code == 200
    lock = f"{PEOPLE}{client_person.pk}/lock/"
    assert editor.get(lock).status_code == 200
    assert "Write the reason" in editor.post(lock, {"reason": " "}).content.decode()
    assert editor.post(lock, {"reason": "Stolen laptop"}).status_code == 302
    client_person.refresh_from_db()
    assert not client_person.is_active
    assert party.get("/profile/").status_code == 302


def test_only_superusers_decide_who_is_staff(
    editor: Client, root: Client, client_person: Person
) -> None:
    group = Group.objects.get(name="Agent")
    powers = {"is_staff": "on", "is_superuser": "on", "groups": [group.pk]}
    save(editor, client_person, **powers)
    client_person.refresh_from_db()
    assert (client_person.is_staff, client_person.is_superuser) == (False, False)
    assert not client_person.groups.exists()

    save(root, client_person, **powers)
    client_person.refresh_from_db()
    assert (client_person.is_staff, client_person.is_superuser) == (True, True)
    assert list(client_person.groups.all()) == [group]


def test_nobody_but_a_superuser_touches_a_superuser(editor: Client, root: Client) -> None:
    person = Person.objects.get(email="rita@example.com")
    assert save(editor, person, name="Nobody").status_code == 403
    assert editor.get(f"{PEOPLE}{person.pk}/change/").status_code == 200
    for flag in ("is_staff", "is_superuser"):
        kept = {"is_staff": "on", "is_superuser": "on", flag: None}
        answer = save(root, person, **kept)
        assert answer.context["adminform"].form.errors == {
            flag: ["You can’t take this from yourself."]
        }
    person.refresh_from_db()
    assert (person.name, person.is_active, person.is_staff) == ("Rita Root", True, True)


def test_only_superusers_set_a_password(
    editor: Client, root: Client, client_person: Person
) -> None:
    url = reverse("admin:auth_user_password_change", args=[client_person.pk])
    page = f"{PEOPLE}{client_person.pk}/change/"
    new = {"password1": "a new horse battery", "password2": "a new horse battery"}
    new |= {"usable_password": "true", "set-password": "Change password"}
    assert url not in editor.get(page).content.decode()
    assert editor.get(url).status_code == 403
    assert editor.post(url, new).status_code == 403
    client_person.refresh_from_db()
    assert client_person.check_password(PASSWORD)

    assert url in root.get(page).content.decode()
    assert root.get(url).status_code == 200
    assert root.post(url, new).status_code == 302
    client_person.refresh_from_db()
    assert client_person.check_password("a new horse battery")


def test_people_are_neither_made_nor_deleted_here(root: Client, client_person: Person) -> None:
    assert root.get(f"{PEOPLE}add/").status_code == 403
    assert root.post(f"{PEOPLE}add/", typed(client_person)).status_code == 403
    assert root.post(f"{PEOPLE}{client_person.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Person.objects.filter(pk=client_person.pk).exists()


def test_an_agent_of_the_group_reads_people_and_changes_nobody(client_person: Person) -> None:
    browser = browser_of(agent_of_the_desk())
    assert browser.get(f"{PEOPLE}{client_person.pk}/change/").status_code == 200
    assert save(browser, client_person, name="Nobody").status_code == 403
    client_person.refresh_from_db()
    assert client_person.name == "Clara Client"


def test_addresses_are_confirmed_by_their_owners_alone(root: Client, client_person: Person) -> None:
    address = EmailAddress.objects.create(user=client_person, email="new@example.com")
    marked = {"action": "make_verified", "_selected_action": [address.pk]}
    root.post("/admin/account/emailaddress/", marked)
    address.refresh_from_db()
    assert not address.verified


# --- Policies ---


def numbers_of(policy: Policy, **changes: Any) -> dict[str, Any]:
    """What the form of a Policy sends."""
    values = {name: getattr(policy, name) for name in policies.NUMBERS}
    lists = ("warning_days_before_due", "authentication_reminder_days", "holidays")
    written = {name: ",".join(map(str, values[name])) for name in lists}
    return values | written | {"newest_seen": Policy.objects.current().version} | changes


def change_url(policy: Policy) -> str:
    return f"{POLICIES}{policy.pk}/change/"


def test_a_change_is_a_new_version_and_the_old_one_stays(
    root: Client, client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    old = Policy.objects.current()
    before = Policy.objects.filter(pk=old.pk).values().get()
    form = root.get(change_url(old)).context["adminform"].form
    assert form.initial["service_fee_basis_points"] == 875

    changes = {"service_fee_basis_points": "900", "holidays": "2026-12-25,2027-01-01"}
    answer = root.post(change_url(old), numbers_of(old, **changes), follow=True)

    new = Policy.objects.current()
    assert (new.version, new.service_fee_basis_points) == (2, 900)
    assert new.holidays == [date(2026, 12, 25), date(2027, 1, 1)]
    assert new.warning_days_before_due == [10, 5, 2, 1]
    assert new.made_at > old.made_at
    assert Policy.objects.filter(pk=old.pk).values().get() == before
    assert Job.objects.get(pk=job.pk).policy == old
    assert "Policy 2 is current: Jobs awarded from now on get it." in answer.content.decode()
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.user.email) == (str(new.pk), "rita@example.com")
    assert "Service fee" in entry.get_change_message()


@pytest.mark.parametrize(("typed_days", "days"), [("5,3,1", [5, 3, 1]), ("", [])])
def test_the_reminders_of_a_pending_payment_are_shown_and_changed(
    root: Client, typed_days: str, days: list[int]
) -> None:
    old = Policy.objects.current()
    answer = root.get(change_url(old))
    assert answer.context["adminform"].form["authentication_reminder_days"].value() == "4,1"
    assert "Reminders of it (days before that)" in answer.content.decode()
    root.post(change_url(old), numbers_of(old, authentication_reminder_days=typed_days))
    new = Policy.objects.current()
    assert (new.version, new.authentication_reminder_days) == (2, days)
    assert Policy.objects.get(pk=old.pk).authentication_reminder_days == [4, 1]


def test_every_number_of_a_policy_is_on_its_page(root: Client) -> None:
    page = root.get(change_url(Policy.objects.current())).content.decode()
    assert [name for name in policies.NUMBERS if f'name="{name}"' not in page] == []


def test_the_list_says_which_is_current_and_how_many_jobs_each_has(
    root: Client, client_person: Person, freelancer: Person
) -> None:
    running_job(client_person, freelancer)
    running_job(client_person, freelancer)
    old = Policy.objects.current()
    root.post(change_url(old), numbers_of(old, dormant_days="90"))
    running_job(client_person, freelancer)
    answer = root.get(POLICIES)
    rows = [
        (policy.version, policy.is_newest, policy.jobs_count)
        for policy in answer.context["cl"].result_list
    ]
    assert rows == [(2, True, 1), (1, False, 2)]
    page = answer.content.decode()
    assert page.index("Current") < page.index("Superseded")
    assert f'href="/admin/jobs/job/?policy__id__exact={old.pk}">2</a>' in page
    assert (
        len(root.get(f"/admin/jobs/job/?policy__id__exact={old.pk}").context["cl"].result_list) == 2
    )


def test_an_old_version_can_be_the_beginning_of_a_new_one(root: Client) -> None:
    first = Policy.objects.current()
    root.post(change_url(first), numbers_of(first, release_days="40"))
    root.post(change_url(first), numbers_of(first))
    current = Policy.objects.current()
    assert (current.version, current.release_days) == (3, 30)


def test_of_two_changes_at_once_the_second_is_told(root: Client) -> None:
    first = Policy.objects.current()
    meanwhile = numbers_of(first, release_days="45")
    root.post(change_url(first), numbers_of(first, release_days="40"))

    answer = root.post(change_url(first), meanwhile)
    assert answer.status_code == 200
    form = answer.context["adminform"].form
    assert form.errors == {
        NON_FIELD_ERRORS: [
            "Policy 2 was made while this page was open. Compare it with what stands here, then save again."
        ]
    }
    assert form["release_days"].value() == "45"
    assert Policy.objects.current().version == 2

    root.post(change_url(first), meanwhile | {"newest_seen": form["newest_seen"].value()})
    current = Policy.objects.current()
    assert (current.version, current.release_days) == (3, 45)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"release_days": "0"}, "release_days"),
        ({"release_days": ""}, "release_days"),
        ({"release_days": "9" * 30}, "release_days"),
        ({"overdue_days_before_due": "30"}, "overdue_days_before_due"),
        ({"warning_days_before_due": "10,10"}, "warning_days_before_due"),
        ({"warning_days_before_due": "31"}, "warning_days_before_due"),
        ({"warning_days_before_due": "soon"}, "warning_days_before_due"),
        ({"authentication_reminder_days": "4,4"}, "authentication_reminder_days"),
        ({"authentication_reminder_days": "7"}, "authentication_reminder_days"),
        ({"authentication_reminder_days": "0"}, "authentication_reminder_days"),
        ({"authentication_reminder_days": "soon"}, "authentication_reminder_days"),
        ({"authentication_days": "4"}, "authentication_reminder_days"),
        ({"dormant_settlement_days": "7"}, "dormant_settlement_days"),
        ({"service_fee_basis_points": "9000", "processing_fee_basis_points": "1001"}, "processing_fee_basis_points"),
        ({"return_fee_basis_points": "10001"}, "return_fee_basis_points"),
        ({"holidays": "Christmas"}, "holidays"),
        ({"largest_amount": "0"}, "largest_amount"),
        ({}, NON_FIELD_ERRORS),
        ({"newest_seen": "x"}, "newest_seen"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_are_refused(
    root: Client, changes: dict[str, str], field: str
) -> None:
    policy = Policy.objects.current()
    answer = root.post(change_url(policy), numbers_of(policy, **changes))
    assert answer.status_code == 200
    assert field in answer.context["adminform"].form.errors
    assert Policy.objects.count() == 1
    assert LogEntry.objects.count() == 0


def test_versions_are_neither_added_nor_deleted_nor_changed_by_agents(root: Client) -> None:
    policy = Policy.objects.current()
    assert root.get(f"{POLICIES}add/").status_code == 403
    assert root.post(f"{POLICIES}{policy.pk}/delete/", {"post": "yes"}).status_code == 403
    agent = browser_of(PersonFactory(is_staff=True))
    assert agent.get(change_url(policy)).status_code == 403
    reader = browser_of(agent_of_the_desk())
    page = reader.get(change_url(policy)).content.decode()
    assert "Save as new version" not in page
    assert "Silence releases after (days)" in page
    answer = reader.post(change_url(policy), numbers_of(policy, release_days="40"))
    assert answer.status_code == 403
    assert Policy.objects.count() == 1
