"""One version of the Terms: what it must keep to, and writing it with its Milestones (R2, R13).

Used by drafts and by proposals; who may propose what is decided there.
"""

from collections.abc import Iterable
from datetime import date

from django.db import models
from django.db.models import Max

from escrow_site.lib import money
from escrow_site.lib.refusals import Refusal
from jobs.models import Job, Person
from workroom.models import Milestone, Terms
from workroom.proposals import MilestoneInput, TermsInput

MILESTONES_AT_MOST = 50
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2099, 12, 31)


class UnfitProposal(Refusal):
    """What is proposed cannot be agreed on: wrong amount, wrong date, over-long text (R13)."""


def refuse_unfit(job: Job, terms: TermsInput) -> Refusal | None:
    """What every version keeps to, a draft as well."""
    if terms.milestones and (refusal := refuse_milestones(job)):
        return refusal
    if len(terms.milestones) > MILESTONES_AT_MOST:
        return UnfitProposal(f"One Job can have {MILESTONES_AT_MOST} Milestones at most.")
    numbers = [one.number for one in terms.milestones if one.number is not None]
    if len(numbers) != len(set(numbers)):
        return UnfitProposal("The same Milestone is named twice.")
    return _refuse_dates(terms) or next(
        filter(None, (_refuse_milestone(job, terms, one) for one in terms.milestones)), None
    )


def refuse_milestones(job: Job) -> Refusal | None:
    if job.kind == Job.Kind.HOURLY:
        return UnfitProposal(
            "An hourly Job has no Milestones: it is paid by the hour. Remove them, or make it a "
            "fixed-price Job."
        )
    return None


def refuse_incomplete(job: Job, terms: TermsInput) -> Refusal | None:
    """What a version needs before the other side may see it."""
    if not terms.scope:
        return UnfitProposal("Describe the scope: what is delivered, and what is not included.")
    if job.kind == Job.Kind.FIXED_PRICE and not terms.milestones:
        return UnfitProposal(
            "A fixed-price Job needs at least one Milestone. A deposit is the first Milestone."
        )
    return None


def refuse_text(row: models.Model) -> Refusal | None:
    """Text that the row's columns cannot hold."""
    for field in row._meta.concrete_fields:
        value = getattr(row, field.attname)
        if not isinstance(value, str):
            continue
        name = str(field.verbose_name).capitalize()
        if "\x00" in value:
            return UnfitProposal(f"{name} has a character in it that cannot be stored.")
        if field.max_length and len(value) > field.max_length:
            return UnfitProposal(f"{name} can be {field.max_length:,} characters at most.")
    return None


def _refuse_dates(terms: TermsInput) -> Refusal | None:
    days = [terms.starts_on, terms.ends_on, *(one.due_on for one in terms.milestones)]
    return next(filter(None, map(refuse_day, days)), None) or refuse_period(
        starts_on=terms.starts_on, ends_on=terms.ends_on
    )


def _refuse_milestone(job: Job, terms: TermsInput, milestone: MilestoneInput) -> Refusal | None:
    title = milestone.title
    if not title:
        return UnfitProposal("Every Milestone needs a title.")
    return refuse_amount(job, milestone.amount_minor, title=title) or refuse_due_after(
        terms.ends_on, due_on=milestone.due_on, title=title
    )


# Each of these judges one value, so that a form can say all that is wrong at once, each in its place.


def refuse_day(on: date | None) -> Refusal | None:
    if on is None or FIRST_DAY <= on <= LAST_DAY:
        return None
    return UnfitProposal(f"Dates can lie between {FIRST_DAY.year} and {LAST_DAY.year}.")


def refuse_period(*, starts_on: date | None, ends_on: date | None) -> Refusal | None:
    if starts_on and ends_on and ends_on < starts_on:
        return UnfitProposal("The end is before the start.")
    return None


def refuse_amount(job: Job, amount_minor: int, *, title: str) -> Refusal | None:
    if amount_minor <= 0:
        return UnfitProposal(f"“{title}”: the amount must be above zero.")
    if amount_minor > job.largest_amount_minor:
        most = money.display(job.largest_amount_minor, job.currency)
        return UnfitProposal(f"“{title}”: the most that one amount can be is {most}.")
    return None


def refuse_due_after(ends_on: date | None, *, due_on: date | None, title: str) -> Refusal | None:
    if due_on and ends_on and due_on > ends_on:
        return UnfitProposal(
            f"“{title}” is due after the end of the timeline. Move the Milestone or the end, or "
            "leave the end open."
        )
    return None


def write_version(job: Job, terms: TermsInput, *, by: Person, version: int) -> Terms:
    """Insert a tidied version as a draft, with its Milestones; the caller has locked the Job.

    Raises UnfitProposal when a text is too long.
    """
    row = Terms(
        job=job,
        version=version,
        proposed_by=by,
        scope=terms.scope,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        message=terms.message,
    )
    if refusal := refuse_text(row):
        raise refusal
    row.save(force_insert=True)
    write_milestones(row, terms.milestones, highest=_highest_number(job))
    return row


def write_milestones(terms: Terms, milestones: Iterable[MilestoneInput], *, highest: int) -> None:
    """Insert the Milestones in their order; a new one gets a number above ``highest``."""
    rows = []
    for position, milestone in enumerate(milestones, start=1):
        number = milestone.number
        if number is None:
            highest += 1
            number = highest
        rows.append(
            Milestone(
                terms=terms,
                number=number,
                position=position,
                title=milestone.title,
                description=milestone.description,
                due_on=milestone.due_on,
                amount_minor=milestone.amount_minor,
            )
        )
        if refusal := refuse_text(rows[-1]):
            raise refusal
    Milestone.objects.bulk_create(rows)


def numbers_in_use(job: Job) -> set[int]:
    """The numbers that Milestones of this Job ever had."""
    return set(Milestone.objects.filter(terms__job=job).values_list("number", flat=True))


def gone_from(agreed: Terms) -> set[int]:
    """The numbers of Milestones that were agreed once and are not in the agreed version any more."""
    once = Milestone.objects.filter(terms__job=agreed.job_id, escrow__isnull=False)
    return set(
        once.exclude(number__in=agreed.milestones.values("number")).values_list("number", flat=True)
    )


def _highest_number(job: Job) -> int:
    """Over all versions: a number is never used again."""
    return Milestone.objects.filter(terms__job=job).aggregate(highest=Max("number"))["highest"] or 0
