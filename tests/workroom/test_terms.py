"""Terms: proposed to and fro, accepted once, by who saw them (R2.1, R2.4 to R2.6, R3.1)."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from billing.models import Account, Escrow, FundingRequest
from billing.services import catching_up
from escrow_site.lib.refusals import Refusal, StalePage, WrongParty, WrongState
from jobs.models import Activity, Job, Notification
from tests.workroom.agreements import (
    BUILD,
    DESIGN,
    START,
    agreed,
    awarded,
    draft,
    hourly_draft,
    terms_input,
)
from tests.world import world
from workroom.models import Milestone, Terms
from workroom.proposals import MilestoneInput, TermsInput
from workroom.services import awards, terms

DAY = timedelta(days=1)
DEPOSIT = MilestoneInput(title="Deposit", amount_minor=200_00)


def counter(job, by, *, at=START, answering=1, **values):
    return terms.propose(job, by=by, terms=terms_input(**values), answering=answering, at=at)


def states(job):
    return list(Terms.objects.filter(job=job).order_by("version").values_list("state", flat=True))


def refused(action, kind, message):
    before = world()
    with pytest.raises(kind) as refusal:
        action()
    assert refusal.value.message == message
    assert world() == before


# Accepting


def test_acceptance_opens_the_job_its_escrows_and_the_first_funding_request(
    client_person, freelancer
):
    job = awarded(client_person, freelancer.email)
    at = START + DAY

    accepted = terms.accept(job, by=freelancer, version=1, at=at)

    job = Job.objects.get(pk=job.pk)
    assert (accepted.state, states(job)) == ("agreed", ["agreed"])
    assert Terms.objects.get(job=job).answered_at == at
    assert (job.state, job.activated_at, job.open_proposal_until) == ("active", at, None)
    assert (job.last_milestone_on, job.open_ended) == (date(2026, 4, 30), False)
    assert (job.last_activity_at, job.dormant_at) == (at, _end_of(date(2026, 4, 30)) + 60 * DAY)
    assert list(
        Escrow.objects.of(job).values_list("number", "title", "amount_minor", "due_on", "state")
    ) == [
        (1, "Design", 500_00, date(2026, 3, 31), "unfunded"),
        (2, "Build", 1_000_00, date(2026, 4, 30), "unfunded"),
    ]
    assert [
        (milestone.number, milestone.escrow.number)
        for milestone in Milestone.objects.filter(terms=accepted).order_by("number")
    ] == [(1, 1), (2, 2)]
    assert list(FundingRequest.objects.values_list("escrow__number", "requested_by")) == [(1, None)]
    assert list(
        Activity.objects.filter(job=job).order_by("pk").values_list("kind", "actor__name")
    ) == [
        ("awarded", "Clara Client"),
        ("terms_accepted", "Frank Freelancer"),
        ("funding_requested", None),
    ]
    assert list(
        Notification.objects.filter(activity__kind="terms_accepted").values_list("person__name")
    ) == [("Clara Client",)]
    assert sorted(
        Account.objects.exclude(kind__in=["cash", "service_fees", "processing_fees"])
        .filter(balance_minor=0, currency="USD")
        .exclude(kind__in=["gateway_costs", "chargebacks"])
        .values_list("kind", flat=True)
    ) == ["available", "escrow", "escrow"]


def _end_of(day):
    return START.replace(month=day.month, day=day.day, hour=0) + DAY


def test_an_open_end_and_no_dates_are_pushed_down(client_person, freelancer):
    job = agreed(
        client_person, freelancer, ends_on=None, milestones=(replace(DESIGN, due_on=None),)
    )

    assert (job.last_milestone_on, job.open_ended) == (None, True)
    assert job.dormant_at == START + 60 * DAY


def test_an_hourly_job_has_no_escrow(client_person, freelancer):
    job = awards.award(
        hourly_draft(client_person), by=client_person, email=freelancer.email, at=START
    )

    terms.accept(job, by=freelancer, version=1, at=START)

    assert Job.objects.get(pk=job.pk).state == "active"
    assert (Escrow.objects.count(), FundingRequest.objects.count()) == (0, 0)


def test_the_client_accepts_a_counter_proposal(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    counter(job, freelancer, milestones=(DEPOSIT, replace(DESIGN, number=1)))

    terms.accept(job, by=client_person, version=2, at=START)

    assert states(job) == ["superseded", "agreed"]
    assert list(Escrow.objects.of(job).values_list("number", "position", "title")) == [
        (3, 1, "Deposit"),
        (1, 2, "Design"),
    ]
    assert list(FundingRequest.objects.values_list("escrow__title", flat=True)) == ["Deposit"]


def test_only_the_other_side_answers(client_person, freelancer, stranger):
    job = awarded(client_person, freelancer.email)
    own = "You proposed Terms 1 yourself: the other side answers them. You can withdraw them."
    outside = "Only the Client and the Freelancer of a Job can answer its Terms."

    for answer in (terms.accept, terms.decline):
        refused(lambda a=answer: a(job, by=client_person, version=1, at=START), WrongParty, own)
        refused(lambda a=answer: a(job, by=stranger, version=1, at=START), WrongParty, outside)


def test_a_version_that_was_replaced_is_stale(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    terms.propose(job, by=client_person, terms=terms_input(scope="Changed"), answering=1, at=START)
    message = (
        "Terms 2 have taken the place of Terms 1 since you opened this page. Look at them before "
        "you answer."
    )

    for answer in (terms.accept, terms.decline):
        refused(lambda a=answer: a(job, by=freelancer, version=1, at=START), StalePage, message)
    refused(
        lambda: terms.accept(job, by=freelancer, version=99, at=START),
        StalePage,
        "This Job has no Terms 99.",
    )


def test_a_lapsed_proposal_is_not_answered(client_person, freelancer):
    in_time = awarded(client_person, freelancer.email)
    job = awarded(client_person, freelancer.email)
    lapse = START + 7 * DAY
    with catching_up.locked_job(job.pk, at=lapse) as expired:
        assert expired.state == "expired"
    message = "Terms 1 lapsed on 8 Mar 2026, 10:00 UTC: nobody had answered them in time."

    for answer in (terms.accept, terms.decline):
        refused(lambda a=answer: a(job, by=freelancer, version=1, at=lapse), WrongState, message)
    refused(lambda: terms.withdraw(job, by=client_person, version=1, at=lapse), WrongState, message)
    refused(
        lambda: counter(job, freelancer, scope="Other", at=lapse),
        WrongState,
        "This Job is expired: its Terms stay as they are.",
    )
    terms.accept(in_time, by=freelancer, version=1, at=lapse - timedelta(microseconds=1))
    assert states(in_time) == ["agreed"]


def test_what_is_answered_is_not_answered_again(client_person, freelancer):
    job = agreed(client_person, freelancer)
    message = "Terms 1 are agreed already: there is nothing to answer."

    for answer in (terms.accept, terms.decline):
        refused(lambda a=answer: a(job, by=freelancer, version=1, at=START), WrongState, message)
    refused(lambda: terms.withdraw(job, by=client_person, version=1, at=START), WrongState, message)


# Proposing


def test_a_counter_proposal_supersedes_and_keeps_the_numbers(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    at = START + DAY

    new = counter(
        job,
        freelancer,
        at=at,
        message="A deposit, please",
        milestones=(DEPOSIT, replace(BUILD, number=2, amount_minor=900_00)),
    )

    job = Job.objects.get(pk=job.pk)
    assert (new.version, new.proposed_by, new.lapses_at) == (2, freelancer, at + 7 * DAY)
    assert states(job) == ["superseded", "proposed"]
    assert (job.state, job.open_proposal_until) == ("awarded", at + 7 * DAY)
    assert list(
        new.milestones.order_by("position").values_list("number", "title", "amount_minor")
    ) == [(3, "Deposit", 200_00), (2, "Build", 900_00)]
    line = Activity.objects.latest("pk")
    assert (line.kind, line.actor, line.reason, line.facts) == (
        "terms_proposed",
        freelancer,
        "A deposit, please",
        {"version": 2, "total_minor": 1_100_00, "lapses_at": "2026-03-09T10:00:00+00:00"},
    )
    assert list(line.notifications.values_list("person__name", flat=True)) == ["Clara Client"]


def test_a_number_is_never_used_again(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    counter(job, freelancer, milestones=(replace(DESIGN, number=1), DEPOSIT))

    new = counter(
        job, client_person, answering=2, milestones=(replace(DESIGN, number=1), DEPOSIT, BUILD)
    )

    assert list(new.milestones.order_by("position").values_list("number", flat=True)) == [1, 4, 5]


def test_a_proposer_replaces_his_own_proposal(client_person, freelancer):
    job = awarded(client_person, freelancer.email)

    counter(job, client_person, scope="Clearer")

    assert states(job) == ["superseded", "proposed"]


def test_an_invited_address_is_told_of_a_replaced_proposal(client_person):
    job = awarded(client_person, "new@example.com")

    counter(job, client_person, scope="Clearer")

    line = Activity.objects.get(kind="terms_proposed")
    assert list(line.notifications.values_list("person", "address")) == [(None, "new@example.com")]


def test_a_proposal_made_on_an_old_page_is_stale(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    counter(job, client_person, scope="Clearer")

    refused(
        lambda: counter(job, freelancer, scope="Mine", answering=1),
        StalePage,
        "Terms 2 have come since you opened this page. Look at them first.",
    )


def test_who_may_not_propose_and_when(client_person, freelancer, stranger):
    job = awarded(client_person, freelancer.email)
    unfinished = draft(client_person)
    over = awarded(client_person, freelancer.email)
    awards.decline_award(over, by=freelancer, at=START)

    for row, person, message in (
        (job, stranger, "Only the Client and the Freelancer of a Job can propose Terms."),
        (unfinished, client_person, "This Job has not been awarded yet: change its draft."),
        (over, freelancer, "This Job is declined: its Terms stay as they are."),
    ):
        refused(lambda r=row, p=person: counter(r, p, scope="Mine"), Refusal, message)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"scope": ""}, "Describe the scope: what is delivered, and what is not included."),
        (
            {"milestones": ()},
            "A fixed-price Job needs at least one Milestone. A deposit is the first Milestone.",
        ),
        (
            {"milestones": (replace(DESIGN, number=1), replace(BUILD, number=1))},
            "The same Milestone is named twice.",
        ),
        (
            {"milestones": (replace(DESIGN, number=7),)},
            "A Milestone that you sent is none of this Job: start again.",
        ),
        (
            {"milestones": (replace(DESIGN, amount_minor=10**12),)},
            "“Design”: the most that one amount can be is $1,000,000.00.",
        ),
        ({"message": "x" * 2001}, "Message can be 2,000 characters at most."),
        (
            {
                "scope": "A website\r\nin two languages ",
                "milestones": (replace(DESIGN, number=1), replace(BUILD, number=2)),
                "message": "Hm",
            },
            "You have changed nothing: this is what Terms 1 say.",
        ),
    ],
)
def test_a_proposal_that_cannot_be_agreed_on_is_refused(client_person, freelancer, values, message):
    job = awarded(client_person, freelancer.email)

    refused(lambda: counter(job, freelancer, **values), Refusal, message)


# Declining and withdrawing one proposal


def test_after_a_declined_proposal_either_side_proposes_again(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    counter(job, freelancer, scope="Much more")

    terms.decline(job, by=client_person, version=2, answer="Too much", at=START)

    job = Job.objects.get(pk=job.pk)
    declined = Terms.objects.get(job=job, version=2)
    assert (job.state, job.open_proposal_until) == ("awarded", None)
    assert (declined.state, declined.answer, declined.answered_at) == (
        "declined",
        "Too much",
        START,
    )
    assert Activity.objects.latest("pk").reason == "Too much"

    counter(job, freelancer, scope="A little more", answering=2)
    assert states(job) == ["superseded", "declined", "proposed"]


def test_the_same_terms_may_be_proposed_again_after_a_decline(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    terms.decline(job, by=freelancer, version=1, at=START)

    terms.propose(
        job,
        by=freelancer,
        terms=TermsInput.of(Terms.objects.get(job=job)),
        answering=1,
        at=START,
    )

    assert states(job) == ["declined", "proposed"]


def test_the_proposer_withdraws(client_person, freelancer):
    job = awarded(client_person, freelancer.email)

    terms.withdraw(job, by=client_person, version=1, at=START + DAY)

    job = Job.objects.get(pk=job.pk)
    assert (states(job), job.state, job.open_proposal_until) == (["withdrawn"], "awarded", None)
    assert Activity.objects.latest("pk").kind == "terms_withdrawn"
    refused(
        lambda: terms.accept(job, by=freelancer, version=1, at=START + DAY),
        WrongState,
        "Terms 1 are withdrawn already: there is nothing to answer.",
    )


def test_nobody_else_withdraws(client_person, freelancer):
    job = awarded(client_person, freelancer.email)

    refused(
        lambda: terms.withdraw(job, by=freelancer, version=1, at=START),
        WrongParty,
        "Only the person who proposed Terms 1 can withdraw them.",
    )


def test_an_over_long_answer_is_refused(client_person, freelancer):
    job = awarded(client_person, freelancer.email)

    refused(
        lambda: terms.decline(job, by=freelancer, version=1, answer="x" * 2001, at=START),
        Refusal,
        "The answer can be 2,000 plain characters at most.",
    )
