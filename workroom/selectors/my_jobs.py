"""The list of a person's Jobs: one query for the page, one for its money, one for its Terms."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Greatest, Lower

from billing.models import Escrow, FundingRequest, ReleaseRequest
from jobs.models import Job, Person
from workroom.models import Terms
from workroom.selectors.terms import with_totals

SORTS = {
    "activity": F("last_at").asc(),
    "-activity": F("last_at").desc(),
    "title": Lower("title").asc(),
    "-title": Lower("title").desc(),
    "state": F("state").asc(),
    "-state": F("state").desc(),
}
FIRST_SORT = "-activity"


@dataclass(frozen=True, kw_only=True)
class JobRow:
    """One line of the list; amounts in minor units, None where there is none yet."""

    job: Job
    is_client: bool
    other: str
    note: str
    last_at: datetime
    total_minor: int | None
    held_minor: int | None
    released_minor: int | None


def find(
    person: Person, *, role: str = "", state: str = "", words: str = "", sort: str = ""
) -> QuerySet[Job]:
    """The person's Jobs that meet the filters; ``last_at`` is when something last happened."""
    jobs = Job.objects.seen_by(person).select_related("client", "freelancer")
    if role == "client":
        jobs = jobs.filter(client=person)
    if role == "freelancer":
        jobs = jobs.filter(freelancer=person)
    if state:
        jobs = jobs.filter(state=state)
    for word in words.split():
        jobs = jobs.filter(
            Q(title__icontains=word)
            | Q(client__name__icontains=word)
            | Q(freelancer__name__icontains=word)
            | Q(freelancer_email__icontains=word)
        )
    last_at = Greatest("drafted_at", "awarded_at", "last_activity_at", "ended_at")
    asked = FundingRequest.objects.filter(escrow__job=OuterRef("pk"), closed_at__isnull=True)
    requested = ReleaseRequest.objects.unanswered().filter(job=OuterRef("pk"))
    return jobs.annotate(
        last_at=last_at, funding_is_requested=Exists(asked), release_is_requested=Exists(requested)
    ).order_by(SORTS.get(sort, SORTS[FIRST_SORT]), "-pk")


def rows(jobs: Iterable[Job], person: Person, *, at: datetime) -> list[JobRow]:
    """The Jobs of one page with their money and whose turn it is."""
    jobs = list(jobs)
    money = _escrow_totals(jobs)
    terms = _newest_terms([job for job in jobs if job.activated_at is None])
    return [
        JobRow(
            job=job,
            is_client=job.client_id == person.pk,
            other=str(job.other_party(person) or job.freelancer_email),
            note=_note(job, terms.get(job.pk), person, at=at),
            last_at=job.last_at,  # type: ignore[attr-defined]
            **_amounts(job, money.get(job.pk), terms.get(job.pk)),
        )
        for job in jobs
    ]


def _escrow_totals(jobs: list[Job]) -> dict[int, Any]:
    sums = (
        Escrow.objects.agreed()
        .filter(job__in=jobs)
        .values("job_id")
        .annotate(
            total=Sum("amount_minor"),
            held=Sum(F("funded_minor") - F("released_minor") - F("refunded_minor")),
            released=Sum("released_minor"),
        )
    )
    return {row["job_id"]: row for row in sums}


def _newest_terms(jobs: list[Job]) -> dict[int, Terms]:
    newest = (
        with_totals(Terms.objects.filter(job__in=jobs))
        .order_by("job_id", "-version")
        .distinct("job_id")
    )
    return {terms.job_id: terms for terms in newest}


def _amounts(job: Job, money: Any, terms: Terms | None) -> dict[str, int | None]:
    if job.kind == Job.Kind.HOURLY:
        return {"total_minor": None, "held_minor": None, "released_minor": None}
    if money is not None:
        return {
            "total_minor": money["total"],
            "held_minor": money["held"],
            "released_minor": money["released"],
        }
    proposed_minor = terms.total_minor if terms else 0  # type: ignore[attr-defined]
    return {"total_minor": proposed_minor, "held_minor": None, "released_minor": None}


def _note(job: Any, terms: Terms | None, person: Person, *, at: datetime) -> str:
    """What waits for an answer."""
    if job.is_running:
        if job.release_is_requested:
            return "Release requested"
        return "Funding requested" if job.funding_is_requested else ""
    if job.state != Job.State.AWARDED or terms is None:
        return ""
    terms.job = job
    if terms.state != Terms.State.PROPOSED:
        return "No open proposal"
    if terms.has_lapsed(at=at):
        return "Not answered in time"
    if terms.proposed_by_id != person.pk:
        return "Waits for your answer"
    return "Waits for their answer" if job.freelancer_id else "Invited, no account yet"
