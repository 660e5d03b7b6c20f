"""Limits under seal: the midpoint if they cross, else "no match"; hidden from everybody (R9.6)."""

import json
import logging

import pytest
from django.db import IntegrityError, transaction

from billing.models import Dispute, SealedLimit
from billing.services import disputes, offers, sealed
from jobs.models import Activity, Job, Notification, Person
from tests.billing.dispute_steps import (
    DAY,
    HOUR,
    NOON,
    differences,
    figures,
    funded_job,
    open_dispute,
    refused,
)
from tests.world import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture
def dispute(job: Job, client_person: Person) -> Dispute:
    return open_dispute(job, client_person)


def enter(dispute: Dispute, by: Person, limit_minor: int, *, days: float = 0) -> SealedLimit:
    return sealed.enter(dispute.pk, limit_minor=limit_minor, by=by, at=NOON + days * DAY)


@pytest.mark.parametrize(
    ("least_minor", "most_minor", "to_freelancer_minor"),
    [
        (200_00, 300_00, 250_00),
        (200_00, 300_01, 250_00),
        (250_00, 250_00, 250_00),
        (0, 1, 0),
        (0, 0, 0),
        (499_99, 500_00, 499_99),
        (500_00, 500_00, 500_00),
        (0, 500_00, 250_00),
    ],
)
@pytest.mark.parametrize("first", ["client", "freelancer"])
def test_limits_that_cross_settle_at_the_midpoint(
    dispute: Dispute,
    client_person: Person,
    freelancer: Person,
    least_minor: int,
    most_minor: int,
    to_freelancer_minor: int,
    first: str,
) -> None:
    entries = [(client_person, most_minor), (freelancer, least_minor)]
    if first == "freelancer":
        entries.reverse()
    for by, limit_minor in entries:
        enter(dispute, by, limit_minor)
    _, released_minor, refunded_minor, held_minor = figures(dispute.job)
    assert (released_minor, refunded_minor, held_minor) == (
        to_freelancer_minor, 500_00 - to_freelancer_minor, 0,
    )  # fmt: skip
    dispute.refresh_from_db()
    assert dispute.state == "settled"
    assert dispute.ended_reason == "Dispute settled by limits under seal, at their midpoint."
    assert set(SealedLimit.objects.values_list("state", "limit_minor")) == {("matched", None)}
    line = Activity.objects.get(kind="dispute_settled")
    assert line.facts["to_freelancer_minor"] == to_freelancer_minor
    assert Notification.objects.filter(activity=line).count() == 2
    assert differences(NOON) == []


