"""Pages of a Dispute, for both sides and for those whom it does not concern (R9)."""

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from billing.models import Dispute, Escrow, Evidence, Offer, ReleaseRequest, SealedLimit
from billing.services import disputes, mediation, offers, releases, sealed
from billing.services.sweeping import sweep
from escrow_site.lib import states
from jobs.models import Job, Person, StoredFile
from tests.billing.banking import nothing_changes
from tests.billing.dispute_steps import NOON, agent_named, funded_job, open_dispute, pdf
from tests.billing.steps import request_release, signed_in, text_of
from tests.factories import PersonFactory
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
OF_DISPUTE = (
    "dispute", "answer_dispute", "add_statement", "add_evidence", "escalate_dispute",
    "withdraw_dispute", "dispute_offer", "sealed_offer", "take_back_sealed",
)  # fmt: skip
OF_OFFER = ("accept_offer", "withdraw_offer")


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


def page(name: str, *arguments: int) -> str:
    return reverse(f"billing:{name}", args=arguments)


def see(person: Person | None, row: Dispute, name: str = "dispute", **query: Any) -> Any:
    assert person is not None
    return signed_in(person).get(page(name, row.pk), query, follow=True)


def send(person: Person | None, row: Dispute, name: str, **sent: Any) -> Any:
    assert person is not None
    return signed_in(person).post(page(name, row.pk), sent, follow=True)


def said(response: Any) -> str:
    """All that the page says, messages too, as it reads."""
    return unescape(response.content.decode())


def buttons(response: Any, row: Dispute) -> set[str]:
    """The names of the pages of the Dispute, and of its offers, to which this page leads."""
    html = response.content.decode()
    found = {name for name in OF_DISPUTE[1:] if f'href="{page(name, row.pk)}"' in html}
    for offer in row.offers.all():
        found |= {name for name in OF_OFFER if f'href="{page(name, offer.pk)}"' in html}
    return found


# --- The tab ---


def tab(person: Person, job: Job) -> Any:
    return signed_in(person).get(reverse("workroom:disputes", args=[job.pk]))


def test_the_tab_offers_a_dispute_for_each_funded_milestone(job: Job) -> None:
    for person in (job.client, job.freelancer):
        assert person is not None
        html = tab(person, job).content.decode()
        assert f'href="{page("open_dispute", job.pk)}?escrow=1"' in html
        assert f'href="{page("open_dispute", job.pk)}?escrow=2"' not in html
        assert "No Dispute" in html


def test_the_tab_says_whose_turn_it_is(opened: Dispute, freelancer: Person) -> None:
    text = text_of(tab(freelancer, opened.job))
    assert "Your turn until 11 Mar 2026, 12:00 UTC" in text
    assert "Clara Client" in text
    text = text_of(tab(opened.job.client, opened.job))
    assert "Frank Freelancer’s turn until 11 Mar 2026, 12:00 UTC" in text
    assert f'href="{page("dispute", opened.pk)}"' in tab(freelancer, opened.job).content.decode()
    assert page("open_dispute", opened.job_id) not in tab(freelancer, opened.job).content.decode()


def test_the_tab_of_other_jobs(
    client_person: Person, freelancer: Person, stranger: Person, job: Job
) -> None:
    assert tab(stranger, job).status_code == 404
    hourly = Job.objects.create(
        title="Hours", kind="hourly", currency="USD", hourly_rate_minor=50_00, client=client_person,
        freelancer=freelancer, drafted_at=NOON, policy=job.policy,
    )  # fmt: skip
    states.move([hourly], "award", at=NOON)
    states.move([hourly], "activate", at=NOON)
    assert "Hourly Jobs have no escrow" in said(tab(client_person, hourly))


def test_the_way_from_a_release_request(job: Job, client_person: Person) -> None:
    row = request_release(job)
    url = reverse("billing:release_request", args=[row.pk])
    html = signed_in(client_person).get(url).content.decode()
    assert f'href="{page("open_dispute", job.pk)}?escrow=1"' in html
    opened = open_dispute(job, client_person)
    html = signed_in(client_person).get(url).content.decode()
    assert page("open_dispute", job.pk) not in html
    assert f'href="{page("dispute", opened.pk)}"' in html


# --- Opening ---


def try_to_open(person: Person | None, job: Job, **sent: Any) -> Any:
    assert person is not None
    given = {
        "escrow": 1, "asks": "refund", "amount": "500.00", "seen_minor": "50000",
        "reason": "The logo is a copy.", **sent,
    }  # fmt: skip
    return signed_in(person).post(page("open_dispute", job.pk), given, follow=True)


def test_what_opening_does_is_said_first(job: Job, client_person: Person) -> None:
    request_release(job)
    response = signed_in(client_person).get(page("open_dispute", job.pk), {"escrow": 1})
    text = text_of(response)
    assert "$500.00 is frozen: no timer moves it" in text
    assert "nothing is released on 8 Apr 2026, 12:00 UTC" in text
    assert "Frank Freelancer is told, and has until 11 Mar 2026, 12:00 UTC to answer" in text
    assert "After that you cannot open another one about this Release Request." in text
    assert response.context["form"]["asks"].value() == "refund"


