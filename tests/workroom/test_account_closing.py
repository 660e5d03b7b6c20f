"""Closing an account (R1.5): not while anything is open or held; then the person goes and the papers stay."""

import io
import json
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import IntegrityError, connections, transaction
from django.test import Client
from django.utils import timezone

from billing.models import Account, Document, PaymentMethod, Payout, Transfer
from billing.notices import COMPLETED
from billing.selectors.documents import document_paper
from billing.services import payments, payouts, releases
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Invitation, Job, Notification, Person
from jobs.services import activity, calendars
from tests.billing.banking import add_card
from tests.billing.steps import signed_in, text_of
from tests.desk import agent_of_the_desk
from tests.factories import PASSWORD, PersonFactory
from tests.mail_server import MailServer
from tests.scenarios import finished_job, fund, running_job
from tests.signing_in import give_second_factor, sign_in, sign_in_long_ago
from tests.workroom.agreements import START, awarded, draft
from tests.world import world
from workroom.selectors.obstacles import obstacles
from workroom.services import account_closing, account_export, awards
from workroom.services.account_closing import StillNeeded

pytestmark = pytest.mark.django_db(transaction=True)

PAGE = "/profile/close/"
IBAN = "DE12 5001 0517 0648 4898 90"


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture
def done(client_person: Person, freelancer: Person) -> Job:
    """A finished Job, of which the Freelancer has paid everything out."""
    job = finished_job(client_person, freelancer)
    pay_out_all(freelancer)
    return job


def pay_out_all(person: Person, **more: Any) -> None:
    for account in Account.objects.filter(person=person, balance_minor__gt=0):
        payouts.pay_out(
            person, currency=account.currency, amount_minor=account.balance_minor,
            destination=IBAN, at=timezone.now(), **more,
        )  # fmt: skip


def close(person: Person) -> Person:
    return account_closing.close(person, at=timezone.now())


# --- What is in the way ---


def with_draft(client: Person, freelancer: Person) -> None:
    draft(client)


def with_award(client: Person, freelancer: Person) -> None:
    awarded(client, freelancer.email)


def with_running_job(client: Person, freelancer: Person) -> None:
    running_job(client, freelancer)


def with_balance(client: Person, freelancer: Person) -> None:
    finished_job(client, freelancer)


def with_payment(client: Person, freelancer: Person) -> None:
    job = running_job(client, freelancer)
    payments.fund(
        job.pk, numbers=[1], method=add_card(client, "silent"), by=client, at=timezone.now()
    )


WAYS: list[tuple[Callable[[Person, Person], None], list[str], list[str]]] = [
    (with_draft, ["is a draft. Discard it"], []),
    (with_award, ["Withdraw the award."], ["is awarded to you. Decline it."]),
    (with_running_job, ["is active. Complete it, or cancel it together."],
     ["is active. Complete it, or cancel it together."]),
    (with_balance, [], ["$456.25 is on your available balance. Pay it out."]),
    (with_payment, ["is active.", "A payment of $500.00 is under way."], ["is active."]),
]  # fmt: skip


@pytest.mark.parametrize(("way", "of_client", "of_freelancer"), WAYS)
def test_each_reason_says_what_to_do(
    way: Callable[[Person, Person], None],
    of_client: list[str],
    of_freelancer: list[str],
    client_person: Person,
    freelancer: Person,
) -> None:
    way(client_person, freelancer)
    for person, expected in ((client_person, of_client), (freelancer, of_freelancer)):
        found = [obstacle.words for obstacle in obstacles(person)]
        assert len(found) == len(expected)
        for words, part in zip(found, expected, strict=True):
            assert part in words
        before = world()
        if expected:
            with pytest.raises(StillNeeded):
                close(person)
            assert world() == before
            sent = signed_in(person).post(PAGE, {"email": person.email})
            assert found[0] in " ".join(text_of(sent).split())
    assert not Person.objects.exclude(closed_at=None).exists()


def test_a_payout_under_way_is_waited_for(done: Job, freelancer: Person) -> None:
    Payout.objects.update(state="started", ended_at=None)
    assert "A payout of $456.25 is under way." in obstacles(freelancer)[0].words


def test_agents_leave_the_desk_first() -> None:
    agent = agent_of_the_desk()
    with pytest.raises(StillNeeded, match="Ask a superuser"):
        close(agent)


# --- Closing ---


