"""The desk finds a row by anything that a caller may say."""

from urllib.parse import quote

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from billing.models import ClosingStatement, Document, Payment, ProForma, Refund, Release
from escrow_site.lib import money
from jobs.models import Person, StoredFile
from tests.desk import (
    MONDAY,
    World,
    agent_of_the_desk,
    browser_of,
    listed,
    statements,
    whole_world,
)
from tests.factories import PersonFactory
from tests.scenarios import finished_job
from workroom.services import account_closing

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(client_person: Person, freelancer: Person) -> World:
    return whole_world(client_person, freelancer)


@pytest.fixture
def desk(db: None) -> Client:
    return browser_of(agent_of_the_desk())


def test_a_job_is_found_by_anything_a_caller_says(desk: Client, world: World) -> None:
    job, finished, invited = world.job.pk, world.finished.pk, world.invited.pk
    issuer = world.invoice.issuer_id
    receipt = Document.objects.get(job=world.finished)
    statement = ClosingStatement.objects.get()
    refund = Refund.objects.get()
    EmailAddress.objects.create(user=world.job.client, email="boss@clara.example", verified=True)
    said = {
        # Numbers and titles
        f"#{finished}": [finished],
        f"job {invited}": [invited],
        f"Job #{job}": [job],
        "website": [job, finished, invited],
        "WEBSITE clara": [job, invited],
        # Parties
        "frank@example.com": [job, finished],
        "Frank Free": [job, finished],
        "Carl": [finished],
        "nobody@example": [invited],
        "boss@clara.example": [job, invited],
        # Papers, however they are said
        world.invoice.name: [job],
        f"inv {issuer} {world.invoice.number}": [job],
        f"Inv-{issuer}/{world.invoice.number}": [job],
        f"  INV{issuer}-000{world.invoice.number} ": [job],
        receipt.name: [finished],
        f"INV-{issuer}-{receipt.number:04d}": [],
        ProForma.objects.get().name: [job],
        f"pf {ProForma.objects.get().request_id}": [job],
        statement.name: [finished],
        f"cs {finished} 1": [finished],
        f"CS-{finished}-2": [],
        "INV-999999999999-1": [],
        # Cards, the gateway, files
        "4242": [job, finished],
        "3184": [job],
        "9995": [],
        world.payment.gateway_reference: [job],
        refund.gateway_reference: [job],
        "design.pdf": [job],
        # Nothing
        "nobody knows this": [],
        "website carl nobody@example.com": [],
    }
    assert job in listed(desk, "jobs_job", str(job))
    found = {words: set(listed(desk, "jobs_job", words)) for words in said}
    assert found == {words: set(keys) for words, keys in said.items()}


def test_a_job_is_found_by_what_stands_on_papers_and_statements(desk: Client, world: World) -> None:
    """Milestones, companies, tax ids, bank accounts, amounts: what a caller has before his eyes."""
    job, finished, invited = world.job.pk, world.finished.pk, world.invited.pk
    Person.objects.filter(pk=world.job.client_id).update(
        billing_address="Panadería Moreno\n12 Side Street", tax_id="B12345674"
    )
    invoice = world.invoice
    said = {
        # In any version of the Terms, those of an award that nobody has answered too
        "Design": [job, invited],
        "start pa": [],
        # The Client’s profile
        "panadería moreno": [job, invited],
        "B12345674": [job, invited],
        "12 Side Street": [job, invited],
        # The Freelancer’s bank account
        "2051": [job, finished],
        "0000 2020 51": [job, finished],
        "2020": [],
        # Exact amounts, of a charge, of a paper and net
        f"{money.display(world.payment.amount_minor, 'USD')}": [job],
        f"{money.major(world.payment.amount_minor, 'USD')} usd": [job],
        f"{money.major(invoice.net_minor, 'USD')}": [job, finished],
        f"$ {money.major(invoice.gross_minor, 'USD')}": [job, finished],
        f"€{money.major(invoice.gross_minor, 'USD')}": [],
        f"{money.major(world.payment.amount_minor, 'USD')}0": [],
    }
    found = {words: set(listed(desk, "jobs_job", words)) for words in said}
    assert found == {words: set(keys) for words, keys in said.items()}
    for words in ("Panadería", "B12345674"):
        assert listed(desk, "jobs_person", words) == [world.job.client_id]


def test_of_a_closed_account_its_papers_alone_are_known(
    desk: Client, world: World, freelancer: Person
) -> None:
    nora = PersonFactory(
        name="Nora Gone", email="nora@gone.example", tax_id="NL99", billing_address="Tulips B.V."
    )
    job = finished_job(nora, freelancer).pk
    account_closing.close(nora, at=MONDAY)
    nora.refresh_from_db()
    assert "Nora" not in nora.name
    for words in ("Nora@Gone.example", "nora gone", "NL99", "tulips"):
        assert listed(desk, "jobs_job", words) == [job], words
    assert listed(desk, "jobs_job", "nora@elsewhere.example") == []


