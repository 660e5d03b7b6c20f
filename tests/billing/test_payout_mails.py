"""Money that leaves is told to its owner by mail (R5.4): when a payout is asked for, and when it comes back."""

from datetime import datetime

import pytest

from jobs.models import Person
from tests.billing.banking import refused
from tests.billing.steps import signed_in, text_of
from tests.billing.test_payouts import AskedAlready, available, form_of, pay_out, release_to
from tests.mail_server import MailServer

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "k" * 32


@pytest.fixture
def rich(freelancer: Person, client_person: Person, at: datetime) -> Person:
    """The Freelancer in Tokyo, with 456.25 available."""
    freelancer.time_zone = "Asia/Tokyo"
    freelancer.save()
    release_to(freelancer, client_person, 500_00, at=at)
    return freelancer


def test_who_asks_for_a_payout_is_told_once_how_much_where_to_and_when(
    rich: Person, mail_server: MailServer, no_broker: None, at: datetime
) -> None:
    pay_out(rich, 100_00, idempotency_key=KEY, at=at)
    with refused(
        AskedAlready, "You have asked for this payout of $100.00 already: it is made once."
    ):
        pay_out(rich, 100_00, idempotency_key=KEY, at=at)
    (mail,) = mail_server.mails
    text = mail.get_content()
    assert (mail["To"], mail["Subject"]) == (rich.email, "A payout of $100.00 was asked for")
    assert "to pay out $100.00 of your available balance" in text
    assert "to the bank account ending in 9890." in text
    assert "DE12" not in text
    assert "If this was not you: reset your password at once" in text
    assert "When: 1 Mar 2026, 19:00 JST" in text


def test_a_payout_that_fails_is_told_with_the_banks_reason(
    rich: Person, mail_server: MailServer, no_broker: None, at: datetime
) -> None:
    pay_out(rich, 100_00, destination="DE00 0000 0000", at=at)
    _, mail = mail_server.mails
    text = mail.get_content()
    assert mail["Subject"] == "A payout failed: $100.00 is back on your available balance"
    assert "ending in 0000, asked for on 1 Mar 2026, 19:00 JST, failed." in text
    assert "The bank says: The bank does not know this account." in text
    assert "The whole $100.00 is back on your available balance." in text


def test_the_page_pays_out_while_broker_and_mail_server_are_away(
    rich: Person, mail_server: MailServer, no_broker: None, caplog: pytest.LogCaptureFixture
) -> None:
    mail_server.stop()
    browser = signed_in(rich)
    form = form_of(browser) | {"amount": "100.00", "destination": "DE12500105170648489890"}
    page = browser.post("/billing/balance/pay-out/", form, follow=True)
    assert "The bank has confirmed it: $100.00 is paid out." in text_of(page)
    assert available(rich) == 356_25
    assert "account_mail_not_sent" in caplog.messages
