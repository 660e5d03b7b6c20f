"""Disputes at the support desk: the list, the case on one page, and what an agent does there (R9.3)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from billing.models import Decision, Dispute, DisputeStatement, Release
from billing.services import disputes, mediation, offers, sealed
from jobs.models import Activity, Job, Person
from tests.billing.banking import nothing_changes
from tests.billing.charging_back import FROZEN, begin
from tests.billing.dispute_steps import (
    HOUR,
    NOON,
    agent_named,
    differences,
    figures,
    funded_job,
    open_dispute,
    pdf,
)
from tests.billing.steps import request_release
from tests.desk import agent_of_the_desk, browser_of, listed, second_agent, statements
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db

WORDS = {"to_freelancer": "300.00", "reasons": "Most of it\nis done."}


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON + 3 * HOUR, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture
def dispute(job: Job, client_person: Person, freelancer: Person) -> Dispute:
    """With support, about a request; both sides have said and shown something."""
    request_release(job)
    made = open_dispute(job, client_person, uploads=[pdf("screen.pdf")])
    disputes.answer(made.pk, text="It was all there.", by=freelancer, at=NOON)
    offers.make(made.pk, to_freelancer_minor=450_00, by=freelancer, at=NOON)
    sealed.enter(made.pk, limit_minor=412_34, by=freelancer, at=NOON)
    return disputes.escalate(made.pk, by=client_person, at=NOON + HOUR)


def url(verb: str, dispute: Dispute) -> str:
    return reverse(f"admin:billing_dispute_{verb}", args=[dispute.pk])


def say(browser: Client, verb: str, dispute: Dispute, **form: object) -> str:
    answer = browser.post(url(verb, dispute), form, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def decide(browser: Client, dispute: Dispute, **form: object) -> str:
    return say(browser, "decide", dispute, **{**WORDS, "seen_held_minor": 500_00, **form})


def logged() -> list[tuple[str, str]]:
    entries = LogEntry.objects.order_by("pk").select_related("user")
    return [(str(entry.user), entry.get_change_message()) for entry in entries]


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


# --- Confirming and sending back ---


def test_a_second_senior_agent_confirms(dispute: Dispute) -> None:
    decide(browser_of(agent_of_the_desk()), dispute)
    desk = browser_of(second_agent())
    page = desk.get(url("case", dispute)).content.decode()
    for words in ("− $26.25", "$273.75", "Confirm: $300.00 to the Freelancer, $200.00 back"):
        assert words in page, words
    done = say(desk, "confirm", dispute, decision=Decision.objects.get().pk)
    assert "Confirmed. The money is split, and both sides are told." in done
    assert figures(dispute.job) == ("released", 300_00, 200_00, 0)
    assert Release.objects.get().net_minor == 273_75
    assert Activity.objects.filter(kind="dispute_decided", actor=second_agent()).count() == 1
    assert logged()[-1] == (
        "Bela Senior", "Confirmed: $300.00 to the Freelancer, $200.00 back to the Client",
    )  # fmt: skip
    assert differences(NOON + timedelta(days=1)) == []


def test_while_the_bank_wants_the_money_back_it_is_only_sent_back(
    job: Job, dispute: Dispute
) -> None:
    """The page offers what the services let happen, and says what stands against the rest (R8.4)."""
    decide(browser_of(agent_of_the_desk()), dispute)
    begin(job, at=NOON + HOUR)
    desk = browser_of(second_agent())
    case = desk.get(url("case", dispute)).content.decode()
    assert url("confirm", dispute) not in case
    assert FROZEN in case
    assert url("send_back", dispute) in case


def test_a_second_agent_sends_it_back_with_reasons(dispute: Dispute) -> None:
    decide(browser_of(agent_of_the_desk()), dispute)
    desk, decision = browser_of(second_agent()), Decision.objects.get()
    with nothing_changes():
        page = say(desk, "send_back", dispute, decision=decision.pk, answer="")
    assert "Write why you send it back." in page
    say(desk, "send_back", dispute, decision=decision.pk, answer="Read the chat.")
    decision.refresh_from_db()
    assert (decision.state, decision.answer) == ("sent_back", "Read the chat.")
    assert logged()[-1] == ("Bela Senior", "Sent the decision back: Read the chat.")
    page = desk.get(url("case", dispute)).content.decode()
    assert "Read the chat." in page
    assert "Show the amounts" in page


def test_nobody_confirms_his_own_decision(dispute: Dispute) -> None:
    desk = browser_of(second_agent())
    page = decide(desk, dispute)
    own = "You decided this yourself: a second agent is to confirm it."
    assert own in page
    assert "Send back" not in page
    for verb in ("confirm", "send_back"):
        with nothing_changes():
            page = say(desk, verb, dispute, decision=Decision.objects.get().pk, answer="x")
        assert own in page


def test_an_agent_who_is_not_senior_confirms_nothing(dispute: Dispute) -> None:
    decide(browser_of(second_agent()), dispute)
    desk = browser_of(agent_of_the_desk())
    only = "Only a senior support agent confirms a decision or sends it back."
    assert only in desk.get(url("case", dispute)).content.decode()
    for verb in ("confirm", "send_back"):
        with nothing_changes():
            page = say(desk, verb, dispute, decision=Decision.objects.get().pk, answer="x")
        assert only in page


def test_a_decision_of_another_dispute_is_not_confirmed_here(dispute: Dispute) -> None:
    decide(browser_of(agent_of_the_desk()), dispute)
    job = funded_job(PersonFactory(), PersonFactory())
    other = open_dispute(job, job.client)
    disputes.escalate(other.pk, by=job.client, at=NOON)
    desk = browser_of(second_agent())
    with nothing_changes():
        answer = desk.post(url("confirm", other), {"decision": Decision.objects.get().pk})
    assert answer.status_code == 404
    with nothing_changes():
        say(desk, "confirm", dispute)
    assert desk.get(url("confirm", dispute)).status_code == 405


def test_what_the_parties_agree_on_beats_it(dispute: Dispute, client_person: Person) -> None:
    decide(browser_of(agent_of_the_desk()), dispute)
    offers.accept(dispute.offers.get().pk, by=client_person, at=NOON + 2 * HOUR)
    desk = browser_of(second_agent())
    with nothing_changes():
        page = say(desk, "confirm", dispute, decision=Decision.objects.get().pk)
    assert "This decision was overtaken: the Dispute had ended before it was confirmed." in page


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
    for verb in ("ask", "decide", "confirm", "send_back"):
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
        for verb in ("case", "ask", "decide", "confirm", "send_back"):
            method = browser.get if verb == "case" else browser.post
            assert method(url(verb, dispute)).status_code == 302
    desk = browser_of(agent_of_the_desk())
    assert desk.get(f"/admin/billing/dispute/{'9' * 30}/case/").status_code == 404


def test_the_one_who_decided_withdraws_it(dispute: Dispute) -> None:
    desk, senior = browser_of(agent_of_the_desk()), browser_of(second_agent())
    decide(desk, dispute)
    made = Decision.objects.get()
    assert url("withdraw", dispute) not in senior.get(url("case", dispute)).content.decode()
    assert url("withdraw", dispute) in desk.get(url("case", dispute)).content.decode()
    said = say(senior, "withdraw", dispute, decision=made.pk)
    assert "Only the person who decided this can withdraw it." in said
    assert "it is to be decided anew" not in said
    assert "to be decided anew" in say(desk, "withdraw", dispute, decision=made.pk)
    made.refresh_from_db()
    assert made.state == "withdrawn"
    decide(desk, dispute, to_freelancer="100.00")
    assert Decision.objects.filter(state="proposed").count() == 1
