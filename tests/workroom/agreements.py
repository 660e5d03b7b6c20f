"""Jobs on their way to agreed Terms, made by calling the services."""

from datetime import UTC, date, datetime
from typing import Any

from jobs.models import Job, Person
from workroom.proposals import JobDetails, MilestoneInput, TermsInput
from workroom.services import awards, drafts, terms

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
DESIGN = MilestoneInput(title="Design", amount_minor=500_00, due_on=date(2026, 3, 31))
BUILD = MilestoneInput(title="Build", amount_minor=1_000_00, due_on=date(2026, 4, 30))


def details(**values: Any) -> JobDetails:
    return JobDetails(**{"title": "Website", "description": "For a bakery."} | values)


def hourly_details(**values: Any) -> JobDetails:
    return details(kind="hourly", hourly_rate_minor=40_00, **values)


def terms_input(**values: Any) -> TermsInput:
    return TermsInput(
        **{
            "scope": "A website\nin two languages",
            "starts_on": date(2026, 3, 2),
            "ends_on": date(2026, 4, 30),
            "milestones": (DESIGN, BUILD),
        }
        | values
    )


def draft(client: Person, *, at: datetime = START, **values: Any) -> Job:
    return drafts.start_draft(by=client, details=details(), terms=terms_input(**values), at=at)


def hourly_draft(client: Person, *, at: datetime = START) -> Job:
    return drafts.start_draft(
        by=client, details=hourly_details(), terms=terms_input(milestones=()), at=at
    )


def awarded(client: Person, email: str, *, at: datetime = START, **values: Any) -> Job:
    return awards.award(draft(client, at=at, **values), by=client, email=email, at=at)


def agreed(client: Person, freelancer: Person, *, at: datetime = START, **values: Any) -> Job:
    job = awarded(client, freelancer.email, at=at, **values)
    terms.accept(job, by=freelancer, version=1, at=at)
    return Job.objects.get(pk=job.pk)
