"""Disputes: opened, answered, with evidence, handed to support (R9.1 to R9.3)."""

import hashlib
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, connection, transaction

from billing.models import Dispute, DisputeStatement, Document, Escrow, Evidence
from billing.services import disputes, releases, sweeping
from billing.timetables import What
from jobs.models import Activity, Job, Notification, Person, Policy, StoredFile
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    differences,
    figures,
    funded_job,
    open_dispute,
    pdf,
    refused,
)
from tests.billing.steps import request_release
from tests.scenarios import finished_job, fund

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


def newest() -> Activity:
    return Activity.objects.latest("pk")


def told(line: Activity) -> set[str]:
    return {str(notice.person) for notice in Notification.objects.filter(activity=line)}


# --- Opening ---


def test_opening_freezes_the_money_and_asks_the_other_side(job: Job, client_person: Person) -> None:
    made = open_dispute(job, client_person, asks="refund", asked_minor=200_00)
    assert (made.state, made.asks, made.asked_minor, made.request) == (
        "open",
        "refund",
        200_00,
        None,
    )
    assert made.answer_due_at == NOON + 2 * DAY
    assert made.asked_for_freelancer_minor == 300_00
    escrow = Escrow.objects.get(job=job, number=1)
    assert (escrow.disputed_at, escrow.disputed_by, escrow.answer_due_at) == (
        NOON, client_person, NOON + 2 * DAY,
    )  # fmt: skip
    line = newest()
    assert (line.kind, line.actor, line.reason) == (
        "dispute_opened", client_person, "The work is not what we agreed.",
    )  # fmt: skip
    assert told(line) == {"Frank Freelancer"}
    job.refresh_from_db()
    assert job.last_activity_at == job.last_activity_besides_requests_at == NOON
    assert job.next_due_at == NOON + 2 * DAY


def test_a_dispute_on_a_request_stops_its_clock(job: Job, freelancer: Person) -> None:
    request = request_release(job)
    made = open_dispute(job, freelancer, at=NOON + 3 * DAY)
    request.refresh_from_db()
    assert (made.request, request.state, request.clock_stopped_at) == (
        request, "disputed", NOON + 3 * DAY,
    )  # fmt: skip
    sweeping.sweep(at=NOON + 50 * DAY)
    request.refresh_from_db()
    assert request.state == "disputed"
    assert figures(job) == ("funded", 0, 0, 500_00)


def test_the_answer_is_due_after_weekends_and_holidays(job: Job, client_person: Person) -> None:
    """Opened on a Friday, the Monday is a holiday."""
    newest_policy = Policy.objects.current()
    policy = Policy.objects.create(version=newest_policy.version + 1, holidays=[date(2026, 3, 16)])
    Job.objects.filter(pk=job.pk).update(policy=policy)
    friday = datetime(2026, 3, 13, 17, 30, tzinfo=UTC)
    made = open_dispute(job, client_person, at=friday)
    assert made.answer_due_at == datetime(2026, 3, 18, 17, 30, tzinfo=UTC)


def test_one_dispute_per_milestone(job: Job, client_person: Person, freelancer: Person) -> None:
    open_dispute(job, client_person)
    assert refused(lambda: open_dispute(job, freelancer)) == "“Milestone 1” is disputed already."
    with pytest.raises(IntegrityError, match="dispute_one_per_escrow"), transaction.atomic():
        Dispute.objects.create(
            job=job, escrow=Escrow.objects.get(job=job, number=1), opened_by=freelancer,
            opened_at=NOON, reason="x", asks="release", asked_minor=1, answer_due_at=NOON,
        )  # fmt: skip