def test_the_person_goes_and_the_papers_stay(done: Job, freelancer: Person) -> None:
    add_card(freelancer)
    calendars.open_feed(freelancer, at=timezone.now())
    give_second_factor(freelancer)
    document = Document.objects.get(job=done, kind="receipt")
    paper = document_paper(document)
    ledger = list(Transfer.objects.order_by("pk").values())
    history = list(Activity.objects.order_by("pk").values())

    nobody = close(freelancer)

    assert (nobody.name, nobody.is_active) == (f"Closed account {freelancer.pk}", False)
    assert nobody.email == f"closed-{freelancer.pk}@closed.invalid"
    assert (nobody.billing_address, nobody.tax_id, nobody.calendar_token) == ("", "", "")
    for rows in (EmailAddress, Authenticator, UserSession):
        assert not rows.objects.filter(user=freelancer).exists()
    assert not Notification.objects.filter(person=freelancer).exists()
    card = PaymentMethod.objects.get(person=freelancer)
    assert (card.brand, card.last_four, card.removed_at is None) == ("Card", "", False)
    assert list(Transfer.objects.order_by("pk").values()) == ledger
    assert list(Activity.objects.order_by("pk").values()) == history
    again = Document.objects.get(pk=document.pk)
    assert again.parties == document.parties
    assert document_paper(again) == paper
    text = json.dumps(list(Person.objects.filter(pk=freelancer.pk).values()), default=str)
    assert "frank" not in text.lower()


def test_addresses_of_jobs_that_were_never_his_go_too(
    client_person: Person, freelancer: Person
) -> None:
    """Offered to his address and withdrawn or lapsed before he had an account; not those of somebody else."""
    first, second, bound, foreign, claimed, open_still = (
        awarded(client_person, email)
        for email in (
            "ana@example.com", "ana@home.example", "ana@example.com", "nobody@example.com",
            "carl@example.com", "carl@example.com",
        )
    )  # fmt: skip
    for job in (first, second, foreign, claimed):
        awards.withdraw_award(job, by=client_person, at=START)
    ana = PersonFactory(name="Ana", email="ana@example.com")
    EmailAddress.objects.create(user=ana, email="Ana@home.example", verified=True)
    EmailAddress.objects.create(user=ana, email="carl@example.com", verified=False)
    awards.bind_jobs(ana, email="ana@example.com", at=START)
    bound.refresh_from_db()
    awards.decline_award(bound, by=ana, at=START)

    nobody = close(ana).email

    emails = dict(Job.objects.values_list("pk", "freelancer_email"))
    assert emails == {
        first.pk: nobody, second.pk: nobody, bound.pk: nobody, foreign.pk: "nobody@example.com",
        claimed.pk: "carl@example.com", open_still.pk: "carl@example.com",
    }  # fmt: skip
    assert dict(Invitation.objects.values_list("job", "email")) == emails
    told = set(Notification.objects.exclude(address="").values_list("address", flat=True))
    assert told == {"nobody@example.com", "carl@example.com"}


def test_the_other_side_still_reads_everything(done: Job, client_person: Person) -> None:
    assert done.freelancer is not None
    close(done.freelancer)
    browser = signed_in(client_person)
    document = Document.objects.get(job=done, kind="receipt")
    for url in (
        "/jobs/", f"/jobs/{done.pk}/", f"/jobs/{done.pk}/billing/", f"/jobs/{done.pk}/activity/",
        f"/billing/documents/{document.pk}/", f"/billing/documents/{document.pk}/pdf/",
        f"/jobs/{done.pk}/case-file/", "/billing/",
    ):  # fmt: skip
        assert browser.get(url).status_code == 200, url
    assert f"Closed account {done.freelancer_id}" in text_of(browser.get(f"/jobs/{done.pk}/"))
    paper = text_of(browser.get(f"/billing/documents/{document.pk}/"))
    assert "Frank Freelancer" in paper


def test_two_steps_and_a_farewell(
    client: Client, stranger: Person, mail_server: MailServer, worker: None
) -> None:
    sign_in(client, stranger)
    other = Client()
    other.post("/accounts/login/", {"login": "sam@example.com", "password": PASSWORD})
    assert other.get("/profile/").status_code == 200
    wrong = client.post(PAGE, {"email": "somebody@example.com"})
    assert "This is not the address of your account" in wrong.content.decode()
    answer = client.post(PAGE, {"email": "Sam@example.com"})
    assert answer["Location"] == "/accounts/login/"
    (farewell,) = mail_server.wait_for(1)
    assert (farewell["To"], farewell["Subject"]) == ("sam@example.com", "Your account is closed")
    for browser in (client, other):
        assert browser.get("/profile/").status_code == 302
    cache.clear()
    typed = {"login": "sam@example.com", "password": PASSWORD}
    assert "is not correct" in Client().post("/accounts/login/", typed).content.decode()


def test_the_address_may_sign_up_anew(stranger: Person) -> None:
    close(stranger)
    form = {
        "name": "Sam Again", "email": "sam@example.com", "password1": PASSWORD, "time_zone": "UTC",
    }  # fmt: skip
    assert Client().post("/accounts/signup/", form).status_code == 302
    assert Person.objects.get(email="sam@example.com").pk != stranger.pk


def test_an_old_session_is_asked_first(client: Client, stranger: Person) -> None:
    sign_in_long_ago(client, stranger)
    for url in (PAGE, "/profile/export/"):
        answer = client.post(url, {"email": stranger.email})
        assert answer["Location"].startswith("/accounts/reauthenticate/")
    stranger.refresh_from_db()
    assert stranger.closed_at is None


