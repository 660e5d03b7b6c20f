"""What a second agent does with a decision at the support desk, and its author while it waits (R9.3)."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from billing.models import Decision, Dispute, Release
from billing.services import disputes, offers
from jobs.models import Activity, Job, Person
from tests.billing.banking import nothing_changes
from tests.billing.charging_back import FROZEN, begin
from tests.billing.dispute_steps import (
    HOUR,
    NOON,
    differences,
    figures,
    funded_job,
    open_dispute,
)
from tests.desk import agent_of_the_desk, browser_of, second_agent
from tests.factories import PersonFactory
from tests.workroom.mediation_steps import decide, logged, say, url, with_support

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
