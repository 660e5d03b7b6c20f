"""Answers to a cancellation (R8.3): declined, withdrawn, lapsed; who may, and until when."""

from datetime import timedelta
from typing import Any

import pytest

from billing.models import Cancellation
from billing.services import cancellations, releases, sweeping
from billing.services.cancellations import UnfitCancellation
from escrow_site.lib.refusals import WrongParty, WrongState
from jobs.models import Job, Person
from tests.billing.banking import history, refused, told
from tests.billing.cancelling import (
    ASKED,
    BOTH,
    DAY,
    LAPSES,
    accept,
    ask,
    assert_adds_up,
    frank,
    fresh,
    newest,
    sums,
)
from tests.billing.steps import NOON, request_release
from tests.scenarios import fund, running_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 and 1,000.00, funded by one payment; 200.00 more, not funded."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00, 200_00])
    fund(job, 1, 2)
    return fresh(job)


# --- Answering otherwise ---


def test_a_declined_request_leaves_all_as_it_was(job: Job) -> None:
    cancellation = ask(job)
    before = sums(job)
    cancellations.decline(cancellation.pk, answer=" Half is done. ", by=frank(job), at=ASKED + DAY)
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.answer, cancellation.answered_by) == (
        "declined",
        "Half is done.",
        frank(job),
    )
    assert (fresh(job).state, fresh(job).open_cancellation_until, sums(job)) == (
        "active",
        None,
        before,
    )
    line = newest(job, "cancellation_declined")
    assert (line.reason, told(job, line.kind)) == ("Half is done.", {"clara@example.com"})
    # No Activity in the sense of R10.2.
    assert fresh(job).last_activity_at == ASKED


def test_a_withdrawn_request_leaves_all_as_it_was(job: Job) -> None:
    cancellation = ask(job)
    cancellations.withdraw(cancellation.pk, by=job.client, at=ASKED + DAY)
    cancellation.refresh_from_db()
    assert (cancellation.state, fresh(job).open_cancellation_until) == ("withdrawn", None)
    assert told(job, "cancellation_withdrawn") == {"frank@example.com"}
    assert ask(job, at=ASKED + 2 * DAY).is_open


def test_an_answer_can_be_empty_but_not_endless(job: Job) -> None:
    cancellation = ask(job)
    with refused(UnfitCancellation, "The answer can be 2,000 plain characters at most."):
        cancellations.decline(cancellation.pk, answer="x" * 2001, by=frank(job), at=ASKED)
    declined = cancellations.decline(cancellation.pk, answer="", by=frank(job), at=ASKED)
    assert declined.answer == ""


VERBS: dict[str, Any] = {
    "accept": lambda one, by, at: cancellations.accept(one.pk, by=by, at=at),
    "decline": lambda one, by, at: cancellations.decline(one.pk, answer="No.", by=by, at=at),
    "withdraw": lambda one, by, at: cancellations.withdraw(one.pk, by=by, at=at),
}


ENDED: dict[str, Any] = {
    "accepted": lambda job, one: accept(one, by=frank(job)),
    "declined": lambda job, one: cancellations.decline(
        one.pk, answer="", by=frank(job), at=ASKED + DAY
    ),
    "withdrawn": lambda job, one: cancellations.withdraw(one.pk, by=job.client, at=ASKED + DAY),
    "lapsed": lambda job, one: sweeping.sweep(at=LAPSES),
    "stale": lambda job, one: releases.release(job.pk, numbers=[1], by=job.client, at=ASKED + DAY),
}


