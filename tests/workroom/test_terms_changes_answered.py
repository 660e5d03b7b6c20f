"""Terms of a running Job go to and fro until one side accepts, declines, withdraws or is silent (R2.2, R2.3)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from escrow_site.lib.refusals import StalePage, WrongState
from jobs.models import Activity, Job
from tests.billing.banking import history
from tests.billing.banking import refused as nothing_but_a_message
from tests.scenarios import fund
from tests.workroom.agreements import START, agreed
from tests.workroom.changing import FIRST, SECOND, escrow, fresh, propose, standing, versions
from workroom.proposals import MilestoneInput
from workroom.services import terms
from workroom.services.versions import UnfitProposal

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
CHEAPER = replace(FIRST, amount_minor=400_00)
SPARE = MilestoneInput(title="Spare", amount_minor=250_00, due_on=date(2026, 4, 15))


@pytest.fixture
def job(client_person, freelancer) -> Job:
    return agreed(client_person, freelancer)


@pytest.mark.parametrize("proposer", ["client", "freelancer"])
def test_what_is_agreed_stays_in_force_until_the_other_side_accepts(job, proposer):
    """R2.2, either way round."""
    fund(job, 1)
    job = fresh(job)
    by, other = job.client, job.freelancer
    if proposer == "freelancer":
        by, other = other, by
    propose(job, by, CHEAPER, SECOND)
    assert versions(job) == ["agreed", "proposed"]
    assert standing(job)[0] == (1, "Design", 500_00, "funded", 500_00)

    terms.accept(job, by=other, version=2, at=START + DAY)

    assert versions(job) == ["superseded", "agreed"]
    assert escrow(job).held_minor == 400_00
    assert Activity.objects.get(kind="terms_changed").actor == other


def test_a_counter_proposal_keeps_the_numbers_of_what_it_adds(job, client_person, freelancer):
    propose(job, freelancer, FIRST, SECOND, SPARE)
    cheaper_spare = replace(SPARE, number=3, amount_minor=200_00)
    propose(job, client_person, FIRST, SECOND, cheaper_spare, answering=2)
    terms.accept(job, by=freelancer, version=3, at=START)
    assert versions(job) == ["superseded", "superseded", "agreed"]
    assert standing(job)[2] == (3, "Spare", 200_00, "unfunded", 0)


@pytest.mark.parametrize("ending", ["decline", "withdraw"])
def test_a_declined_or_withdrawn_change_changes_nothing(job, client_person, freelancer, ending):
    fund(job, 1)
    before = standing(job)
    propose(job, freelancer, CHEAPER, SECOND)
    if ending == "decline":
        terms.decline(job, by=client_person, version=2, at=START, answer="No")
    else:
        terms.withdraw(job, by=freelancer, version=2, at=START)

    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.open_proposal_until, standing(job)) == ("active", None, before)
    # And the next proposal answers what is agreed.
    new = propose(job, client_person, CHEAPER, SECOND)
    assert (new.version, versions(job)[2]) == (3, "proposed")


def test_a_lapsed_change_makes_room_for_the_next(job, client_person, freelancer):
    """R2.3: 7 days, to the second."""
    propose(job, freelancer, CHEAPER, SECOND)
    lapse = START + 7 * DAY
    with pytest.raises(WrongState) as refusal:
        terms.accept(job, by=client_person, version=2, at=lapse)
    assert refusal.value.message == (
        "Terms 2 lapsed on 8 Mar 2026, 10:00 UTC: nobody had answered them in time."
    )
    assert history(job)[-1] == "terms_lapsed"
    assert Activity.objects.get(kind="terms_lapsed").happened_at == lapse
    new = propose(job, client_person, CHEAPER, SECOND, at=lapse)
    assert (new.version, new.lapses_at) == (3, lapse + 7 * DAY)
    assert versions(job) == ["agreed", "superseded", "proposed"]


def test_a_change_is_accepted_up_to_its_last_moment(job, client_person, freelancer):
    propose(job, freelancer, CHEAPER, SECOND)
    last = START + 7 * DAY - timedelta(microseconds=1)
    assert terms.accept(job, by=client_person, version=2, at=last).state == "agreed"


@pytest.mark.parametrize("state", ["agreed", "proposed"])
def test_a_change_that_changes_nothing_is_refused(job, client_person, freelancer, state):
    if state == "proposed":
        propose(job, freelancer, CHEAPER, SECOND)
    with nothing_but_a_message(
        UnfitProposal, "You have changed nothing: this is what Terms 1 say."
    ):
        propose(job, client_person, FIRST, SECOND, answering=1 if state == "agreed" else 2)


def test_acceptance_names_the_version_that_was_seen(job, client_person, freelancer):
    propose(job, freelancer, CHEAPER, SECOND)
    propose(job, freelancer, FIRST, answering=2)
    with nothing_but_a_message(
        StalePage,
        "Terms 3 have taken the place of Terms 2 since you opened this page. Look at them before "
        "you answer.",
    ):
        terms.accept(job, by=client_person, version=2, at=START)


def test_acceptance_names_what_was_seen_going_back(job, client_person, freelancer):
    fund(job, 1)
    propose(job, freelancer, CHEAPER, SECOND)
    with nothing_but_a_message(
        StalePage,
        "What these Terms do to the money has changed since you opened this page. Look at it again "
        "before you accept.",
    ):
        terms.accept(job, by=client_person, version=2, at=START, seen_refund_minor=0)
    terms.accept(job, by=client_person, version=2, at=START, seen_refund_minor=100_00)
    assert escrow(job).held_minor == 400_00
