"""Payouts: the available balance on its way to the bank (R5.4), and the Balance page."""

from datetime import datetime, timedelta

import pytest
from django.test import Client

from billing.models import Payout
from billing.services import audit, payouts, reconciling, releases
from billing.services.payouts import AskedAlready, BadDestination, NotEnoughAvailable
from escrow_site.lib.money import BadAmount
from escrow_site.lib.refusals import WrongParty, WrongState
from jobs.models import Job, Person
from tests.billing.banking import at_once, balance_of, fund, nothing_changes, refused, transfers
from tests.billing.steps import signed_in, text_of
from tests.scenarios import START, running_job

IBAN = "DE12 5001 0517 0648 4898 90"
LATER = timedelta(hours=3)
KEY = "k" * 32


def release_to(
    freelancer: Person, client: Person, *amounts_minor: int, currency: str = "USD", at: datetime
) -> Job:
    """A Job whose Milestones are all released."""
    job = running_job(client, freelancer, amounts_minor=amounts_minor, currency=currency, at=at)
    numbers = range(1, len(amounts_minor) + 1)
    fund(job, *numbers, at=at)
    releases.release(job.pk, numbers=numbers, by=client, at=at)
    return job


@pytest.fixture
def rich(freelancer: Person, client_person: Person, at: datetime) -> Person:
    """The Freelancer with 456.25 available."""
    release_to(freelancer, client_person, 500_00, at=at)
    return freelancer


def available(person: Person, currency: str = "USD") -> int:
    return balance_of(kind="available", person=person, currency=currency)


def pay_out(person: Person, amount_minor: int = 100_00, **changes: object) -> Payout:
    values = {
        "currency": "USD",
        "destination": IBAN,
        "at": datetime.fromisoformat("2026-04-01T00Z"),
    }
    return payouts.pay_out(person, amount_minor=amount_minor, **(values | changes))  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_payout_is_reserved_and_paid(rich: Person, at: datetime) -> None:
    payout = pay_out(rich, 100_00, at=at + LATER)

    assert (payout.state, payout.ended_at) == ("paid", at + LATER)
    assert payout.destination == "DE12500105170648489890"
    assert available(rich) == 356_25
    assert balance_of(payout=payout) == 0
    assert transfers()[-2:] == [
        ("payout", f"payout:{payout.pk}:reserve", 100_00),
        ("payout_paid", f"payout:{payout.pk}:paid", 100_00),
    ]


@pytest.mark.django_db
def test_the_whole_balance_can_be_paid_out(rich: Person) -> None:
    pay_out(rich, 456_25)
    assert available(rich) == 0


@pytest.mark.django_db
def test_a_payout_that_fails_returns(rich: Person, at: datetime) -> None:
    payout = pay_out(rich, 100_00, destination="DE00 0000 0000", at=at)

    assert (payout.state, payout.failure) == ("failed", "The bank does not know this account.")
    assert available(rich) == 456_25
    assert [code for code, _, _ in transfers()[-2:]] == ["payout", "payout_returned"]


@pytest.mark.django_db
def test_a_payout_without_an_answer_stays_reserved_until_the_bank_is_asked(
    rich: Person, at: datetime
) -> None:
    payout = pay_out(rich, 100_00, destination="DE1234569999", at=at)
    assert payout.state == "started"
    assert (available(rich), balance_of(payout=payout)) == (356_25, 100_00)

    assert reconciling.reconcile(at=at + LATER) == 1
    payout.refresh_from_db()
    assert (payout.state, payout.ended_at) == ("paid", at + LATER)
    assert balance_of(payout=payout) == 0
    with nothing_changes():
        assert reconciling.reconcile(at=at + 2 * LATER) == 0
        payouts.carry_out(payout, at=at + 2 * LATER)


@pytest.mark.django_db
def test_an_intent_that_never_reached_the_bank_is_sent(rich: Person, at: datetime) -> None:
    payout = payouts.start(rich, currency="USD", amount_minor=100_00, destination=IBAN, at=at)
    assert reconciling.reconcile(at=at + LATER) == 1
    payout.refresh_from_db()
    assert payout.state == "paid"


@pytest.mark.django_db
def test_more_than_available_is_refused(rich: Person, stranger: Person) -> None:
    with refused(NotEnoughAvailable, "$456.26 is more than your available balance of $456.25."):
        pay_out(rich, 456_26)
    with refused(NotEnoughAvailable, "$0.01 is more than your available balance of $0.00."):
        pay_out(stranger, 1)
    with refused(NotEnoughAvailable, "€1.00 is more than your available balance of €0.00."):
        pay_out(rich, 1_00, currency="EUR")


@pytest.mark.django_db
def test_what_is_no_payout_is_refused(rich: Person) -> None:
    for amount_minor in (0, -1):
        with refused(BadAmount, "Enter an amount above zero."):
            pay_out(rich, amount_minor)
    for destination in ("", "12345", "x" * 35, "DE12 ü", "a\0bcdefgh"):
        with refused(
            BadDestination,
            "Enter an IBAN or an account number: 6 to 34 letters and digits, spaces allowed.",
        ):
            pay_out(rich, destination=destination)
    with refused(WrongState, "This page was out of date. Please check the amount and try again."):
        pay_out(rich, idempotency_key="short")
    Person.objects.filter(pk=rich.pk).update(is_active=False)
    with refused(WrongParty, "This account is locked."):
        pay_out(rich)


@pytest.mark.django_db
def test_the_second_click_makes_no_second_payout(rich: Person, client_person: Person) -> None:
    pay_out(rich, 100_00, idempotency_key=KEY)
    with refused(
        AskedAlready, "You have asked for this payout of $100.00 already: it is made once."
    ):
        pay_out(rich, 100_00, idempotency_key=KEY)


