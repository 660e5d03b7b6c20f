"""What a Milestone holds is divided between both sides (R8.3, R9.2): one move for all who divide."""

from datetime import UTC, datetime

import pytest

from billing.models import Document, Escrow, ProForma, Refund, Release, ReleaseRequest
from billing.moves import splits
from billing.moves.splits import Split
from billing.services import audit, catching_up
from jobs.models import Job, Person
from jobs.services import activity
from jobs.services.activity import Entry
from tests import scenarios
from tests.billing.steps import NOON, request_release

pytestmark = pytest.mark.django_db(transaction=True)

LATER = datetime(2026, 3, 12, 9, tzinfo=UTC)


def divide(job: Job, to_freelancer_minor: dict[int, int], *, by: Person) -> list[Entry]:
    with catching_up.locked_job(job.pk, at=LATER) as locked:
        rows = [
            Split(
                job=locked,
                escrow=escrow,
                request=ReleaseRequest.objects.filter(escrow=escrow).unanswered().first(),
                to_freelancer_minor=to_freelancer_minor[escrow.number],
            )
            for escrow in Escrow.objects.of(job).filter(number__in=to_freelancer_minor)
        ]
        for row in rows:
            row.escrow.job = locked
        entries = splits.carry_out(rows, by=by, at=LATER, reason="Agreed.")
        activity.record_all(entries)
    return entries


def differences() -> list[audit.Finding]:
    return [finding for finding in audit.audit_ledger(at=LATER) if finding.differences]


def figures(number: int) -> tuple[str, int, int, int]:
    escrow = Escrow.objects.get(number=number)
    return escrow.state, escrow.released_minor, escrow.refunded_minor, escrow.held_minor


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    job = scenarios.running_job(client_person, freelancer)
    scenarios.fund(job, 1, 2)
    return job


def test_all_to_the_client_without_a_request(job: Job, client_person: Person) -> None:
    entries = divide(job, {1: 0}, by=client_person)

    assert figures(1) == ("refunded", 0, 500_00, 0)
    assert list(Refund.objects.values_list("amount_minor", "fee_minor")) == [(500_00, 0)]
    assert Document.objects.count() == 0
    assert [(entry.kind.name, entry.facts["amount_minor"]) for entry in entries] == [
        ("returned", 500_00)
    ]
    assert differences() == []


def test_all_to_the_freelancer_releases_the_request(job: Job, client_person: Person) -> None:
    request = request_release(job, 1)

    entries = divide(job, {1: 500_00}, by=client_person)

    assert figures(1) == ("released", 500_00, 0, 0)
    request.refresh_from_db()
    assert (request.state, request.ended_at, request.ended_reason) == ("released", LATER, "Agreed.")
    assert ProForma.objects.get().state == "invoiced"
    assert Document.objects.get().kind == "final_invoice"
    assert [entry.kind.name for entry in entries] == ["released"]
    assert differences() == []


def test_a_part_makes_a_final_invoice_of_the_pro_forma_and_the_rest_goes_back(
    job: Job, client_person: Person
) -> None:
    request = request_release(job, 1)

    entries = divide(job, {1: 200_00}, by=client_person)

    assert figures(1) == ("released", 200_00, 300_00, 0)
    request.refresh_from_db()
    assert (request.state, request.ended_at) == ("settled", LATER)
    assert ProForma.objects.get().state == "invoiced"
    document = Document.objects.get()
    assert (document.kind, document.gross_minor, document.service_fee_minor) == (
        "final_invoice",
        200_00,
        17_50,
    )
    assert document.pro_forma_id == request.pro_forma.pk
    assert Refund.objects.get().amount_minor == 300_00
    assert [(entry.kind.name, entry.facts["amount_minor"]) for entry in entries] == [
        ("released", 200_00),
        ("returned", 300_00),
    ]
    assert differences() == []


def test_with_nothing_for_the_freelancer_the_pro_forma_is_void(
    job: Job, client_person: Person
) -> None:
    request = request_release(job, 1)

    divide(job, {1: 0}, by=client_person)

    request.refresh_from_db()
    assert request.state == "settled"
    assert ProForma.objects.get().state == "void"
    assert Document.objects.count() == 0
    assert differences() == []


def test_a_part_without_a_request_makes_a_receipt(job: Job, client_person: Person) -> None:
    divide(job, {1: 1}, by=client_person)

    assert figures(1) == ("released", 1, 499_99, 0)
    document = Document.objects.get()
    assert (document.kind, document.gross_minor, document.net_minor) == ("receipt", 1, 1)
    assert differences() == []


def test_several_milestones_of_one_payment_in_their_order(job: Job, client_person: Person) -> None:
    request_release(job, 2, at=NOON)

    entries = divide(job, {1: 33_33, 2: 999_99}, by=client_person)

    assert [(entry.facts["number"], entry.kind.name) for entry in entries] == [
        (1, "released"),
        (1, "returned"),
        (2, "released"),
        (2, "returned"),
    ]
    assert figures(1) == ("released", 33_33, 466_67, 0)
    assert figures(2) == ("released", 999_99, 1, 0)
    assert sorted(Release.objects.values_list("gross_minor", "service_fee_minor")) == [
        (33_33, 2_92),
        (999_99, 87_50),
    ]
    assert {entry.readers - entry.untold == set() for entry in entries} == {True}
    assert differences() == []
