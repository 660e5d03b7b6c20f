"""An award to an address without an account: the invitation, and the way to the Job (R1.1)."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client

from escrow_site.lib import timing
from jobs.models import Invitation, Job, Person
from tests.factories import PASSWORD, PersonFactory
from tests.mail_server import MailServer, link_in
from tests.workroom.agreements import awarded
from tests.world import world
from workroom.services import awards

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "nora@example.com"
FORM = {"name": "Nora New", "email": ADDRESS, "password1": PASSWORD, "time_zone": "UTC"}


@pytest.fixture(autouse=True)
def _fresh_rate_limits() -> None:
    cache.clear()


@pytest.fixture
def job(client_person: Person) -> Job:
    """Awarded a moment ago to an address that nobody has an account with."""
    return awarded(client_person, ADDRESS, at=timing.now())


@pytest.fixture
def url(job: Job) -> str:
    return f"/invitations/{Invitation.objects.get(job=job).token}/"


def standing(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return str(response.context["standing"])


def freelancer_of(job: Job) -> Person | None:
    return Job.objects.select_related("freelancer").get(pk=job.pk).freelancer


def sign_in(client: Client, email: str) -> None:
    client.post("/accounts/login/", {"login": email, "password": PASSWORD})


def text_of(mail: Any) -> str:
    return " ".join(mail.get_body(("plain",)).get_content().split())


def test_from_the_mail_through_sign_up_to_the_job(
    client: Client, client_person: Person, mail_server: MailServer, worker: None
) -> None:
    job = awarded(client_person, ADDRESS, at=timing.now())
    (invitation,) = mail_server.wait_for(1)
    assert invitation["To"] == ADDRESS
    assert invitation["Subject"] == "Clara Client invites you to a Job: Website"
    link = link_in(invitation, "/invitations/")

    page = client.get(link)
    shown = page.content.decode()
    assert "Clara Client invites you to a Job" in shown
    assert "Website" in shown
    # No more than title and Client: the rest is for who has confirmed the address.
    assert "two languages" not in shown
    assert "1,500" not in shown

    sign_up = client.get(page.context["sign_up_url"])
    assert sign_up.context["form"]["email"].value() == ADDRESS
    client.post("/accounts/signup/", FORM | {"next": link})
    assert freelancer_of(job) is None

    mail_server.wait_for(2)
    confirmation = next(m for m in mail_server.mails if "confirm-email" in text_of(m))
    response = client.post(link_in(confirmation, "confirm-email"))
    assert response["Location"] == link
    assert client.get(link)["Location"] == f"/jobs/{job.pk}/"
    nora = freelancer_of(job)
    assert nora is not None
    assert nora.email == ADDRESS
    assert Invitation.objects.get(job=job).accepted_at is not None


def test_the_confirmation_in_another_browser_leads_to_the_job_through_sign_in(
    client: Client, job: Job, url: str, mail_server: MailServer, worker: None
) -> None:
    client.post("/accounts/signup/", FORM)
    confirmation = next(m for m in mail_server.wait_for(1) if "confirm-email" in text_of(m))
    other = Client()
    response = other.post(link_in(confirmation, "confirm-email"))
    assert response["Location"] == f"/accounts/login/?next=%2Fjobs%2F{job.pk}%2F"
    response = other.post(response["Location"], {"login": ADDRESS, "password": PASSWORD})
    assert response["Location"] == f"/jobs/{job.pk}/"


def test_in_the_same_browser_it_leads_to_the_job_even_without_the_link(
    client: Client, job: Job, mail_server: MailServer, worker: None
) -> None:
    client.post("/accounts/signup/", FORM)
    confirmation = next(m for m in mail_server.wait_for(1) if "confirm-email" in text_of(m))
    response = client.post(link_in(confirmation, "confirm-email"))
    assert response["Location"] == f"/jobs/{job.pk}/"


def test_a_second_address_of_an_account_brings_its_jobs_once_it_is_confirmed(
    client: Client, job: Job, url: str, mail_server: MailServer, worker: None
) -> None:
    olga = PersonFactory(email="olga@example.com")
    sign_in(client, "olga@example.com")
    assert standing(client, url) == "SOMEBODY_ELSE"
    asked = client.post("/accounts/email/", {"action_add": "", "email": ADDRESS})
    client.post(asked["Location"], {"password": PASSWORD})
    assert standing(client, url) == "UNCONFIRMED"
    assert freelancer_of(job) is None
    confirmation = next(m for m in mail_server.wait_for(1) if "confirm-email" in text_of(m))
    response = client.post(link_in(confirmation, "confirm-email"))
    assert response["Location"] == f"/jobs/{job.pk}/"
    assert freelancer_of(job) == olga
    olga.refresh_from_db()
    assert olga.email == "olga@example.com"


def test_who_is_signed_in_as_somebody_else_is_told_so(
    client: Client, job: Job, url: str, stranger: Person
) -> None:
    before = world()
    client.force_login(stranger)
    page = client.get(url).content.decode()
    assert "This invitation is for another address" in page
    assert f"It went to {ADDRESS}; you are signed in as sam@example.com." in page
    assert world() == before


def test_signing_out_leads_back_to_the_invitation(
    client: Client, url: str, stranger: Person
) -> None:
    client.force_login(stranger)
    assert client.post("/accounts/logout/", {"next": url})["Location"] == url
    assert standing(client, url) == "OPEN"


def test_a_person_with_the_confirmed_address_goes_to_the_job(
    client: Client, job: Job, url: str
) -> None:
    # Confirmed on a way that did not bind, for instance by support.
    nora = PersonFactory(email="x@example.com")
    EmailAddress.objects.create(user=nora, email=ADDRESS, verified=True)
    client.force_login(nora)
    assert client.get(url)["Location"] == f"/jobs/{job.pk}/"
    assert freelancer_of(job) == nora


def test_the_client_who_follows_it_sees_his_own_job(
    client: Client, job: Job, url: str, client_person: Person
) -> None:
    client.force_login(client_person)
    assert client.get(url)["Location"] == f"/jobs/{job.pk}/"
    assert freelancer_of(job) is None


def test_the_clients_own_new_address_does_not_make_him_the_freelancer(
    client: Client, job: Job, url: str, client_person: Person
) -> None:
    EmailAddress.objects.create(user=client_person, email=ADDRESS, verified=True)
    client.force_login(client_person)
    client.get(url)
    assert freelancer_of(job) is None


def test_a_withdrawn_award_ends_the_invitation(
    client: Client, job: Job, url: str, client_person: Person
) -> None:
    awards.withdraw_award(job, by=client_person, at=timing.now())
    assert standing(client, url) == "OVER"
    assert ADDRESS not in client.get(url).content.decode()
    client.force_login(PersonFactory(email=ADDRESS))
    assert standing(client, url) == "OVER"
    assert freelancer_of(job) is None


def test_an_award_that_nobody_answered_ends_it_too(
    client: Client, client_person: Person, at: datetime
) -> None:
    job = awarded(client_person, ADDRESS, at=timing.now() - timedelta(days=7))
    url = f"/invitations/{Invitation.objects.get(job=job).token}/"
    assert standing(client, url) == "OVER"


def test_an_accepted_invitation_asks_to_sign_in(client: Client, job: Job, url: str) -> None:
    nora = PersonFactory(email=ADDRESS)
    awards.bind_jobs(nora, email=ADDRESS, at=timing.now())
    assert standing(client, url) == "TAKEN"
    assert ADDRESS not in client.get(url).content.decode()
    client.force_login(PersonFactory())
    assert standing(client, url) == "TAKEN"


@pytest.mark.parametrize("token", ["nothing", "x" * 300, "a%00b", "a b", "%ff"])
def test_an_unknown_link_does_not_exist(client: Client, job: Job, token: str) -> None:
    assert client.get(f"/invitations/{token}/").status_code == 404


def test_the_link_stays_out_of_caches_and_referrers(client: Client, url: str) -> None:
    response = client.get(url)
    assert "no-store" in response["Cache-Control"]
    assert response["Referrer-Policy"] == "same-origin"
