"""What a change of the Terms cannot touch: refused when it is proposed, and again when it is accepted
(R2.3). A refused proposal changes nothing; one that does not fit any more is superseded.
"""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.models import Payment
from billing.services import payments, refunding, release_requests, releases
from billing.services.escrow_changes import MilestoneLocked
from escrow_site.lib.refusals import Refusal, SeveralRefusals, WrongParty
from jobs.models import Activity, Job
from tests.billing.banking import add_card, history, refused, told
from tests.billing.dispute_steps import open_dispute
from tests.billing.steps import request_release
from tests.scenarios import fund
from tests.workroom.agreements import START, agreed
from tests.workroom.changing import (
    FIRST,
    SECOND,
    assert_adds_up,
    change,
    escrow,
    fresh,
    propose,
    standing,
    versions,
)
from workroom.models import Terms
from workroom.services import terms

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CHEAPER = replace(FIRST, amount_minor=400_00)
DEARER = replace(FIRST, amount_minor=600_00)
RENAMED = replace(FIRST, title="Sketches")
REDATED = replace(FIRST, due_on=date(2026, 4, 1))
REWORDED = replace(FIRST, description="In ink")
REMOVED = None

RELEASED = "“Design” is released: it stays as it is."
REFUNDED = "“Design” is refunded: it stays as it is."
REQUESTED = "A Release Request for “Design” is open: it stays as it is until that has ended."
DISPUTED = (
    "“Design” is disputed: until the Dispute has ended, its money can only be released whole by the "
    "Client, refunded whole by the Freelancer, or split by agreement."
)
UNDER_WAY = (
    "A payment for “Design” is under way: until it has ended, the price stays as it is and the "
    "Milestone cannot be removed."
)
NOT_DEARER = (
    "“Design” is Funded: it cannot cost more than $500.00. Add a Milestone for what comes on top."
)
NOT_DEARER_SECOND = (
    "“Build” is Funded: it cannot cost more than $1,000.00. Add a Milestone for what comes on top."
)
PARTLY = (
    "$300.00 of “Design” is released, so it cannot be removed. Lower its price to $300.00 to get the "
    "rest back."
)


@pytest.fixture
def job(client_person, freelancer) -> Job:
    return agreed(client_person, freelancer)


# What happens to the first Milestone before the change.


def is_funded(job: Job) -> None:
    fund(job, 1)


def is_released(job: Job) -> None:
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=fresh(job).client, at=START)


def is_refunded(job: Job) -> None:
    fund(job, 1)
    freelancer = fresh(job).freelancer
    assert freelancer is not None
    refunding.refund_held(
        job.pk, number=1, amount_minor=500_00, by=freelancer, at=START, reason="",
        seen_held_minor=500_00,
    )  # fmt: skip


def is_released_in_part(job: Job) -> None:
    fund(job, 1)
    releases.release_part(
        job.pk, number=1, amount_minor=300_00, by=fresh(job).client, at=START, seen_held_minor=500_00
    )  # fmt: skip


def is_requested(job: Job) -> None:
    fund(job, 1)
    request_release(job, at=START)


def is_disputed(job: Job) -> None:
    fund(job, 1)
    open_dispute(job, fresh(job).client, at=START)


def is_pending(job: Job) -> None:
    pay(job, "needs_authentication")


def is_waiting_for_the_bank(job: Job) -> None:
    pay(job, "silent")


def pay(job: Job, card: str) -> None:
    client = fresh(job).client
    payments.fund(job.pk, numbers=[1], method=add_card(client, card), by=client, at=START)


CASES = [
    *((is_released, to, RELEASED) for to in (CHEAPER, RENAMED, REDATED, REWORDED, REMOVED)),
    *((is_refunded, to, REFUNDED) for to in (CHEAPER, RENAMED, REMOVED)),
    *((is_requested, to, REQUESTED) for to in (CHEAPER, RENAMED, REDATED, REWORDED, REMOVED)),
    *((is_disputed, to, DISPUTED) for to in (CHEAPER, RENAMED, REMOVED)),
    *((is_pending, to, UNDER_WAY) for to in (CHEAPER, DEARER, REMOVED)),
    *((is_waiting_for_the_bank, to, UNDER_WAY) for to in (CHEAPER, DEARER, REMOVED)),
    (is_funded, DEARER, NOT_DEARER),
    (is_released_in_part, REMOVED, PARTLY),
    (
        is_released_in_part,
        replace(FIRST, amount_minor=299_99),
        "$300.00 of “Design” is released, so its price cannot be lower than that.",
    ),
]


def wanted(to):
    return [one for one in (to, SECOND) if one is not None]


