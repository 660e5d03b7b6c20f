"""The overview's one main action where several things wait, or nothing but money that is not there."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.models import ReleaseRequest
from billing.services import cancellations, disputes, refunding, release_requests, releases
from escrow_site.lib import timing
from jobs.models import Job, Person
from tests.billing.steps import request_release, signed_in, text_of
from tests.scenarios import fund
from tests.workroom.agreements import agreed
from tests.workroom.changing import FIRST, change
from workroom.proposals import MilestoneInput
from workroom.selectors.turns_of_disagreement import QUOTED_AT_MOST

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
COMMENT = "The logo\nis too small."


@pytest.fixture
def now() -> datetime:
    return timing.now()


@pytest.fixture
def job(client_person: Person, freelancer: Person, now: datetime) -> Job:
    """“Design”, 500.00, is funded and “Build”, 1,000.00, is not."""
    job = agreed(client_person, freelancer, at=now)
    fund(job, 1, at=now)
    return job


def see(person: Person, job: Job, tab: str = "") -> Any:
    response = signed_in(person).get(f"/jobs/{job.pk}/{tab}")
    assert response.status_code == 200
    return response


def main_action(response: Any) -> tuple[str, bool]:
    first = response.context["first_to_do"]
    kind = "button primary" if first.is_urged else "button"
    assert f'<a class="{kind}" href="{first.url}">{first.label}</a>' in response.content.decode()
    return first.label, first.is_urged


def cancel(job: Job, by: Person, at: datetime) -> None:
    shares = {escrow.number: 0 for escrow in job.escrows.filter(state="funded")}
    cancellations.request(job.pk, shares=shares, reason="We stop.", by=by, at=at)


# --- Money that nobody asks for ---


def test_terms_that_leave_more_to_fund_say_so(
    job: Job, client_person: Person, now: datetime
) -> None:
    extra = MilestoneInput(title="Map", amount_minor=220_00)
    change(job, FIRST, extra, at=now)

    response = see(client_person, job)

    assert main_action(response) == ("Fund “Map”", False)
    number = job.escrows.get(title="Map").number
    assert response.context["first_to_do"].url == f"/billing/jobs/{job.pk}/fund/?escrow={number}"
    assert "Nothing waits for you now. “Map” ($220.00) is not funded yet." in text_of(response)


def test_with_all_of_it_funded_nothing_waits(
    job: Job, client_person: Person, now: datetime
) -> None:
    fund(job, 2, at=now)

    turn = see(client_person, job).context["first_to_do"]

    assert (turn.sentence, turn.label) == ("Nothing waits for you now.", "")


# --- A request to cancel ---


@pytest.mark.parametrize("asks", ["client", "freelancer"])
def test_a_cancellation_to_answer_is_the_main_action(
    job: Job, client_person: Person, freelancer: Person, now: datetime, asks: str
) -> None:
    people = {"client": client_person, "freelancer": freelancer}
    asker = people.pop(asks)
    (answerer,) = people.values()
    before = see(answerer, job).context["turn"]
    cancel(job, asker, now)

    response = see(answerer, job)

    assert main_action(response) == ("Answer the request", True)
    assert f'<p><a href="{before.url}">{before.label}</a></p>' in response.content.decode().replace(
        "&quot;", '"'
    )
    assert see(asker, job).context["first_to_do"].label != "Answer the request"


def test_a_dispute_to_answer_comes_before_it(
    job: Job, client_person: Person, freelancer: Person, now: datetime
) -> None:
    disputes.open(
        job.pk, number=1, asks="refund", asked_minor=500_00, reason="Nothing came.",
        by=client_person, at=now,
    )  # fmt: skip
    cancel(job, client_person, now)

    assert main_action(see(freelancer, job)) == ("Answer the Dispute", True)


# --- Changes asked for ---


def send_back(job: Job, at: datetime, comment: str = COMMENT) -> ReleaseRequest:
    request = request_release(job, at=at)
    return release_requests.request_changes(request.pk, comment=comment, by=job.client, at=at)


def test_what_is_to_be_changed_stands_on_the_overview_and_in_the_row(
    job: Job, client_person: Person, freelancer: Person, now: datetime
) -> None:
    request = send_back(job, now)

    response = see(freelancer, job)
    assert main_action(response) == ("Create Status Report", True)
    said = text_of(response)
    assert "Clara Client requests changes to “Design” ($500.00)." in said
    assert "“The logo is too small.” When the work is ready, request release again." in said
    for person in (client_person, freelancer):
        assert see(person, job).context["lines"][0].note.startswith("Changes requested ")
        [line, _] = see(person, job, "billing/").context["milestones"]
        assert line.note.startswith("Changes requested ")
        assert line.note_url == f"/billing/requests/{request.pk}/"

    request_release(job, at=now + timedelta(seconds=1))
    assert "requests changes" not in text_of(see(freelancer, job))
    assert see(freelancer, job).context["lines"][0].note.startswith("Release requested ")


def test_an_older_request_for_changes_is_over_once_another_request_ended(
    job: Job, freelancer: Person, now: datetime
) -> None:
    send_back(job, now)
    again = request_release(job, at=now)
    release_requests.void(again.pk, by=freelancer, at=now)

    response = see(freelancer, job)

    assert response.context["lines"][0].note == ""
    assert "“Design” ($500.00) is Funded: you can work on it." in text_of(response)


def test_changes_to_several_are_told_apart_and_long_ones_cut(
    job: Job, freelancer: Person, now: datetime
) -> None:
    fund(job, 2, at=now)
    send_back(job, now, comment="x" * 2000)
    second = request_release(job, 2, at=now)
    release_requests.request_changes(second.pk, comment="Faster.", by=job.client, at=now)

    turn = see(freelancer, job).context["turn"]

    assert turn.sentence == "Clara Client requests changes to 2 Milestones ($1,500.00)."
    quote = "x" * (QUOTED_AT_MOST - 1) + "…"
    assert turn.detail.startswith(f"“Design”: “{quote}” “Build”: “Faster.” When the work is ready")


# --- One word, one number ---


def test_released_is_the_same_amount_here_and_on_the_closing_statement(
    job: Job, client_person: Person, freelancer: Person, now: datetime
) -> None:
    fund(job, 2, at=now)
    releases.release(job.pk, numbers=[1, 2], by=client_person, at=now)
    refunding.refund_released(
        job.pk, number=1, amount_minor=50_00, by=freelancer, at=now, reason="Too much."
    )

    overview = text_of(see(client_person, job))
    billing = text_of(see(client_person, job, "billing/"))
    statement = job.closing_statements.order_by("-number").first()
    assert statement is not None
    paper = text_of(signed_in(client_person).get(f"/billing/statements/{statement.pk}/"))

    assert "Released $1,500.00 $50.00 of it refunded later" in overview
    assert "$500.00 $0.00 $500.00 $50.00 refunded later" in overview
    assert "Released $1,500.00 Gross, before fees. $50.00 of it refunded later" in billing
    assert "$500.00 released $50.00 refunded later" in billing
    # Funded, released, refunded while held, refunded later.
    assert "The Job $1,500.00 $1,500.00 $0.00 $50.00" in paper
    assert "1. Design Released $500.00 $500.00 $0.00 $50.00" in paper
    assert "funded $1,500.00 = released $1,500.00 − released and later refunded $50.00" in paper
