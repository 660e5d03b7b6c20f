"""The page of a Dispute: who sees it, where it stands, and how both sides are heard (R9)."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing.models import Dispute, ReleaseRequest
from billing.services import disputes, mediation, offers
from billing.services.sweeping import sweep
from jobs.models import Job, Person, StoredFile
from tests.billing.banking import nothing_changes
from tests.billing.dispute_page_steps import (
    DAY,
    OF_DISPUTE,
    OF_OFFER,
    buttons,
    page,
    said,
    see,
    send,
    stages,
)
from tests.billing.dispute_steps import NOON, agent_named, funded_job, open_dispute, pdf
from tests.billing.steps import request_release, signed_in, text_of
from tests.factories import PersonFactory
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    return funded_job(client_person, freelancer)


@pytest.fixture
def opened(job: Job, client_person: Person) -> Dispute:
    """By the Client, about a Release Request, for a refund of all."""
    request_release(job)
    return open_dispute(job, client_person)


# --- Whom it does not concern ---


@pytest.fixture
def party_of_another_job(freelancer: Person) -> Person:
    """Client of the same Freelancer, on a funded Job of his own."""
    other = PersonFactory(name="Otto Other", email="otto@example.com")
    fund(running_job(other, freelancer), 1)
    return other


@pytest.mark.parametrize("who", ["stranger", "party_of_another_job"])
def test_to_others_the_dispute_does_not_exist(
    request: pytest.FixtureRequest, opened: Dispute, freelancer: Person, who: str
) -> None:
    offer = offers.make(opened.pk, to_freelancer_minor=1, by=freelancer, at=NOON)
    disputes.add_evidence(opened.pk, uploads=[pdf()], by=freelancer, at=NOON)
    person = request.getfixturevalue(who)
    addresses = [page(name, opened.pk) for name in OF_DISPUTE]
    addresses += [page(name, offer.pk) for name in OF_OFFER]
    addresses += [page("open_dispute", opened.job_id) + "?escrow=1"]
    addresses += [reverse("workroom:disputes", args=[opened.job_id])]
    addresses += [reverse("jobs:file", args=[StoredFile.objects.get().key])]
    browser = signed_in(person)
    with nothing_changes():
        assert {browser.get(address).status_code for address in addresses} == {404}
        answers = {
            browser.post(address, {"text": "x", "amount": "1"}).status_code for address in addresses
        }
    assert answers <= {404, 405}


def test_nobody_signed_in(opened: Dispute, client: Any, freelancer: Person) -> None:
    offer = offers.make(opened.pk, to_freelancer_minor=1, by=freelancer, at=NOON)
    addresses = [page(name, opened.pk) for name in OF_DISPUTE]
    addresses += [page(name, offer.pk) for name in OF_OFFER]
    with nothing_changes():
        for address in addresses:
            answer = client.get(address)
            assert (answer.status_code, answer.url.split("?")[0]) == (302, reverse("account_login"))


def test_an_agent_reads_it_and_is_offered_nothing(opened: Dispute) -> None:
    agent = agent_named("Alma")
    response = see(agent, opened)
    assert "Clara Client" in text_of(response)
    assert buttons(response, opened) == set()
    with nothing_changes():
        assert "Only the Client or the Freelancer" in said(
            send(agent, opened, "add_statement", text="Hm")
        )


def test_an_unanswered_dispute(opened: Dispute, freelancer: Person, client_person: Person) -> None:
    response = see(freelancer, opened)
    text = text_of(response)
    assert stages(response) == [
        ("Opened", "done"), ("Answer", "now"), ("Offers", "later"), ("Mediation", "later"),
        ("Decision", "later"), ("Settled", "later"),
    ]  # fmt: skip
    assert "Your turn: until 11 Mar 2026, 12:00 UTC" in text
    assert (
        "The Dispute about “Milestone 1” goes to support. It does so if you have not answered by then"
    ) in text
    assert "Its clock stands still since 9 Mar 2026, 12:00 UTC" in text
    assert buttons(response, opened) == {
        "answer_dispute", "dispute_offer", "add_evidence", "escalate_dispute", "sealed_offer",
    }  # fmt: skip
    response = see(client_person, opened)
    assert "Frank Freelancer’s turn: until 11 Mar 2026, 12:00 UTC" in text_of(response)
    assert buttons(response, opened) == {
        "add_statement", "dispute_offer", "add_evidence", "escalate_dispute", "sealed_offer",
        "withdraw_dispute",
    }  # fmt: skip


def test_an_answered_one_has_no_time_limit(opened: Dispute, freelancer: Person) -> None:
    response = send(freelancer, opened, "answer_dispute", text="It is mine.", evidence=[pdf()])
    text = text_of(response)
    assert ("Answered", "done") in stages(response)
    assert ("Offers", "now") in stages(response)
    assert "Both of you: agree on a split" in text
    assert "Nothing happens by itself: $500.00 stays held" in text
    assert "It is mine." in text
    assert "chat.pdf" in text


def test_an_open_offer_is_the_other_sides_turn(
    opened: Dispute, freelancer: Person, client_person: Person
) -> None:
    offers.make(opened.pk, to_freelancer_minor=200_00, by=freelancer, at=NOON)
    assert "Clara Client’s turn" in text_of(see(freelancer, opened))
    assert "Your turn Frank Freelancer has offered a split" in text_of(see(client_person, opened))


def test_with_support(opened: Dispute, client_person: Person) -> None:
    response = send(client_person, opened, "escalate_dispute")
    assert ("Mediation", "now") in stages(response)
    assert ("Answer", "skipped") in stages(response)
    assert "asked for by you" in text_of(response)
    assert "Support’s turn" in text_of(response)
    assert "escalate_dispute" not in buttons(response, opened)
    with nothing_changes():
        assert "with support already" in said(send(client_person, opened, "escalate_dispute"))


def test_a_decision_is_not_shown_before_it_is_confirmed(
    opened: Dispute, client_person: Person
) -> None:
    disputes.escalate(opened.pk, by=client_person, at=NOON)
    first, second = agent_named("Alma"), agent_named("Bert")
    decision = mediation.decide(
        opened.pk, to_freelancer_minor=123_00, reasons="Half was done.", by=first, at=NOON
    )
    response = see(client_person, opened)
    assert ("Decision", "now") in stages(response)
    assert "a second one is checking it" in text_of(response)
    assert "123.00" not in said(response)
    assert "Half was done." not in said(response)
    mediation.confirm(decision.pk, by=second, at=NOON)
    response = see(client_person, opened)
    assert stages(response)[-2:] == [("Decision", "done"), ("Settled", "now")]
    text = text_of(response)
    assert "Settled 9 Mar 2026, 12:00 UTC Support’s reasons: Half was done." in text
    assert "To Frank Freelancer gross $123.00" in text
    assert "Back to Clara Client $377.00" in text


def test_silence_brings_it_to_support(opened: Dispute, freelancer: Person, clock: Any) -> None:
    clock.shift(2 * DAY)
    late = text_of(see(freelancer, opened))
    assert "Support’s turn" in late
    assert "At once: it was due 11 Mar 2026, 12:00 UTC" in late
    sweep(at=NOON + 2 * DAY)
    response = see(freelancer, opened)
    assert ("Mediation", "now") in stages(response)
    assert "there was no answer in time" in text_of(response)
    assert "which reads your answer" in text_of(see(freelancer, opened, "answer_dispute"))
    response = send(freelancer, opened, "answer_dispute", text="Late, but here.")
    assert ("Answered", "done") in stages(response)
    assert ("Mediation", "now") in stages(response)


def test_the_job_says_who_is_to_answer(
    opened: Dispute, freelancer: Person, client_person: Person
) -> None:
    def overview(person: Person) -> str:
        return text_of(signed_in(person).get(reverse("workroom:job", args=[opened.job_id])))

    assert "Clara Client disputes “Milestone 1” ($500.00)." in overview(freelancer)
    assert "Answer by 11 Mar 2026, 12:00 UTC" in overview(freelancer)
    assert "“Milestone 1” ($500.00) is disputed." in overview(client_person)
    assert "released by itself" not in overview(client_person)
    billing = signed_in(client_person).get(reverse("workroom:job_billing", args=[opened.job_id]))
    assert "Disputed since 9 Mar 2026, 12:00 UTC" in text_of(billing)
    assert "due 8 Apr" not in text_of(billing)


# --- Being heard ---


@pytest.mark.parametrize("name", ["answer_dispute", "add_statement", "add_evidence"])
def test_words_and_files_that_are_refused(opened: Dispute, freelancer: Person, name: str) -> None:
    bad = SimpleUploadedFile("report.pdf", b"<html></html>")
    with nothing_changes():
        response = send(freelancer, opened, name, text="All that I typed", evidence=[bad])
    assert "The content of “report.pdf” does not agree with its name" in said(response)
    assert "Choose the files again" in said(response)
    if name != "add_evidence":
        assert "All that I typed" in said(response)


def test_nothing_said(opened: Dispute, freelancer: Person) -> None:
    with nothing_changes():
        assert "Write what you have to say." in said(
            send(freelancer, opened, "answer_dispute", text=" ")
        )
        assert "Choose a file." in said(send(freelancer, opened, "add_evidence"))
        assert "5000 characters" in said(send(freelancer, opened, "add_statement", text="x" * 5001))


def test_evidence_is_for_both_sides_and_support(
    opened: Dispute, freelancer: Person, client_person: Person, stranger: Person
) -> None:
    response = send(freelancer, opened, "add_evidence", evidence=[pdf("chat.pdf")])
    file = StoredFile.objects.get()
    assert f"SHA-256 {file.sha256}" in text_of(response)
    url = reverse("jobs:file", args=[file.key])
    for person in (client_person, freelancer, agent_named("Alma")):
        answer = signed_in(person).get(url)
        assert answer.status_code == 200
        assert answer["Content-Disposition"].startswith("attachment")
    assert signed_in(stranger).get(url).status_code == 404


def test_the_wrong_side_cannot_answer(opened: Dispute, client_person: Person) -> None:
    with nothing_changes():
        looked = see(client_person, opened, "answer_dispute")
        assert "the other side answers it" in said(looked)
        sent = send(client_person, opened, "answer_dispute", text="I answer myself")
    assert "the other side answers it" in said(sent)
    assert "I answer myself" in said(sent)


def test_markup_in_words_is_shown_as_typed(opened: Dispute, freelancer: Person) -> None:
    response = send(freelancer, opened, "answer_dispute", text="<script>alert(1)</script>")
    assert "<script>alert(1)" not in response.content.decode()
    assert "<script>alert(1)</script>" in said(response)


# --- Taken back ---


def test_withdrawing_says_when_the_clock_runs_out(
    opened: Dispute, client_person: Person, clock: Any
) -> None:
    clock.shift(5 * DAY)
    text = text_of(see(client_person, opened, "withdraw_dispute"))
    assert "the money is released on 13 Apr 2026, 12:00 UTC" in text
    response = send(client_person, opened, "withdraw_dispute", reason="We have talked.")
    assert ReleaseRequest.objects.get().auto_release_at == NOON + 35 * DAY
    assert stages(response)[-1] == ("Withdrawn", "now")
    assert "We have talked." in text_of(response)
    assert buttons(response, opened) == set()
    with nothing_changes():
        again = send(client_person, opened, "withdraw_dispute", reason="Once more")
    assert "This Dispute is withdrawn already." in said(again)
    assert "Once more" in said(again)


def test_the_other_side_cannot_withdraw(opened: Dispute, freelancer: Person) -> None:
    with nothing_changes():
        assert "Only the side that opened the Dispute" in said(
            see(freelancer, opened, "withdraw_dispute")
        )
        send(freelancer, opened, "withdraw_dispute")
