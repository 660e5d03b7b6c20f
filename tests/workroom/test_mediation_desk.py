"""Disputes at the support desk: the list, the case on one page, and what an agent does there (R9.3)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.urls import reverse

from billing.models import Decision, Dispute, DisputeStatement
from billing.services import disputes, mediation, offers
from jobs.models import Activity, Job, Person
from tests.billing.banking import nothing_changes
from tests.billing.dispute_steps import (
    HOUR,
    NOON,
    agent_named,
    figures,
    funded_job,
    open_dispute,
    pdf,
)
from tests.desk import agent_of_the_desk, browser_of, listed, second_agent, statements
from tests.factories import PersonFactory
from tests.workroom.mediation_steps import WORDS, decide, logged, say, url, with_support

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON + 3 * HOUR, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture
def dispute(job: Job) -> Dispute:
    return with_support(job)


# --- The list ---


def test_what_waits_for_support_stands_on_top(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    """To be confirmed, to be decided, waiting for an answer by deadline, and last what is over."""
    others = [funded_job(PersonFactory(), PersonFactory()) for _ in range(4)]
    later, sooner, over, decided = (
        open_dispute(job, job.client, at=NOON - number * HOUR) for number, job in enumerate(others)
    )
    disputes.withdraw(over.pk, by=over.opened_by, at=NOON)
    disputes.escalate(decided.pk, by=decided.opened_by, at=NOON)
    mediation.decide(
        decided.pk, to_freelancer_minor=0, reasons="x", by=agent_of_the_desk(), at=NOON
    )
    desk = browser_of(second_agent())
    order = [decided.pk, dispute.pk, sooner.pk, later.pk, over.pk]
    assert listed(desk, "billing_dispute") == order
    assert listed(desk, "billing_dispute", state__exact="mediation") == [dispute.pk]
    page = desk.get(reverse("admin:billing_dispute_changelist")).content.decode()
    for words in ("a second agent, since ", "support, since ", "an answer until ", "it ended "):
        assert words in page


def test_a_dispute_is_found_by_anything_a_caller_says(dispute: Dispute) -> None:
    other = funded_job(PersonFactory(), PersonFactory())
    Job.objects.filter(pk=other.pk).update(title="Shop")
    desk = browser_of(agent_of_the_desk())
    assert dispute.request is not None
    file = dispute.evidence.get().file
    for words in (
        f"dispute {dispute.pk}", f"#{dispute.pk}", f"job {dispute.job_id}", "clara@example.com",
        "Frank Free", "Milestone 1", "website", dispute.request.pro_forma.name, "4242",
        "not what we agreed", "all there", "screen.pdf", file.sha256,
    ):  # fmt: skip
        assert listed(desk, "billing_dispute", words) == [dispute.pk], words
    for words in ("dispute 99999", "nobody at all", "INV-9-9", "412.34", "41234"):
        assert listed(desk, "billing_dispute", words) == [], words


def test_the_list_costs_the_same_for_many(dispute: Dispute) -> None:
    desk = browser_of(agent_of_the_desk())
    page = reverse("admin:billing_dispute_changelist")
    few = statements(desk, page)
    for _ in range(9):
        job = funded_job(PersonFactory(), PersonFactory())
        open_dispute(job, job.client)
    assert statements(desk, page) == few <= 9


# --- The case ---


def test_the_case_has_everything_but_what_is_under_seal(dispute: Dispute) -> None:
    page = browser_of(agent_of_the_desk()).get(url("case", dispute))
    told = page.content.decode()
    assert "no-store" in page.headers["Cache-Control"]
    for section in (
        "dispute", "mediation", "statements", "evidence", "offers", "parties", "money", "terms",
        "reports", "releases", "payments", "documents", "ledger", "files", "policy", "disputes", "history",
    ):  # fmt: skip
        assert f'<section id="{section}">' in told, section
    assert dispute.request is not None
    for words in (
        "The work is not what we agreed.", "It was all there.", "$450.00", dispute.request.pro_forma.name,
        dispute.evidence.get().file.sha256, "screen.pdf", "Escrow of “Milestone 1”",
        "opened a Dispute about “Milestone 1”", "9 Mar 2026, 13:00 UTC",
    ):  # fmt: skip
        assert words in told, words
    for secret in ("412.34", "41234"):
        assert secret not in told


def test_a_limit_under_seal_is_on_no_page_of_the_desk(dispute: Dispute) -> None:
    desk = browser_of(second_agent())
    limit = dispute.sealed_limits.get()
    for page in (
        reverse("admin:billing_sealedlimit_changelist"),
        reverse("admin:billing_sealedlimit_change", args=[limit.pk]),
        reverse("admin:billing_dispute_change", args=[dispute.pk]),
        reverse("admin:jobs_job_story", args=[dispute.job_id]),
    ):
        told = desk.get(page).content.decode()
        assert "41234" not in told.replace(",", "")
        assert "412.34" not in told


def test_a_case_costs_the_same_however_long_it_is(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    desk = browser_of(agent_of_the_desk())
    few = statements(desk, url("case", dispute))
    for number in range(12):
        at = NOON + timedelta(hours=2, minutes=number)
        disputes.add_statement(dispute.pk, text=f"More {number}", by=client_person, at=at)
        disputes.add_evidence(dispute.pk, uploads=[pdf(f"{number}.pdf")], by=freelancer, at=at)
        offers.make(dispute.pk, to_freelancer_minor=400_00 + number, by=freelancer, at=at)
    assert statements(desk, url("case", dispute)) == few <= 48


# --- Asking ---


def test_an_agent_asks_both_sides(dispute: Dispute) -> None:
    agent = agent_of_the_desk()
    desk = browser_of(agent)
    with nothing_changes():
        assert "Write what you want to know." in say(desk, "ask", dispute, text=" ")
    assert "Both sides are asked." in say(desk, "ask", dispute, text="Which version?")
    assert DisputeStatement.objects.latest("pk").text == "Which version?"
    assert Activity.objects.latest("pk").kind == "dispute_asked"
    assert logged() == [("Alma Agent", "Asked both sides: Which version?")]


# --- Deciding ---


def test_the_amounts_are_shown_before_the_click(dispute: Dispute) -> None:
    desk = browser_of(agent_of_the_desk())
    with nothing_changes():
        page = say(desk, "decide", dispute, **WORDS)
    for words in ("$500.00", "$300.00", "− $26.25", "$273.75", "$200.00"):
        assert words in page, words
    assert "Decide: $300.00 to the Freelancer, $200.00 back" in page
    assert LogEntry.objects.count() == 0


def test_nothing_for_the_freelancer_is_a_decision_too(dispute: Dispute) -> None:
    page = say(browser_of(agent_of_the_desk()), "decide", dispute, to_freelancer="0", reasons="x")
    assert "Decide: $0.00 to the Freelancer, $500.00 back" in page


def test_an_agent_decides_with_reasons(dispute: Dispute) -> None:
    agent = agent_of_the_desk()
    page = decide(browser_of(agent), dispute)
    assert "No money moves before a second agent has confirmed it." in page
    made = Decision.objects.get()
    assert (made.decided_by, made.to_freelancer_minor, made.reasons.splitlines()) == (
        agent, 300_00, ["Most of it", "is done."],
    )  # fmt: skip
    assert figures(dispute.job) == ("funded", 0, 0, 500_00)
    assert [who for who, _ in logged()] == ["Alma Agent"]
    assert logged()[0][1].startswith(
        "Decided: $300.00 to the Freelancer, $200.00 back to the Client"
    )


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"reasons": ""}, "Write your reasons."),
        ({"to_freelancer": ""}, "Enter the Freelancer’s share; 0 for nothing."),
        ({"to_freelancer": "-1"}, "Enter an amount above zero"),
        ({"to_freelancer": "500.01"}, "between nothing and all that is held, $500.00."),
        ({"seen_held_minor": 499_00}, "What is held has changed since you opened this page."),
    ],
)
def test_a_decision_that_is_not_taken_keeps_what_was_written(
    dispute: Dispute, form: dict[str, object], said: str
) -> None:
    desk = browser_of(agent_of_the_desk())
    with nothing_changes():
        page = decide(desk, dispute, **form)
    assert said in page
    assert ("Most of it\r\nis done." in page or "Most of it\nis done." in page) == (
        "reasons" not in form
    )


def test_the_second_of_two_agents_who_decide_is_told(dispute: Dispute) -> None:
    decide(browser_of(agent_of_the_desk()), dispute)
    with nothing_changes():
        page = decide(browser_of(second_agent()), dispute, to_freelancer="1.00")
    assert "This Dispute is decided already: a second agent is to confirm it." in page


# --- Who may ---


def test_each_permission_by_itself(dispute: Dispute) -> None:
    """Seeing, deciding, confirming: none of them brings another one along."""
    person = PersonFactory(name="Nora New", is_staff=True)
    verbs = ("ask", "decide", "confirm", "send_back")

    def answers(*codenames: str) -> list[int]:
        person.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        desk = browser_of(Person.objects.get(pk=person.pk))
        return [desk.get(url("case", dispute)).status_code] + [
            desk.post(url(verb, dispute), {}).status_code for verb in verbs
        ]

    with nothing_changes():
        assert answers() == [403] * 5
        assert answers("decide_dispute", "confirm_decision") == [403] * 5
        assert answers("view_dispute") == [200] * 5
    desk = browser_of(Person.objects.get(pk=person.pk))
    refusal = "Only a support agent who is not a party of the Job can do this."
    page = desk.get(url("case", dispute)).content.decode()
    assert refusal in page
    assert "<textarea" not in page
    with nothing_changes():
        assert refusal in say(desk, "ask", dispute, text="x")
        assert refusal in decide(desk, dispute)
        assert refusal in say(desk, "decide", dispute, **WORDS)
    answers("view_dispute", "decide_dispute")
    desk = browser_of(Person.objects.get(pk=person.pk))
    assert "Decided." in decide(desk, dispute)


def test_an_agent_who_is_a_party_sees_nothing_of_it(dispute: Dispute) -> None:
    """What is decided and not confirmed is for neither side to know."""
    decide(browser_of(agent_of_the_desk()), dispute)
    party = agent_named("Petra")
    Job.objects.filter(pk=dispute.job_id).update(client=party)
    desk = browser_of(party)
    decision = Decision.objects.get()
    assert desk.get(url("case", dispute)).status_code == 403
    for verb in ("ask", "decide", "confirm", "send_back", "withdraw"):
        assert desk.post(url(verb, dispute), {"decision": decision.pk}).status_code == 403
    # As if there were none: the desk leads back to its beginning.
    assert desk.get(url("change", dispute)).status_code == 302
    assert desk.get(url("history", dispute)).status_code == 302
    assert listed(desk, "billing_dispute") == []
    assert listed(desk, "billing_decision") == []
    assert listed(desk, "billing_evidence") == []
    assert listed(browser_of(second_agent()), "billing_decision") == [decision.pk]


def test_only_staff_come_in(dispute: Dispute, client_person: Person, stranger: Person) -> None:
    for person in (client_person, stranger):
        browser = browser_of(person)
        for verb in ("case", "ask", "decide", "confirm", "send_back", "withdraw"):
            method = browser.get if verb == "case" else browser.post
            assert method(url(verb, dispute)).status_code == 302
    desk = browser_of(agent_of_the_desk())
    assert desk.get(f"/admin/billing/dispute/{'9' * 30}/case/").status_code == 404
