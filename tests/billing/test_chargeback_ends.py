"""How a chargeback ended is recorded by one agent and confirmed by a second: won or lost (R8.4)."""

import pytest

from billing.models import Chargeback, Dispute, Escrow, Payment, Refund, ReleaseRequest, Transfer
from billing.services import chargebacks, disputes, reconciling, releases, sweeping
from jobs.models import Activity, Job, Notification, Person
from tests.billing.banking import balance_of, told
from tests.billing.charging_back import BOTH, LATE, begin, end, platform
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    agent_named,
    differences,
    figures,
    funded_job,
    open_dispute,
    refused,
)
from tests.billing.steps import request_release
from tests.scenarios import finished_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not."""
    return funded_job(client_person, freelancer, 1)


# --- It is won ---


def test_won_the_clock_goes_on_with_what_was_left(job: Job, freelancer: Person) -> None:
    """Stopped on day 12 and free 5 days later: 18 days are left, as after a Dispute (R14.8)."""
    request = request_release(job)
    begin(job, at=NOON + 12 * DAY)
    end("won", at=NOON + 17 * DAY)
    request.refresh_from_db()
    assert (request.state, request.auto_release_at) == ("open", NOON + 35 * DAY)
    assert told(job, "chargeback_won") == BOTH
    sweeping.sweep(at=NOON + 35 * DAY)
    assert figures(job) == ("released", 500_00, 0, 0)
    assert Payment.objects.get().state == "succeeded"
    assert differences(NOON + 36 * DAY) == []


def test_won_late_there_are_seven_days(job: Job) -> None:
    request = request_release(job)
    begin(job, at=NOON + 27 * DAY)
    end("won", at=NOON + 40 * DAY)
    request.refresh_from_db()
    assert (request.state, request.auto_release_at) == ("overdue", NOON + 47 * DAY)


def test_won_after_the_dormant_date_nothing_is_settled_at_once(job: Job) -> None:
    begin(job)
    end("won", at=LATE)
    sweeping.sweep(at=LATE + HOUR)
    job.refresh_from_db()
    assert (job.state, figures(job)[3]) == ("dormant", 500_00)


def test_a_dispute_keeps_the_clock_stopped_after_the_chargeback(
    job: Job, client_person: Person
) -> None:
    request = request_release(job)
    dispute = open_dispute(job, client_person, at=NOON + HOUR)
    begin(job)
    end("won")
    request.refresh_from_db()
    assert request.state == "disputed"
    disputes.withdraw(dispute.pk, by=client_person, at=NOON + 6 * DAY)
    request.refresh_from_db()
    assert request.state == "open"


def test_and_the_chargeback_after_the_dispute(job: Job, client_person: Person) -> None:
    request = request_release(job)
    dispute = open_dispute(job, client_person, at=NOON + HOUR)
    begin(job)
    disputes.withdraw(dispute.pk, by=client_person, at=NOON + 2 * DAY)
    request.refresh_from_db()
    assert request.state == "disputed"
    sweeping.sweep(at=LATE)
    assert figures(job) == ("funded", 0, 0, 500_00)
    end("won", at=LATE)
    request.refresh_from_db()
    assert request.state == "open"
    assert request.auto_release_at > LATE


# --- It is lost ---


def test_lost_what_is_held_goes_to_the_bank(job: Job, client_person: Person) -> None:
    request = request_release(job)
    dispute = open_dispute(job, client_person, at=NOON + HOUR)
    begin(job)
    before = platform("cash")
    ended = end("lost")
    assert (ended.state, ended.ended_at) == ("lost", NOON + 5 * DAY)
    assert figures(job) == ("refunded", 0, 500_00, 0)
    request.refresh_from_db()
    assert (request.state, request.pro_forma.state) == ("settled", "void")
    assert Dispute.objects.get(pk=dispute.pk).state == "settled"
    assert Payment.objects.get().state == "charged_back"
    assert (platform("chargebacks"), platform("cash") - before) == (0, 500_00)
    refund = Refund.objects.get()
    assert (refund.state, refund.reason) == (
        "succeeded", "The Client’s bank took the payment back (chargeback).",
    )  # fmt: skip
    assert [row.amount_minor for row in Transfer.objects.filter(code="chargeback")] == [
        500_00, 500_00,
    ]  # fmt: skip
    assert told(job, "chargeback_lost") == BOTH
    assert told(job, "refunded") == set()
    assert differences(NOON + 6 * DAY) == []


def test_lost_no_provider_is_asked_to_send_it_again(job: Job) -> None:
    begin(job)
    end("lost")
    reconciling.reconcile(at=NOON + 6 * DAY)
    assert Refund.objects.get().state == "succeeded"
    assert balance_of(kind="refunding", payment=Payment.objects.get()) == 0


def test_lost_the_last_money_ends_the_job_with_a_true_statement(
    client_person: Person, freelancer: Person
) -> None:
    job = funded_job(client_person, freelancer, 1, 2)
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON)
    begin(job)
    assert Chargeback.objects.get().amount_minor == 1_500_00
    end("lost")
    job.refresh_from_db()
    assert job.state == "completed"
    totals = job.closing_statements.get().totals["job"]
    assert (totals["funded_minor"], totals["released_minor"], totals["refunded_minor"]) == (
        1_500_00, 1_000_00, 500_00,
    )  # fmt: skip
    assert platform("chargebacks") == -1_000_00
    assert differences(NOON + 6 * DAY) == []


def test_after_the_end_of_the_job_the_platform_bears_it(
    client_person: Person, freelancer: Person
) -> None:

    job = finished_job(client_person, freelancer)
    begin(job)
    assert told(job, "chargeback_opened") == BOTH
    end("lost")
    assert (platform("chargebacks"), Job.objects.get(pk=job.pk).state) == (-500_00, "completed")
    assert differences(NOON + 6 * DAY) == []


# --- Two agents ---


def test_nobody_confirms_his_own_record(job: Job) -> None:
    row, ada = begin(job), agent_named("Ada")
    at = NOON + 2 * DAY
    chargebacks.record(row.pk, outcome="lost", reason="Letter.", by=ada, at=at)
    assert (
        refused(lambda: chargebacks.confirm(row.pk, seen_outcome="lost", by=ada, at=at))
        == "You recorded this yourself: a second agent is to confirm it."
    )
    assert refused(
        lambda: chargebacks.record(row.pk, outcome="won", reason="Letter.", by=ada, at=at)
    ) == ("The end of this chargeback is recorded: a second agent is to confirm it.")


def test_who_recorded_it_takes_it_back(job: Job) -> None:
    """Also where there is nobody else to send it back."""
    row, ada, ben = begin(job), agent_named("Ada"), agent_named("Ben")
    at = NOON + 2 * DAY
    assert (
        refused(lambda: chargebacks.take_back(row.pk, by=ada, at=at))
        == "Nothing is recorded that waits to be confirmed."
    )
    chargebacks.record(row.pk, outcome="lost", reason="Letter.", by=ada, at=at)
    assert (
        refused(lambda: chargebacks.take_back(row.pk, by=ben, at=at))
        == "Only the person who recorded this can take it back."
    )
    chargebacks.take_back(row.pk, by=ada, at=at)
    row.refresh_from_db()
    assert (row.state, row.outcome, row.reason, row.recorded_by) == ("open", "", "", None)
    line = Activity.objects.latest("pk")
    assert (line.kind, Notification.objects.filter(activity=line).count()) == (
        "chargeback_taken_back", 0,
    )  # fmt: skip
    assert Escrow.objects.get(job=job, number=1).charged_back_at is not None
    chargebacks.record(row.pk, outcome="won", reason="Letter.", by=ada, at=at)
    chargebacks.confirm(row.pk, seen_outcome="won", by=ben, at=at)


def test_what_is_sent_back_is_recorded_anew(job: Job) -> None:
    row, ada, ben = begin(job), agent_named("Ada"), agent_named("Ben")
    at = NOON + 2 * DAY
    chargebacks.record(row.pk, outcome="lost", reason="Letter.", by=ada, at=at)
    chargebacks.send_back(row.pk, answer="It says won.", by=ben, at=at)
    row.refresh_from_db()
    assert (row.state, row.answer) == ("open", "It says won.")
    assert Escrow.objects.get(job=job, number=1).charged_back_at is not None
    chargebacks.record(row.pk, outcome="won", reason="Letter.", by=ada, at=at)
    assert (
        refused(lambda: chargebacks.confirm(row.pk, seen_outcome="lost", by=ben, at=at))
        == "What is recorded has changed since you opened this page."
    )
    chargebacks.confirm(row.pk, seen_outcome="won", by=ben, at=at)
    assert (
        refused(lambda: chargebacks.confirm(row.pk, seen_outcome="won", by=ben, at=at))
        == "This chargeback was won already."
    )


@pytest.mark.parametrize("who", ["client", "freelancer", "stranger"])
def test_no_party_and_no_stranger_says_how_it_ended(
    job: Job, client_person: Person, freelancer: Person, stranger: Person, who: str
) -> None:
    row = begin(job)
    by = {"client": client_person, "freelancer": freelancer, "stranger": stranger}[who]
    at = NOON + 2 * DAY
    assert (
        refused(lambda: chargebacks.record(row.pk, outcome="won", reason="So.", by=by, at=at))
        == "Only a support agent who is not a party of the Job can do this."
    )


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1_001, "a\x00b"])
def test_without_words_nothing_is_recorded(job: Job, reason: str) -> None:
    row, ada = begin(job), agent_named("Ada")
    assert refused(
        lambda: chargebacks.record(row.pk, outcome="won", reason=reason, by=ada, at=NOON + DAY)
    ).startswith("Write how the bank has told us")


def test_a_request_that_nobody_stopped_is_not_left_behind(job: Job) -> None:
    assert ReleaseRequest.objects.count() == 0
    begin(job)
    end("won")
    assert differences(NOON + 6 * DAY) == []
