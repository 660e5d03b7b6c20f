"""Steps that the tests of interventions share."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group

from billing.models import Escrow, Intervention
from billing.services import interventions
from jobs.models import Activity, Job, Notification, Person
from tests.factories import PersonFactory

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ASKED_HOW = "by phone on 10 March, called back on the number on file"
REASON = "The caller could not sign in."
AT = NOON + DAY
LATER = AT + timedelta(hours=1)
BY_CLIENT = "By support at the request of the Client, Clara Client, asked " + ASKED_HOW + "."
BY_FREELANCER = BY_CLIENT.replace("Client, Clara Client", "Freelancer, Frank Freelancer")


def agent_in(group: str, name: str) -> Person:
    person = PersonFactory(name=name, email=f"{name.lower()}@desk.example", is_staff=True)
    person.groups.add(Group.objects.get(name=group))
    return person


def propose(
    job: Job,
    kind: str,
    by: Person,
    *,
    asked_by: Person | None,
    at: datetime = AT,
    **more: Any,
) -> Intervention:
    """What the party asked for, about the first Milestone; without a party an error of ours."""
    asked = {"asked_by": asked_by, "asked_how": ASKED_HOW} if asked_by else {}
    return interventions.propose(
        job.pk,
        kind=kind,
        basis="party_request" if asked_by else "platform_error",
        reason=REASON,
        by=by,
        at=at,
        **{"number": None if kind == "reactivate" else 1, **asked, **more},
    )


def escrow_of(job: Job, number: int = 1) -> Escrow:
    return Escrow.objects.get(job=job, number=number)


def row(job: Job) -> Job:
    return Job.objects.select_related("client", "freelancer", "policy").get(pk=job.pk)


def told(kind: str) -> list[Person | None]:
    """Who got the notice of the newest line of this kind."""
    line = Activity.objects.filter(kind=kind).latest("pk")
    return [one.person for one in Notification.objects.filter(activity=line).order_by("person_id")]


def kinds_told() -> set[str]:
    return set(
        Notification.objects.filter(activity__happened_at__gte=AT).values_list(
            "activity__kind", flat=True
        )
    )


def openings(job: Job, by: Person) -> dict[str, list[int]]:
    rows = Escrow.objects.of(job).prefetch_related("release_requests", "disputes__opened_by")
    escrows = list(rows)
    for escrow in escrows:
        escrow.job = row(job)
        for one in [*escrow.release_requests.all(), *escrow.disputes.all()]:
            one.job, one.escrow = escrow.job, escrow
    found = interventions.openings(row(job), escrows, by=by, at=AT)
    return {one.kind: [escrow.number for escrow in one.escrows] for one in found}
