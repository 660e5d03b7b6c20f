"""My Jobs: what a person sees of his Jobs, filtered, sorted, at a constant price."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from billing.gateways.simulated_chargebacks import charge_back
from billing.models import Payment
from billing.services import disputes, payments
from billing.services.catching_up import carry_out_due
from escrow_site.lib import timing
from jobs.models import Job
from tests import scenarios
from tests.billing.banking import add_card, deliver
from tests.billing.dispute_steps import open_dispute
from tests.billing.steps import request_release
from tests.workroom.agreements import agreed, awarded, details, draft, hourly_draft, terms_input
from workroom.selectors import my_jobs
from workroom.services import awards, drafts, terms

MY_JOBS = reverse("workroom:my_jobs")


def signed_in(person):
    client = Client()
    client.force_login(person)
    return client


def rows(person, **filters):
    return my_jobs.rows(my_jobs.find(person, **filters), person, at=timing.now())


def titled(client, title, at=None):
    return drafts.start_draft(
        by=client, details=details(title=title), terms=terms_input(), at=at or timing.now()
    )


def test_nobody_without_an_account_sees_the_page(client):
    response = client.get(MY_JOBS)

    assert (response.status_code, response.url) == (302, "/accounts/login/?next=/jobs/")


def test_the_first_visit_explains_itself(client_person):
    page = signed_in(client_person).get(MY_JOBS).content.decode()

    assert "No Jobs yet" in page
    assert "when somebody awards it to clara@example.com" in page
    assert 'href="/jobs/new/"' in page


def test_a_job_is_listed_for_its_parties_only(client_person, freelancer, stranger):
    job = awarded(client_person, freelancer.email, at=timing.now())
    draft(client_person, at=timing.now())

    assert [row.job.pk for row in rows(freelancer)] == [job.pk]
    assert len(rows(client_person)) == 2
    assert rows(stranger) == []


def test_amounts_of_a_running_job(client_person, freelancer):
    job = agreed(client_person, freelancer, at=timing.now())
    scenarios.fund(job, 1, at=timing.now())

    row = rows(freelancer)[0]

    assert (row.is_client, row.other) == (False, "Clara Client")
    assert (row.total_minor, row.held_minor, row.released_minor) == (1_500_00, 500_00, 0)


def test_amounts_before_agreement_are_those_of_the_newest_terms(client_person, freelancer):
    job = awarded(client_person, freelancer.email, at=timing.now())
    terms.propose(
        job,
        by=freelancer,
        terms=terms_input(milestones=terms_input().milestones[:1]),
        answering=1,
        at=timing.now(),
    )

    row = rows(client_person)[0]

    assert (row.total_minor, row.held_minor, row.released_minor) == (500_00, None, None)


def test_what_waits_for_an_answer(client_person, freelancer):
    now = timing.now()
    invited = awarded(client_person, "new@example.com", at=now)
    proposed = awarded(client_person, freelancer.email, at=now)
    withdrawn = awarded(client_person, freelancer.email, at=now)
    terms.withdraw(withdrawn, by=client_person, version=1, at=now)
    lapsed = awarded(client_person, freelancer.email, at=now - timedelta(days=7))
    asked = agreed(client_person, freelancer, at=now)
    hourly = awards.award(
        hourly_draft(client_person, at=now), by=client_person, email=freelancer.email, at=now
    )

    assert {row.job.pk: row.note for row in rows(client_person)} == {
        invited.pk: "Invited, no account yet",
        proposed.pk: "Waits for their answer",
        withdrawn.pk: "No open proposal",
        lapsed.pk: "Not answered in time",
        asked.pk: "Funding requested",
        hourly.pk: "Waits for their answer",
    }
    assert {row.job.pk: row.note for row in rows(freelancer)}[proposed.pk] == (
        "Waits for your answer"
    )


def test_a_pending_payment_is_said(client_person, freelancer):
    now = timing.now()
    job = agreed(client_person, freelancer, at=now)
    method = add_card(client_person, "needs_authentication", at=now)
    payments.fund(job.pk, numbers=[1], method=method, by=client_person, at=now)

    for person in (client_person, freelancer):
        assert [row.note for row in rows(person)] == ["Pending"]


def test_an_overdue_request_is_said_and_toned(client_person, freelancer):
    now = timing.now()
    job = agreed(client_person, freelancer, at=now - timedelta(days=15))
    scenarios.fund(job, 1, at=now - timedelta(days=15))
    request_release(job, at=now - timedelta(days=15))
    assert [(row.note, row.is_overdue) for row in rows(freelancer)] == [
        ("Release requested", False)
    ]

    carry_out_due([job.pk], at=now)

    assert [(row.note, row.is_overdue) for row in rows(freelancer)] == [("Release requested", True)]
    page = signed_in(client_person).get(MY_JOBS).content.decode()
    assert (
        '<span class="state state-active">Active</span> <span class="state state-overdue">Overdue'
        "</span> <small>Release requested</small>" in page
    )


def test_filters(client_person, freelancer):
    mine = titled(client_person, "Logo for a bakery")
    theirs = awarded(freelancer, client_person.email, at=timing.now())

    def found(**filters):
        return [row.job.pk for row in rows(client_person, **filters)]

    assert found() == [theirs.pk, mine.pk]
    assert found(role="client") == [mine.pk]
    assert found(role="freelancer") == [theirs.pk]
    assert found(state="draft") == [mine.pk]
    assert found(words="BAKERY logo") == [mine.pk]
    assert found(words="frank") == [theirs.pk]
    assert found(words="frank bakery") == []


@pytest.mark.parametrize(
    ("sort", "titles"),
    [
        ("", ["beta", "Alpha", "gamma"]),
        ("-activity", ["beta", "Alpha", "gamma"]),
        ("activity", ["gamma", "Alpha", "beta"]),
        ("title", ["Alpha", "beta", "gamma"]),
        ("-title", ["gamma", "beta", "Alpha"]),
        ("nonsense", ["beta", "Alpha", "gamma"]),
    ],
)
def test_sorting(client_person, sort, titles):
    now = timing.now()
    titled(client_person, "gamma", now - timedelta(days=2))
    titled(client_person, "Alpha", now - timedelta(days=1))
    titled(client_person, "beta", now)

    assert [row.job.title for row in rows(client_person, sort=sort)] == titles


@pytest.mark.parametrize(
    "query",
    [
        "page=99999999999999999999",
        "page=x",
        "state=nonsense",
        "role=nonsense",
        "sort=nonsense",
        "words=%00",
        "words=" + "x" * 101,
    ],
)
def test_nonsense_in_the_address_is_no_error(client_person, query):
    draft(client_person, at=timing.now())

    response = signed_in(client_person).get(f"{MY_JOBS}?{query}")

    assert response.status_code == 200
    assert "Website" in response.content.decode()


def test_no_match_says_so(client_person):
    draft(client_person, at=timing.now())

    page = signed_in(client_person).get(f"{MY_JOBS}?words=zebra").content.decode()

    assert "No Job matches" in page


def test_the_menu_of_a_row_leads_where_its_reader_may_go(client_person, freelancer):
    job = agreed(client_person, freelancer, at=timing.now())
    create = reverse("workroom:create_report", args=[job.pk])

    of_client = signed_in(client_person).get(MY_JOBS).content.decode()
    of_freelancer = signed_in(freelancer).get(MY_JOBS).content.decode()

    assert create not in of_client
    assert create in of_freelancer
    for name in ("terms", "reports", "job_billing"):
        assert reverse(f"workroom:{name}", args=[job.pk]) in of_client


def test_the_price_of_the_page_does_not_grow(
    client_person, freelancer, django_assert_max_num_queries
):
    agreed(client_person, freelancer, at=timing.now())
    browser = signed_in(client_person)
    browser.get(MY_JOBS)
    with django_assert_max_num_queries(8) as one:
        browser.get(MY_JOBS)

    for number in range(29):
        if number % 3:
            titled(client_person, f"Draft {number}")
        else:
            agreed(client_person, freelancer, at=timing.now())
    with django_assert_max_num_queries(8) as thirty:
        page = browser.get(MY_JOBS)

    # The second query for Terms is made when there are Jobs that are not agreed.
    assert len(thirty) - len(one) <= 1
    assert Job.objects.count() == 30
    assert "1–25 of 30" in page.content.decode()
    assert len(page.content) < 40_000


def test_what_is_disputed_is_not_said_to_be_requested(client_person, freelancer):
    at = timing.now()
    job = agreed(client_person, freelancer, at=at)
    scenarios.fund(job, 1, at=at)
    request_release(job, at=at)
    dispute = open_dispute(job, client_person, at=at)
    assert [(row.note, row.is_overdue) for row in rows(client_person)] == [("Disputed", False)]
    disputes.withdraw(dispute.pk, by=client_person, at=at)
    assert [row.note for row in rows(client_person)] == ["Release requested"]
    payment = Payment.objects.get(job=job)
    deliver(charge_back(payment.gateway_reference), at=at)
    assert [row.note for row in rows(freelancer)] == ["Charged back"]
