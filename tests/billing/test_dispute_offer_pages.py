"""The pages of offers in a Dispute, open (R9.2) and under seal (R9.6)."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine

from billing.models import Dispute, Escrow, Offer, SealedLimit
from billing.services import offers, releases, sealed
from jobs.models import Job, Person
from tests.billing.banking import nothing_changes
from tests.billing.dispute_page_steps import buttons, page, said, see, send, stages, tab
from tests.billing.dispute_steps import NOON, agent_named, funded_job, open_dispute
from tests.billing.steps import request_release, signed_in, text_of

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


# --- Offers ---


def test_the_amounts_come_before_the_offer(opened: Dispute, freelancer: Person) -> None:
    response = see(freelancer, opened, "dispute_offer", amount="300")
    text = text_of(response)
    for sentence in (
        "To Frank Freelancer gross $300.00", "Service fee, 8.75 % − $26.25",
        "Net to Frank Freelancer $273.75", "Back to Clara Client without a fee $200.00",
        "Offer $300.00, $200.00 back",
    ):  # fmt: skip
        assert sentence in text
    assert Offer.objects.count() == 0
    response = send(freelancer, opened, "dispute_offer", amount="300.00", seen_minor="50000")
    assert Offer.objects.get().to_freelancer_minor == 300_00
    assert "Your offer" in text_of(response)
    assert "Net to Frank Freelancer $273.75" in text_of(response)


@pytest.mark.parametrize(("amount", "minor"), [("0", 0), ("0.00", 0), ("500", 500_00)])
def test_nothing_or_all_can_be_offered(
    opened: Dispute, freelancer: Person, amount: str, minor: int
) -> None:
    assert "back" in text_of(see(freelancer, opened, "dispute_offer", amount=amount))
    send(freelancer, opened, "dispute_offer", amount=amount, seen_minor="50000")
    assert Offer.objects.get().to_freelancer_minor == minor


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("500.01", "between nothing and all that is held, $500.00"),
        ("-1", "Enter an amount above zero"),
        ("1.234", "USD has 2 decimals at most."),
        ("x", "Enter an amount above zero"),
        ("", "Enter how much goes to the Freelancer"),
        ("0" * 40, "at most 30 characters"),
    ],
)
def test_offers_that_cannot_be(
    opened: Dispute, freelancer: Person, amount: str, message: str
) -> None:
    with nothing_changes():
        for response in (
            see(freelancer, opened, "dispute_offer", amount=amount),
            send(freelancer, opened, "dispute_offer", amount=amount, seen_minor="50000"),
        ):
            assert message in said(response)
            assert "seen_minor" not in said(response)


def test_an_offer_without_its_amount(opened: Dispute, freelancer: Person) -> None:
    """A party is asked for it; the desk, which has nothing to offer, is told so."""
    with nothing_changes():
        asked = send(freelancer, opened, "dispute_offer", seen_minor="50000")
        told = send(agent_named("Ada Agent"), opened, "dispute_offer", seen_minor="50000")
    assert "Enter how much goes to the Freelancer" in said(asked)
    assert "Only the Client or the Freelancer can act in this Dispute." in said(told)


def test_an_offer_of_a_stale_page(opened: Dispute, freelancer: Person) -> None:
    with nothing_changes():
        response = send(freelancer, opened, "dispute_offer", amount="100", seen_minor="90000")
    assert "What is held has changed since you opened this page." in said(response)


def test_an_offer_is_replaced_and_withdrawn(opened: Dispute, freelancer: Person) -> None:
    offers.make(opened.pk, to_freelancer_minor=400_00, by=freelancer, at=NOON)
    assert "It replaces your offer of $400.00" in text_of(
        see(freelancer, opened, "dispute_offer", amount="350")
    )
    send(freelancer, opened, "dispute_offer", amount="350", seen_minor="50000")
    newest = Offer.objects.get(state="open")
    browser = signed_in(freelancer)
    assert "$350.00 to Frank Freelancer" in text_of(browser.get(page("withdraw_offer", newest.pk)))
    response = browser.post(page("withdraw_offer", newest.pk), follow=True)
    assert "Your offer is withdrawn." in said(response)
    assert "Earlier offers (2)" in text_of(response)
    with nothing_changes():
        again = browser.post(page("withdraw_offer", newest.pk), follow=True)
    assert "This offer was withdrawn." in said(again)


def test_accepting_shows_every_amount_first(
    opened: Dispute, freelancer: Person, client_person: Person
) -> None:
    offer = offers.make(opened.pk, to_freelancer_minor=300_00, by=freelancer, at=NOON)
    assert main_actions(see(client_person, opened)) == ["Accept the offer"]
    assert main_actions(see(freelancer, opened)) == ["Offer a split"]
    response = see(client_person, opened)
    assert "accept_offer" in buttons(response, opened)
    assert "accept_offer" not in buttons(see(freelancer, opened), opened)
    browser = signed_in(client_person)
    text = text_of(browser.get(page("accept_offer", offer.pk)))
    assert "Net to Frank Freelancer $273.75" in text
    assert "Accept: $300.00 to Frank Freelancer, $200.00 back" in text
    assert "A final invoice is made" in text
    response = browser.post(page("accept_offer", offer.pk), follow=True)
    assert "Settled. The money has been divided as offered" in said(response)
    text = text_of(response)
    assert "Net to Frank Freelancer $273.75 Back to Clara Client $200.00" in text
    assert Escrow.objects.get(job=opened.job, number=1).state == "released"
    with nothing_changes():
        again = browser.post(page("accept_offer", offer.pk), follow=True)
    assert "This offer was accepted already." in said(again)


def main_actions(response: Any) -> list[str]:
    return re.findall(r'<a class="button primary" href="[^"]+">([^<]+)</a>', said(response))


def test_ones_own_offer_cannot_be_accepted(opened: Dispute, freelancer: Person) -> None:
    offer = offers.make(opened.pk, to_freelancer_minor=300_00, by=freelancer, at=NOON)
    with nothing_changes():
        response = signed_in(freelancer).post(page("accept_offer", offer.pk), follow=True)
    assert "This is your own offer" in said(response)


def test_after_a_full_release_the_page_says_so(opened: Dispute, client_person: Person) -> None:
    assert page("release", opened.job_id) in see(client_person, opened).content.decode()
    releases.release(opened.job_id, numbers=[1], by=client_person, at=NOON)
    response = see(client_person, opened)
    assert stages(response)[-1] == ("Settled", "now")
    assert buttons(response, opened) == set()


# --- Under seal ---


def seal(person: Person | None, row: Dispute, amount: str) -> Any:
    return send(person, row, "sealed_offer", amount=amount, seen_minor="50000")


def test_a_sealed_limit_is_shown_to_nobody(
    opened: Dispute, freelancer: Person, client_person: Person
) -> None:
    assert "The least that you would accept" in text_of(see(freelancer, opened, "sealed_offer"))
    response = seal(freelancer, opened, "317.31")
    assert "Your limit is under seal." in said(response)
    assert "You have 2 tries left" in text_of(response)
    for person in (freelancer, client_person, agent_named("Alma")):
        for shown in (see(person, opened), tab(person, opened.job)):
            assert "317" not in said(shown)
    assert "Frank Freelancer has entered a limit." in text_of(see(client_person, opened))
    assert "The most that may go to the Freelancer" in text_of(
        see(client_person, opened, "sealed_offer")
    )


def test_no_match_is_all_that_both_learn(
    opened: Dispute, freelancer: Person, client_person: Person
) -> None:
    seal(freelancer, opened, "317.31")
    response = seal(client_person, opened, "100.17")
    assert "No match. Frank Freelancer has learnt just that, too" in said(response)
    for person in (freelancer, client_person):
        shown = said(see(person, opened))
        assert "did not meet" in shown
        assert "317" not in shown
        assert "100.17" not in shown
        assert "You can enter one limit in 24 hours: the next one from 10 Mar 2026" in shown
        assert "sealed_offer" not in buttons(see(person, opened), opened)


def test_a_match_settles_it(opened: Dispute, freelancer: Person, client_person: Person) -> None:
    seal(freelancer, opened, "200.00")
    response = seal(client_person, opened, "300.01")
    assert "The two limits match" in said(response)
    assert "To Frank Freelancer gross $250.00" in text_of(response)
    assert Dispute.objects.get().state == "settled"


@pytest.mark.parametrize("amount", ["500.01", "x", "", "-1"])
def test_limits_that_cannot_be(opened: Dispute, freelancer: Person, amount: str) -> None:
    with nothing_changes():
        response = seal(freelancer, opened, amount)
    assert "That did not go through, and nothing has changed." in text_of(response)
    assert SealedLimit.objects.count() == 0


def test_a_limit_is_taken_back(opened: Dispute, freelancer: Person) -> None:
    sealed.enter(opened.pk, limit_minor=1, by=freelancer, at=NOON)
    assert "take_back_sealed" in buttons(see(freelancer, opened), opened)
    assert "It is erased" in text_of(see(freelancer, opened, "take_back_sealed"))
    assert "Your limit is taken back and erased." in said(
        send(freelancer, opened, "take_back_sealed")
    )
    with nothing_changes():
        assert "You have no limit waiting" in said(send(freelancer, opened, "take_back_sealed"))
        assert "one limit in 24 hours" in said(seal(freelancer, opened, "5"))
