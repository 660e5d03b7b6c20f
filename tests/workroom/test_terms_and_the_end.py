"""Terms changes that end a Job, hold its end back, or wake it up (R10.4, R11.1)."""

from dataclasses import replace
from datetime import timedelta

import pytest

from billing.models import ClosingStatement, Refund
from billing.services import catching_up, releases, sweeping
from escrow_site.lib.refusals import WrongState
from jobs.models import Activity, Job, Policy
from tests.billing.banking import history, refused, told
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
from workroom.proposals import MilestoneInput
from workroom.services import terms
from workroom.services.versions import UnfitProposal

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SPARE = MilestoneInput(title="Spare", amount_minor=250_00)
MOMENT = timedelta(microseconds=1)
DORMANT_AT = START.replace(month=6, day=30, hour=0)  # 24:00 UTC of 30 April + 60 days


@pytest.fixture
def job(client_person, freelancer) -> Job:
    """The first Milestone is released, the second one is not funded."""
    job = agreed(client_person, freelancer)
    fund(job, 1)
    releases.release(job.pk, numbers=[1], by=client_person, at=START)
    return fresh(job)


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def all_released(job: Job) -> None:
    fund(job, 2)
    releases.release(job.pk, numbers=[2], by=job.client, at=START)


# --- The end (R11.1) ---


def test_removing_all_that_is_unfinished_completes_the_job(job):
    at = START + DAY
    change(job, FIRST, at=at)
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.ended_at, row.next_due_at) == ("completed", at, None)
    assert history(job)[-3:] == ["terms_changed", "removed", "completed"]
    assert ClosingStatement.objects.filter(job=job).count() == 1
    assert_adds_up(at)


def test_removing_what_is_funded_completes_the_job_too(job):
    fund(job, 2)
    change(job, FIRST)
    assert (state(job), standing(job)[1]) == ("completed", (2, "Build", 1_000_00, "refunded", 0))
    assert Refund.objects.get().amount_minor == 1_000_00
    assert history(job)[-3:] == ["terms_changed", "returned", "completed"]
    assert_adds_up()


def test_with_an_open_end_it_goes_on(job):
    change(job, FIRST, ends_on=None)
    assert state(job) == "active"


def test_setting_the_end_completes_a_job_that_only_waited_for_it(job):
    change(job, FIRST, SECOND, ends_on=None)
    all_released(job)
    assert state(job) == "active"
    change(job, FIRST, SECOND)
    assert state(job) == "completed"


def test_a_job_needs_a_milestone(client_person, freelancer):
    job = agreed(client_person, freelancer)
    with refused(
        UnfitProposal,
        "A fixed-price Job needs at least one Milestone. A deposit is the first Milestone.",
    ):
        propose(job, freelancer)


@pytest.mark.parametrize("answer", ["decline", "withdraw", "lapse", "unfit"])
def test_an_open_proposal_holds_completion_back(job, client_person, freelancer, answer):
    """R11.1: until it is answered, withdrawn or lapsed, and then the Job completes at that instant."""
    # Unfit: it makes the second Milestone cheaper, which is released meanwhile.
    cheaper = replace(SECOND, amount_minor=900_00)
    wanted = (FIRST, cheaper) if answer == "unfit" else (FIRST, SECOND, SPARE)
    propose(job, freelancer, *wanted)
    all_released(job)
    assert state(job) == "active"

    at = START + 2 * DAY
    if answer == "decline":
        terms.decline(job, by=client_person, version=2, at=at)
    elif answer == "withdraw":
        terms.withdraw(job, by=freelancer, version=2, at=at)
    elif answer == "unfit":
        with pytest.raises(WrongState):
            terms.accept(job, by=client_person, version=2, at=at)
    else:
        at = START + 7 * DAY
        sweeping.sweep(at=at - MOMENT)
        assert state(job) == "active"
        sweeping.sweep(at=at)

    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.ended_at) == ("completed", at)
    kinds = {
        "decline": "terms_declined", "withdraw": "terms_withdrawn", "lapse": "terms_lapsed",
        "unfit": "terms_unfit",
    }  # fmt: skip
    assert history(job)[-2:] == [kinds[answer], "completed"]
    assert told(job, "completed") == {"clara@example.com", "frank@example.com"}
    assert_adds_up(at)


