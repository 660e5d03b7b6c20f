"""A running Job whose Terms are about to change: 500.00 and 1,000.00, agreed on 1 March."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from billing.models import Escrow
from billing.services import audit
from jobs.models import Job, Person
from tests.workroom.agreements import BUILD, DESIGN, START, terms_input
from workroom.models import Terms
from workroom.proposals import MilestoneInput
from workroom.services import terms

FIRST = replace(DESIGN, number=1)
SECOND = replace(BUILD, number=2)


def propose(
    job: Job,
    by: Person,
    *milestones: MilestoneInput,
    at: datetime = START,
    answering: int = 1,
    **values: Any,
) -> Terms:
    """Propose that these be the Milestones; the rest as agreed."""
    changed = terms_input(milestones=milestones, **values)
    return terms.propose(job, by=by, terms=changed, answering=answering, at=at)


def change(job: Job, *milestones: MilestoneInput, at: datetime = START, **values: Any) -> Terms:
    """The Freelancer proposes, the Client accepts."""
    agreed = Terms.objects.get(job=job, state="agreed").version
    job = fresh(job)
    assert job.freelancer is not None
    new = propose(job, job.freelancer, *milestones, at=at, answering=agreed, **values)
    return terms.accept(job, by=job.client, version=new.version, at=at)


def fresh(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def escrow(job: Job, number: int = 1) -> Escrow:
    return Escrow.objects.get(job=job, number=number)


def standing(job: Job) -> list[tuple[int, str, int, str, int]]:
    """Number, title, price, state and what is held, in order."""
    return [
        (row.number, row.title, row.amount_minor, row.state, row.held_minor)
        for row in Escrow.objects.of(job)
    ]


def versions(job: Job) -> list[str]:
    return list(Terms.objects.of(job).order_by("version").values_list("state", flat=True))


def assert_adds_up(at: datetime = START) -> None:
    assert [finding for finding in audit.audit_ledger(at=at) if finding.differences] == []
