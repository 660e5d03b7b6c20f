"""Pages of the Terms: the tab, every version, versions beside each other (R2.4, R2.6)."""

import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from escrow_site.lib import timing
from jobs.models import Job
from tests.workroom.agreements import (
    BUILD,
    DESIGN,
    agreed,
    awarded,
)
from tests.workroom.terms_steps import address, counter, signed_in
from workroom.models import Terms
from workroom.proposals import MilestoneInput
from workroom.selectors import terms as reading
from workroom.services import terms

DEPOSIT = MilestoneInput(title="Deposit", amount_minor=200_00)


@pytest.fixture
def now():
    return timing.now()


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


def test_the_agreed_version_is_what_a_later_one_is_measured_against(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now)
    versions = list(reading.seen_versions(job))
    later = Terms(job=job, version=9, starts_on=date(2026, 1, 1))

    assert reading.version_before(later, versions) == versions[0]


def test_what_was_agreed_is_what_took_its_place_is_measured_against(client_person, freelancer, now):
    """For both sides, whatever either proposed in between (R2.4)."""
    job = agreed(client_person, freelancer, at=now)
    counter(job, freelancer, at=now, scope="Second")
    counter(job, client_person, at=now, answering=2, scope="Third")
    terms.accept(job, by=freelancer, version=3, at=now)
    third, _, first = reading.seen_versions(job)

    assert [one.was_agreed for one in reading.seen_versions(job)] == [True, False, True]
    for reader in (client_person, freelancer, None):
        assert reading.version_before(third, reading.seen_versions(job), reader) == first


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
    assert Job.objects.get(pk=job.pk).state == "expired"


def test_all_versions_stay_readable_when_the_job_runs(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    counter(job, freelancer, at=now, scope="Second")
    terms.accept(job, by=client_person, version=2, at=now)

    page = signed_in(freelancer).get(address("terms", job.pk)).content.decode()

    assert [one.state for one in reading.seen_versions(job)] == ["agreed", "superseded"]
    assert address("terms_version", job.pk, 1) in page
    assert address("propose_terms", job.pk) in page


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
