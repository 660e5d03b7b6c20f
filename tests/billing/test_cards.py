"""Cards: added, authenticated on their own, removed (R3.3)."""

from datetime import date, datetime

import pytest
from django.test import Client

from billing.gateways import simulated
from billing.gateways.base import CardRefused
from billing.models import PaymentMethod, SimulatedCard
from billing.services import cards, payments
from billing.services.cards import BadCard, CardExpired
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState
from jobs.models import Person
from tests.billing.banking import NUMBERS, add_card, refused
from tests.scenarios import running_job

pytestmark = pytest.mark.django_db


def on_list(person: Person) -> list[str]:
    rows = PaymentMethod.objects.filter(person=person, removed_at__isnull=True)
    return [str(row) for row in rows.order_by("pk")]


def test_of_a_card_only_reference_brand_last_four_and_expiry_are_kept(
    client_person: Person, at: datetime
) -> None:
    method = cards.add_card(
        by=client_person, number="4242424242424242", expires_on=date(2030, 1, 31), at=at
    )

    assert (method.brand, method.last_four, method.expires_on) == (
        "Visa",
        "4242",
        date(2030, 1, 31),
    )
    assert method.authenticated_at == at
    assert method.gateway_reference == SimulatedCard.objects.get().reference
    kept = [str(value) for value in PaymentMethod.objects.values_list().get()]
    vault = [str(value) for value in SimulatedCard.objects.values_list().get()]
    assert not any("42424242" in value for value in kept + vault)


def test_a_card_whose_bank_wants_to_be_asked_is_not_authenticated(
    client_person: Person, at: datetime
) -> None:
    assert add_card(client_person, "needs_authentication").authenticated_at is None


@pytest.mark.parametrize(
    ("number", "expires_on", "refusal", "message"),
    [
        ("4242424242424241", date(2030, 1, 31), BadCard,
         "This is not a card number: please check the digits."),
        ("4242", date(2030, 1, 31), BadCard, "A card number has 12 to 19 digits."),
        ("x" * 16, date(2030, 1, 31), BadCard, "A card number has 12 to 19 digits."),
        ("٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢", date(2030, 1, 31), BadCard, "A card number has 12 to 19 digits."),
        ("4242424242424242", date(2026, 2, 28), CardExpired, "This card has expired."),
        ("5555555555554444", date(2030, 1, 31), CardRefused,
         "Only the test cards work here: the bank is simulated. Please don’t enter a real card."),
    ],
)  # fmt: skip
def test_a_card_that_is_none_is_refused(
    client_person: Person,
    at: datetime,
    number: str,
    expires_on: date,
    refusal: type[Refusal],
    message: str,
) -> None:
    with pytest.raises(refusal) as refused:
        cards.add_card(by=client_person, number=number, expires_on=expires_on, at=at)

    assert refused.value.message == message
    assert not PaymentMethod.objects.exists()
    assert not SimulatedCard.objects.exists()


def test_a_card_can_be_used_to_the_end_of_its_month(client_person: Person, at: datetime) -> None:
    method = cards.add_card(
        by=client_person, number=NUMBERS["good"], expires_on=date(2026, 3, 31), at=at
    )
    assert not cards.is_expired(method, at=datetime.fromisoformat("2026-03-31T23:59:59Z"))
    assert cards.is_expired(method, at=datetime.fromisoformat("2026-04-01T00:00:00Z"))


def test_the_same_card_twice_is_refused(client_person: Person, at: datetime) -> None:
    add_card(client_person)
    with refused(WrongState, "The card ending in 4242 is on your list already."):
        add_card(client_person)
    assert on_list(client_person) == ["Visa ending in 4242"]


def test_a_removed_card_can_be_added_again(client_person: Person, at: datetime) -> None:
    cards.remove_card(add_card(client_person), by=client_person, at=at)
    assert on_list(client_person) == []
    add_card(client_person)
    assert on_list(client_person) == ["Visa ending in 4242"]


def test_the_list_of_cards_has_an_end(client_person: Person, at: datetime) -> None:
    for year in range(2030, 2030 + cards.MOST_CARDS):
        cards.add_card(
            by=client_person, number=NUMBERS["good"], expires_on=date(year, 1, 31), at=at
        )
    with refused(WrongState, "You have 20 cards: remove one first."):
        add_card(client_person, "declined")


def test_only_its_owner_removes_a_card(
    client_person: Person, stranger: Person, at: datetime
) -> None:
    method = add_card(client_person)
    with refused(WrongParty, "This is not your card."):
        cards.remove_card(method, by=stranger, at=at)
    assert on_list(client_person) == ["Visa ending in 4242"]


def test_a_card_with_a_payment_under_way_is_not_removed(
    client_person: Person, freelancer: Person, at: datetime
) -> None:
    job = running_job(client_person, freelancer)
    method = add_card(client_person, "needs_authentication")
    payments.fund(job.pk, numbers=[1], method=method, by=client_person, at=at)

    with refused(
        WrongState,
        "A payment with Visa ending in 3184 is under way: wait for it, or cancel it first.",
    ):
        cards.remove_card(method, by=client_person, at=at)


# --- Pages ---


