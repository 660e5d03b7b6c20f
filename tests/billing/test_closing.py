"""The end of a Job and its Closing Statement (R11)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from billing.models import ClosingStatement, Escrow, Refund
from billing.moves import endings, refunds
from billing.moves import releases as release_moves
from billing.moves.endings import Ending
from billing.moves.refunds import Return
from billing.services import audit, closing, release_requests, releases
from escrow_site.lib import states
from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job, Notification, Person
from tests.scenarios import START, fund, running_job
from tests.world import world

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def fresh(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def test_the_last_release_completes_the_job(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 1_000_00])
    fund(job, 1, 2)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(job).state == "active"
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON + timedelta(days=1))
    ended = fresh(job)
    assert (ended.state, ended.ended_at) == ("completed", NOON + timedelta(days=1))
    assert ended.dormant_at is None
    line = Activity.objects.get(kind="completed")
    assert line.actor_kind == "system"
    assert line.reason == ("Every Milestone of the agreed Terms is released, refunded or removed.")
    readers = Notification.objects.filter(activity=line).values_list("person", flat=True)
    assert set(readers) == {client_person.pk, freelancer.pk}
    assert Activity.objects.order_by("pk").last() == line


def test_the_statement_says_every_movement_and_sums_to_zero(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 33_33])
    fund(job, 1, at=START)
    fund(job, 2, at=START + timedelta(days=2))
    release_requests.request_release(
        fresh(job), [Escrow.objects.get(job=job, number=1)], by=freelancer, at=NOON
    )
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    releases.release(job.pk, numbers=[2], by=client_person, at=NOON + timedelta(hours=1))

    statement = ClosingStatement.objects.get(job=job)
    assert statement.name == f"CS-{job.pk}-1"
    assert statement.replaces is None
    assert statement.parties["freelancer"]["email"] == "frank@example.com"
    said = [
        (line["what"], line["number"], line["amount_minor"], line["actor"])
        for line in statement.lines
    ]
    assert said == [
        ("funding", 1, 500_00, "Clara Client"),
        ("funding", 2, 33_33, "Clara Client"),
        ("release", 1, 500_00, "Clara Client"),
        ("release", 2, 33_33, "Clara Client"),
    ]
    assert statement.lines[2]["service_fee_minor"] == 43_75
    assert statement.lines[2]["note"] == (f"INV-{freelancer.pk}-0001. Released by the Client.")
    assert statement.totals["job"] == {
        "funded_minor": 533_33,
        "released_minor": 533_33,
        "refunded_minor": 0,
        "credited_minor": 0,
        "service_fee_minor": 46_67,
        "processing_fee_minor": 0,
        "return_fee_minor": 0,
        "net_minor": 486_66,
    }
    assert [row["net_minor"] for row in statement.totals["milestones"]] == [456_25, 30_41]


def test_an_open_terms_proposal_holds_completion_back(
    client_person: Person, freelancer: Person
) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    Job.objects.filter(pk=job.pk).update(open_proposal_until=NOON + timedelta(days=7))
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(job).state == "active"
    assert not ClosingStatement.objects.exists()


def test_a_lapsed_proposal_does_not(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00])
    fund(job, 1)
    Job.objects.filter(pk=job.pk).update(open_proposal_until=NOON)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(job).state == "completed"


@pytest.fixture
def open_ended(client_person: Person, freelancer: Person) -> Job:
    """500.00 funded, 1,000.00 not, the end to be determined."""
    job = running_job(client_person, freelancer, open_ended=True)
    fund(job, 1)
    return job


@pytest.mark.parametrize("who", ["client_person", "freelancer"])
def test_either_side_completes_an_open_ended_job(
    open_ended: Job, who: str, request: pytest.FixtureRequest, client_person: Person
) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    assert fresh(open_ended).state == "active"
    by = request.getfixturevalue(who)
    closing.complete(open_ended.pk, by=by, at=NOON + timedelta(days=1))
    assert fresh(open_ended).state == "completed"
    states = Escrow.objects.of(open_ended).values_list("state", flat=True)
    assert list(states) == ["released", "removed"]
    assert Activity.objects.get(kind="completed").actor == by
    assert ClosingStatement.objects.count() == 1


def refused(job: Job, by: Person) -> str:
    before = world()
    with pytest.raises(Refusal) as caught:
        closing.complete(job.pk, by=by, at=NOON)
    assert world() == before
    return caught.value.message


def test_held_money_keeps_a_job_open(open_ended: Job, client_person: Person) -> None:
    assert refused(open_ended, client_person) == (
        "The Job cannot be completed yet: “Milestone 1” is funded."
    )


def test_pending_money_keeps_a_job_open(open_ended: Job, client_person: Person) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    Escrow.objects.filter(job=open_ended, number=2).update(state="pending")
    assert refused(open_ended, client_person) == (
        "The Job cannot be completed yet: “Milestone 2” is pending."
    )


def test_a_proposal_keeps_a_job_open(open_ended: Job, client_person: Person) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    Job.objects.filter(pk=open_ended.pk).update(open_proposal_until=NOON + timedelta(days=1))
    assert refused(open_ended, client_person) == (
        "A Terms proposal is open: answer or withdraw it first."
    )


def test_a_stranger_completes_nothing(open_ended: Job, stranger: Person) -> None:
    assert refused(open_ended, stranger) == (
        "Only the Client or the Freelancer can complete a Job."
    )


def test_a_dated_job_completes_by_itself(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer)
    assert refused(job, client_person) == (
        "This Job completes by itself when every Milestone is released, refunded or removed."
    )


def test_a_completed_job_is_not_completed_again(open_ended: Job, client_person: Person) -> None:
    releases.release(open_ended.pk, numbers=[1], by=client_person, at=NOON)
    closing.complete(open_ended.pk, by=client_person, at=NOON)
    assert refused(open_ended, client_person) == "This Job is completed."


# --- Many at once ---


def emptied_job(client: Person, freelancer: Person, *, fee_minor: int = 0) -> Job:
    """One Milestone was released by its party, one went back by silence; the Job is not ended yet."""
    job = running_job(client, freelancer, amounts_minor=[500_00, 33_33], open_ended=True)
    fund(job, 1, 2)
    releases.release(job.pk, numbers=[1], by=client, at=NOON)
    row = fresh(job)
    escrow = Escrow.objects.get(job=job, number=2)
    refunds.give_back(
        [
            Return(job=row, escrow=escrow, amount_minor=33_33, fee_minor=fee_minor,
                   at=NOON + timedelta(days=1), reason="Nobody asked for its release.")
        ]
    )  # fmt: skip
    return row


def ending_of(job: Job, *, days: int = 2) -> Ending:
    return Ending(job=job, by=None, at=NOON + timedelta(days=days), actor_kind=Activity.Actor.TIMER)


def test_many_jobs_complete_each_at_its_own_instant(
    client_person: Person, freelancer: Person
) -> None:
    jobs = [emptied_job(client_person, freelancer) for _ in range(3)]
    jobs[1].freelancer.name = "Frank Married"
    entries = endings.complete_all(
        [ending_of(job, days=2 + place) for place, job in enumerate(jobs)]
    )

    assert not Activity.objects.filter(kind="completed").exists()
    for place, (job, entry) in enumerate(zip(jobs, entries, strict=True)):
        at = NOON + timedelta(days=2 + place)
        statement = ClosingStatement.objects.get(job=job)
        stored = fresh(job)
        assert (stored.state, stored.ended_at, stored.dormant_at) == ("completed", at, None)
        assert (statement.number, statement.replaces, statement.issued_at) == (1, None, at)
        assert len(statement.lines) == 4
        assert (entry.job, entry.kind.name, entry.by, entry.at) == (job, "completed", None, at)
        assert entry.actor == "timer"
        assert entry.reason == (
            "Every Milestone of the agreed Terms is released, refunded or removed."
        )
        assert entry.facts == {"statement": statement.name, "statement_id": statement.pk}
    assert audit_differences() == []


def audit_differences() -> list[str]:
    findings = audit.audit_ledger(at=NOON)
    return [difference for finding in findings for difference in finding.differences]


@pytest.mark.parametrize("count", [1, 6])
def test_the_statements_of_many_completions(
    client_person: Person, freelancer: Person, count: int, django_assert_num_queries: Any
) -> None:
    """State, fundings, releases, refunds, sums, Statements: six."""
    chosen = [ending_of(emptied_job(client_person, freelancer), days=2 + n) for n in range(count)]
    with django_assert_num_queries(6):
        endings.complete_all(chosen)


def test_nothing_to_complete(db: None, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert endings.complete_all([]) == []


def test_one_that_has_ended_meanwhile_stops_all(client_person: Person, freelancer: Person) -> None:
    jobs = [emptied_job(client_person, freelancer) for _ in range(2)]
    closing.complete(jobs[1].pk, by=client_person, at=NOON + timedelta(days=2))
    before = world()
    with pytest.raises(states.LostRace), transaction.atomic():
        endings.complete_all([ending_of(job, days=2 + place) for place, job in enumerate(jobs)])
    assert world() == before


def test_a_later_statement_names_the_one_before_it(
    client_person: Person, freelancer: Person
) -> None:
    jobs = [emptied_job(client_person, freelancer) for _ in range(2)]
    endings.complete_all([ending_of(job) for job in jobs])
    first = ClosingStatement.objects.get(job=jobs[0])
    second = endings.issue_statement(jobs[0], at=NOON + timedelta(days=9))
    third = endings.issue_statement(jobs[0], at=NOON + timedelta(days=10))
    assert [(one.number, one.replaces) for one in (second, third)] == [(2, first), (3, second)]


@pytest.mark.parametrize("fee_minor", [0, 83])
def test_what_silence_moved_says_by_which_rule(
    client_person: Person, freelancer: Person, fee_minor: int
) -> None:
    """R11.2: it sums to zero, with a fee on what went back as well."""
    job = running_job(client_person, freelancer, amounts_minor=[500_00, 33_33], open_ended=True)
    fund(job, 1, 2)
    row = fresh(job)
    one, two = Escrow.objects.of(job)
    reason = "30-day rule: no answer by 8 Apr 2026 12:00 UTC."
    release_moves.carry_out(
        [release_moves.Part(job=row, escrow=one, request=None, gross_minor=500_00, at=NOON,
                       reason=reason)],
        by=None,
    )  # fmt: skip
    refunds.give_back(
        [Return(job=row, escrow=two, amount_minor=33_33, fee_minor=fee_minor, at=NOON,
                reason="Nobody asked for its release.")]
    )  # fmt: skip
    endings.complete_all([ending_of(row)])
    statement = ClosingStatement.objects.get(job=job)
    released, returned = statement.lines[2:]
    assert (released["what"], released["actor"], released["note"]) == (
        "release", "30-day rule", f"REC-{freelancer.pk}-0001. {reason}",
    )  # fmt: skip
    assert (returned["what"], returned["actor"], returned["note"]) == (
        "refund", "Dormancy rule", "Nobody asked for its release.",
    )  # fmt: skip
    assert (returned["amount_minor"], returned["return_fee_minor"], returned["net_minor"]) == (
        33_33, fee_minor, 33_33 - fee_minor,
    )  # fmt: skip
    sums = statement.totals["job"]
    assert sums["funded_minor"] == sums["released_minor"] + sums["refunded_minor"] == 533_33
    assert (sums["return_fee_minor"], sums["processing_fee_minor"]) == (fee_minor, 0)
    assert [row["return_fee_minor"] for row in statement.totals["milestones"]] == [0, fee_minor]
    assert audit_differences() == []


def test_who_refunded_stands_on_the_statement(client_person: Person, freelancer: Person) -> None:
    job = running_job(client_person, freelancer, amounts_minor=[500_00], open_ended=True)
    fund(job, 1)
    refunds.give_back(
        [Return(job=fresh(job), escrow=Escrow.objects.get(job=job), amount_minor=500_00, at=NOON,
                reason="Not needed.", by=freelancer)]
    )  # fmt: skip
    closing.complete(job.pk, by=client_person, at=NOON)
    (line,) = [line for line in ClosingStatement.objects.get().lines if line["what"] == "refund"]
    assert line["actor"] == "Frank Freelancer"


def test_sums_that_do_not_come_to_zero_are_not_issued(
    client_person: Person, freelancer: Person
) -> None:
    job = emptied_job(client_person, freelancer)
    Refund.objects.update(amount_minor=33_32)
    before = world()
    with pytest.raises(AssertionError), transaction.atomic():
        endings.complete_all([ending_of(job)])
    assert world() == before
