"""Interventions: who proposes and who checks, and what is sent back, withdrawn or overtaken (R9.7)."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from billing.models import Intervention
from billing.services import disputes, interventions, releases, sweeping
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from tests.billing.dispute_steps import differences, figures, funded_job, open_dispute, refused
from tests.billing.intervening import AT, DAY, LATER, NOON, agent_in, kinds_told, openings, propose
from tests.billing.steps import request_release
from tests.world import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(client_person: Person, freelancer: Person) -> Job:
    return funded_job(client_person, freelancer)


@pytest.fixture(autouse=True)
def ledger_adds_up(db: None) -> Iterator[None]:
    yield
    assert sweeping.sweep(at=NOON + 200 * DAY).set_aside == []
    assert differences(NOON + 200 * DAY) == []


# --- Who may ---

SELF = "You proposed this yourself: a second agent is to confirm it."
NO_AGENT = "Only a support agent who is not a party of the Job can do this."
NOT_SENIOR = "Only a senior support agent confirms a proposal or sends it back."


@pytest.fixture
def proposed(job: Job, alma: Person, client_person: Person) -> Intervention:
    return propose(job, "release", alma, asked_by=client_person, amount_minor=500_00)


def test_nobody_confirms_his_own_not_even_a_superuser(
    job: Job, client_person: Person, bela: Person
) -> None:
    root = agent_in("Agent", "Rita")
    Person.objects.filter(pk=root.pk).update(is_superuser=True)
    root = Person.objects.get(pk=root.pk)
    for agent in (bela, root):
        made = propose(job, "release", agent, asked_by=client_person, amount_minor=500_00)
        checks = (
            partial(interventions.confirm, made.pk, by=agent, at=LATER),
            partial(interventions.send_back, made.pk, answer="x", by=agent, at=LATER),
        )
        assert [refused(check) for check in checks] == [SELF, SELF]
        interventions.withdraw(made.pk, by=agent, at=LATER)
    with pytest.raises(IntegrityError), transaction.atomic():
        Intervention.objects.filter(pk=made.pk).update(checked_by=root)


def test_who_may_not_confirm(
    proposed: Intervention, job: Job, bela: Person, client_person: Person, stranger: Person
) -> None:
    def confirm(by: Person) -> Callable[[], object]:
        return lambda: interventions.confirm(proposed.pk, by=by, at=LATER)

    assert refused(confirm(agent_in("Agent", "Cleo"))) == NOT_SENIOR
    for nobody in (agent_in("Auditor", "Otto"), stranger, client_person):
        assert refused(confirm(nobody)) == NO_AGENT
    client_person.groups.set(bela.groups.all())
    party = Person.objects.get(pk=client_person.pk)
    assert refused(confirm(party)) == NO_AGENT
    Person.objects.filter(pk=bela.pk).update(is_staff=False)
    assert refused(confirm(Person.objects.get(pk=bela.pk))) == NO_AGENT
    Person.objects.filter(pk=bela.pk).update(is_active=False)
    assert refused(confirm(Person.objects.get(pk=bela.pk))) == "This account is locked."


def test_who_may_not_propose(
    job: Job, client_person: Person, alma: Person, stranger: Person
) -> None:
    def act(by: Person) -> Callable[[], object]:
        return lambda: propose(job, "release", by, asked_by=client_person, amount_minor=1)

    for nobody in (agent_in("Auditor", "Otto"), stranger, client_person):
        assert refused(act(nobody)) == NO_AGENT
    Person.objects.filter(pk=alma.pk).update(is_active=False)
    assert refused(act(Person.objects.get(pk=alma.pk))) == "This account is locked."


def test_who_asked_and_how_is_on_record(
    job: Job, alma: Person, stranger: Person, client_person: Person
) -> None:
    def act(**more: Any) -> Callable[[], object]:
        asked = {"amount_minor": 1, "asked_by": client_person, **more}
        return lambda: propose(job, "release", alma, **asked)

    assert refused(act(asked_how=" ")) == "Write when and how the party asked."
    assert refused(act(asked_by=stranger)) == "Choose which party asked for it."
    with pytest.raises(Refusal, match="Write the reason"):
        interventions.propose(
            job.pk, kind="release", basis="platform_error", reason=" ", by=alma, at=AT, number=1,
            amount_minor=1,
        )  # fmt: skip
    with pytest.raises(Refusal, match="Choose why it is done"):
        interventions.propose(
            job.pk, kind="release", basis="because", reason="x", by=alma, at=AT, number=1,
            amount_minor=1,
        )  # fmt: skip


# --- Sent back, withdrawn, overtaken ---


def test_one_at_a_time_on_a_job(proposed: Intervention, job: Job, bela: Person) -> None:
    said = refused(lambda: propose(job, "release", bela, asked_by=job.client, amount_minor=1))
    assert said.startswith(f"Intervention {proposed.pk} on this Job waits for a second agent")
    assert openings(job, bela) == {}


def test_sent_back_and_withdrawn_change_nothing(
    proposed: Intervention, job: Job, alma: Person, bela: Person
) -> None:
    interventions.send_back(proposed.pk, answer="Call him back first.", by=bela, at=LATER)
    proposed.refresh_from_db()
    assert (proposed.state, proposed.answer) == ("sent_back", "Call him back first.")
    again = propose(job, "release", alma, asked_by=job.client, amount_minor=500_00)
    others = partial(interventions.withdraw, again.pk, by=bela, at=LATER)
    assert refused(others) == "Only the person who proposed this can withdraw it."
    interventions.withdraw(again.pk, by=alma, at=LATER)
    for over in (proposed, again):
        said = refused(partial(interventions.confirm, over.pk, by=bela, at=LATER))
        assert said.startswith("This proposal was ")
    assert figures(job) == ("funded", 0, 0, 500_00)
    assert kinds_told() == set()


def test_a_proposal_whose_held_amount_changed_is_refused_and_overtaken(
    proposed: Intervention, job: Job, bela: Person, client_person: Person
) -> None:
    releases.release_part(
        job.pk, number=1, amount_minor=1_00, by=client_person, at=LATER, seen_held_minor=500_00
    )
    with pytest.raises(Refusal, match="What is held has changed since it was proposed"):
        interventions.confirm(proposed.pk, by=bela, at=LATER)
    proposed.refresh_from_db()
    assert (proposed.state, figures(job)) == ("overtaken", ("funded", 1_00, 0, 499_00))
    before = world()
    with pytest.raises(Refusal, match="overtaken: what it was about has changed"):
        interventions.confirm(proposed.pk, by=bela, at=LATER)
    assert world() == before


def test_what_is_overtaken_makes_room(
    proposed: Intervention, job: Job, alma: Person, client_person: Person
) -> None:
    releases.release_part(
        job.pk, number=1, amount_minor=1_00, by=client_person, at=LATER, seen_held_minor=500_00
    )
    made = propose(job, "release", alma, asked_by=client_person, amount_minor=499_00, at=LATER)
    proposed.refresh_from_db()
    assert (proposed.state, made.state) == ("overtaken", "proposed")


def test_what_fell_due_meanwhile_comes_first(
    job: Job, alma: Person, bela: Person, freelancer: Person
) -> None:
    """R6.4: the 30-day rule had released the money before the second agent looked."""
    request = request_release(job)
    made = propose(job, "void", alma, asked_by=freelancer, at=NOON + 29 * DAY)
    with pytest.raises(Refusal, match="The Release Request has ended meanwhile"):
        interventions.confirm(made.pk, by=bela, at=NOON + 31 * DAY)
    request.refresh_from_db()
    made.refresh_from_db()
    assert (request.state, request.ended_at) == ("released", NOON + 30 * DAY)
    assert made.state == "overtaken"


def test_a_dispute_that_ended_overtakes(
    job: Job, alma: Person, bela: Person, client_person: Person
) -> None:
    dispute = open_dispute(job, client_person)
    made = propose(job, "extend_answer", alma, asked_by=client_person, until=NOON + 9 * DAY)
    disputes.withdraw(dispute.pk, by=client_person, at=LATER)
    with pytest.raises(Refusal, match="The Dispute has ended meanwhile"):
        interventions.confirm(made.pk, by=bela, at=LATER)


def test_a_refusal_that_may_pass_leaves_the_proposal_standing(
    job: Job, alma: Person, bela: Person, freelancer: Person
) -> None:
    request_release(job)
    made = propose(job, "void", alma, asked_by=freelancer)
    open_dispute(job, job.client, at=LATER)
    assert "disputed" in refused(lambda: interventions.confirm(made.pk, by=bela, at=LATER))
    made.refresh_from_db()
    assert made.state == "proposed"


def test_the_page_that_was_seen_must_be_right(job: Job, alma: Person) -> None:
    said = refused(
        lambda: propose(
            job, "release", alma, asked_by=job.client, amount_minor=1, seen_minor=400_00
        )
    )
    assert said.startswith("What is held has changed since you opened this page.")