@pytest.mark.django_db
def test_somebody_elses_key_is_refused_without_a_word_about_it(
    rich: Person, freelancer: Person, client_person: Person, stranger: Person, at: datetime
) -> None:
    pay_out(rich, 100_00, idempotency_key=KEY)
    release_to(stranger, client_person, 500_00, at=at)
    with refused(AskedAlready, "This payout has been asked for already."):
        pay_out(stranger, 100_00, idempotency_key=KEY)


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_eight_payouts_at_once_never_take_more_than_there_is(rich: Person) -> None:
    outcomes = at_once(*[lambda: pay_out(rich, 100_00)] * 8)

    assert sum(isinstance(outcome, Payout) for outcome in outcomes) == 4
    assert sum(isinstance(outcome, NotEnoughAvailable) for outcome in outcomes) == 4
    assert available(rich) == 56_25
    assert not any(finding.differences for finding in audit.audit_ledger(at=START))


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_one_form_sent_eight_times_at_once_is_one_payout(rich: Person) -> None:
    outcomes = at_once(*[lambda: pay_out(rich, 50_00, idempotency_key=KEY)] * 8)

    assert sum(isinstance(outcome, Payout) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, AskedAlready) for outcome in outcomes) == 7
    assert available(rich) == 406_25


# --- Pages ---


def form_of(clara: Client) -> dict[str, object]:
    return dict(clara.get("/billing/balance/pay-out/").context["form"].initial)


@pytest.mark.django_db
def test_the_balance_page_says_what_moved(rich: Person, at: datetime) -> None:
    pay_out(rich, 100_00, at=at + LATER)
    pay_out(rich, 50_00, destination="DE1234569999", at=at + LATER)
    pay_out(rich, 30_00, destination="DE12345670000", at=at + LATER)
    text = text_of(signed_in(rich).get("/billing/balance/"))

    assert "Available in USD $306.25 $50.00 on its way to your bank" in text
    assert "Released to you: Milestone 1 Website 1 Mar 2026, 10:00 UTC +$456.25" in text
    assert "Payout to the account ending in 9890 1 Mar 2026, 13:00 UTC −$100.00" in text
    assert "Payout to the account ending in 0000 came back" in text
    assert "The bank does not know this account." in text


@pytest.mark.django_db
def test_an_empty_balance_says_so(stranger: Person) -> None:
    browser = signed_in(stranger)
    assert "Your balance is empty" in text_of(browser.get("/billing/balance/"))
    assert browser.get("/billing/balance/pay-out/").url == "/billing/balance/"


@pytest.mark.django_db
def test_the_form_pays_out_once(rich: Person) -> None:
    browser = signed_in(rich)
    form = form_of(browser) | {"amount": "456.25", "destination": IBAN}
    first = browser.post("/billing/balance/pay-out/", form, follow=True)
    assert "The bank has confirmed it: $456.25 is paid out." in text_of(first)
    with nothing_changes():
        second = browser.post("/billing/balance/pay-out/", form, follow=True)
    assert "You have asked for this payout already: it is made once." in text_of(second)


@pytest.mark.django_db
def test_a_bad_form_comes_back_with_what_was_typed(rich: Person) -> None:
    browser = signed_in(rich)
    good = form_of(browser) | {"amount": "100.00", "destination": IBAN}
    for change, message in (
        ({"amount": "456.26"}, "$456.26 is more than your available balance of $456.25."),
        ({"amount": "1.234"}, "USD has 2 decimals at most."),
        ({"amount": "0"}, "Enter an amount above zero."),
        ({"amount": "99999999999999"}, "The most that one amount can be is"),
        ({"amount": ""}, "This field is required."),
        ({"destination": "12"}, "Enter an IBAN or an account number"),
        ({"destination": "x" * 300}, "at most 60 characters"),
        ({"destination": "a\0b"}, "Null characters are not allowed."),
        ({"currency": "EUR"}, "There is nothing available in this currency."),
        ({"currency": ""}, "There is nothing available in this currency."),
        ({"idempotency_key": ""}, "This page was out of date."),
        ({"idempotency_key": "short"}, "This page was out of date."),
    ):
        with nothing_changes():
            page = browser.post("/billing/balance/pay-out/", good | change)
        assert page.status_code == 200, change
        assert message in text_of(page), change
        typed = str((good | change)["destination"])
        assert "\0" in typed or typed in page.content.decode()


@pytest.mark.django_db
def test_each_currency_is_paid_out_by_itself(
    rich: Person, client_person: Person, at: datetime
) -> None:
    release_to(rich, client_person, 1_001, currency="JPY", at=at)
    browser = signed_in(rich)
    text = text_of(browser.get("/billing/balance/"))
    assert "Available in JPY ¥913" in text
    assert "Available in USD $456.25" in text
    form = browser.get("/billing/balance/pay-out/?currency=JPY").context["form"].initial
    browser.post("/billing/balance/pay-out/", form | {"amount": "900", "destination": IBAN})
    assert (available(rich, "JPY"), available(rich)) == (13, 456_25)


@pytest.mark.django_db
def test_the_page_takes_the_same_queries_for_one_payout_and_for_thirty(
    rich: Person, django_assert_num_queries: object
) -> None:
    browser = signed_in(rich)
    pay_out(rich, 1_00)
    browser.get("/billing/balance/")
    with django_assert_num_queries(8):  # type: ignore[operator]
        browser.get("/billing/balance/")
    for _ in range(30):
        pay_out(rich, 1_00)
    with django_assert_num_queries(8):  # type: ignore[operator]
        page = browser.get("/billing/balance/")
    assert len(page.content) < 40_000
    assert "1–25 of 31 payouts" in text_of(page)