def test_an_accepted_proposal_lets_the_job_go_on(job, client_person, freelancer):
    propose(job, freelancer, FIRST, SECOND, SPARE)
    all_released(job)
    terms.accept(job, by=client_person, version=2, at=START)
    assert (state(job), standing(job)[2]) == ("active", (3, "Spare", 250_00, "unfunded", 0))


def test_a_proposal_lapses_at_its_instant_however_late_the_sweep(job, client_person, freelancer):
    """R6.4, R2.3: dated by its instant; both are told, and what was agreed stays."""
    propose(job, freelancer, FIRST, SECOND, SPARE)
    lapse = START + 7 * DAY

    assert sweeping.sweep(at=lapse - MOMENT).done == {}
    sweeping.sweep(at=lapse + 5 * DAY)

    line = Activity.objects.get(kind="terms_lapsed")
    assert (line.happened_at, line.actor_kind) == (lapse, "timer")
    assert line.reason == ("Nobody answered the proposal within 7 days, by 8 Mar 2026 10:00 UTC.")
    assert told(job, "terms_lapsed") == {"clara@example.com", "frank@example.com"}
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.open_proposal_until) == ("active", None)


# --- Dormancy (R10) ---


@pytest.fixture
def dormant(job) -> Job:
    """What is funded and left alone since 1 March."""
    fund(job, 2)
    sweeping.sweep(at=DORMANT_AT)
    assert state(job) == "dormant"
    return fresh(job)


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_a_change_request_wakes_a_dormant_job(dormant, role):
    by = getattr(dormant, role)
    at = DORMANT_AT + DAY
    propose(dormant, by, FIRST, SECOND, SPARE, at=at)

    row = Job.objects.get(pk=dormant.pk)
    assert (row.state, row.last_activity_at, row.dormant_at) == ("active", at, at + 60 * DAY)
    line = Activity.objects.get(kind="reactivated")
    assert (line.actor, line.reason) == (by, "A change of the Terms was proposed.")
    assert history(dormant)[-2:] == ["terms_proposed", "reactivated"]


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_acceptance_wakes_a_dormant_job(client_person, freelancer, role):
    """A proposal outlives 60 quiet days only under a Policy of its own."""
    patient_policy()
    job = agreed(client_person, freelancer)
    fund(job, 2)
    proposer = freelancer if role == "client" else client_person
    propose(job, proposer, FIRST, SECOND, SPARE, at=START)
    sweeping.sweep(at=DORMANT_AT)
    job = fresh(job)
    assert job.state == "dormant"

    at = DORMANT_AT + DAY
    terms.accept(job, by=getattr(job, role), version=2, at=at)

    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.dormant_at, row.freelancer_told_dormant_at) == (
        "active", at + 60 * DAY, None,
    )  # fmt: skip
    assert Activity.objects.get(kind="reactivated").reason == "A change of the Terms was accepted."


@pytest.mark.parametrize("answer", ["decline", "withdraw"])
def test_no_other_answer_wakes_it(client_person, freelancer, answer):
    patient_policy()
    job = agreed(client_person, freelancer)
    fund(job, 2)
    propose(job, freelancer, FIRST, SECOND, SPARE, at=START)
    sweeping.sweep(at=DORMANT_AT)
    if answer == "decline":
        terms.decline(job, by=client_person, version=2, at=DORMANT_AT + DAY)
    else:
        terms.withdraw(job, by=freelancer, version=2, at=DORMANT_AT + DAY)
    assert (state(job), history(job).count("reactivated")) == ("dormant", 0)


def patient_policy() -> None:
    newest = Policy.objects.current()
    newest.pk, newest.version, newest.proposal_days = None, newest.version + 1, 200
    newest._state.adding = True
    newest.save()


def test_settlement_comes_before_a_change_that_is_late(dormant, freelancer):
    """R6.4: what was due is carried out first, and the action is judged on the result."""
    settled_at = DORMANT_AT + 14 * DAY
    sweeping.sweep(at=DORMANT_AT + 7 * DAY)
    with pytest.raises(WrongState) as refusal:
        propose(dormant, freelancer, FIRST, SECOND, SPARE, at=settled_at)
    assert refusal.value.message == "This Job is completed: its Terms stay as they are."
    with catching_up.locked_job(dormant.pk, at=settled_at) as row:
        assert row.ended_at == settled_at
    assert (escrow(dormant, 2).state, versions(dormant)) == ("refunded", ["agreed"])
