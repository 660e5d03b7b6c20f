"""Before money leaves, an old session is asked who is sitting there; nothing moves until it has said so."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
import time_machine
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Chargeback, Payment
from billing.services import (
    cancellations,
    chargebacks,
    disputes,
    mediation,
    offers,
    releases,
    sealed,
)
from jobs.models import Job, Person, Policy
from tests.billing import intervening
from tests.billing.banking import deliver
from tests.billing.dispute_steps import NOON, agent_named, open_dispute
from tests.desk import agent_of_the_desk, second_agent, superuser
from tests.factories import PASSWORD
from tests.scenarios import fund
from tests.signing_in import code_now, give_second_factor, sign_in_long_ago
from tests.workroom.agreements import agreed, awarded
from tests.workroom.changing import FIRST, SECOND, propose
from tests.workroom.reauthentication_steps import Step, paid_job, pay_out
from tests.workroom.terms_steps import typed
from tests.world import world

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    cache.clear()
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return paid_job(client_person, freelancer)


# --- Every way ---


def release(job: Job) -> Step:
    form = {"escrow": [1], "seen_minor": 500_00}
    return job.client, reverse("billing:release", args=[job.pk]), form


def release_part(job: Job) -> Step:
    form = {"escrow": 1, "amount": "100.00", "seen_minor": 500_00}
    return job.client, reverse("billing:release_part", args=[job.pk]), form


def refund(job: Job) -> Step:
    form = {"escrow": 1, "amount": "100.00", "reason": "Less work.", "seen_minor": 500_00}
    return job.freelancer, reverse("billing:refund", args=[job.pk]), form  # type: ignore[return-value]


def refund_released(job: Job) -> Step:
    form = {"escrow": 2, "amount": "100.00", "reason": "Less work.", "seen_minor": 500_00}
    return job.freelancer, reverse("billing:refund_released", args=[job.pk]), form  # type: ignore[return-value]


def accept_offer(job: Job) -> Step:
    dispute = open_dispute(job, job.client)
    assert job.freelancer is not None
    offer = offers.make(dispute.pk, to_freelancer_minor=200_00, by=job.freelancer, at=NOON)
    return job.client, reverse("billing:accept_offer", args=[offer.pk]), {}


def make_offer(job: Job) -> Step:
    dispute = open_dispute(job, job.client)
    form = {"amount": "200.00", "seen_minor": 500_00}
    return job.client, reverse("billing:dispute_offer", args=[dispute.pk]), form


def sealed_offer(job: Job) -> Step:
    dispute = open_dispute(job, job.client)
    assert job.freelancer is not None
    sealed.enter(dispute.pk, limit_minor=200_00, by=job.freelancer, at=NOON)
    form = {"amount": "300.00", "seen_minor": 500_00}
    return job.client, reverse("billing:sealed_offer", args=[dispute.pk]), form


def request_cancellation(job: Job) -> Step:
    form = {
        "share-1": "500.00", "share-2": "500.00", "seen-1": 500_00, "seen-2": 500_00,
        "reason": "No time.", "step": "send",
    }  # fmt: skip
    return job.client, reverse("billing:cancel_job", args=[job.pk]), form


def accept_cancellation(job: Job) -> Step:
    asked = cancellations.request(
        job.pk, shares={1: 100_00, 2: 0}, reason="No time.", by=job.client, at=NOON
    )
    return job.freelancer, reverse("billing:accept_cancellation", args=[asked.pk]), {}  # type: ignore[return-value]


def confirm_decision(job: Job) -> Step:
    dispute = open_dispute(job, job.client)
    disputes.escalate(dispute.pk, by=job.client, at=NOON)
    decision = mediation.decide(
        dispute.pk, to_freelancer_minor=0, reasons="x", by=agent_named("Alma"), at=NOON
    )
    url = reverse("admin:billing_dispute_confirm", args=[dispute.pk])
    return senior_agent(), url, {"decision": decision.pk}


def confirm_intervention(job: Job) -> Step:
    wish = intervening.propose(
        job, "release", agent_of_the_desk(), asked_by=job.client, at=NOON, amount_minor=100_00
    )
    return senior_agent(), reverse("admin:billing_intervention_confirm", args=[wish.pk]), {}


def confirm_chargeback(job: Job) -> Step:
    payment = Payment.objects.filter(job=job).earliest("pk")
    deliver(charge_back(payment.gateway_reference), at=NOON)
    row = Chargeback.objects.get()
    chargebacks.record(row.pk, outcome="won", reason="Letter.", by=agent_of_the_desk(), at=NOON)
    url = reverse("admin:billing_chargeback_confirm", args=[row.pk])
    return senior_agent(), url, {"seen_outcome": "won"}


def senior_agent() -> Person:
    person = second_agent()
    give_second_factor(person)
    return person


def propose_changed_terms(job: Job) -> Step:
    """The Freelancer's browser offers to do it for less."""
    assert job.freelancer is not None
    running = agreed(job.client, job.freelancer, at=NOON)
    fund(running, 1)
    cheaper = {"number": "1", "title": "Design", "amount": "1", "due_on": "2026-03-31"}
    url = reverse("workroom:propose_terms", args=[running.pk])
    return job.freelancer, url, typed(cheaper)