def test_who_has_closed_is_told_nothing_any_more(done: Job) -> None:
    """What happens on an old Job makes a notice for the other side alone."""
    assert done.freelancer is not None
    close(done.freelancer)
    with transaction.atomic():
        job = Job.objects.locked().get(pk=done.pk)
        activity.record(job, COMPLETED, by=None, at=timezone.now())
    told = Activity.objects.latest("pk").notifications
    assert [notice.person_id for notice in told.all()] == [done.client_id]


# --- The database ---


def test_the_database_refuses_what_code_might_forget(
    done: Job, client_person: Person, freelancer: Person
) -> None:
    close(freelancer)
    closed = Person.objects.filter(pk=freelancer.pk)
    for change in (
        {"is_active": True}, {"is_staff": True}, {"tax_id": "DE 1"}, {"email": "f@example.com"},
        {"closed_at": None}, {"billing_address": "1 Main Street"},
    ):  # fmt: skip
        with pytest.raises(IntegrityError), transaction.atomic():
            closed.update(**change)
    job = awarded(client_person, "nobody@example.com")
    with pytest.raises(IntegrityError), transaction.atomic():
        Job.objects.filter(pk=job.pk).update(freelancer=freelancer)
    with pytest.raises(IntegrityError), transaction.atomic():
        Person.objects.filter(pk=client_person.pk).update(
            closed_at=timezone.now(), is_active=False, billing_address="", tax_id="",
            email="closed-1@closed.invalid",
        )  # fmt: skip


@pytest.mark.race
def test_an_award_and_a_closing_in_one_moment(client_person: Person, freelancer: Person) -> None:
    """Whoever is first wins; never is a Job awarded to nobody."""
    for _ in range(3):
        job = draft(client_person)

        def award(job: Job = job) -> None:
            try:
                awards.award(job, by=client_person, email="frank@example.com", at=timezone.now())
            except IntegrityError:
                pass
            finally:
                connections.close_all()

        def go() -> None:
            try:
                close(freelancer)
            except Refusal:
                pass
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            for running in [pool.submit(award), pool.submit(go)]:
                running.result()
    closed = Person.objects.get(pk=freelancer.pk).closed_at is not None
    held = Job.objects.filter(freelancer=freelancer, ended_at=None).exists()
    assert not (closed and held)


# --- Taking one's data along ---

# What names a person and is not in the archive, and why.
ELSEWHERE = {
    "mfa.Authenticator.user": "kind and dates only: the rest is secret",
    "jobs.Person_groups.person": "support agents cannot close their accounts",
    "jobs.Person_user_permissions.person": "the same",
    "admin.LogEntry.user": "what agents do belongs to the desk",
    "billing.Decision.decided_by": "an agent's act",
    "billing.Decision.checked_by": "an agent's act",
    "billing.Intervention.proposed_by": "an agent's act",
    "billing.Intervention.checked_by": "an agent's act",
    "billing.Chargeback.recorded_by": "an agent's act",
    "billing.Chargeback.confirmed_by": "an agent's act",
    "billing.Escrow.disputed_by": "stands in the Dispute",
    "billing.DocumentSeries.issuer": "a counter",
}


def test_everything_that_names_a_person_is_in_the_archive_or_said_why_not(
    done: Job, freelancer: Person
) -> None:
    exported = set()
    for rows in account_export.SECTIONS.values():
        found = rows(freelancer)
        where = str(found.query)
        for field in found.model._meta.concrete_fields:
            if field.related_model is Person and f'"{field.column}" = ' in where:
                exported.add(f"{found.model._meta.label}.{field.name}")
    named = {
        f"{one.related_model._meta.label}.{one.field.name}"  # type: ignore[union-attr]
        for one in Person._meta.get_fields(include_hidden=True)
        if one.is_relation and one.auto_created
    }
    assert named - exported == set(ELSEWHERE)


def test_the_archive(client: Client, done: Job, freelancer: Person) -> None:
    add_card(freelancer)
    give_second_factor(freelancer)
    calendars.open_feed(freelancer, at=timezone.now())
    sign_in(client, freelancer)
    before = world()
    answer = client.post("/profile/export/")
    assert world() == before
    assert "my-data-" in answer["Content-Disposition"]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    assert archive.testzip() is None
    data = json.loads(archive.read("data.json"))
    assert data["account"][0]["email"] == "frank@example.com"
    assert [job["title"] for job in data["Jobs"]] == [done.title]
    assert data["payouts"][0]["amount_minor"] == 456_25
    names = archive.namelist()
    assert any(name.startswith(f"documents/job-{done.pk}/") for name in names)
    freelancer.refresh_from_db()
    everything = archive.read("data.json").decode()
    for secret in (
        freelancer.password, freelancer.calendar_token, client.session.session_key,
        Authenticator.objects.get().data["secret"],
    ):  # fmt: skip
        assert secret not in everything


def test_the_page_lists_every_reason(
    client: Client, client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=timezone.now())
    sign_in(client, freelancer)
    text = text_of(client.get(PAGE))
    assert "is active. Complete it, or cancel it together." in text
    assert "$456.25 is on your available balance. Pay it out." in text
    assert "Close my account for good" not in text
