"""Pages of the Terms: compare, propose, accept, decline, withdraw; versions beside each other (R2)."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from escrow_site.lib import timing
from jobs.models import Job
from tests.workroom.agreements import (
    BUILD,
    DESIGN,
    agreed,
    awarded,
    draft,
    hourly_draft,
    terms_input,
)
from tests.world import world
from workroom.models import Terms
from workroom.proposals import MilestoneInput
from workroom.selectors import terms as reading
from workroom.services import awards, terms

DEPOSIT = MilestoneInput(title="Deposit", amount_minor=200_00)


@pytest.fixture
def now():
    return timing.now()


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def address(name, *numbers):
    return reverse(f"workroom:{name}", args=numbers)


def counter(job, by, *, at, answering=1, **values):
    return terms.propose(job, by=by, terms=terms_input(**values), answering=answering, at=at)


def typed(*rows, **values):
    data = {
        "answering": "1", "scope": "Pages", "starts_on": "", "ends_on": "", "message": "",
        "milestones-TOTAL_FORMS": str(len(rows)), "milestones-INITIAL_FORMS": "0",
    }  # fmt: skip
    for place, row in enumerate(rows):
        for name, value in ({"place": str(place + 1), "due_on": ""} | row).items():
            data[f"milestones-{place}-{name}"] = value
    return data | values


# Comparing


def compared(old, new, job):
    return [
        (row["label"], row["old"], row["new"], row["change"])
        for row in reading.compare(old, new, job=job).rows
    ]


def test_two_versions_line_by_line(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    counter(
        job,
        freelancer,
        at=now,
        scope="A website\nin three languages",
        ends_on=None,
        milestones=(DEPOSIT, replace(DESIGN, number=1, title="Design and logo", due_on=None)),
    )
    old, new = Terms.objects.filter(job=job).order_by("version")

    assert compared(old, new, job) == [
        ("Scope", "A website", "A website", "same"),
        ("Scope, continued", "in two languages", "in three languages", "changed"),
        ("Start", "2 Mar 2026", "2 Mar 2026", "same"),
        ("End", "30 Apr 2026", "To be determined", "changed"),
        ("Order of Milestones", "Design, Build", "Deposit, Design and logo", "changed"),
        ("Deposit", None, "$200.00\nNo due date", "added"),
        (
            "Design and logo",
            "Design\n$500.00\nDue 31 Mar 2026",
            "Design and logo\n$500.00\nNo due date",
            "changed",
        ),
        ("Build", "$1,000.00\nDue 30 Apr 2026", None, "removed"),
        ("Total", "$1,500.00", "$700.00", "changed"),
    ]


def test_what_a_version_does_to_the_money(client_person, freelancer, now):
    """Fees round per Milestone: 33.33 gives 2.92 each (R14.3)."""
    part = MilestoneInput(title="Part", amount_minor=33_33)
    job = awarded(client_person, freelancer.email, at=now)
    counter(job, freelancer, at=now, milestones=(part, part))
    old, new = Terms.objects.filter(job=job).order_by("version")

    effect = reading.compare(old, new, job=job).effect

    assert (effect.amounts.gross_minor, effect.amounts.service_fee_minor) == (66_66, 5_84)
    assert (effect.amounts.net_minor, effect.change_minor) == (60_82, -1_433_34)
    assert effect.change_text == "$1,433.34 less than in Terms 1"


def test_a_version_is_shown_beside_any_other(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    counter(job, freelancer, at=now, scope="Second")
    counter(job, client_person, at=now, answering=2, scope="Third")
    browser = signed_in(freelancer)

    def beside(query=""):
        response = browser.get(address("terms_version", job.pk, 3) + query)
        return response.context["comparison"].old.version

    assert (beside(), beside("?with=1"), beside("?with=2")) == (2, 1, 2)
    assert (beside("?with=3"), beside("?with=99"), beside("?with=x%00")) == (2, 2, 2)


def test_what_was_replaced_unread_hides_no_change(client_person, freelancer, now):
    """The Client knows Terms 1; Terms 2 (+249.75) were replaced by Terms 3 (+10) meanwhile."""
    job = awarded(client_person, freelancer.email, at=now)
    dearer = replace(DESIGN, amount_minor=749_75)
    counter(job, freelancer, at=now, milestones=(dearer, BUILD))
    dearer = replace(dearer, amount_minor=759_75)
    counter(job, freelancer, at=now, answering=2, milestones=(dearer, BUILD))
    browser = signed_in(client_person)

    for name, numbers in (("terms", []), ("terms_version", [3]), ("accept_terms", [3])):
        response = browser.get(address(name, job.pk, *numbers))
        comparison = response.context["comparison"]
        assert (comparison.old.version, comparison.new.version) == (1, 3)
        assert comparison.effect.change_text == "$259.75 more than in Terms 1"
        assert "$259.75 more than in Terms 1" in response.content.decode()

    own = signed_in(freelancer).get(address("terms", job.pk)).context["comparison"]
    assert (own.old.version, own.effect.change_text) == (2, "$10.00 more than in Terms 2")


def test_the_page_of_a_version_offers_the_others(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    counter(job, freelancer, at=now, scope="Second")
    counter(job, client_person, at=now, answering=2, scope="Third")

    def offered(version):
        page = signed_in(freelancer).get(address("terms_version", job.pk, version))
        return re.findall(r'href="\?with=(\d+)"', page.content.decode())

    assert (offered(1), offered(2), offered(3)) == (["3", "2"], ["3", "1"], ["2", "1"])


def test_a_version_that_is_not_there(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    browser = signed_in(freelancer)

    for version in (0, 2, 10**30):
        for name in ("terms_version", "accept_terms", "decline_terms", "withdraw_terms"):
            assert browser.get(address(name, job.pk, version)).status_code == 404


# The tab


def test_the_tab_offers_what_may_be_done(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    of_client = signed_in(client_person).get(address("terms", job.pk)).content.decode()
    of_freelancer = signed_in(freelancer).get(address("terms", job.pk)).content.decode()

    assert address("accept_terms", job.pk, 1) in of_freelancer
    assert address("decline_terms", job.pk, 1) in of_freelancer
    assert address("withdraw_terms", job.pk, 1) not in of_freelancer
    assert address("accept_terms", job.pk, 1) not in of_client
    assert address("withdraw_terms", job.pk, 1) in of_client


def test_a_lapsed_proposal_offers_nothing(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now - timedelta(days=8))

    page = signed_in(freelancer).get(address("terms", job.pk)).content.decode()

    assert "Terms 1 have lapsed" in page
    assert address("accept_terms", job.pk, 1) not in page
    refused = signed_in(freelancer).post(address("accept_terms", job.pk, 1), follow=True)
    assert "Terms 1 lapsed on" in refused.content.decode()
    assert Job.objects.get(pk=job.pk).state == "awarded"


def test_all_versions_stay_readable_when_the_job_runs(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    counter(job, freelancer, at=now, scope="Second")
    terms.accept(job, by=client_person, version=2, at=now)

    page = signed_in(freelancer).get(address("terms", job.pk)).content.decode()

    assert [one.state for one in reading.seen_versions(job)] == ["agreed", "superseded"]
    assert address("terms_version", job.pk, 1) in page
    assert address("propose_terms", job.pk) not in page
    refused = signed_in(freelancer).get(address("propose_terms", job.pk), follow=True)
    assert "Changing the Terms of a running Job is not possible yet." in refused.content.decode()


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


# Proposing


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


@pytest.mark.parametrize("ended", ["accepted", "withdrawn"])
def test_a_proposal_that_comes_too_late_stays_typed(client_person, freelancer, now, ended):
    job = awarded(client_person, freelancer.email, at=now)
    if ended == "accepted":
        terms.accept(job, by=freelancer, version=1, at=now)
        browser, message = signed_in(client_person), "Changing the Terms of a running Job is not"
    else:
        awards.withdraw_award(job, by=client_person, at=now)
        browser, message = signed_in(freelancer), "This Job is withdrawn: its Terms stay"
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
    assert '<button class="button primary">Send these Terms' not in page
    assert "See the Terms</a>" in page
    assert world() == before


def test_withdrawing(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    assert "Withdraw Terms 1?" in (
        signed_in(client_person).get(address("withdraw_terms", job.pk, 1)).content.decode()
    )
    refused = signed_in(freelancer).post(address("withdraw_terms", job.pk, 1), follow=True)
    assert "Only who proposed Terms 1 can withdraw them." in refused.content.decode()

    signed_in(client_person).post(address("withdraw_terms", job.pk, 1))

    assert Terms.objects.get(job=job).state == "withdrawn"


def test_the_price_of_the_pages(client_person, freelancer, now, django_assert_max_num_queries):
    job = awarded(client_person, freelancer.email, at=now)
    for version in range(1, 12):
        by = (client_person, freelancer)[version % 2]
        counter(
            job, by, at=now, answering=version, scope=f"Scope {version}", milestones=(BUILD,) * 20
        )
    browser = signed_in(freelancer)
    browser.get(address("terms", job.pk))

    for name, numbers in (
        ("terms", [job.pk]),
        ("terms_version", [job.pk, 5]),
        ("propose_terms", [job.pk]),
    ):
        with django_assert_max_num_queries(8):
            assert browser.get(address(name, *numbers)).status_code == 200


def test_the_agreed_version_is_what_a_later_one_is_measured_against(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now)
    versions = list(reading.seen_versions(job))
    later = Terms(job=job, version=9, starts_on=date(2026, 1, 1))

    assert reading.version_before(later, versions) == versions[0]
