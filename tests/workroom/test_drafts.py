"""Drafts: written, changed and thrown away by their Client, unseen by everybody else (R1.1)."""

from dataclasses import replace
from datetime import date

import pytest

from escrow_site.lib.refusals import Refusal
from jobs.models import Activity, Job
from tests.workroom.agreements import (
    BUILD,
    DESIGN,
    START,
    awarded,
    details,
    draft,
    hourly_details,
    terms_input,
)
from tests.world import world
from workroom.models import Milestone, Terms
from workroom.services import drafts


def test_a_draft_has_terms_1_and_its_milestones_and_no_history(client_person):
    job = draft(client_person)

    job = Job.objects.get(pk=job.pk)
    terms = Terms.objects.get(job=job)
    assert (job.state, job.client, job.freelancer, job.drafted_at) == (
        "draft", client_person, None, START,
    )  # fmt: skip
    assert (terms.version, terms.state, terms.proposed_by) == (1, "draft", client_person)
    assert list(
        terms.milestones.order_by("position").values_list(
            "number", "position", "title", "amount_minor", "due_on"
        )
    ) == [
        (1, 1, "Design", 500_00, date(2026, 3, 31)),
        (2, 2, "Build", 1_000_00, date(2026, 4, 30)),
    ]
    assert Activity.objects.count() == 0


def test_an_hourly_draft_has_a_rate_and_no_milestones(client_person):
    job = drafts.start_draft(
        by=client_person, details=hourly_details(), terms=terms_input(milestones=()), at=START
    )

    assert (job.kind, job.hourly_rate_minor) == ("hourly", 40_00)
    assert Milestone.objects.count() == 0


def test_a_draft_may_be_incomplete(client_person):
    job = draft(client_person, scope="", milestones=())

    assert Terms.objects.get(job=job).scope == ""
    assert Milestone.objects.count() == 0


NO_CHOICE = "Choose fixed price or hourly, and a currency from the list."
RATE_NOT_WANTED = "A fixed-price Job has no hourly rate: leave it empty, or make it an hourly Job."
NO_MILESTONES = (
    "An hourly Job has no Milestones: it is paid by the hour. Remove them, or "
    "make it a fixed-price Job."
)
DUE_TOO_LATE = (
    "“Build” is due after the end of the timeline. Move the Milestone or the "
    "end, or leave the end open."
)
RATE_TOO_HIGH = "The most that one amount can be is $1,000,000.00."
UNFIT = [
    (details(title=" "), terms_input(), "Give the Job a title."),
    (details(title="x" * 121), terms_input(), "Title can be 120 characters at most."),
    (
        details(description="a\x00b"),
        terms_input(),
        "Description has a character in it that cannot be stored.",
    ),
    (details(kind="barter"), terms_input(), NO_CHOICE),
    (details(currency="XXX"), terms_input(), NO_CHOICE),
    (details(hourly_rate_minor=5), terms_input(), RATE_NOT_WANTED),
    (details(kind="hourly"), terms_input(milestones=()), "An hourly Job needs an hourly rate."),
    (hourly_details(), terms_input(), NO_MILESTONES),
    (
        details(kind="hourly", hourly_rate_minor=100_000_001),
        terms_input(milestones=()),
        RATE_TOO_HIGH,
    ),
    (details(), terms_input(scope="x" * 10_001), "Scope can be 10,000 characters at most."),
    (
        details(),
        terms_input(milestones=(replace(DESIGN, title=" "),)),
        "Every Milestone needs a title.",
    ),
    (
        details(),
        terms_input(milestones=(replace(DESIGN, amount_minor=0),)),
        "“Design”: the amount must be above zero.",
    ),
    (
        details(),
        terms_input(milestones=(replace(DESIGN, amount_minor=100_000_001),)),
        "“Design”: the most that one amount can be is $1,000,000.00.",
    ),
    (
        details(currency="JPY"),
        terms_input(milestones=(replace(DESIGN, amount_minor=1_000_001),)),
        "“Design”: the most that one amount can be is ¥1,000,000.",
    ),
    (details(), terms_input(milestones=(DESIGN,) * 51), "One Job can have 50 Milestones at most."),
    (details(), terms_input(ends_on=date(2026, 3, 1)), "The end is before the start."),
    (details(), terms_input(ends_on=date(2026, 4, 29)), DUE_TOO_LATE),
    (details(), terms_input(starts_on=date(1999, 12, 31)), "Dates can lie between 2000 and 2099."),
    (
        details(),
        terms_input(milestones=(replace(DESIGN, due_on=date(2100, 1, 1)),)),
        "Dates can lie between 2000 and 2099.",
    ),
]


@pytest.mark.parametrize(("job_details", "terms", "message"), UNFIT)
def test_what_cannot_be_is_refused(client_person, job_details, terms, message):
    before = world()

    with pytest.raises(Refusal) as refusal:
        drafts.start_draft(by=client_person, details=job_details, terms=terms, at=START)

    assert refusal.value.message == message
    assert world() == before


@pytest.mark.parametrize(("job_details", "terms", "message"), UNFIT)
def test_what_cannot_be_is_refused_when_a_draft_is_changed(
    client_person, job_details, terms, message
):
    job = draft(client_person)
    before = world()

    with pytest.raises(Refusal) as refusal:
        drafts.save_draft(job, by=client_person, details=job_details, terms=terms, at=START)

    assert refusal.value.message == message
    assert world() == before


def test_saving_replaces_details_and_terms(client_person):
    job = draft(client_person)

    drafts.save_draft(
        job,
        by=client_person,
        details=details(title="Shop", currency="EUR"),
        terms=terms_input(scope="A shop", ends_on=None, milestones=(BUILD,)),
        at=START,
    )

    job.refresh_from_db(fields=["title", "currency"])
    terms = Terms.objects.get(job=job)
    assert (job.title, job.currency) == ("Shop", "EUR")
    assert (terms.version, terms.scope, terms.open_ended) == (1, "A shop", True)
    assert list(terms.milestones.values_list("number", "title")) == [(1, "Build")]


def test_only_the_client_changes_or_discards_a_draft(client_person, stranger):
    job = draft(client_person)
    before = world()

    for attempt in (
        lambda: drafts.save_draft(
            job, by=stranger, details=details(), terms=terms_input(), at=START
        ),
        lambda: drafts.discard_draft(job, by=stranger, at=START),
    ):
        with pytest.raises(Refusal) as refusal:
            attempt()
        assert refusal.value.message == "Only the Client can change this Job."
    assert world() == before


def test_an_awarded_job_is_no_draft_any_more(client_person, freelancer):
    job = awarded(client_person, freelancer.email)
    before = world()

    for attempt in (
        lambda: drafts.save_draft(
            job, by=client_person, details=details(), terms=terms_input(), at=START
        ),
        lambda: drafts.discard_draft(job, by=client_person, at=START),
    ):
        with pytest.raises(Refusal) as refusal:
            attempt()
        assert refusal.value.message == (
            "This Job has been awarded: it is no draft any more. Its Terms are changed by proposal."
        )
    assert world() == before


def test_discarding_leaves_nothing(client_person):
    job = draft(client_person)

    drafts.discard_draft(job, by=client_person, at=START)

    assert (Job.objects.count(), Terms.objects.count(), Milestone.objects.count()) == (0, 0, 0)