def test_no_match_says_just_that_and_spends_both(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    enter(dispute, client_person, 200_00)
    assert enter(dispute, freelancer, 200_01).state == "spent"
    assert set(SealedLimit.objects.values_list("state", "limit_minor")) == {("spent", None)}
    assert figures(dispute.job) == ("funded", 0, 0, 500_00)
    line = Activity.objects.latest("pk")
    assert (line.kind, line.reason) == ("sealed_no_match", "")
    assert set(line.facts) <= {"dispute", "escrow", "number", "due_at"}
    assert Notification.objects.filter(activity=line).count() == 2


def test_a_limit_is_seen_nowhere(
    dispute: Dispute, client_person: Person, freelancer: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the history nor in notices, logs or messages; erased once it is compared."""
    caplog.set_level(logging.DEBUG)
    limit = enter(dispute, client_person, 123_45)
    assert str(limit) == f"Sealed limit {limit.pk}"
    with pytest.raises(sealed.Refusal) as caught:
        enter(dispute, freelancer, 987_65)
    everything = world()
    kept = everything.pop("SealedLimit")
    assert [row["limit_minor"] for row in kept] == [123_45]
    said = json.dumps(everything, default=str) + caught.value.message + str(limit) + repr(limit)
    logged = [f"{one.getMessage()} {one.__dict__}" for one in caplog.records]
    logged = [one for one in logged if "INSERT" not in one and "SELECT" not in one]
    for trace in ("12345", "123.45", "98765", "987.65"):
        assert trace not in said
        assert [one for one in logged if trace in one] == []
    enter(dispute, freelancer, 500_00)
    assert set(SealedLimit.objects.values_list("limit_minor", flat=True)) == {None}


def test_the_other_side_is_told_that_there_is_one(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    assert enter(dispute, client_person, 200_00).state == "waiting"
    line = Activity.objects.latest("pk")
    assert (line.kind, line.actor) == ("sealed_entered", client_person)
    assert Notification.objects.get(activity=line).person == freelancer


def test_nobody_can_probe(dispute: Dispute, client_person: Person, freelancer: Person) -> None:
    """Three a side, one in 24 hours, and never two at a time."""
    enter(dispute, client_person, 100_00)
    assert refused(lambda: enter(dispute, client_person, 110_00)) == (
        "Your limit is waiting for the other side’s. You can take it back."
    )
    enter(dispute, freelancer, 400_00)
    assert refused(lambda: enter(dispute, freelancer, 390_00, days=0.999)) == (
        "You can enter one limit in 24 hours: the next one from 10 Mar 2026, 12:00 UTC on."
    )
    for days in (1, 2):
        enter(dispute, client_person, 100_00, days=days)
        enter(dispute, freelancer, 400_00, days=days)
    for person in (client_person, freelancer):
        assert refused(lambda person=person: enter(dispute, person, 250_00, days=30)) == (
            "You have entered 3 limits for this Milestone, which is the most. You can still make "
            "open offers."
        )
    assert SealedLimit.objects.count() == 6


def test_nobody_probes_by_disputing_anew(
    job: Job, dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    for days in range(3):
        enter(dispute, client_person, 100_00, days=days)
        enter(dispute, freelancer, 400_00, days=days)
    disputes.withdraw(dispute.pk, by=client_person, at=NOON + 2 * DAY)
    again = open_dispute(job, client_person, at=NOON + 2 * DAY)
    assert "3 limits for this Milestone" in refused(
        lambda: enter(again, client_person, 1, days=3.5)
    )


def test_nor_is_the_pause_shorter(job: Job, dispute: Dispute, client_person: Person) -> None:
    enter(dispute, client_person, 100_00)
    disputes.withdraw(dispute.pk, by=client_person, at=NOON + HOUR)
    again = open_dispute(job, client_person, at=NOON + HOUR)
    assert "one limit in 24 hours" in refused(lambda: enter(again, client_person, 1, days=0.5))
    assert enter(again, client_person, 1, days=1).state == "waiting"


def test_a_limit_taken_back_is_erased_and_stays_counted(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    enter(dispute, client_person, 100_00)
    sealed.take_back(dispute.pk, by=client_person, at=NOON + HOUR)
    assert list(SealedLimit.objects.values_list("state", "limit_minor")) == [("taken_back", None)]
    assert Activity.objects.latest("pk").kind == "sealed_taken_back"
    assert refused(lambda: sealed.take_back(dispute.pk, by=client_person, at=NOON + HOUR)) == (
        "You have no limit waiting in this Dispute."
    )
    assert "one limit in 24 hours" in refused(lambda: enter(dispute, client_person, 1, days=0.5))
    assert enter(dispute, freelancer, 0, days=0.5).state == "waiting"


def test_who_and_how_much(
    dispute: Dispute, client_person: Person, stranger: Person, agent: Person
) -> None:
    for person in (stranger, agent):
        assert refused(lambda person=person: enter(dispute, person, 1)) == (
            "Only the Client or the Freelancer can act in this Dispute."
        )
    for limit_minor in (-1, 500_01):
        assert refused(lambda limit=limit_minor: enter(dispute, client_person, limit)) == (
            "The Freelancer’s share is between nothing and all that is held, $500.00."
        )
    assert "What is held has changed" in refused(
        lambda: sealed.enter(
            dispute.pk, limit_minor=1, by=client_person, at=NOON, seen_held_minor=1
        )
    )


def test_limits_lapse_with_the_dispute(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    enter(dispute, freelancer, 100_00)
    disputes.withdraw(dispute.pk, by=client_person, at=NOON + HOUR)
    assert list(SealedLimit.objects.values_list("state", "limit_minor")) == [("lapsed", None)]
    assert refused(lambda: enter(dispute, client_person, 1)) == (
        "This Dispute is withdrawn already."
    )


def test_open_offers_and_limits_go_side_by_side(
    dispute: Dispute, client_person: Person, freelancer: Person
) -> None:
    enter(dispute, client_person, 300_00)
    made = offers.make(dispute.pk, to_freelancer_minor=100_00, by=client_person, at=NOON)
    offers.accept(made.pk, by=freelancer, at=NOON)
    assert list(SealedLimit.objects.values_list("state", "limit_minor")) == [("lapsed", None)]


def test_the_database_keeps_no_limit_that_does_not_wait(
    dispute: Dispute, client_person: Person
) -> None:
    for state, limit_minor in (("spent", 1), ("waiting", None), ("waiting", -1)):
        with (
            pytest.raises(IntegrityError, match="sealed_limit_erased_when_not_waiting"),
            transaction.atomic(),
        ):
            SealedLimit.objects.create(
                dispute=dispute, by=client_person, entered_at=NOON, state=state,
                limit_minor=limit_minor,
            )  # fmt: skip
