"""Drafts: a Job before its award, seen by its Client alone (R1.1).

A draft has no history: nobody else has seen it, and it may be thrown away. The award is in awards.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction

from billing.services import catching_up
from escrow_site.lib import money
from escrow_site.lib.refusals import Refusal, WrongParty, WrongState, refuse_if
from jobs.models import Job, Person
from jobs.services.accounts import refuse_locked
from workroom.models import Milestone, Terms
from workroom.proposals import JobDetails, TermsInput, tidy
from workroom.services import versions
from workroom.services.versions import UnfitProposal

FIRST_VERSION = 1
SECOND_CLICK = timedelta(minutes=1)


def start_draft(*, by: Person, details: JobDetails, terms: TermsInput, at: datetime) -> Job:
    """Open a Job as its Client, with Terms 1 as a draft; nobody is told (R1.1).

    It may be incomplete: what the Freelancer must see is asked for at the award. Raises
    UnfitProposal.
    """
    terms = _numbered_afresh(terms.tidied())
    job = Job(client=by, drafted_at=at)
    _fill(job, details)
    refuse_if(refuse_locked(by))
    refuse_if(_refuse_details(job) or versions.refuse_unfit(job, terms))
    with transaction.atomic():
        job.save(force_insert=True)
        versions.write_version(job, terms, by=by, version=FIRST_VERSION)
    return job


def start_draft_once(*, by: Person, details: JobDetails, terms: TermsInput, at: datetime) -> Job:
    """As start_draft; the same draft sent again within a minute is a second click: one is made.

    Locks the person, so that of two clicks at once the later one finds what the other has made.
    """
    with transaction.atomic():
        Person.objects.select_for_update(no_key=True).get(pk=by.pk)
        same = _draft_of_first_click(by=by, details=details, terms=terms, at=at)
        return same or start_draft(by=by, details=details, terms=terms, at=at)


def _draft_of_first_click(
    *, by: Person, details: JobDetails, terms: TermsInput, at: datetime
) -> Job | None:
    """The draft that says all of it, if it was made just now."""
    terms = _numbered_afresh(terms.tidied())
    drafts = Terms.objects.filter(
        job__in=Job.objects.filter(
            client=by,
            state=Job.State.DRAFT,
            drafted_at__gt=at - SECOND_CLICK,
            **_fill(Job(), details),
        )
    )
    found = drafts.select_related("job").prefetch_related("milestones")
    same = (row.job for row in found if _numbered_afresh(TermsInput.of(row)) == terms)
    return next(same, None)


def may_edit_draft(job: Job, *, by: Person, at: datetime) -> Refusal | None:
    """The Client changes or discards his Job until it is awarded."""
    if job.role_of(by) != "client":
        return WrongParty("Only the Client can change this Job.")
    if job.state != Job.State.DRAFT:
        return WrongState(
            "This Job has been awarded: it is no draft any more. Its Terms are changed by proposal."
        )
    return refuse_locked(by)


def save_draft(
    job: Job, *, by: Person, details: JobDetails, terms: TermsInput, at: datetime
) -> Job:
    """Put the given details and Terms in place of the draft's.

    Locks the Job. Raises Refusal when may_edit_draft refuses, UnfitProposal for what cannot be.
    """
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_edit_draft(job, by=by, at=at))
        terms = _numbered_afresh(terms.tidied())
        changed = _fill(job, details)
        refuse_if(_refuse_details(job) or versions.refuse_unfit(job, terms))
        Job.objects.filter(pk=job.pk).update(**changed)
        _delete_terms(job)
        versions.write_version(job, terms, by=by, version=FIRST_VERSION)
    return job


def discard_draft(job: Job, *, by: Person, at: datetime) -> None:
    """Delete a draft for good. Locks the Job; raises Refusal when may_edit_draft refuses."""
    with catching_up.locked_job(job.pk, at=at) as job:
        refuse_if(may_edit_draft(job, by=by, at=at))
        _delete_terms(job)
        job.delete()


def _fill(job: Job, details: JobDetails) -> dict[str, object]:
    """Set the details on the row in memory; returns the columns."""
    columns: dict[str, object] = {
        "title": details.title.strip(),
        "description": tidy(details.description),
        "kind": details.kind,
        "currency": details.currency,
        "hourly_rate_minor": details.hourly_rate_minor,
    }
    for name, value in columns.items():
        setattr(job, name, value)
    return columns


def _refuse_details(job: Job) -> Refusal | None:
    if not job.title:
        return UnfitProposal("Give the Job a title.")
    if job.kind not in Job.Kind.values or job.currency not in money.CURRENCIES:
        return UnfitProposal("Choose fixed price or hourly, and a currency from the list.")
    return refuse_rate(job) or versions.refuse_text(job)


def refuse_rate(job: Job) -> Refusal | None:
    """An hourly Job has a rate, a fixed-price Job has none (R1.3)."""
    rate_minor = job.hourly_rate_minor
    if job.kind == Job.Kind.FIXED_PRICE and rate_minor is not None:
        return UnfitProposal(
            "A fixed-price Job has no hourly rate: leave it empty, or make it an hourly Job."
        )
    if job.kind == Job.Kind.HOURLY and (rate_minor is None or rate_minor <= 0):
        return UnfitProposal("An hourly Job needs an hourly rate.")
    if rate_minor is not None and rate_minor > job.largest_amount_minor:
        most = money.display(job.largest_amount_minor, job.currency)
        return UnfitProposal(f"The most that one amount can be is {most}.")
    return None


def _numbered_afresh(terms: TermsInput) -> TermsInput:
    """Nobody else has seen the draft's numbers, so each saving counts from 1."""
    return replace(terms, milestones=tuple(replace(one, number=None) for one in terms.milestones))


def _delete_terms(job: Job) -> None:
    Milestone.objects.filter(terms__job=job).delete()
    Terms.objects.filter(job=job).delete()
