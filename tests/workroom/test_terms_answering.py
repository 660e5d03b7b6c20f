"""Pages on which Terms are accepted, declined and withdrawn: never those of an old page (R2)."""

from dataclasses import replace
from datetime import date

import pytest

from escrow_site.lib import timing
from jobs.models import Job
from tests.workroom.agreements import (
    BUILD,
    DESIGN,
    awarded,
    draft,
)
from tests.workroom.terms_steps import address, counter, signed_in
from tests.world import world
from workroom.models import Terms
from workroom.services import awards, terms


@pytest.fixture
def now():
    return timing.now()


# Accepting


def test_before_accepting_the_reader_sees_what_it_does_to_the_money(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)

    page = signed_in(freelancer).get(address("accept_terms", job.pk, 1)).content.decode()

    assert "$1,500.00" in page
    assert "$1,368.75" in page
    assert "fund the first Milestone, “Design” ($500.00)" in page
    assert Job.objects.get(pk=job.pk).state == "awarded"


def test_a_date_that_is_past_is_said_until_the_terms_are_agreed(client_person, freelancer, now):
    past = replace(DESIGN, due_on=date(2020, 1, 1))
    today = replace(BUILD, due_on=now.date())
    job = draft(client_person, at=now, milestones=(past, today), ends_on=None)
    said = ["“Design” is due 1 Jan 2020, which is past."]

    def past_dates(person, name, *numbers):
        response = signed_in(person).get(address(name, job.pk, *numbers))
        assert (said[0] in response.content.decode()) == bool(response.context["past_dates"])
        return response.context["past_dates"]

    assert past_dates(client_person, "award") == said
    awards.award(job, by=client_person, email=freelancer.email, at=now)
    assert past_dates(freelancer, "terms") == said
    assert past_dates(freelancer, "accept_terms", 1) == said
    terms.accept(job, by=freelancer, version=1, at=now)
    assert past_dates(freelancer, "terms") == []


def test_accepting_makes_the_job_active(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)

    response = signed_in(freelancer).post(address("accept_terms", job.pk, 1), follow=True)

    assert response.redirect_chain == [(address("job", job.pk), 302)]
    assert "Terms 1 are agreed. The Job is active." in response.content.decode()
    assert Job.objects.get(pk=job.pk).state == "active"


def test_a_page_that_has_become_old_changes_nothing(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    counter(job, client_person, at=now, scope="Quietly changed")
    before = world()

    response = signed_in(freelancer).post(address("accept_terms", job.pk, 1), follow=True)

    assert response.redirect_chain == [(address("terms", job.pk), 302)]
    assert "Terms 2 have taken the place of Terms 1" in response.content.decode()
    assert world() == before


@pytest.mark.parametrize(
    ("name", "method"),
    [("accept_terms", "get"), ("accept_terms", "post"), ("decline_terms", "get")],
)
def test_nobody_answers_his_own_terms(client_person, freelancer, name, method, now):
    job = awarded(client_person, freelancer.email, at=now)
    before = world()

    response = getattr(signed_in(client_person), method)(
        address(name, job.pk, 1), {"answer": ""}, follow=True
    )

    assert response.redirect_chain == [(address("terms", job.pk), 302)]
    assert "You proposed Terms 1 yourself" in response.content.decode()
    assert world() == before


# Declining, withdrawing


def test_declining_with_a_reason(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    browser = signed_in(freelancer)
    too_long = browser.post(address("decline_terms", job.pk, 1), {"answer": "x" * 2001})
    assert "Ensure this value has at most 2000 characters" in too_long.content.decode()

    response = browser.post(address("decline_terms", job.pk, 1), {"answer": "Too low"}, follow=True)

    page = response.content.decode()
    assert "You have declined Terms 1." in page
    assert "Too low" in page
    assert Terms.objects.get(job=job).state == "declined"


@pytest.mark.parametrize(
    ("happened", "message"),
    [
        (terms.withdraw, "Terms 1 are withdrawn already: there is nothing to answer."),
        (
            lambda job, *, by, version, at: counter(job, by, at=at, scope="Less"),
            "Terms 2 have taken the place of Terms 1 since you opened this page.",
        ),
    ],
)
def test_the_answer_to_an_old_page_stays_typed(client_person, freelancer, now, happened, message):
    job = awarded(client_person, freelancer.email, at=now)
    happened(job, by=client_person, version=1, at=now)
    before = world()

    response = signed_in(freelancer).post(
        address("decline_terms", job.pk, 1), {"answer": "All that I typed"}
    )

    page = response.content.decode()
    assert response.status_code == 200
    assert message in page
    assert "All that I typed</textarea>" in page
    assert "See the Terms</a>" in page
    assert '<button class="button danger primary">' not in page
    assert world() == before


def test_nobody_declines_his_own_terms(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    before = world()

    response = signed_in(client_person).post(address("decline_terms", job.pk, 1), {"answer": ""})

    assert "You proposed Terms 1 yourself" in response.content.decode()
    assert world() == before


def test_withdrawing(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    assert "Withdraw Terms 1?" in (
        signed_in(client_person).get(address("withdraw_terms", job.pk, 1)).content.decode()
    )
    refused = signed_in(freelancer).post(address("withdraw_terms", job.pk, 1), follow=True)
    assert "Only the person who proposed Terms 1 can withdraw them." in refused.content.decode()

    signed_in(client_person).post(address("withdraw_terms", job.pk, 1))

    assert Terms.objects.get(job=job).state == "withdrawn"