def test_the_holder_authenticates_a_card_at_the_bank(
    client: Client, client_person: Person, at: datetime
) -> None:
    method = add_card(client_person, "needs_authentication")
    client.force_login(client_person)

    page = client.get(f"/billing/cards/{method.pk}/authenticate/?next=/billing/balance/")
    assert "Nothing is charged." in page.content.decode()
    to_the_bank = client.post(
        f"/billing/cards/{method.pk}/authenticate/", {"next": "/billing/balance/"}
    )
    bank_page = client.get(to_the_bank.url)
    assert "Is this card yours?" in bank_page.content.decode()
    back = client.post(to_the_bank.url, {"answer": "authenticate"})

    assert back.url == "/billing/balance/"
    method.refresh_from_db()
    assert method.authenticated_at is not None
    assert "This has been answered" in client.get(to_the_bank.url).content.decode()


def test_a_card_that_its_holder_refuses_stays_unauthenticated_and_can_try_again(
    client: Client, client_person: Person, at: datetime
) -> None:
    method = add_card(client_person, "needs_authentication")
    client.force_login(client_person)
    bank = client.post(f"/billing/cards/{method.pk}/authenticate/").url

    back = client.post(bank, {"answer": "refuse"}, follow=True)
    method.refresh_from_db()
    assert method.authenticated_at is None
    assert back.redirect_chain == [("/billing/cards/", 302)]
    assert "The card is not authenticated." in back.content.decode()

    client.post(bank, {"answer": "authenticate"})
    method.refresh_from_db()
    assert method.authenticated_at is not None


def test_nobody_else_opens_the_bank_page_or_the_card(
    client: Client, client_person: Person, stranger: Person, at: datetime
) -> None:
    method = add_card(client_person, "needs_authentication")
    url = cards.start_authentication(method, by=client_person, at=at)
    client.force_login(stranger)

    for address in (url, f"/billing/cards/{method.pk}/authenticate/",
                    f"/billing/cards/{method.pk}/remove/"):  # fmt: skip
        assert client.get(address).status_code == 404
        assert client.post(address, {"answer": "authenticate"}).status_code == 404
    assert not SimulatedCard.objects.get().authenticated
    assert client.get("/bank/no-such-thing/").status_code == 404
    assert simulated.find_challenge("") is None


def test_an_address_of_another_site_is_no_way_back(
    client: Client, client_person: Person, at: datetime
) -> None:
    client.force_login(client_person)
    for address in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        form = {"number": NUMBERS["good"], "expires_on": "01/30", "next": address}
        assert client.post("/billing/cards/add/", form).url == "/billing/cards/"
        PaymentMethod.objects.all().delete()


def test_a_bad_entry_comes_back_with_what_was_typed(client: Client, client_person: Person) -> None:
    client.force_login(client_person)
    for form, message in (
        ({"number": "4242 4242 4242 4241", "expires_on": "01/30"}, "please check the digits"),
        ({"number": "4242 4242 4242 4242", "expires_on": "13/30"}, "Enter month and year"),
        ({"number": "4242 4242 4242 4242", "expires_on": "01/20"}, "This card has expired."),
        ({"number": "4" * 500, "expires_on": "01/30"}, "at most 30 characters"),
        ({"number": "4242\x004242", "expires_on": "01/30"}, "Null characters are not allowed."),
        ({}, "This field is required."),
    ):
        page = client.post("/billing/cards/add/", form)
        assert page.status_code == 200
        assert message in page.content.decode()
        assert all(value in page.content.decode() for value in form.values() if "\0" not in value)
    assert not PaymentMethod.objects.exists()


def test_a_card_is_added_and_removed_on_its_pages(client: Client, client_person: Person) -> None:
    client.force_login(client_person)
    assert "You have no card yet" in client.get("/billing/cards/").content.decode()
    form = {"number": "4242 4242-4242 4242", "expires_on": "1 / 2030", "next": "/billing/balance/"}
    assert client.post("/billing/cards/add/", form).url == "/billing/balance/"
    method = PaymentMethod.objects.get()
    assert method.expires_on == date(2030, 1, 31)
    assert "Take Visa ending in 4242 off your list?" in (
        client.get(f"/billing/cards/{method.pk}/remove/").content.decode()
    )
    page = client.post(f"/billing/cards/{method.pk}/remove/", follow=True)
    assert "Visa ending in 4242 is removed." in page.content.decode()
    again = client.post(f"/billing/cards/{method.pk}/remove/", follow=True)
    assert "has been removed already" in again.content.decode()


def test_the_list_takes_the_same_queries_for_one_card_and_for_twenty(
    client: Client, client_person: Person, at: datetime, django_assert_num_queries: object
) -> None:
    client.force_login(client_person)
    add_card(client_person)
    client.get("/billing/cards/")
    with django_assert_num_queries(4):  # type: ignore[operator]
        client.get("/billing/cards/")
    for year in range(2031, 2030 + cards.MOST_CARDS):
        cards.add_card(
            by=client_person, number=NUMBERS["good"], expires_on=date(year, 1, 31), at=at
        )
    with django_assert_num_queries(4):  # type: ignore[operator]
        page = client.get("/billing/cards/")
    assert len(page.content) < 40_000
