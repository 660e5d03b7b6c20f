"""The overview of a Job: state, what can be done, what happens next, for either side."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from billing.models import Escrow, ReleaseRequest
from billing.services import payments, release_requests, releases
from billing.services.catching_up import carry_out_due
from escrow_site.lib import display, timing
from jobs.models import Job
from tests import scenarios
from tests.billing.banking import add_card
from tests.workroom.agreements import (
    BUILD,
    DESIGN,
    agreed,
    awarded,
    draft,
    hourly_draft,
    terms_input,
)
from workroom.proposals import MilestoneInput
from workroom.services import awards, terms

DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timing.now()


def see(person, job, name="job"):
    client = Client()
    client.force_login(person)
    return client.get(reverse(f"workroom:{name}", args=[job.pk]))


def turn(person, job):
    shown = see(person, job).context["turn"]
    return (shown.sentence, shown.label, shown.url)


def moments(response):
    """What happens if nobody acts: instants and titles."""
    return [
        (display.instant(moment.at), moment.title)
        for moment in response.context["forecast"].moments
    ]


def request_release(job, number, *, at):
    with transaction.atomic():
        escrows = list(Escrow.objects.filter(job=job, number=number))
        release_requests.request_release(job, escrows, by=job.freelancer, at=at)


UNDATED = (replace(DESIGN, due_on=None), replace(BUILD, due_on=None))
STRANGE = ["job", "terms", "activity", "draft", "award", "discard_draft", "propose_terms",
           "withdraw_award", "decline_award"]  # fmt: skip
OF_A_VERSION = ["terms_version", "accept_terms", "decline_terms", "withdraw_terms"]


@pytest.mark.parametrize("name", [*STRANGE, *OF_A_VERSION])
@pytest.mark.parametrize("method", ["get", "post"])
def test_to_a_stranger_the_job_does_not_exist(
    client_person, freelancer, stranger, name, method, now
):
    job = awarded(client_person, freelancer.email, at=now)
    numbers = [job.pk, 1] if name in OF_A_VERSION else [job.pk]
    client = Client()
    client.force_login(stranger)

    response = getattr(client, method)(reverse(f"workroom:{name}", args=numbers))

    read_only = name in ("job", "terms", "activity", "terms_version") and method == "post"
    assert response.status_code == (405 if read_only else 404)
    assert Job.objects.get(pk=job.pk).state == "awarded"


@pytest.mark.parametrize("name", [*STRANGE, *OF_A_VERSION])
def test_who_is_not_signed_in_is_asked_to(client, name):
    numbers = [1, 1] if name in OF_A_VERSION else [1]

    response = client.get(reverse(f"workroom:{name}", args=numbers))

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/?next=")


@pytest.mark.parametrize("path", ["/jobs/999/", f"/jobs/{10**30}/", f"/jobs/{'9' * 5000}/"])
def test_a_job_that_is_not_there(client, client_person, path):
    client.force_login(client_person)

    assert client.get(path).status_code == 404


def test_a_draft_has_its_own_page_and_is_the_clients_alone(client_person, now):
    job = draft(client_person, at=now)

    response = see(client_person, job)

    assert (response.status_code, response.url) == (302, f"/jobs/{job.pk}/draft/")


def test_an_invited_address_is_waited_for(client_person, now):
    job = awarded(client_person, "new@example.com", at=now)
    until = display.instant(now + 7 * DAY)

    assert turn(client_person, job) == (
        f"Waiting for new@example.com to answer Terms 1, until {until}.", "", "",
    )  # fmt: skip
    page = see(client_person, job).content.decode()
    assert "They were invited to open an account first." in page
    assert "Freelancer: new@example.com (invited)" in page


def test_an_awarded_job_from_both_sides(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    until = display.instant(now + 7 * DAY)

    assert turn(client_person, job) == (
        f"Waiting for Frank Freelancer to answer Terms 1, until {until}.", "", "",
    )  # fmt: skip
    assert turn(freelancer, job) == (
        "Clara Client awarded this Job to you.",
        "Review the Terms",
        f"/jobs/{job.pk}/terms/",
    )
    response = see(freelancer, job)
    assert [(line.title, line.amount_minor) for line in response.context["lines"]] == [
        ("Design", 500_00),
        ("Build", 1_000_00),
    ]
    assert moments(response) == [(until, "Terms 1 lapse")]


def test_a_counter_proposal_waits_for_the_client(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    terms.propose(job, by=freelancer, terms=terms_input(scope="More"), answering=1, at=now)

    assert turn(client_person, job) == (
        "Frank Freelancer sent changed Terms.",
        "Review the Terms",
        f"/jobs/{job.pk}/terms/",
    )


def test_a_declined_proposal_leaves_the_job_open(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now)
    terms.decline(job, by=freelancer, version=1, at=now)

    assert turn(client_person, job) == (
        "Terms 1 were declined. Nothing is proposed now.",
        "Send changed Terms",
        f"/jobs/{job.pk}/terms/propose/",
    )


def test_a_lapsed_award_says_so(client_person, freelancer, now):
    job = awarded(client_person, freelancer.email, at=now - 8 * DAY)
    lapsed = display.instant(now - DAY)

    assert turn(freelancer, job) == (
        f"The award has lapsed: nobody answered Terms 1 by {lapsed}.", "", "",
    )  # fmt: skip
    [moment] = see(freelancer, job).context["forecast"].moments
    assert (moment.title, moment.at_once, moment.stops) == ("Terms 1 lapse", True, ())


def test_until_something_is_funded_the_freelancer_need_not_start(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now)

    assert turn(client_person, job) == (
        "Funding of “Design” ($500.00) is requested.",
        "Fund “Design”",
        f"/billing/jobs/{job.pk}/fund/?escrow=1",
    )
    assert turn(freelancer, job) == (
        "Waiting for Clara Client to fund a Milestone.",
        "Create Status Report",
        f"/jobs/{job.pk}/reports/create/",
    )
    assert (
        "You need not start yet: no Milestone is Funded." in see(freelancer, job).content.decode()
    )
    assert (
        "Frank Freelancer was told that work need not start until one Milestone is Funded."
        in see(client_person, job).content.decode()
    )

    scenarios.fund(job, 1, at=now)

    for person in (client_person, freelancer):
        assert "need not start" not in see(person, job).content.decode()


def test_the_milestones_show_what_is_agreed_held_and_released(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now)
    scenarios.fund(job, 1, 2, at=now)
    releases.release(job.pk, numbers=[1], by=client_person, at=now)

    context = see(client_person, job).context

    assert [
        (line.title, line.state, line.amount_minor, line.held_minor, line.released_minor)
        for line in context["lines"]
    ] == [
        ("Design", "released", 500_00, 0, 500_00),
        ("Build", "funded", 1_000_00, 1_000_00, 0),
    ]
    assert context["totals"] == {
        "agreed_minor": 1_500_00, "held_minor": 1_000_00, "released_minor": 500_00, "credited_minor": 0,
    }  # fmt: skip


def test_a_release_request_from_both_sides(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now)
    scenarios.fund(job, 1, at=now)
    request_release(job, 1, at=now)
    due = display.instant(now + 30 * DAY)

    assert turn(client_person, job) == (
        "Frank Freelancer requests release of “Design” ($500.00).",
        "Review and release",
        f"/billing/requests/{ReleaseRequest.objects.get().pk}/",
    )
    assert turn(freelancer, job) == (
        "You requested release of “Design” ($500.00).",
        "Create Status Report",
        f"/jobs/{job.pk}/reports/create/",
    )
    response = see(freelancer, job)
    assert f'<a class="button" href="/jobs/{job.pk}/reports/create/">' in response.content.decode()
    assert moments(response) == [(due, "“Design” is released")]


def test_several_requests_lead_to_billing(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now)
    scenarios.fund(job, 1, 2, at=now)
    request_release(job, 1, at=now)
    request_release(job, 2, at=now)

    assert turn(client_person, job) == (
        "Frank Freelancer requests release of 2 Milestones ($1,500.00).",
        "Review the Release Requests",
        f"/jobs/{job.pk}/billing/",
    )


def test_an_overdue_request_is_said_and_toned(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now - 16 * DAY)
    scenarios.fund(job, 1, 2, at=now - 16 * DAY)
    request_release(job, 1, at=now - 16 * DAY)
    carry_out_due([job.pk], at=now)

    shown = see(client_person, job)
    assert shown.context["turn"].tone == "critical"
    assert shown.context["turn"].sentence == (
        "Frank Freelancer requests release of “Design” ($500.00): the request is Overdue."
    )
    for name in ("job", "job_billing"):
        assert '</span> <span class="state state-overdue">Overdue</span>' in (
            see(freelancer, job, name).content.decode()
        )
    told = see(freelancer, job).context["turn"]
    assert (told.tone, told.sentence) == (
        "warning", "You requested release of “Design” ($500.00): the request is Overdue.",
    )  # fmt: skip

    request_release(job, 2, at=now)
    assert turn(client_person, job)[0] == (
        "Frank Freelancer requests release of 2 Milestones ($1,500.00): 1 of the requests is Overdue."
    )


def test_a_dormant_job_names_what_each_side_can_do(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now - 61 * DAY, milestones=UNDATED)
    scenarios.fund(job, 1, 2, at=now - 61 * DAY)
    carry_out_due([job.pk], at=now)
    since = f"Dormant since {display.instant(now - DAY)}: nobody had done anything for 60 days."

    assert turn(client_person, job) == (
        since, "Choose what to release", f"/jobs/{job.pk}/billing/",
    )  # fmt: skip
    assert turn(freelancer, job) == (
        since, "Request release", f"/billing/send-invoice/{job.pk}/",
    )  # fmt: skip

    request_release(Job.objects.get(pk=job.pk), 2, at=now)
    request = ReleaseRequest.objects.get()
    assert turn(client_person, job) == (
        since, "Review and release", f"/billing/requests/{request.pk}/",
    )  # fmt: skip

    for days in (6, 13):
        carry_out_due([job.pk], at=now + days * DAY)
    assert Job.objects.get(pk=job.pk).state == Job.State.DORMANT
    assert turn(freelancer, job) == (
        "You requested release of “Build” ($1,000.00).",
        "Create Status Report",
        f"/jobs/{job.pk}/reports/create/",
    )


def test_an_open_end_is_closed_by_hand(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now, ends_on=None, milestones=(DESIGN,))
    scenarios.fund(job, 1, at=now)
    releases.release(job.pk, numbers=[1], by=client_person, at=now)

    for person in (client_person, freelancer):
        assert turn(person, job) == (
            "Every Milestone is paid, and the end of the timeline is open.",
            "Mark complete",
            f"/billing/jobs/{job.pk}/complete/",
        )


def test_a_completed_job_links_its_closing_statement(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now, milestones=(DESIGN,))
    scenarios.fund(job, 1, at=now)
    releases.release(job.pk, numbers=[1], by=client_person, at=now)

    response = see(freelancer, job)

    assert turn(freelancer, job) == (f"This Job was completed on {display.instant(now)}.", "", "")
    statement = response.context["statement"]
    assert f"/billing/statements/{statement.pk}/" in response.content.decode()


@pytest.mark.parametrize("person", ["client", "freelancer"])
def test_an_hourly_job_has_timesheets_and_no_escrow(client_person, freelancer, person, now):
    job = awards.award(
        hourly_draft(client_person, at=now), by=client_person, email=freelancer.email, at=now
    )
    terms.accept(job, by=freelancer, version=1, at=now)
    viewer = client_person if person == "client" else freelancer

    sentence, label, _ = turn(viewer, job)

    assert sentence == "Hourly Job: weekly timesheets, no escrow."
    assert label == ("" if person == "client" else "Submit timesheet")
    page = see(viewer, job).content.decode()
    assert "$40.00 an hour" in page
    assert "Held in escrow" not in page


@pytest.mark.parametrize("name", ["job", "terms", "activity"])
def test_the_price_of_a_page_does_not_grow(
    client_person, freelancer, name, now, django_assert_max_num_queries
):
    def price(count):
        milestones = tuple(
            MilestoneInput(title=f"Part {number}", amount_minor=100_00) for number in range(count)
        )
        job = agreed(client_person, freelancer, at=now, milestones=milestones)
        scenarios.fund(job, *range(1, count + 1), at=now)
        client = Client()
        client.force_login(freelancer)
        client.get(reverse("workroom:job", args=[job.pk]))
        with django_assert_max_num_queries(8) as queries:
            response = client.get(reverse(f"workroom:{name}", args=[job.pk]))
        assert len(response.content) < 40_000
        return len(queries)

    assert price(1) == price(30)


def test_a_pending_payment_waits_for_the_clients_bank(client_person, freelancer, now):
    job = agreed(client_person, freelancer, at=now)
    method = add_card(client_person, "needs_authentication", at=now)
    payment = payments.fund(job.pk, numbers=[1], method=method, by=client_person, at=now)

    assert turn(client_person, job) == (
        "“Design” ($500.00) is Pending: your bank has not confirmed the payment.",
        "Authenticate the payment",
        f"/billing/payments/{payment.pk}/",
    )
    lapses = display.instant(payment.lapses_at)
    assert see(client_person, job).context["turn"].detail == (
        "It changes to Funded by itself as soon as you pass authentication. Otherwise the payment "
        f"lapses on {lapses} and nothing is charged."
    )
    response = see(freelancer, job)
    context = response.context
    assert (context["turn"].sentence, context["turn"].detail) == (
        "“Design” ($500.00) is Pending: the bank of Clara Client has not confirmed the payment.",
        "It changes to Funded by itself as soon as Clara Client passes authentication. Otherwise "
        f"the payment lapses on {lapses}.",
    )
    assert "You need not start yet: no Milestone is Funded." in response.content.decode()
    assert "button primary" not in response.content.decode()
    assert context["lines"][0].note == "Waits for the bank of Clara Client"
    assert moments(response) == [(lapses, "The pending payment for “Design” lapses")]
