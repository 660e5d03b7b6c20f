"""Pairs of a Client and a Freelancer with Jobs between them, made by the services."""

from datetime import datetime, timedelta
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.hashers import make_password

from billing.services import cards
from escrow_site.lib import timing
from jobs.models import Job, Person
from workroom.proposals import JobDetails, MilestoneInput, TermsInput
from workroom.services import awards, drafts, terms

PASSWORD = "a-password-of-the-load-run"
CARD = "4242424242424242"
JOBS_A_PAIR = 4
MILESTONES = 8
AMOUNT_MINOR = 100_00


def make(people: int) -> list[dict[str, Any]]:
    """What each of them knows of himself: how to sign in, and his Jobs."""
    at = timing.now()
    kept = make_password(PASSWORD)
    cast: list[dict[str, Any]] = []
    for pair in range((people + 1) // 2):
        client = person(f"client{pair}@load.example", f"Client {pair}", kept)
        freelancer = person(f"freelancer{pair}@load.example", f"Freelancer {pair}", kept)
        month_end = (at + timedelta(days=900)).date().replace(day=28)
        cards.add_card(by=client, number=CARD, expires_on=month_end, at=at)
        jobs = [job(client, freelancer, number, at=at).pk for number in range(JOBS_A_PAIR)]
        for one, role in ((client, "client"), (freelancer, "freelancer")):
            cast.append(
                {"email": one.email, "id": one.pk, "password": PASSWORD, "role": role, "jobs": jobs}
            )
    return cast[:people]


def person(email: str, name: str, password: str) -> Person:
    made = Person.objects.create(
        email=email, name=name, password=password, time_zone="UTC", billing_address="1 Main Street"
    )
    EmailAddress.objects.create(user=made, email=email, verified=True, primary=True)
    return made


def job(client: Person, freelancer: Person, number: int, *, at: datetime) -> Job:
    """Agreed, and nothing funded yet."""
    last = (at + timedelta(days=60)).date()
    wanted = TermsInput(
        scope="Whatever is asked for",
        starts_on=at.date(),
        ends_on=last,
        milestones=tuple(
            MilestoneInput(title=f"Part {part}", amount_minor=AMOUNT_MINOR * part, due_on=last)
            for part in range(1, MILESTONES + 1)
        ),
    )
    details = JobDetails(title=f"Job {number} of {client.name}", description="Under load")
    draft = drafts.start_draft(by=client, details=details, terms=wanted, at=at)
    awarded = awards.award(draft, by=client, email=freelancer.email, at=at)
    terms.accept(awarded, by=freelancer, version=1, at=at)
    return awarded
