"""Search boxes of the desk against anything that can be typed, pasted or sent: never an error."""

import pytest
from django.contrib import admin
from django.test import Client

from jobs.models import Person
from tests.desk import World, browser_of, in_dispute, listed, superuser, whole_world

pytestmark = pytest.mark.django_db

HOSTILE = [
    "+49 (0)30 / 901820-1234", "0049 30 9018201234", "0" * 200, "9" * 18, "9" * 30, "#" + "9" * 18,
    "job " + "9" * 19, "INV-" + "9" * 12 + "-" + "9" * 12, "PF-" + "9" * 30, "CS-0-0", "inv 12",
    "١٢٣", "job ٧", "PF-٠٠٠٠٨٨", "²", "½", "' OR 1=1 --", '";DROP TABLE jobs_job;--', "%", "_", "\\",
    "%_%" * 50, "(((", "[a-z", "a" * 5000, "a b " * 500, "@", "@@@", "a@", ".", "...", "-", "–", "\u202e abc",
    "\U0001f4a9", "\u0000", "a\u0000b", "\x1b[31m", "\ud7ff", "￿", "nan", "inf", "1e999", "-1", "null", "true",
    "2020 51", "DE02 1203 0000 0000 2020 51 " * 20, "dispute " + "9" * 18, "<script>alert(1)</script>",
]  # fmt: skip


@pytest.fixture
def world(client_person: Person, freelancer: Person) -> World:
    made = whole_world(client_person, freelancer)
    in_dispute(made.job)
    return made


@pytest.fixture
def desk(db: None) -> Client:
    return browser_of(superuser())


def test_no_search_is_an_error(world: World, desk: Client) -> None:
    wrong = []
    for model, model_admin in admin.site._registry.items():
        if not model_admin.search_fields:
            continue
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        terms = (
            HOSTILE
            if model._meta.model_name in ("job", "payout", "intervention")
            else HOSTILE[::10]
        )
        for term in terms:
            answer = desk.get(url, {"q": term})
            if answer.status_code not in (200, 302, 400):
                wrong.append((url, term, answer.status_code))
    assert wrong == []


def test_what_a_caller_says_finds_the_new_rows(world: World, desk: Client) -> None:
    job = world.job
    intervention = job.interventions.get()  # type: ignore[attr-defined]
    for words in (
        f"job {job.pk}", "clara@example.com", "frank", "Design", "by phone", "kind", "Bela Senior",
        world.invoice.name, f"{intervention.pk}",
    ):  # fmt: skip
        assert listed(desk, "billing_intervention", words) == [intervention.pk], words
    assert listed(desk, "billing_intervention", "nobody at all") == []
    payout = world.payout
    payout.refresh_from_db()
    assert payout.gateway_reference
    for words in (payout.gateway_reference, "DE02-1203-0000-0000-2020-51", f"{payout}".split()[1]):
        assert payout.pk in listed(desk, "billing_payout", words), words
    assert job.pk in listed(desk, "jobs_job", payout.gateway_reference)
    dispute = job.disputes.get()
    assert listed(desk, "billing_dispute", f"dispute {dispute.pk}") == [dispute.pk]
    assert job.pk in listed(desk, "jobs_job", f"dispute {dispute.pk}")


@pytest.mark.parametrize("key", ["", "x", "1.5", "\x00", "9" * 40])
def test_no_chosen_row_is_an_error(desk: Client, key: str) -> None:
    form = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
    for url in ("/admin/auth/group/", "/admin/jobs/job/", "/admin/jobs/notification/"):
        assert desk.post(url, form).status_code == 302
