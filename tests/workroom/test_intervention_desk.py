"""Interventions at the support desk: story, form, preview, queue, check (R9.7)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from billing.models import Intervention, Release
from billing.services import interventions, releases
from jobs.models import Activity, Job, Notification, Person
from tests.billing.banking import nothing_changes
from tests.billing.dispute_steps import funded_job, open_dispute
from tests.billing.intervening import NOON, propose
from tests.billing.steps import request_release
from tests.desk import agent_of_the_desk, browser_of, listed, second_agent, statements
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db

NOW = NOON + timedelta(days=1)


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture
def alma(db: None) -> Client:
    return browser_of(agent_of_the_desk())


@pytest.fixture
def bela(db: None) -> Client:
    return browser_of(second_agent())


def propose_url(job: Job, kind: str) -> str:
    return reverse("admin:billing_intervention_propose", args=[job.pk, kind])


def url(verb: str, one: Intervention) -> str:
    return reverse(f"admin:billing_intervention_{verb}", args=[one.pk])


def typed(job: Job, **changes: object) -> dict[str, object]:
    return {
        "number": "1", "amount": "200.00", "asked_by": str(job.client_id),
        "asked_how": "by phone on 10 March", "reason": "He could not sign in.", **changes,
    }  # fmt: skip


def text(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined]


def logged() -> list[tuple[str, str, str]]:
    rows = LogEntry.objects.select_related("user", "content_type").order_by("pk")
    return [(str(row.user), row.content_type.model, row.get_change_message()) for row in rows]


def test_the_story_offers_what_the_guards_allow(job: Job, alma: Client) -> None:
    story = text(alma.get(reverse("admin:jobs_job_story", args=[job.pk])))
    offered = [kind for kind in Intervention.Kind.values if propose_url(job, kind) in story]
    assert offered == ["release", "refund_held"]
    request_release(job)
    story = text(alma.get(reverse("admin:jobs_job_story", args=[job.pk])))
    offered = [kind for kind in Intervention.Kind.values if propose_url(job, kind) in story]
    assert offered == ["release", "refund_held", "void", "extend_release"]


def test_from_the_form_to_both_sides(job: Job, alma: Client, bela: Client) -> None:
    page = propose_url(job, "release")
    assert "Milestone 1 ($500.00 held)" in text(alma.get(page))
    with nothing_changes():
        preview = text(alma.post(page, typed(job)))
    for words in ("$200.00", "− $17.50", "$182.50", "$300.00", "Propose it to a second agent"):
        assert words in preview
    answer = alma.post(page, typed(job, seen_minor="50000", previewed="true"), follow=True)
    assert "Nothing is done before a second agent has confirmed it." in text(answer)
    made = Intervention.objects.get()
    assert "a second, senior agent confirms it" in text(answer)

    assert listed(bela, "billing_intervention", state__exact="proposed") == [made.pk]
    check = text(bela.get(url("check", made)))
    assert "$182.50" in check
    assert "Confirm: $200.00" in check
    done = text(bela.post(url("confirm", made), follow=True))
    assert "Confirmed. It is done, and both sides are told." in done
    assert "This proposal was confirmed already" not in done
    for words in ("What it came to", "− $17.50", "$182.50", "$300.00", "Bela Senior"):
        assert words in done
    assert Release.objects.get().gross_minor == 200_00
    told = Notification.objects.filter(activity__kind="support_released")
    assert {one.person_id for one in told} == {job.client_id, job.freelancer_id}
    act = "Release held money: Milestone 1, $200.00, at the request of the Client, Clara Client"
    assert logged() == [
        ("Alma Agent", "intervention", f"Proposed: {act}"),
        ("Alma Agent", "job", f"{made}: Proposed: {act}"),
        ("Bela Senior", "intervention", f"Confirmed: {act}"),
        ("Bela Senior", "job", f"{made}: Confirmed: {act}"),
    ]


def test_what_is_wrong_is_said_on_the_form_with_what_was_typed(job: Job, alma: Client) -> None:
    page = propose_url(job, "release")
    for wrong, said in [
        ({"amount": "nine"}, "nine"),
        ({"amount": "900"}, "is more than there is"),
        ({"asked_by": ""}, "Choose who asked for it."),
        ({"asked_how": ""}, "Write when and how the party asked."),
        ({"reason": ""}, "Write the reason."),
        ({"number": "7"}, "not one of the available choices"),
        ({"seen_minor": "40000", "previewed": "true"}, "What is held has changed"),
    ]:
        with nothing_changes():
            answer = alma.post(page, typed(job, **wrong))
        assert answer.status_code == 200
        assert said in text(answer), wrong
        assert "by phone on 10 March" in text(answer) or "asked_how" in wrong
    assert logged() == []


def test_an_error_of_ours_needs_no_asker(job: Job, alma: Client) -> None:
    sent = typed(job, asked_by="nobody", seen_minor="50000", previewed="true")
    alma.post(propose_url(job, "release"), sent)
    made = Intervention.objects.get()
    assert (made.basis, made.asked_by, made.asked_how) == ("platform_error", None, "")


def test_a_clock_is_extended_in_utc(job: Job, alma: Client, bela: Client) -> None:
    request_release(job)
    asked = {"asked_by": str(job.freelancer_id), "until": "2026-04-09T10:00"}
    page = propose_url(job, "extend_release")
    assert "Write it as" in text(alma.post(page, typed(job, **asked | {"until": "soon"})))
    assert "9 Apr 2026, 10:00 UTC" in text(alma.post(page, typed(job, **asked)))
    alma.post(page, typed(job, **asked, seen_minor="50000", previewed="true"))
    made = Intervention.objects.get()
    check = text(bela.get(url("check", made)))
    assert "Confirm: until" in check
    assert "9 Apr 2026, 10:00 UTC" in check


def test_sent_back_and_withdrawn(job: Job, alma: Client, bela: Client) -> None:
    by = agent_of_the_desk()
    made = propose(job, "release", by, asked_by=job.client, amount_minor=1_00)
    assert "Write why you send it back." in text(bela.post(url("send_back", made), {"answer": ""}))
    bela.post(url("send_back", made), {"answer": "Call back first."})
    made.refresh_from_db()
    assert (made.state, made.answer) == ("sent_back", "Call back first.")
    assert "Call back first." in text(alma.get(url("check", made)))
    again = propose(job, "release", by, asked_by=job.client, amount_minor=1_00)
    assert "Withdrawn. Nothing was done." in text(alma.post(url("withdraw", again), follow=True))


def test_an_overtaken_proposal_says_so_and_cannot_be_confirmed(job: Job, bela: Client) -> None:
    made = propose(job, "release", agent_of_the_desk(), asked_by=job.client, amount_minor=500_00)
    releases.release(job.pk, numbers=[1], by=job.client, at=NOW)
    page = text(bela.get(url("check", made)))
    assert "What is held has changed since it was proposed" in page
    assert url("confirm", made) not in page
    assert "What is held has changed" in text(bela.post(url("confirm", made)))
    made.refresh_from_db()
    assert made.state == "overtaken"


def test_an_agent_who_is_a_party_sees_nothing_of_it(job: Job, client_person: Person) -> None:
    made = propose(job, "release", agent_of_the_desk(), asked_by=client_person, amount_minor=1_00)
    client_person.is_staff = True
    client_person.save()
    client_person.groups.set(second_agent().groups.all())
    desk = browser_of(client_person)
    assert listed(desk, "billing_intervention") == []
    for verb in ("check", "change"):
        assert desk.get(url(verb, made)).status_code in (302, 403)
    assert desk.post(url("confirm", made)).status_code == 403
    assert desk.get(propose_url(job, "release")).status_code == 403
    story = text(desk.get(reverse("admin:jobs_job_story", args=[job.pk])))
    assert "proposed: Release held money" not in story
    assert url("check", made) not in story


def test_nor_does_he_find_it_in_lists_logs_and_searches(
    job: Job, alma: Client, client_person: Person
) -> None:
    """Whoever is no party finds it in each of these places."""
    alma.post(propose_url(job, "release"), typed(job, seen_minor="50000", previewed="true"))
    made = Intervention.objects.get()
    line = Activity.objects.get(kind="intervention_proposed")
    client_person.is_staff = True
    client_person.save()
    client_person.groups.set(agent_of_the_desk().groups.all())
    found = {}
    for name, desk in (("agent", alma), ("party", browser_of(client_person))):
        log = desk.get(reverse("admin:jobs_job_history", args=[job.pk]))
        found[name] = (
            line.pk in listed(desk, "jobs_activity", job__id__exact=job.pk),
            desk.get(reverse("admin:jobs_activity_change", args=[line.pk])).status_code,
            (log.status_code, "Proposed: Release held money" in text(log)),
            listed(desk, "jobs_job", f"Intervention {made.pk}"),
            listed(desk, "jobs_job", f"job {job.pk}"),
        )
    assert found == {
        "agent": (True, 200, (200, True), [job.pk], [job.pk]),
        "party": (False, 302, (403, False), [], [job.pk]),
    }
    # What every party reads in the Job's history he reads here, too.
    assert listed(browser_of(client_person), "jobs_activity", job__id__exact=job.pk) != []


def test_the_queue_costs_the_same_for_many(job: Job, bela: Client) -> None:
    by = agent_of_the_desk()
    propose(job, "release", by, asked_by=job.client, amount_minor=1_00)
    page = reverse("admin:billing_intervention_changelist")
    few = statements(bela, page)
    for _ in range(6):
        other = funded_job(PersonFactory(), PersonFactory())
        propose(other, "release", by, asked_by=other.client, amount_minor=1_00)
    assert statements(bela, page) == few


def test_the_parties_read_nothing_of_a_proposal(job: Job, client_person: Person) -> None:
    propose(job, "release", agent_of_the_desk(), asked_by=client_person, amount_minor=1_00)
    party = browser_of(client_person)
    for name in ("workroom:activity", "workroom:job"):
        assert "proposed: Release" not in text(party.get(reverse(name, args=[job.pk])))


def test_both_sides_read_on_the_page_of_the_dispute_that_there_is_more_time(
    job: Job, client_person: Person
) -> None:
    dispute = open_dispute(job, client_person, at=NOON)
    until = NOON + timedelta(days=9)
    made = propose(job, "extend_answer", agent_of_the_desk(), asked_by=client_person, until=until)
    interventions.confirm(made.pk, by=second_agent(), at=NOW)
    for party in (job.client, job.freelancer):
        assert party is not None
        page = text(browser_of(party).get(reverse("billing:dispute", args=[dispute.pk])))
        assert "18 Mar 2026, 12:00 UTC" in page
        notices = text(browser_of(party).get(reverse("jobs:notices")))
        assert "More time to answer the Dispute: Milestone 1" in notices