SAID = {
    "accepted": "The request to cancel the Job was accepted already.",
    "declined": "The request to cancel the Job was declined already.",
    "withdrawn": "The request to cancel the Job was withdrawn already.",
    "lapsed": (
        "The request to cancel the Job lapsed on 15 Mar 2026, 12:00 UTC: nobody had answered it in "
        "time."
    ),
    "stale": (
        "What is held on the Job has changed since the cancellation was requested, so the request "
        "has ended. Either side can request it anew."
    ),
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("ended", ENDED)
def test_what_has_ended_cannot_be_answered(job: Job, ended: str, verb: str) -> None:
    cancellation = ask(job)
    ENDED[ended](job, cancellation)
    sweeping.sweep(at=LAPSES)
    cancellation.refresh_from_db()
    assert cancellation.state == ended
    by = job.client if verb == "withdraw" else job.freelancer
    with refused(WrongState, SAID[ended]):
        VERBS[verb](cancellation, by, LAPSES)


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_nobody_answers_himself(job: Job, verb: str) -> None:
    cancellation = ask(job)
    message = (
        "You requested this cancellation yourself: the other side answers it. You can withdraw it."
    )
    with refused(WrongParty, message):
        VERBS[verb](cancellation, job.client, ASKED + DAY)


def test_only_who_asked_withdraws(job: Job, stranger: Person) -> None:
    cancellation = ask(job)
    for person in (job.freelancer, stranger):
        with refused(WrongParty, "Only the person who requested the cancellation can withdraw it."):
            VERBS["withdraw"](cancellation, person, ASKED + DAY)


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_strangers_and_support_do_not_answer(
    job: Job, stranger: Person, agent: Person, verb: str
) -> None:
    cancellation = ask(job)
    for person in (stranger, agent):
        message = "Only the Client and the Freelancer can answer a cancellation."
        with refused(WrongParty, message):
            VERBS[verb](cancellation, person, ASKED + DAY)


@pytest.mark.parametrize("verb", VERBS)
def test_a_locked_account_answers_nothing(job: Job, verb: str) -> None:
    cancellation = ask(job)
    Person.objects.update(is_active=False)
    locked = Person.objects.get(
        email="clara@example.com" if verb == "withdraw" else "frank@example.com"
    )
    with refused(WrongParty, "This account is locked."):
        VERBS[verb](cancellation, locked, ASKED + DAY)


# --- Its clock ---


def test_it_lapses_to_the_microsecond(job: Job) -> None:
    cancellation = ask(job)
    sweeping.sweep(at=LAPSES - timedelta(microseconds=1))
    cancellation.refresh_from_db()
    assert cancellation.state == "requested"
    sweeping.sweep(at=LAPSES + DAY)
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.ended_at) == ("lapsed", LAPSES)
    line = newest(job, "cancellation_lapsed")
    assert (line.happened_at, line.actor_kind) == (LAPSES, "timer")
    assert line.reason == ("Nobody answered the request within 5 days, by 15 Mar 2026 12:00 UTC.")
    assert told(job, "cancellation_lapsed") == BOTH
    assert (fresh(job).state, fresh(job).open_cancellation_until) == ("active", None)


def test_it_can_be_accepted_until_the_last_moment(job: Job) -> None:
    last = LAPSES - timedelta(microseconds=1)
    assert accept(ask(job), by=frank(job), at=last).state == "accepted"


def test_at_its_instant_it_has_lapsed(job: Job) -> None:
    cancellation = ask(job)
    with pytest.raises(WrongState, match=r"^The request to cancel the Job lapsed on 15 Mar 2026"):
        accept(cancellation, by=frank(job), at=LAPSES)
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.ended_at) == ("lapsed", LAPSES)
    assert fresh(job).state == "active"


def test_no_sweep_is_needed_for_a_new_request(job: Job) -> None:
    ask(job)
    assert ask(job, by=frank(job), at=LAPSES).state == "requested"
    states_of = Cancellation.objects.order_by("pk").values_list("state", flat=True)
    assert list(states_of) == ["lapsed", "requested"]


def test_acceptance_in_the_instant_of_the_30_day_release(job: Job) -> None:
    """The release is due at that instant and comes first; then other amounts are held (R6.4)."""
    request_release(job, 1)
    released_at = NOON + 30 * DAY
    cancellation = ask(job, at=released_at - DAY)
    with pytest.raises(WrongState, match="What is held on the Job has changed"):
        accept(cancellation, by=frank(job), at=released_at)
    cancellation.refresh_from_db()
    assert (cancellation.state, cancellation.ended_at) == ("stale", released_at)
    assert sums(job) == [(500_00, 0, 0), (0, 0, 1_000_00), (0, 0, 0)]
    assert history(job)[-2:] == ["released", "cancellation_stale"]
    assert told(job, "cancellation_stale") == BOTH


def test_a_moment_before_it_all_goes_back(job: Job) -> None:
    request_release(job, 1)
    released_at = NOON + 30 * DAY
    cancellation = ask(job, at=released_at - DAY)
    accept(cancellation, by=frank(job), at=released_at - timedelta(microseconds=1))
    sweeping.sweep(at=released_at)
    assert sums(job) == [(0, 500_00, 0), (0, 1_000_00, 0), (0, 0, 0)]
    assert_adds_up(released_at)


def test_lapse_and_release_in_one_instant_both_happen(job: Job) -> None:
    """The lapse stands first: the request was not overtaken, it was not answered."""
    request_release(job, 1)
    released_at = NOON + 30 * DAY
    cancellation = ask(job, at=released_at - 5 * DAY)
    sweeping.sweep(at=released_at)
    cancellation.refresh_from_db()
    assert cancellation.state == "lapsed"
    assert history(job)[-2:] == ["cancellation_lapsed", "released"]
