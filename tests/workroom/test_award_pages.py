"""Pages of the award: what is typed is never lost, nothing is done by half."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from escrow_site.lib import timing
from jobs.models import Job
from tests.workroom.agreements import awarded, details, draft, hourly_draft, terms_input
from tests.world import world
from workroom.models import Terms
from workroom.services import drafts


@pytest.fixture
def visitor(client_person):
    client = Client()
    client.force_login(client_person)
    return client


def award(visitor, job, email):
    return visitor.post(reverse("workroom:award", args=[job.pk]), {"email": email}, follow=True)


def test_the_award_to_an_account(visitor, client_person, freelancer):
    job = draft(client_person, at=timing.now())

    page = award(visitor, job, freelancer.email).content.decode()

    assert "The Job is awarded to Frank Freelancer, who has been told." in page
    assert Job.objects.get().freelancer == freelancer


def test_the_award_to_an_unknown_address(visitor, client_person):
    job = draft(client_person, at=timing.now())

    page = award(visitor, job, "new@example.com").content.decode()

    assert "We have invited new@example.com to open an account." in page


@pytest.mark.parametrize(
    ("email", "message"),
    [
        ("", "This field is required."),
        ("nobody", "Enter a valid email address."),
        ("CLARA@example.com", "This is your own address."),
        ("a" * 300 + "@example.com", "Ensure this value has at most 254 characters"),
    ],
)
def test_a_wrong_address_stays_on_the_page(visitor, client_person, email, message):
    job = draft(client_person, at=timing.now())
    before = world()

    page = award(visitor, job, email).content.decode()

    assert message in page
    assert f'value="{email}"' in page or not email
    assert world() == before


def test_a_job_that_was_awarded_meanwhile_keeps_the_address(visitor, client_person, freelancer):
    job = awarded(client_person, freelancer.email, at=timing.now())
    before = world()

    for typed, also in (("new@example.com", ""), ("nobody", "Enter a valid email address.")):
        response = visitor.post(reverse("workroom:award", args=[job.pk]), {"email": typed})

        page = response.content.decode()
        assert response.status_code == 200
        assert "This Job has been awarded to frank@example.com already." in page
        assert also in page
        assert f'value="{typed}"' in page
        assert "Award the Job</button>" not in page
        assert f'href="/jobs/{job.pk}/">See the Job</a>' in page
    assert world() == before


def test_a_draft_that_was_changed_meanwhile_is_shown_again(visitor, client_person, freelancer):
    job = draft(client_person, at=timing.now())
    address = reverse("workroom:award", args=[job.pk])
    seen = seen_on(visitor.get(address))
    change(job, scope="Half of it")
    before = world()

    response = visitor.post(address, {"email": freelancer.email, "seen": seen})

    page = response.content.decode()
    assert response.status_code == 200
    assert "The draft was saved again while this page was open." in page
    assert "Half of it" in page
    assert f'value="{freelancer.email}"' in page
    assert world() == before
    visitor.post(address, {"email": freelancer.email, "seen": seen_on(response)})
    assert Job.objects.get().state == "awarded"


def test_a_draft_that_was_made_incomplete_meanwhile_says_what_it_lacks(
    visitor, client_person, freelancer
):
    job = draft(client_person, at=timing.now())
    address = reverse("workroom:award", args=[job.pk])
    seen = seen_on(visitor.get(address))
    change(job, milestones=())
    before = world()

    page = visitor.post(address, {"email": freelancer.email, "seen": seen}).content.decode()

    assert "A fixed-price Job needs at least one Milestone." in page
    assert f'value="{freelancer.email}"' in page
    assert "Back to the draft" in page
    assert world() == before


def test_a_draft_that_was_discarded_meanwhile_is_not_there(visitor, client_person):
    job = draft(client_person, at=timing.now())
    drafts.discard_draft(job, by=client_person, at=timing.now())

    response = visitor.post(reverse("workroom:award", args=[job.pk]), {"email": "a@example.com"})

    assert response.status_code == 404


def seen_on(response):
    """The draft Terms that the page shows."""
    found = re.search(r'name="seen" value="(\d+)"', response.content.decode())
    assert found
    return found[1]


def change(job, **values):
    """Save the draft in another window."""
    drafts.save_draft(
        job, by=job.client, details=details(), terms=terms_input(**values), at=timing.now()
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"milestones": ()}, "A fixed-price Job needs at least one Milestone."),
        ({"scope": ""}, "Describe the scope"),
    ],
)
def test_an_incomplete_draft_is_sent_back(visitor, client_person, values, message):
    job = draft(client_person, at=timing.now(), **values)

    response = visitor.get(reverse("workroom:award", args=[job.pk]), follow=True)

    assert response.redirect_chain == [(f"/jobs/{job.pk}/draft/", 302)]
    assert message in response.content.decode()


def test_an_hourly_draft_can_be_saved_and_awarded(visitor, client_person, freelancer):
    job = hourly_draft(client_person, at=timing.now())
    page = visitor.get(reverse("workroom:draft", args=[job.pk])).content.decode()
    assert 'value="40.00"' in page

    award(visitor, job, freelancer.email)

    assert Terms.objects.get().state == "proposed"


def test_withdrawing_and_declining_ask_first(visitor, client_person, freelancer):
    jobs = [awarded(client_person, freelancer.email, at=timing.now()) for _ in range(2)]
    of_freelancer = Client()
    of_freelancer.force_login(freelancer)
    withdraw = reverse("workroom:withdraw_award", args=[jobs[0].pk])
    decline = reverse("workroom:decline_award", args=[jobs[1].pk])

    assert "Withdraw the award?" in visitor.get(withdraw).content.decode()
    assert "Decline this Job?" in of_freelancer.get(decline).content.decode()
    too_long = visitor.post(withdraw, {"reason": "x" * 2001})
    assert "Ensure this value has at most 2000 characters" in too_long.content.decode()
    assert [job.state for job in Job.objects.order_by("pk")] == ["awarded", "awarded"]

    visitor.post(withdraw, {"reason": "Changed plans"})
    of_freelancer.post(decline, {"reason": ""})

    assert [job.state for job in Job.objects.order_by("pk")] == ["withdrawn", "declined"]
    for browser, url, ended in (
        (visitor, withdraw, "withdrawn"),
        (of_freelancer, decline, "declined"),
    ):
        again = browser.post(url, {"reason": "All that I typed"})
        page = again.content.decode()
        assert again.status_code == 200
        assert f"This Job is {ended} already." in page
        assert "All that I typed</textarea>" in page
        assert "See the Job</a>" in page
        assert '<button class="button danger primary">' not in page
        assert f"This Job is {ended} already." in browser.get(url, follow=True).content.decode()


def test_the_wrong_side_is_turned_away(visitor, client_person, freelancer):
    job = awarded(client_person, freelancer.email, at=timing.now())
    of_freelancer = Client()
    of_freelancer.force_login(freelancer)
    before = world()

    withdrawn = of_freelancer.post(
        reverse("workroom:withdraw_award", args=[job.pk]), {"reason": ""}, follow=True
    )
    declined = visitor.post(
        reverse("workroom:decline_award", args=[job.pk]), {"reason": ""}, follow=True
    )

    assert "Only the Client can withdraw the award." in withdrawn.content.decode()
    assert "Only the Freelancer can decline this Job." in declined.content.decode()
    assert world() == before