def test_a_search_that_finds_nothing_says_where_else_to_look(desk: Client, world: World) -> None:
    jobs = desk.get("/admin/jobs/job/", {"q": "nobody & nothing"}).content.decode()
    for words in (
        "Nothing is found for “nobody &amp; nothing”.",
        '<a href="/admin/jobs/person/?q=nobody%20%26%20nothing">Search for the same in People</a>',
        "Of a closed account only what stands on its documents is kept.",
        "an exact amount ($140.00)",
    ):
        assert words in jobs
    for words in ("0 Jobs", 'name="action"', "The filters count, too"):
        assert words not in jobs
    people = desk.get("/admin/jobs/person/", {"q": "nobody", "is_staff__exact": "1"})
    assert "Search for the same in Jobs" in people.content.decode()
    assert '<a href="?q=nobody">search without them</a>' in people.content.decode()
    assert "Nothing is found" not in desk.get("/admin/jobs/job/", {"q": "website"}).content.decode()


def test_a_search_costs_the_same_whatever_is_said(desk: Client, world: World) -> None:
    said = ("website", "$140.00", "2051", "Panadería Moreno", "clara@example.com")
    costs = {words: statements(desk, f"/admin/jobs/job/?q={quote(words)}") for words in said}
    assert set(costs.values()) == {costs["website"]}, costs


def test_a_person_is_found_by_name_and_by_any_address(desk: Client, world: World) -> None:
    clara = world.job.client_id
    EmailAddress.objects.create(user=world.job.client, email="boss@clara.example", verified=False)
    for words in ("clara", "Clara Client", "CLARA@example.com", "boss@clara.example", f"#{clara}"):
        assert listed(desk, "jobs_person", words) == [clara]
    assert listed(desk, "jobs_person", "boss@frank.example") == []


def test_money_is_found_by_card_reference_destination_and_paper(desk: Client, world: World) -> None:
    paid, returned, payout = world.payment.pk, world.returned.pk, world.payout.pk
    release = Release.objects.get(job=world.job)
    other = Release.objects.exclude(pk=release.pk).get()
    job = f"job {world.job.pk}"
    elsewhere = Payment.objects.exclude(job=world.job).get().pk
    for name, words, keys in [
        ("billing_payment", "4242", [paid, elsewhere]),
        ("billing_payment", "3184", [returned]),
        ("billing_payment", world.payment.gateway_reference, [paid]),
        ("billing_payment", job, [paid, returned]),
        ("billing_payment", f"{money.major(world.payment.amount_minor, 'USD')}", [paid]),
        (
            "billing_document",
            f"${money.major(world.invoice.net_minor, 'USD')}",
            [world.invoice.pk, Document.objects.get(job=world.finished).pk],
        ),
        ("billing_payment", "carl", [elsewhere]),
        ("billing_payout", "DE02 1203 0000 0000 2020 51", [payout]),
        ("billing_payout", "2020 51", [payout]),
        ("billing_payout", "frank@example.com", [payout]),
        ("billing_payout", "clara@example.com", []),
        ("billing_document", world.invoice.name, [world.invoice.pk]),
        ("billing_document", job, [world.invoice.pk]),
        ("billing_document", "clara", [world.invoice.pk]),
        ("billing_proforma", ProForma.objects.get().name, [ProForma.objects.get().pk]),
        ("billing_releaserequest", ProForma.objects.get().name, [release.request_id]),
        ("billing_release", world.invoice.name, [release.pk]),
        ("billing_release", ProForma.objects.get().name, [release.pk]),
        ("billing_release", "carl", [other.pk]),
        (
            "billing_closingstatement",
            f"cs {world.finished.pk} 1",
            [ClosingStatement.objects.get().pk],
        ),
        ("jobs_storedfile", "design", [StoredFile.objects.get().pk]),
    ]:
        assert set(listed(desk, name, words)) == set(keys), (name, words)


def test_transfers_are_found_by_paper_reference_job_and_person(desk: Client, world: World) -> None:
    release = Release.objects.get(job=world.job).pk

    def references(words: str, **filters: object) -> list[str]:
        answer = desk.get("/admin/billing/transfer/", {"q": words, **filters})
        return sorted(row.reference for row in answer.context["cl"].result_list)

    of_release = [f"release:{release}:net", f"release:{release}:service_fee"]
    assert references(world.invoice.name) == of_release
    assert references(f"release:{release}:") == of_release
    escrows = list(world.job.escrows.order_by("number"))
    funding = [f"payment:{world.payment.pk}:escrow:{escrow.pk}" for escrow in escrows]
    refund = Refund.objects.get().pk
    of_job = sorted(
        [*funding, *of_release, f"payment:{world.returned.pk}:unwanted", f"refund:{refund}:paid"]
    )
    assert references(f"job {world.job.pk}") == of_job
    assert references("", job=world.job.pk) == of_job
    assert references("", account=escrows[1].account.pk) == [funding[1]]
    of_freelancer = references("frank@example.com")
    assert f"payout:{world.payout.pk}:reserve" in of_freelancer
    assert f"release:{release}:net" in of_freelancer
    assert funding[0] not in of_freelancer