def test_only_a_party_opens_and_only_on_funded_money(
    job: Job, client_person: Person, freelancer: Person, stranger: Person, agent: Person
) -> None:
    for person in (stranger, agent):
        assert refused(lambda person=person: open_dispute(job, person, asks="refund")) == (
            "Only the Client or the Freelancer can open a Dispute."
        )
    assert refused(lambda: open_dispute(job, client_person, number=2, asked_minor=1)) == (
        "“Milestone 2” is not funded, so there is nothing to dispute."
    )
    Escrow.objects.filter(job=job, number=2).update(state="pending")
    assert refused(lambda: open_dispute(job, client_person, number=2, asked_minor=1)) == (
        "The money for “Milestone 2” is Pending: there is nothing to dispute yet."
    )
    assert refused(
        lambda: disputes.open(
            job.pk, number=7, asks="refund", asked_minor=1, reason="x", by=freelancer, at=NOON
        )
    ) == ("This Milestone is not part of the agreed Terms.")
    Person.objects.filter(pk=client_person.pk).update(is_active=False)
    client_person.refresh_from_db()
    assert refused(lambda: open_dispute(job, client_person)) == "This account is locked."


def test_what_is_released_is_not_disputed(client_person: Person, freelancer: Person) -> None:
    job = finished_job(client_person, freelancer)
    assert refused(lambda: open_dispute(job, client_person, asked_minor=1)) == (
        "This Job is completed."
    )
    job = funded_job(client_person, freelancer, 1, 2)
    releases.release(job.pk, numbers=[1], by=client_person, at=NOON)
    assert refused(lambda: open_dispute(job, client_person, asked_minor=1)) == (
        "“Milestone 1” is released already: nothing is held."
    )


def test_an_hourly_job_has_nothing_to_dispute(job: Job, client_person: Person) -> None:
    Job.objects.filter(pk=job.pk).update(kind="hourly", hourly_rate_minor=1)
    assert "This is an hourly Job." in refused(lambda: open_dispute(job, client_person))


def test_what_is_asked_is_checked(job: Job, client_person: Person) -> None:
    assert refused(lambda: open_dispute(job, client_person, asked_minor=0)) == (
        "Enter an amount above zero."
    )
    assert "the most is $500.00" in refused(
        lambda: open_dispute(job, client_person, asked_minor=500_01)
    )
    assert refused(lambda: open_dispute(job, client_person, asks="revenge")) == (
        "Choose whether you ask for a release or for a refund."
    )
    assert refused(lambda: open_dispute(job, client_person, reason=" \n")) == (
        "Write why you dispute it."
    )
    assert refused(lambda: open_dispute(job, client_person, reason="x" * 5001)) == (
        "Write why you dispute it in at most 5,000 plain characters."
    )
    assert refused(lambda: open_dispute(job, client_person, seen_held_minor=499_99)) == (
        "What is held has changed since you opened this page. Look at the amounts again."
    )


def test_it_comes_too_late_after_the_due_instant(job: Job, client_person: Person) -> None:
    """R14.12: due 8 Apr 12:00, timers down; a Dispute at 13:00 is refused, and the ledger says 12:00."""
    request_release(job)
    fund(job, 2, at=NOON)
    late = datetime(2026, 4, 8, 13, tzinfo=UTC)
    with pytest.raises(disputes.WrongState, match="“Milestone 1” is released already"):
        open_dispute(job, client_person, at=late, asked_minor=500_00)
    assert figures(job) == ("released", 500_00, 0, 0)
    line = Activity.objects.get(kind="released")
    assert line.happened_at == Document.objects.get().issued_at == late - HOUR
    assert Dispute.objects.count() == 0
    assert differences(late) == []


# --- Being heard ---


