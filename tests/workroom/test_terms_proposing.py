"""The page on which changed Terms are sent: what is typed stays until they are (R2)."""

import pytest

from escrow_site.lib import timing
from tests.workroom.agreements import (
    awarded,
    hourly_draft,
)
from tests.workroom.terms_steps import address, counter, signed_in, typed
from tests.world import world
from workroom.models import Terms
from workroom.services import awards


@pytest.fixture
def now():
    return timing.now()


def test_the_form_begins_with_the_version_that_stands(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now, message="Hello Frank")

    response = signed_in(freelancer).get(address("propose_terms", job.pk))

    page = response.content.decode()
    assert '<input type="hidden" name="answering" value="1"' in page
    assert 'value="Design"' in page
    assert "Hello Frank" not in page


def test_changed_terms_are_sent(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    data = typed(
        {"title": "Design", "amount": "450", "number": "1"},
        {"title": "Deposit", "amount": "100", "place": "1"},
        message="Deposit first",
    )

    response = signed_in(freelancer).post(address("propose_terms", job.pk), data, follow=True)

    assert "Terms 2 are sent." in response.content.decode()
    new = Terms.objects.get(job=job, version=2)
    assert (new.state, new.proposed_by, new.message) == ("proposed", freelancer, "Deposit first")
    assert list(
        new.milestones.order_by("position").values_list("number", "title", "amount_minor")
    ) == [(3, "Deposit", 100_00), (1, "Design", 450_00)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (typed(), "A fixed-price Job needs at least one Milestone."),
        (typed({"title": "New", "amount": "5"}, scope=""), "Scope: This field is required."),
        (typed({"title": "New", "amount": "5"}, answering="2"), "Terms 1 have come since"),
        (typed({"title": "New", "amount": "5"}, answering="x"), "Enter a whole number."),
        (typed({"title": "New", "amount": "5"}, answering="9" * 30), "Ensure this value is less"),
        (
            typed({"title": "New", "amount": "5", "number": "77"}),
            "A Milestone that you sent is none of this Job",
        ),
        (
            typed({"title": "New", "amount": "5", "number": "x"}),
            "This row did not arrive whole. Please open the page again.",
        ),
        (typed({"title": "New", "amount": "5.001"}), "USD has 2 decimals at most."),
        ({}, "This field is required."),
    ],
)
def test_what_cannot_be_proposed_stays_on_the_page(client_person, freelancer, data, message, now):
    job = awarded(client_person, freelancer.email, at=now)
    before = world()

    response = signed_in(freelancer).post(address("propose_terms", job.pk), data)

    assert response.status_code == 200
    assert message in response.content.decode()
    if "scope" in data and data["milestones-TOTAL_FORMS"] == "1":
        assert 'value="New"' in response.content.decode()
    assert world() == before


def test_all_that_is_wrong_with_a_proposal_is_said_at_once(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    data = typed(
        {"title": "", "amount": "5", "due_on": "2026-05-01"},
        {"title": "Build", "amount": "2000000", "due_on": "1999-12-31"},
        scope="",
        ends_on="2026-04-30",
    )
    before = world()

    page = signed_in(freelancer).post(address("propose_terms", job.pk), data).content.decode()

    for message in (
        "Scope: This field is required.",
        "Milestone 1, Milestone: This field is required.",
        "Milestone 1, Due: “This Milestone” is due after the end of the timeline.",
        "Milestone 2, Due: Dates can lie between 2000 and 2099.",
        "Milestone 2, Amount: “Build”: the most that one amount can be is $1,000,000.00.",
    ):
        assert message in page
    assert world() == before


def test_another_row_in_a_proposal_keeps_the_version_that_was_seen(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)

    response = signed_in(freelancer).post(
        address("propose_terms", job.pk),
        typed({"title": "Design", "amount": "4", "number": "1"}, add_row="1", scope=""),
    )

    page = response.content.decode()
    assert '<input type="hidden" name="answering" value="1"' in page
    assert 'name="milestones-0-number" value="1"' in page
    assert 'name="milestones-1-title"' in page
    assert "error-summary" not in page


def test_terms_of_an_hourly_job_have_no_milestones(client_person, freelancer, now):
    job = awards.award(
        hourly_draft(client_person, at=now), by=client_person, email=freelancer.email, at=now
    )
    browser = signed_in(freelancer)
    assert "Add another" not in browser.get(address("propose_terms", job.pk)).content.decode()

    browser.post(address("propose_terms", job.pk), typed({"title": "Sneaky", "amount": "5"}))

    new = Terms.objects.get(job=job, version=2)
    assert (new.scope, new.milestones.count()) == ("Pages", 0)
    for name in ("terms", "job"):
        assert browser.get(address(name, job.pk)).status_code == 200
    assert browser.get(address("terms_version", job.pk, 2)).status_code == 200
    page = signed_in(client_person).get(address("accept_terms", job.pk, 2)).content.decode()
    assert "It is paid by the hour" in page


@pytest.mark.parametrize("ended", ["withdrawn", "replaced"])
def test_a_proposal_that_comes_too_late_stays_typed(client_person, freelancer, now, ended):
    job = awarded(client_person, freelancer.email, at=now)
    browser = signed_in(freelancer)
    if ended == "withdrawn":
        awards.withdraw_award(job, by=client_person, at=now)
        message = "This Job is withdrawn: its Terms stay"
    else:
        counter(job, client_person, at=now, scope="Newer")
        message = "Terms 2 have come since you opened this page. Look at them first."
    before = world()

    response = browser.post(
        address("propose_terms", job.pk),
        typed({"title": "Sketches", "amount": "77"}, message="All that I typed"),
    )

    page = response.content.decode()
    assert response.status_code == 200
    assert message in page
    assert 'value="Sketches"' in page
    assert "All that I typed</textarea>" in page
    assert ('<button class="button primary">Send these Terms' in page) == (ended == "replaced")
    assert ("See the Terms</a>" in page) == (ended == "withdrawn")
    assert world() == before
