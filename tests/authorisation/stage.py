"""The stage of the table: one world in which every address leads somewhere and every verb could act.

``whole_world`` and ``in_dispute`` (tests/desk.py) tell the long story; beside it stands a Job for each verb that
could not act there any more. What an address or a form of the table names (``running``, ``request``, ``card``) is
an entry of ``Stage.names``.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

import time_machine
from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

from billing.gateways.simulated_chargebacks import charge_back
from billing.models import (
    Cancellation,
    ClosingStatement,
    Decision,
    Document,
    Evidence,
    Intervention,
    Offer,
    Payment,
    PaymentMethod,
    ProForma,
    ReleaseRequest,
)
from billing.models.payment import new_idempotency_key
from billing.services import (
    cards,
    chargebacks,
    disputes,
    offers,
    payments,
    releases,
    sealed,
    sweeping,
)
from jobs.models import Invitation, Job, Notification, Person, Policy, StoredFile
from jobs.services import calendars, heartbeats
from tests.billing.banking import NUMBERS, deliver
from tests.billing.dispute_steps import agent_named, open_dispute
from tests.desk import (
    World,
    agent_of_the_desk,
    auditor,
    in_dispute,
    second_agent,
    superuser,
    whole_world,
)
from tests.factories import PersonFactory
from tests.reference_data import ensure_reference_data
from tests.workroom.agreements import BUILD, DESIGN, agreed, awarded, draft, terms_input
from workroom.models import StatusReport, Timesheet
from workroom.services import reports, terms
from workroom.services.reports import Line

# A Friday on which nothing is due: what a request changes then, it has changed itself.
NOW = datetime(2026, 3, 13, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
EARLIER = NOW - 3 * HOUR


@dataclass(frozen=True)
class Stage:
    people: dict[str, Person]
    names: dict[str, object]


@contextmanager
def undone() -> Iterator[None]:
    """All that happens inside is taken back, as pytest-django does with a test."""
    block = transaction.atomic()
    # What must stand in no other transaction may stand in this one.
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


@contextmanager
def on_stage() -> Iterator[Stage]:
    """The stage, as long as it lasts; tests that truncate may have left no reference data behind."""
    with undone():
        ensure_reference_data()
        with time_machine.travel(NOW, tick=False):
            stage = set_up()
        yield stage


def set_up() -> Stage:
    """Everybody and everything, at NOW."""
    client = PersonFactory(name="Clara Client", email="clara@example.com")
    freelancer = PersonFactory(name="Frank Freelancer", email="frank@example.com")
    world = whole_world(client, freelancer)
    dispute = in_dispute(world.job)
    names: dict[str, object] = {
        "job": world.job.pk,
        "dispute": dispute.pk,
    }
    people = _people(client, freelancer, world)
    names |= {f"person_{role}": person.pk for role, person in people.items()}
    names |= (
        _of_the_long_story(world) | _running(client, freelancer) | _beginnings(client, freelancer)
    )
    names |= _disputed(client, freelancer) | _charged_back(client, freelancer)
    names |= _under_way(client, freelancer)
    heartbeats.beat("sweep", started_at=EARLIER, ended_at=EARLIER)
    names |= _of_people(client, freelancer, world) | {"nowhere": 987_654_321}
    sweeping.sweep(at=NOW)  # what was due by now is done, as by every sweep
    return Stage(people, names)


def _people(client: Person, freelancer: Person, world: World) -> dict[str, Person]:
    """Who looks; ``other`` is a party, but of another Job."""
    return {
        "locked": client,
        "stranger": PersonFactory(name="Sam Stranger", email="sam@example.com"),
        "other": world.finished.client,
        "client": client,
        "freelancer": freelancer,
        "agent": agent_of_the_desk(),
        "senior": agent_named("Cora"),
        "auditor": auditor(),
        "superuser": superuser(),
    }


def _of_the_long_story(world: World) -> dict[str, object]:
    of_job, of_finished = {"job": world.job}, {"job": world.finished}
    return {
        "finished": world.finished.pk,
        "file": StoredFile.objects.filter(**of_job).order_by("pk")[0].key,
        "evidence": Evidence.objects.get(dispute__job=world.job).file.key,
        "report": StatusReport.objects.get(**of_job).pk,
        "timesheet": Timesheet.objects.get(**of_job).pk,
        "billed": ReleaseRequest.objects.get(**of_job).pk,
        "pro_forma": ProForma.objects.get(request__escrow__job=world.job).pk,
        "document": world.invoice.pk,
        "payment": world.payment.pk,
        "document_of_other": Document.objects.get(**of_finished).pk,
        "statement": ClosingStatement.objects.get(**of_finished).pk,
        "cancellation": Cancellation.objects.get(**of_job).pk,
        "offer": Offer.objects.get(dispute__job=world.job).pk,
        "decision": Decision.objects.get(dispute__job=world.job).pk,
        "intervention": Intervention.objects.get(job=world.job).pk,
    }


def _running(client: Person, freelancer: Person) -> dict[str, object]:
    """The first Milestone is held and requested, the second to be funded; a change is proposed."""
    job = agreed(client, freelancer, at=EARLIER)
    _pay(job)
    line = Line(number=1, percent=100, bill=True)
    reports.submit_report(job, by=freelancer, lines=[line], at=EARLIER)
    rows = (replace(DESIGN, number=1), replace(BUILD, number=2))
    change = terms_input(scope="A website in three languages", milestones=rows)
    terms.propose(job, by=freelancer, terms=change, answering=1, at=EARLIER)
    request = ReleaseRequest.objects.get(job=job)
    return {"running": job.pk, "request": request.pk, "card": _good_card(client).pk}


def _beginnings(client: Person, freelancer: Person) -> dict[str, object]:
    """A draft, an award that waits for its answer, and a Job whose end is open with all of it paid."""
    waiting = awarded(client, freelancer.email, at=EARLIER)
    invited = awarded(client, "somebody@example.com", at=EARLIER)
    plain = draft(client, at=EARLIER)
    endless = agreed(client, freelancer, ends_on=None, milestones=(DESIGN,), at=EARLIER)
    _pay(endless)
    releases.release(endless.pk, numbers=[1], by=client, at=EARLIER)
    return {
        "awarded": waiting.pk,
        "draft": plain.pk,
        "endless": endless.pk,
        "invitation": Invitation.objects.get(job=invited).token,
    }


def _disputed(client: Person, freelancer: Person) -> dict[str, object]:
    """One Dispute that waits for its answer, with an offer and a limit; one for support to decide."""
    opened, waiting = (_funded(client, freelancer) for _ in range(2))
    contested = open_dispute(opened, client, at=EARLIER)
    mine = offers.make(contested.pk, to_freelancer_minor=100_00, by=client, at=EARLIER)
    sealed.enter(contested.pk, limit_minor=120_00, by=client, at=EARLIER)
    mediated = open_dispute(waiting, client, at=EARLIER)
    disputes.escalate(mediated.pk, by=client, at=EARLIER)
    return {
        "disputed": opened.pk,
        "contested": contested.pk,
        "clients_offer": mine.pk,
        "mediated": mediated.pk,
    }


def _charged_back(client: Person, freelancer: Person) -> dict[str, object]:
    """One payment that its bank wants back, and one of which the end is recorded already."""
    keys = []
    for _ in range(2):
        payment = Payment.objects.get(job=_funded(client, freelancer))
        deliver(charge_back(payment.gateway_reference), at=EARLIER)
        keys.append(payment.chargebacks.get().pk)
    agent = second_agent()
    chargebacks.record(keys[1], outcome="lost", reason="Letter.", by=agent, at=EARLIER)
    return {"chargeback": keys[0], "recorded_chargeback": keys[1]}


def _funded(client: Person, freelancer: Person) -> Job:
    job = agreed(client, freelancer, at=EARLIER)
    _pay(job)
    return job


def _pay(job: Job) -> None:
    """The first Milestone is funded at once."""
    payments.fund(job.pk, numbers=[1], method=_good_card(job.client), by=job.client, at=EARLIER)


def _good_card(client: Person) -> PaymentMethod:
    """The one of the long story that the bank confirms without a question."""
    return client.payment_methods.get(last_four=NUMBERS["good"][-4:])


def _under_way(client: Person, freelancer: Person) -> dict[str, object]:
    """A payment that waits at the bank, and a card whose holder is being asked."""
    job = agreed(client, freelancer, at=EARLIER)
    slow = cards.add_card(
        by=client,
        number=NUMBERS["needs_authentication"],
        expires_on=date(2031, 1, 31),
        at=EARLIER,
    )
    payment = payments.fund(job.pk, numbers=[1], method=slow, by=client, at=EARLIER)
    assert payment.state == "authenticating"
    return {
        "paying": job.pk,
        "pending": payment.pk,
        "slow_card": slow.pk,
        "challenge": payment.gateway_reference,
    }


def _of_people(client: Person, freelancer: Person, world: World) -> dict[str, object]:
    """What belongs to a person and not to a Job."""
    calendars.open_feed(freelancer, at=EARLIER)
    failed = Notification.objects.filter(activity__job=world.job).order_by("pk")[0]
    address = EmailAddress.objects.create(user=client, email="clara@work.example")
    return {
        "notice": Notification.objects.filter(person=client).latest("pk").pk,
        "any_notice": failed.pk,
        "calendar": freelancer.calendar_token,
        "one_click": new_idempotency_key(),
        "policy": Policy.objects.current().version,
        "type_of_job": ContentType.objects.get_for_model(Job).pk,
        "confirmation": EmailConfirmationHMAC(address).key,
        "uid": user_pk_to_url_str(client),
        "reset": default_token_generator.make_token(client),
    }