@pytest.mark.parametrize(("happens", "to", "message"), CASES)
def test_it_is_refused_when_it_is_proposed(job, freelancer, happens, to, message):
    happens(job)
    with refused(MilestoneLocked, message):
        propose(job, freelancer, *wanted(to))


@pytest.mark.parametrize(("happens", "to", "message"), CASES)
def test_it_is_refused_and_superseded_when_it_is_accepted(
    job, client_person, freelancer, happens, to, message
):
    """Proposed while it fitted, accepted when it does not fit any more."""
    propose(job, freelancer, *wanted(to))
    happens(job)
    before, lines = standing(job), len(history(job))

    with pytest.raises(MilestoneLocked) as refusal:
        terms.accept(job, by=client_person, version=2, at=START)

    assert refusal.value.message == f"Terms 2 do not fit any more and are superseded. {message}"
    assert versions(job) == ["agreed", "superseded"]
    assert (standing(job), Job.objects.get(pk=job.pk).open_proposal_until) == (before, None)
    assert history(job)[lines:] == ["terms_unfit"]
    line = Activity.objects.get(kind="terms_unfit")
    assert (line.actor_kind, line.reason, line.facts) == ("system", message, {"version": 2})
    assert told(job, "terms_unfit") == {"clara@example.com", "frank@example.com"}
    assert_adds_up()
    with pytest.raises(Refusal) as again:
        terms.accept(job, by=client_person, version=2, at=START)
    assert again.value.message == (
        "Terms 2 are superseded: they did not fit any more. Terms 1 stay in force."
    )


@pytest.mark.parametrize("to", [RENAMED, REDATED, REWORDED])
@pytest.mark.parametrize(
    "happens", [is_funded, is_pending, is_waiting_for_the_bank, is_released_in_part]
)
def test_a_name_and_a_date_are_free_until_a_request(job, happens, to):
    happens(job)
    change(job, to, SECOND)
    assert (escrow(job).title, escrow(job).due_on) == (to.title, to.due_on)


@pytest.mark.parametrize(
    "happens", [is_released, is_refunded, is_requested, is_disputed, is_pending, is_funded]
)
def test_what_is_locked_is_in_nobodys_way(job, happens):
    """The others change, and it may take another place among them."""
    happens(job)
    before = standing(job)[0]
    change(job, replace(SECOND, amount_minor=900_00), FIRST)
    assert standing(job) == [(2, "Build", 900_00, "unfunded", 0), before]


def test_a_lock_ends_with_what_made_it(job, client_person, freelancer):
    fund(job, 1)
    request = request_release(job, at=START)
    with refused(MilestoneLocked, REQUESTED):
        propose(job, freelancer, CHEAPER, SECOND)
    release_requests.void(request.pk, by=freelancer, at=START)
    change(job, CHEAPER, SECOND)
    assert escrow(job).held_minor == 400_00


def test_a_cancelled_payment_unlocks_the_price(job, client_person):
    is_pending(job)
    payments.cancel(Payment.objects.get(), by=client_person, at=START)
    change(job, DEARER, SECOND)
    assert standing(job)[0] == (1, "Design", 600_00, "unfunded", 0)


def test_the_whole_proposal_is_refused_for_one_milestone(job, freelancer):
    fund(job, 1)
    with refused(MilestoneLocked, NOT_DEARER):
        propose(job, freelancer, DEARER, replace(SECOND, amount_minor=900_00))


def test_every_reason_is_told_at_once(job, freelancer):
    fund(job, 1, 2)
    request_release(job, at=START)
    with pytest.raises(SeveralRefusals) as caught:
        propose(job, freelancer, RENAMED, replace(SECOND, amount_minor=2_000_00))
    assert caught.value.messages == [REQUESTED, NOT_DEARER_SECOND]


def test_only_the_other_side_accepts_a_change(job, client_person, freelancer, stranger):
    propose(job, freelancer, CHEAPER, SECOND)
    with refused(
        WrongParty,
        "You proposed Terms 2 yourself: the other side answers them. You can withdraw them.",
    ):
        terms.accept(job, by=freelancer, version=2, at=START)
    with refused(WrongParty, "Only the Client and the Freelancer of a Job can answer its Terms."):
        terms.accept(job, by=stranger, version=2, at=START)


def test_nobody_changes_the_terms_of_a_job_that_has_ended(job, client_person, freelancer):
    fund(job, 1, 2)
    releases.release(job.pk, numbers=[1, 2], by=client_person, at=START)
    with refused(Refusal, "This Job is completed: its Terms stay as they are."):
        propose(job, freelancer, CHEAPER, SECOND)
    assert Terms.objects.filter(job=job).count() == 1
