"""Pages of a cancellation (R8.3): asked for with every amount shown, answered by the other side."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse

from billing.models import Cancellation, CancellationShare
from billing.services import cancellations, releases
from jobs.models import Activity, Job, Person
from tests.billing import steps
from tests.billing.steps import NOON, signed_in
from tests.scenarios import fund, running_job
from tests.world import world

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
TYPED = {"share-1": "200.00", "share-2": "", "reason": "The shop closes."}
SEEN = {"seen-1": "50000", "seen-2": "100000"}


@pytest.fixture(autouse=True)
def clock() -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00 funded, 250.00 not."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 250_00])
    fund(job, 1, 2)
    return job


@pytest.fixture
def asked(job: Job) -> Cancellation:
    """By the Client: 200.00 of the first Milestone to the Freelancer, all else back."""
    return cancellations.request(
        job.pk, shares={1: 200_00, 2: 0}, reason="The shop closes.", by=job.client, at=NOON
    )


def text_of(response: object) -> str:
    """As it is read: an instant within a sentence is an element of its own."""
    return re.sub(r" ([.:,])(?= |$)", r"\1", steps.text_of(response))


def asking(job: Job) -> str:
    return reverse("billing:cancel_job", args=[job.pk])


def page_of(cancellation: Cancellation, name: str = "cancellation") -> str:
    return reverse(f"billing:{name}", args=[cancellation.pk])


# --- Asking ---


def test_the_form_offers_all_back_to_the_client(job: Job, client_person: Person) -> None:
    response = signed_in(client_person).get(asking(job))
    text = text_of(response)
    assert "“Milestone 1”: to the Freelancer (USD)" in text
    assert "Of the $500.00 that are held. What you leave goes back to the Client." in text
    assert "Milestone 3" not in text
    assert response.content.decode().count('value="0.00"') == 2


def test_every_amount_is_shown_before_anything_is_sent(job: Job, client_person: Person) -> None:
    before = world()
    response = signed_in(client_person).post(asking(job), TYPED | {"step": "show"})
    text = text_of(response)
    assert "Milestone 1 $500.00 $300.00 $200.00 − $17.50 $182.50" in text
    assert "Milestone 2 $1,000.00 $1,000.00 $0.00 $0.00 $0.00" in text
    assert "Total $1,500.00 $1,300.00 $200.00 − $17.50 $182.50" in text
    assert "Frank Freelancer accepts or declines within 5 days" in text
    assert "The shop closes." in text
    assert world() == before


def test_the_second_click_asks(job: Job, client_person: Person) -> None:
    response = signed_in(client_person).post(
        asking(job), TYPED | SEEN | {"step": "send"}, follow=True
    )
    cancellation = Cancellation.objects.get()
    assert response.redirect_chain == [(page_of(cancellation), 302)]
    shares = CancellationShare.objects.order_by("escrow__number")
    assert list(shares.values_list("to_freelancer_minor", flat=True)) == [200_00, 0]
    text = text_of(response)
    assert "Waiting for Frank Freelancer to answer until 14 Mar 2026, 12:00 UTC." in text
    assert "Withdraw the request" in text
    assert "Accept and cancel the Job" not in text


def test_change_leads_back_with_what_was_typed(job: Job, client_person: Person) -> None:
    response = signed_in(client_person).post(asking(job), TYPED | SEEN | {"step": "change"})
    page = response.content.decode()
    assert 'value="200.00"' in page
    assert "The shop closes." in page


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ({"reason": ""}, "Say why the Job is to be cancelled: the other side reads it."),
        ({"share-1": "500.01"}, "This is more than is held for the Milestone."),
        ({"share-1": "-1"}, "Enter an amount above zero with a point for decimals"),
        ({"share-1": "1.001"}, "decimal"),
        ({"share-1": "lots"}, "Enter an amount above zero with a point for decimals"),
        ({"reason": "x" * 2001}, "at most 2000 characters"),
    ],
)
@pytest.mark.parametrize("step", ["show", "send"])
def test_what_cannot_be_is_said_and_kept_typed(
    job: Job, client_person: Person, typed: dict[str, str], message: str, step: str
) -> None:
    before = world()
    response = signed_in(client_person).post(asking(job), TYPED | SEEN | typed | {"step": step})
    assert response.status_code == 200
    assert message in text_of(response)
    assert all(value in response.content.decode() for value in typed.values())
    assert world() == before


def test_amounts_that_have_changed_are_shown_again(job: Job, client_person: Person) -> None:
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON)
    before = world()
    response = signed_in(client_person).post(asking(job), TYPED | SEEN | {"step": "send"})
    assert "The amounts have changed since you opened this page" in response.content.decode()
    assert "Milestone 1 $500.00 $300.00 $200.00" in text_of(response)
    assert world() == before


def test_a_click_without_having_seen_the_amounts_sends_nothing(
    job: Job, client_person: Person
) -> None:
    before = world()
    signed_in(client_person).post(asking(job), TYPED | {"step": "send", "seen-x": "y"})
    assert world() == before


def test_with_no_money_in_it_the_job_is_cancelled_at_once(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer)
    browser = signed_in(freelancer)
    assert "you can cancel the Job at once" in text_of(browser.get(asking(job)))
    shown = text_of(browser.post(asking(job), {"reason": "No time.", "step": "show"}))
    assert "The Job ends now, for both of you" in shown
    response = browser.post(asking(job), {"reason": "No time.", "step": "send"}, follow=True)
    assert Job.objects.get().state == "cancelled"
    text = text_of(response)
    assert "The Job is cancelled. Both of you have the Closing Statement." in text
    assert "This Job was cancelled on 9 Mar 2026, 12:00 UTC." in text


def test_with_a_request_open_it_leads_there(asked: Cancellation, freelancer: Person) -> None:
    response = signed_in(freelancer).get(asking(asked.job), follow=True)
    assert response.redirect_chain == [(page_of(asked), 302)]
    assert "is open already, until 14 Mar 2026, 12:00 UTC" in text_of(response)


def test_a_job_that_has_ended_leads_to_itself(asked: Cancellation, freelancer: Person) -> None:
    cancellations.accept(asked.pk, by=freelancer, at=NOON)
    response = signed_in(freelancer).get(asking(asked.job), follow=True)
    assert "This Job is cancelled already." in text_of(response)


# --- Answering ---


def test_the_other_side_sees_what_it_comes_to(asked: Cancellation, freelancer: Person) -> None:
    text = text_of(signed_in(freelancer).get(page_of(asked)))
    assert (
        "Clara Client wants to cancel the Job. It is your turn until 14 Mar 2026, 12:00 UTC."
        in text
    )
    assert "$1,300.00 goes back to Clara Client. No fee is taken on it." in text
    assert "$200.00 goes to you: $182.50 net after fees of $17.50." in text
    assert "Withdraw" not in text


def test_acceptance_by_a_click(asked: Cancellation, freelancer: Person) -> None:
    response = signed_in(freelancer).post(page_of(asked, "accept_cancellation"), follow=True)
    text = text_of(response)
    assert "The Job is cancelled, and what was held is divided." in text
    assert "Frank Freelancer accepted on 9 Mar 2026, 12:00 UTC: the Job is cancelled." in text
    assert "Closing Statement CS-" in text
    assert "How what was held was divided" in text
    assert Job.objects.get().state == "cancelled"


def test_declining_with_an_answer(asked: Cancellation, freelancer: Person) -> None:
    response = signed_in(freelancer).post(
        page_of(asked, "decline_cancellation"), {"answer": "Half is done."}, follow=True
    )
    text = text_of(response)
    assert "Declined. The Job goes on, and Clara Client has been told." in text
    assert "open a Dispute about a Milestone" in text
    assert "Half is done." in text
    assert "Request cancellation again" in text


def test_too_long_an_answer_is_kept_typed(asked: Cancellation, freelancer: Person) -> None:
    before = world()
    response = signed_in(freelancer).post(
        page_of(asked, "decline_cancellation"), {"answer": "y" * 2001}
    )
    assert "at most 2000 characters" in text_of(response)
    assert "y" * 2001 in response.content.decode()
    assert world() == before


def test_withdrawing(asked: Cancellation, client_person: Person) -> None:
    response = signed_in(client_person).post(page_of(asked, "withdraw_cancellation"), follow=True)
    assert "Withdrawn. The Job goes on, and Frank Freelancer has been told." in text_of(response)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("accept_cancellation", "You requested this cancellation yourself"),
        ("decline_cancellation", "You requested this cancellation yourself"),
    ],
)
def test_a_refusal_comes_back_on_the_page(
    asked: Cancellation, client_person: Person, name: str, message: str
) -> None:
    before = world()
    response = signed_in(client_person).post(page_of(asked, name), {"answer": "No."})
    assert response.status_code == 200
    assert message in text_of(response)
    assert world() == before


def test_the_page_after_its_time(asked: Cancellation, freelancer: Person) -> None:
    with time_machine.travel(NOON + 5 * DAY, tick=False):
        response = signed_in(freelancer).get(page_of(asked))
        text = text_of(response)
        assert "The request lapsed on 14 Mar 2026, 12:00 UTC: nobody had answered it." in text
        assert "open a Dispute" in text
        late = signed_in(freelancer).post(page_of(asked, "accept_cancellation"))
        assert "lapsed on 14 Mar 2026, 12:00 UTC" in text_of(late)
    assert Job.objects.get().state == "active"


def test_an_overtaken_request_says_so(asked: Cancellation, freelancer: Person) -> None:
    releases.release(asked.job_id, numbers=[1], by=asked.job.client, at=NOON)
    text = text_of(signed_in(freelancer).get(page_of(asked)))
    assert "other amounts were held by then" in text
    assert "Request cancellation again" in text


NAMES = [
    "cancellation", "accept_cancellation", "decline_cancellation", "withdraw_cancellation",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_to_others_it_does_not_exist(
    asked: Cancellation, stranger: Person, agent: Person, name: str
) -> None:
    for person in (stranger, agent):
        browser = signed_in(person)
        response = (browser.get if name == "cancellation" else browser.post)(page_of(asked, name))
        assert response.status_code == 404
    assert signed_in(stranger).get(asking(asked.job)).status_code == 404


@pytest.mark.parametrize("name", NAMES[1:])
def test_an_answer_is_no_link(asked: Cancellation, freelancer: Person, name: str) -> None:
    assert signed_in(freelancer).get(page_of(asked, name)).status_code == 405


# --- On the Job ---


def test_the_job_says_whose_turn_it_is(
    asked: Cancellation, client_person: Person, freelancer: Person
) -> None:
    url = reverse("workroom:job", args=[asked.job_id])
    mine = text_of(signed_in(client_person).get(url))
    assert (
        "Waiting for Frank Freelancer to answer your request to cancel the Job, until 14 Mar 2026, "
        "12:00 UTC. See the request"
    ) in mine
    theirs = text_of(signed_in(freelancer).get(url))
    assert "Clara Client wants to cancel the Job. Accept or decline until 14 Mar 2026" in theirs
    assert "The request to cancel the Job lapses" in theirs
    assert "See the request to cancel" in signed_in(freelancer).get(url).content.decode()


def test_the_actions_of_a_running_job_lead_to_it(job: Job, freelancer: Person) -> None:
    page = signed_in(freelancer).get(reverse("workroom:job", args=[job.pk])).content.decode()
    assert f'href="{asking(job)}">Cancel the Job</a>' in page


def test_the_notices_lead_to_it(asked: Cancellation, freelancer: Person) -> None:
    line = Activity.objects.get(kind="cancellation_requested")
    notice = line.notifications.get()
    response = signed_in(freelancer).get(f"/notices/{notice.pk}/", follow=True)
    assert response.redirect_chain[0][0] == page_of(asked)
