"""Steps that the tests of Disputes share."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.files.uploadedfile import SimpleUploadedFile

from billing.models import Dispute, Escrow
from billing.services import audit, disputes
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from tests.factories import PersonFactory
from tests.scenarios import fund, running_job
from tests.world import world

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def funded_job(client: Person, freelancer: Person, *numbers: int) -> Job:
    """500.00 and 1,000.00; those with the numbers (default: the first) are funded."""
    job = running_job(client, freelancer)
    fund(job, *(numbers or (1,)))
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def open_dispute(
    job: Job, by: Person, *, number: int = 1, at: datetime = NOON, **more: Any
) -> Dispute:
    """The Client asks for a refund, the Freelancer for a release, of all there is."""
    escrow = Escrow.objects.get(job=job, number=number)
    return disputes.open(
        job.pk,
        **{
            "number": number,
            "asks": "refund" if by.pk == job.client_id else "release",
            "asked_minor": escrow.held_minor,
            "reason": "The work is not what we agreed.",
            "by": by,
            "at": at,
            **more,
        },
    )


def agent_named(name: str) -> Person:
    person = PersonFactory(name=name, email=f"{name.lower()}@desk.example", is_staff=True)
    person.groups.add(Group.objects.get(name="Senior agent"))
    return person


def refused(act: Callable[[], object]) -> str:
    """What was said by the refusal of an act, which has changed nothing."""
    before = world()
    with pytest.raises(Refusal) as caught:
        act()
    assert world() == before
    return caught.value.message


def figures(job: Job, number: int = 1) -> tuple[str, int, int, int]:
    """State, released, refunded, held."""
    escrow = Escrow.objects.get(job=job, number=number)
    return escrow.state, escrow.released_minor, escrow.refunded_minor, escrow.held_minor


def differences(at: datetime) -> list[audit.Finding]:
    return [finding for finding in audit.audit_ledger(at=at) if finding.differences]


def pdf(name: str = "chat.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, b"%PDF-1.7\n1 0 obj\n" + name.rsplit("/")[-1].encode())