def test_a_dispute_is_opened_with_evidence(job: Job, client_person: Person) -> None:
    response = try_to_open(client_person, job, amount="300", evidence=[pdf("a.pdf"), pdf("b.pdf")])
    row = Dispute.objects.get()
    assert response.redirect_chain == [(page("dispute", row.pk), 302)]
    assert (row.asks, row.asked_minor, row.reason) == ("refund", 300_00, "The logo is a copy.")
    text = text_of(response)
    assert "The logo is a copy." in text
    for file in StoredFile.objects.all():
        assert f"SHA-256 {file.sha256}" in text
        assert reverse("jobs:file", args=[file.key]) in response.content.decode()
    assert "is to answer by 11 Mar 2026, 12:00 UTC" in said(response)


TOO_LARGE = "the most that one file can have is"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([SimpleUploadedFile("report.pdf", b"<html><script>alert(1)</script></html>")],
         "The content of “report.pdf” does not agree with its name"),
        ([SimpleUploadedFile("page.html", b"<html></html>")], "of a type that is not accepted"),
        ([SimpleUploadedFile("empty.pdf", b"")], "“empty.pdf” is empty."),
        ([pdf(f"{number}.pdf") for number in range(11)], "11 files are too many: 10 can be"),
        ([pdf(), SimpleUploadedFile("bad.png", b"%PDF-1.7")], "“bad.png” does not agree"),
    ],
)  # fmt: skip
def test_files_that_are_refused_lose_nothing_else(
    job: Job, client_person: Person, files: list[SimpleUploadedFile], message: str
) -> None:
    with nothing_changes():
        response = try_to_open(client_person, job, evidence=files, amount="123.45")
    assert response.status_code == 200
    assert message in said(response)
    assert "The logo is a copy." in said(response)
    assert 'value="123.45"' in response.content.decode()
    assert "Choose the files again" in said(response)
    assert (StoredFile.objects.count(), Evidence.objects.count()) == (0, 0)


def test_a_file_that_is_too_large(job: Job, client_person: Person) -> None:
    content = b"%PDF-1.7" + b"x" * settings.FILES_LARGEST_BYTES
    with nothing_changes():
        response = try_to_open(
            client_person, job, evidence=[SimpleUploadedFile("big.pdf", content)]
        )
    assert TOO_LARGE in said(response)
    assert "The logo is a copy." in said(response)


def test_a_path_in_a_file_name(job: Job, client_person: Person) -> None:
    upload = SimpleUploadedFile("x", b"%PDF-1.7 a")
    upload._name = "../../../etc/cron.d/job.pdf"  # type: ignore[attr-defined]
    try_to_open(client_person, job, evidence=[upload])
    file = StoredFile.objects.get()
    assert file.name == "job.pdf"
    assert len(file.key) == 64


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"reason": ""}, "Write why you dispute it."),
        ({"reason": "   "}, "Write why you dispute it."),
        ({"reason": "x" * 5001}, "at most 5000 characters"),
        ({"amount": "500.01"}, "the most is $500.00"),
        ({"amount": "0"}, "Enter an amount above zero."),
        ({"asks": "everything"}, "Select a valid choice"),
        ({"seen_minor": "40000"}, "What is held has changed since you opened this page."),
        ({"seen_minor": ""}, "What is held has changed since you opened this page."),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_stays_typed(
    job: Job, client_person: Person, sent: dict[str, str], message: str
) -> None:
    with nothing_changes():
        response = try_to_open(client_person, job, **sent)
    assert response.status_code == 200
    assert message in said(response)
    assert sent.get("reason", "The logo is a copy.") in said(response)


def test_opening_twice(opened: Dispute, freelancer: Person) -> None:
    with nothing_changes():
        response = try_to_open(freelancer, opened.job, asks="release", reason="My words")
        assert "“Milestone 1” is disputed already." in said(response)
        assert "My words" in said(response)
        assert "Open the Dispute</button>" not in said(response)
        looked = signed_in(freelancer).get(
            page("open_dispute", opened.job_id), {"escrow": 1}, follow=True
        )
    assert "“Milestone 1” is disputed already." in said(looked)


@pytest.mark.parametrize("number", ["", "x", "9", "²", "-1"])
def test_milestones_that_are_not_there(job: Job, client_person: Person, number: str) -> None:
    with nothing_changes():
        assert "Choose a Milestone to dispute." in said(
            try_to_open(client_person, job, escrow=number)
        )


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


# --- Where it stands ---


def stages(response: Any) -> list[tuple[str, str]]:
    return [(stage.label, stage.state) for stage in response.context["stages"]]


def test_an_unanswered_dispute(opened: Dispute, freelancer: Person, client_person: Person) -> None:
    response = see(freelancer, opened)
    text = text_of(response)
    assert stages(response) == [
        ("Opened", "done"), ("Answer", "now"), ("Offers", "later"), ("Mediation", "later"),
        ("Decision", "later"), ("Settled", "later"),
    ]  # fmt: skip
    assert "Your turn: until 11 Mar 2026, 12:00 UTC" in text
    assert "The Dispute about “Milestone 1” goes to support. Because you have not answered." in text
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
    assert "Half was done." in text
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