def test_the_other_side_answers_in_time(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    made = open_dispute(job, client_person)
    disputes.answer(made.pk, text=" All is done. ", by=freelancer, at=NOON + DAY, uploads=[pdf()])
    made.refresh_from_db()
    assert (made.state, made.answered_at) == ("open", NOON + DAY)
    assert list(DisputeStatement.objects.values_list("by", "text")) == [
        (freelancer.pk, "All is done.")
    ]
    assert Escrow.objects.get(job=job, number=1).answer_due_at is None
    line = newest()
    assert (line.kind, line.reason, told(line)) == (
        "dispute_answered", "All is done.", {"Clara Client"},
    )  # fmt: skip
    assert sweeping.sweep(at=NOON + 30 * DAY).done[What.DISPUTE_ESCALATES] == 0
    made.refresh_from_db()
    assert made.state == "open"


def test_who_may_answer(
    job: Job, client_person: Person, freelancer: Person, stranger: Person
) -> None:
    made = open_dispute(job, client_person)

    def answer_by(person: Person, text: str = "No.") -> str:
        return refused(lambda: disputes.answer(made.pk, text=text, by=person, at=NOON + HOUR))

    assert answer_by(client_person) == "You opened this Dispute: the other side answers it."
    assert answer_by(stranger) == "Only the Client or the Freelancer can act in this Dispute."
    assert answer_by(freelancer, " ") == ("Write your answer.")
    disputes.answer(made.pk, text="No.", by=freelancer, at=NOON + HOUR)
    assert answer_by(freelancer) == "This Dispute is answered already: add a statement instead."
    disputes.withdraw(made.pk, by=client_person, at=NOON + 2 * HOUR)
    assert refused(
        lambda: disputes.add_statement(made.pk, text="x", by=freelancer, at=NOON + 3 * HOUR)
    ) == ("This Dispute is withdrawn already.")


def test_the_first_words_of_the_other_side_are_its_answer(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    made = open_dispute(job, client_person)
    disputes.add_statement(made.pk, text="More.", by=client_person, at=NOON + HOUR)
    assert newest().kind == "dispute_statement"
    made.refresh_from_db()
    assert made.answered_at is None
    disputes.add_statement(made.pk, text="Mine.", by=freelancer, at=NOON + 2 * HOUR)
    assert newest().kind == "dispute_answered"
    disputes.add_statement(made.pk, text="And.", by=freelancer, at=NOON + 3 * HOUR)
    assert (newest().kind, told(newest())) == ("dispute_statement", {"Clara Client"})
    made.refresh_from_db()
    assert made.answered_at == NOON + 2 * HOUR


def test_what_was_said_and_shown_is_never_changed(job: Job, client_person: Person) -> None:
    made = open_dispute(job, client_person, uploads=[pdf()])
    disputes.add_statement(made.pk, text="More.", by=client_person, at=NOON)
    for table in ("billing_disputestatement", "billing_evidence"):
        for statement in (f"UPDATE {table} SET by_id = by_id", f"DELETE FROM {table}"):
            with (
                pytest.raises(IntegrityError, match="rows are never changed"),
                transaction.atomic(),
                connection.cursor() as cursor,
            ):
                cursor.execute(statement)


# --- Evidence ---


def test_evidence_is_kept_with_its_hash(
    job: Job, client_person: Person, freelancer: Person
) -> None:
    made = open_dispute(job, client_person, uploads=[pdf("chat.pdf")])
    disputes.add_evidence(
        made.pk, uploads=[pdf("../../etc/plan.pdf"), pdf("b.pdf")], by=freelancer, at=NOON + HOUR
    )
    assert [(str(one.file), one.by, one.file.sha256) for one in Evidence.objects.order_by("pk")] == [
        (name, person, hashlib.sha256(b"%PDF-1.7\n1 0 obj\n" + name.encode()).hexdigest())
        for name, person in (("chat.pdf", client_person), ("plan.pdf", freelancer), ("b.pdf", freelancer))
    ]  # fmt: skip
    line = newest()
    assert (line.kind, line.facts["names"], told(line)) == (
        "dispute_evidence", "“plan.pdf”, “b.pdf”", {"Clara Client"},
    )  # fmt: skip
    made.refresh_from_db()
    assert made.answered_at is None


def test_a_wrong_file_is_refused_before_anything_is_written(
    job: Job, client_person: Person, stranger: Person
) -> None:
    html = SimpleUploadedFile("report.pdf", b"<html><script>alert(1)</script></html>")
    message = refused(lambda: open_dispute(job, client_person, uploads=[pdf(), html]))
    assert "The content of “report.pdf” does not agree with its name" in message
    made = open_dispute(job, client_person)
    many = [pdf(f"{number}.pdf") for number in range(11)]
    assert "11 files are too many" in refused(
        lambda: disputes.add_evidence(made.pk, uploads=many, by=client_person, at=NOON)
    )
    assert refused(
        lambda: disputes.add_evidence(made.pk, uploads=[], by=client_person, at=NOON)
    ) == ("Choose a file.")
    assert refused(
        lambda: disputes.add_evidence(made.pk, uploads=[pdf()], by=stranger, at=NOON)
    ) == ("Only the Client or the Freelancer can act in this Dispute.")
    assert StoredFile.objects.count() == 0


def test_evidence_has_a_limit_for_each_side(
    job: Job, client_person: Person, freelancer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disputes, "EVIDENCE_AT_MOST", 2)
    made = open_dispute(job, client_person, uploads=[pdf(), pdf()])
    another = SimpleUploadedFile("c.txt", b"Something else.")
    assert "You can add 2 files to one Dispute" in refused(
        lambda: disputes.add_evidence(made.pk, uploads=[another], by=client_person, at=NOON)
    )
    disputes.add_evidence(made.pk, uploads=[pdf()], by=freelancer, at=NOON)
    assert Evidence.objects.count() == 3


# --- Nothing is sent twice (R12) ---


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_the_same_words_again_are_a_second_click(job: Job, role: str) -> None:
    made, by = open_dispute(job, job.client), getattr(job, role)

    def say(text: str, seconds: int) -> None:
        at = NOON + timedelta(seconds=seconds)
        disputes.add_statement(made.pk, text=text, by=by, at=at)

    say("Look at the chat.", 0)
    said = "You have said this already: it is sent once."
    assert refused(lambda: say("Look at the chat.", 59)) == said
    say("And at the plan.", 59)
    say("Look at the chat.", 59)
    say("Look at the chat.", 119)
    assert made.statements.count() == 4


def test_what_the_other_side_says_in_the_same_words_is_said(job: Job, freelancer: Person) -> None:
    made = open_dispute(job, job.client)
    for by in (job.client, freelancer):
        disputes.add_statement(made.pk, text="No.", by=by, at=NOON)
    assert made.statements.count() == 2


def test_a_file_is_laid_before_them_once(job: Job, freelancer: Person) -> None:
    """By its content, whatever its name, and however it comes."""

    def plan(name: str) -> SimpleUploadedFile:
        return SimpleUploadedFile(name, b"%PDF-1.7\nThe plan.")

    made = open_dispute(job, job.client, uploads=[plan("plan.pdf")])
    said = "You have added “b.pdf” to this Dispute already."
    for act in (
        lambda: disputes.add_evidence(
            made.pk, uploads=[plan("b.pdf")], by=job.client, at=NOON + DAY
        ),
        lambda: disputes.add_statement(
            made.pk, text="See.", uploads=[plan("b.pdf")], by=job.client, at=NOON + DAY
        ),
    ):
        assert refused(act) == said
    disputes.add_evidence(made.pk, uploads=[plan("b.pdf")], by=freelancer, at=NOON + DAY)
    assert Evidence.objects.count() == 2


# --- To support ---


@pytest.mark.parametrize("role", ["client", "freelancer"])
def test_either_side_asks_support(job: Job, client_person: Person, role: str) -> None:
    made = open_dispute(job, client_person)
    by: Person = getattr(job, role)
    disputes.escalate(made.pk, by=by, at=NOON + HOUR)
    made.refresh_from_db()
    assert (made.state, made.escalated_at, made.escalated_by) == ("mediation", NOON + HOUR, by)
    line = newest()
    assert (line.kind, line.actor) == ("dispute_escalated", by)
    assert told(line) == {"Clara Client", "Frank Freelancer"}
    assert refused(lambda: disputes.escalate(made.pk, by=by, at=NOON + 2 * HOUR)) == (
        "This Dispute is with support already."
    )
    assert Escrow.objects.get(job=job, number=1).answer_due_at is None