WAYS = [
    release, release_part, refund, refund_released, make_offer, accept_offer, request_cancellation,
    accept_cancellation, propose_changed_terms, pay_out, confirm_decision, confirm_intervention,
    confirm_chargeback,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_old_session_is_asked_first_and_then_it_is_done(
    way: Callable[[Job], Step], job: Job, client: Client
) -> None:
    person, url, form = way(job)
    sign_in_long_ago(client, person)
    before = world()
    asked = client.post(url, form)
    assert (asked.status_code, asked["Location"].split("?")[0]) == (
        302,
        "/accounts/reauthenticate/",
    )
    wrong = client.post(asked["Location"], {"password": "not the password"})
    assert (wrong.status_code, world()) == (200, before)
    done = client.post(asked["Location"], {"password": PASSWORD})
    assert done.status_code == 302
    assert not done["Location"].startswith("/accounts/")
    assert world() != before


@pytest.mark.parametrize("name", ["close_account", "export_account"])
def test_an_account_is_neither_closed_nor_carried_away_unasked(
    name: str, stranger: Person, client: Client
) -> None:
    sign_in_long_ago(client, stranger)
    asked = client.post(reverse(f"workroom:{name}"), {"email": stranger.email})
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert Person.objects.get(pk=stranger.pk).closed_at is None
    done = client.post(asked["Location"], {"password": PASSWORD})
    if name == "close_account":
        assert Person.objects.get(pk=stranger.pk).closed_at is not None
    else:
        assert done["Content-Type"] == "application/zip"


def test_showing_what_a_cancellation_comes_to_asks_nothing(job: Job, client: Client) -> None:
    person, url, form = request_cancellation(job)
    sign_in_long_ago(client, person)
    assert client.post(url, form | {"step": "show"}).status_code == 200


def test_what_is_refused_after_the_password_is_sent_again_to_where_it_belongs(
    job: Job, client: Client
) -> None:
    """The page is shown at the address that asks; its form must not go there (R13)."""
    person, url, form = request_cancellation(job)
    sign_in_long_ago(client, person)
    asked = client.post(url, form)["Location"]
    releases.release_part(
        job.pk, number=1, amount_minor=100_00, by=job.client, at=NOON, seen_held_minor=500_00
    )
    page = client.post(asked, {"password": PASSWORD}).content.decode()
    assert f'method="post" class="form" action="{url}"' in page


def test_once_is_enough_for_ten_minutes(job: Job, client: Client) -> None:
    person, url, form = release_part(job)
    sign_in_long_ago(client, person)
    assert client.post(url, form)["Location"].startswith("/accounts/reauthenticate/")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    with time_machine.travel(NOON.timestamp() + 590, tick=False):
        assert client.post(url, form)["Location"].startswith("/billing/documents/")
    with time_machine.travel(NOON.timestamp() + 610, tick=False):
        assert client.post(url, form)["Location"].startswith("/accounts/reauthenticate/")


def test_the_second_factor_does_as_well(job: Job, client: Client) -> None:
    person, url, form = release_part(job)
    give_second_factor(person)
    sign_in_long_ago(client, person)
    asked = client.post(url, form)["Location"]
    assert "/accounts/2fa/reauthenticate/?next=" in client.get(asked).content.decode()
    by_code = asked.replace("/accounts/reauthenticate/", "/accounts/2fa/reauthenticate/")
    done = client.post(by_code, {"code": code_now()})
    assert done["Location"].startswith("/billing/documents/")


def test_what_stood_in_the_address_is_kept_too(job: Job, client: Client) -> None:
    """Some forms are sent to an address with a question mark in it."""
    person, url, form = release_part(job)
    sign_in_long_ago(client, person)
    asked = client.post(f"{url}?escrow=1&amount=100.00", form)["Location"]
    assert client.post(asked, {"password": PASSWORD})["Location"].startswith("/billing/documents/")


def test_what_is_refused_afterwards_changes_nothing(job: Job, client: Client) -> None:
    """Between the click and the password the other side was faster."""
    person, url, form = release_part(job)
    sign_in_long_ago(client, person)
    asked = client.post(url, form)["Location"]
    releases.release(job.pk, numbers=[1], by=job.client, at=NOON)
    before = world()
    client.post(asked, {"password": PASSWORD})
    assert world() == before


def test_reading_asks_nothing(job: Job, client: Client) -> None:
    person, url, _ = release(job)
    sign_in_long_ago(client, person)
    assert client.get(url, {"escrow": 1}).status_code == 200


def test_another_session_token_cannot_be_forged(job: Job) -> None:
    """Cross-site requests are refused before anything is kept for later."""
    person, url, form = release(job)
    browser = Client(enforce_csrf_checks=True)
    sign_in_long_ago(browser, person)
    assert browser.post(url, form).status_code == 403
    assert "account_reauthentication_state" not in browser.session


def test_a_limit_under_seal_is_asked_for_before_it_is_typed_and_never_kept(
    job: Job, client: Client
) -> None:
    person, url, form = sealed_offer(job)
    sign_in_long_ago(client, person)
    assert client.get(url)["Location"].startswith("/accounts/reauthenticate/")
    before = world()
    asked = client.post(url, form)
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert "300" not in str(dict(client.session))
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == url
    assert world() == before
    assert client.post(url, form).status_code == 302
    assert world() != before


def test_changed_terms_that_pay_money_back_are_asked_for(
    client_person: Person, freelancer: Person, client: Client
) -> None:
    job = agreed(client_person, freelancer, at=NOON)
    fund(job, 1)
    propose(job, freelancer, replace(FIRST, amount_minor=400_00), SECOND, at=NOON)
    sign_in_long_ago(client, client_person)
    before = world()
    url = reverse("workroom:accept_terms", args=[job.pk, 2])
    asked = client.post(url, {"seen_refund_minor": 100_00})
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    assert world() == before
    assert client.post(asked["Location"], {"password": PASSWORD})["Location"] == f"/jobs/{job.pk}/"


def test_first_terms_move_no_money_and_ask_nothing(
    client_person: Person, freelancer: Person, client: Client
) -> None:
    job = awarded(client_person, freelancer.email, at=NOON)
    sign_in_long_ago(client, freelancer)
    answer = client.post(reverse("workroom:accept_terms", args=[job.pk, 1]))
    assert answer["Location"] == f"/jobs/{job.pk}/"


# --- Who may do what ---


def test_nobody_becomes_an_agent_by_an_open_browser(stranger: Person, client: Client) -> None:
    """Two puppets could propose and confirm."""
    root = superuser()
    give_second_factor(root)
    sign_in_long_ago(client, root)
    url = reverse("admin:jobs_person_change", args=[stranger.pk])
    form = {"name": "Sam", "time_zone": "UTC", "language": "en", "is_staff": "on"}
    assert client.get(url).status_code == 200
    asked = client.post(url, form)["Location"]
    assert asked.startswith("/accounts/reauthenticate/")
    assert not Person.objects.get(pk=stranger.pk).is_staff
    client.post(asked, {"password": PASSWORD})
    assert Person.objects.get(pk=stranger.pk).is_staff


def test_the_desk_asks_before_rights_and_rules_change(stranger: Person, client: Client) -> None:
    root = superuser()
    give_second_factor(root)
    sign_in_long_ago(client, root)
    group, policy = Group.objects.get(name="Agent"), Policy.objects.current()
    for name, *keys in (
        ("auth_user_password_change", stranger.pk),  # first, as nothing is kept of it
        ("auth_group_change", group.pk),
        ("auth_group_add",),
        ("jobs_policy_change", policy.pk),
    ):
        answer = client.post(reverse(f"admin:{name}", args=keys), {"password1": "typed"})
        assert answer["Location"].startswith("/accounts/reauthenticate/"), name
        assert ("password1=typed" in str(dict(client.session))) == ("password" not in name), name
