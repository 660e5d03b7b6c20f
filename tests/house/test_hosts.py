"""Which names the site answers to, whom it believes about that and about the caller, and where links lead."""

import re
from typing import Any

import pytest
from allauth.core.internal.httpkit import get_client_ip
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from billing.models import ClosingStatement, Document
from jobs.models import Person
from tests import desk
from tests.factories import PersonFactory
from tests.mail_server import MailServer
from tests.scenarios import finished_job

DESK = "desk.example.com"


@pytest.fixture
def hosts(settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["escrow.example.com", DESK]
    settings.SITE_URL = "https://escrow.example.com"
    settings.ADMIN_HOST = DESK


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver.evil.example", "a@testserver", "", "x" * 300]
)
def test_a_host_that_is_not_ours_is_refused(client: Client, host: str, db: None) -> None:
    assert client.get("/accounts/login/", headers={"host": host}).status_code == 400


def test_what_a_header_says_about_the_host_is_not_believed(client: Client, db: None) -> None:
    forged = {
        "x-forwarded-host": "evil.example",
        "x-host": "evil.example",
        "forwarded": "host=evil.example",
    }
    answer = client.get("/jobs", headers=forged)
    assert answer["Location"] == "/jobs/"
    request = RequestFactory().get("/", headers=forged)
    assert request.build_absolute_uri() == "http://testserver/"


@pytest.mark.usefixtures("worker")
def test_links_of_mails_lead_to_the_site_whatever_host_was_asked(
    mail_server: MailServer, settings: Any
) -> None:
    """A reset that was asked for under another name of ours must not carry its secret there."""
    settings.ALLOWED_HOSTS = ["other.example.com"]
    settings.SITE_URL = "https://escrow.example.com"
    cache.clear()
    PersonFactory(email="olga@example.com")
    Client(headers={"host": "other.example.com"}).post(
        "/accounts/password/reset/", {"email": "olga@example.com"}
    )
    text = str(mail_server.wait_for(1)[0])
    assert "https://escrow.example.com/accounts/password/reset/key/" in text
    assert "other.example.com" not in text


@pytest.mark.parametrize("header", ["x-http-method-override", "x-http-method", "x-method-override"])
def test_no_header_makes_another_method_of_one(client: Client, header: str, db: None) -> None:
    """Reading stays reading: a link must not be able to sign anybody out."""
    assert (
        client.get("/webhooks/simulated/?_method=POST", headers={header: "POST"}).status_code == 405
    )
    assert client.post("/rules/", {"_method": "GET"}, headers={header: "GET"}).status_code == 405


# --- Proxies ---


@pytest.mark.parametrize(
    ("proxies", "forwarded", "believed"),
    [
        (0, "", "10.0.0.9"),
        (0, "203.0.113.7", "10.0.0.9"),
        (1, "203.0.113.7", "203.0.113.7"),
        (1, "198.51.100.1, 203.0.113.7", "203.0.113.7"),
        (2, "198.51.100.1, 203.0.113.7, 192.0.2.2", "203.0.113.7"),
        (1, "", "10.0.0.9"),
    ],
)
def test_the_caller_is_whom_the_last_trusted_proxy_saw(
    settings: Any, proxies: int, forwarded: str, believed: str
) -> None:
    """What stands further left was written by the caller himself."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    given = {"x-forwarded-for": forwarded} if forwarded else {}
    request = RequestFactory(REMOTE_ADDR="10.0.0.9").get("/", headers=given)
    assert get_client_ip(request) == believed


def test_https_is_believed_from_a_trusted_proxy_alone(settings: Any) -> None:
    said = RequestFactory().get("/", headers={"x-forwarded-proto": "https"})
    settings.SECURE_PROXY_SSL_HEADER = None  # TRUSTED_PROXY_COUNT=0
    assert said.is_secure() is False
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")  # 1 and more
    assert said.is_secure() is True
    assert RequestFactory().get("/").is_secure() is False


# --- The desk on a host of its own ---


def at(host: str, person: Person | None = None) -> Client:
    browser = Client(headers={"host": host})
    if person is not None:
        browser.force_login(person)
    return browser


@pytest.mark.usefixtures("hosts")
@pytest.mark.parametrize(
    "where", ["/admin/", "/admin", "/admin/login/", "/admin/jobs/job/", "/admin/nowhere/"]
)
def test_the_site_knows_no_desk(where: str, settings: Any, db: None) -> None:
    """To nobody, and in the same words as for any other address that there is not."""
    settings.CLOCK_OFFSET_FILE = None  # its bar would repeat the address
    agent = desk.agent_of_the_desk()
    for browser in (at("escrow.example.com"), at("escrow.example.com", agent)):
        nowhere, answer = browser.get("/nowhere-at-all/"), browser.get(where)
        assert (answer.status_code, words(answer)) == (404, words(nowhere))


def words(answer: Any) -> str:
    """The page without the token of its forms, which is another each time."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", answer.content.decode())


@pytest.mark.usefixtures("hosts")
def test_the_desk_answers_on_its_own_host(db: None) -> None:
    agent = at(DESK, desk.agent_of_the_desk())
    assert agent.get("/admin/").status_code == 200
    assert agent.get("/admin/jobs/job/").status_code == 200
    assert agent.get("/")["Location"] == f"https://{DESK}/admin/"
    assert at(DESK).get("/admin/")["Location"].startswith("/admin/login/")
    assert at(DESK).get("/accounts/login/").status_code == 200
    assert at("escrow.example.com").get("/accounts/login/").status_code == 200


@pytest.mark.usefixtures("hosts")
def test_the_desk_host_has_nothing_of_the_site(client_person: Person) -> None:
    """Reading is led to the site, with its path; sending finds nothing."""
    browser = at(DESK, client_person)
    assert browser.get("/jobs/?page=2")["Location"] == "https://escrow.example.com/jobs/?page=2"
    assert browser.get("//evil.example/").status_code in (302, 404)
    assert browser.post("/jobs/new/", {"title": "Website"}).status_code == 404
    assert browser.post("/billing/cards/add/").status_code == 404


@pytest.mark.usefixtures("hosts")
def test_papers_that_the_desk_links_to_are_read_there(client_person: Person) -> None:
    """404 of the page itself, for a row that there is not, and no way to the site."""
    agent = at(DESK, desk.agent_of_the_desk())
    for name in (
        "billing:document",
        "billing:document_pdf",
        "billing:statement",
        "workroom:case_file",
    ):
        assert agent.get(reverse(name, args=[999_999])).status_code == 404


@pytest.mark.usefixtures("hosts")
def test_on_the_site_an_agent_reads_what_is_his_own(
    client_person: Person, freelancer: Person
) -> None:
    """Who steals the session of an agent there reads nobody's papers; a superuser is no exception."""
    job = finished_job(client_person, freelancer)
    document, statement = Document.objects.get(job=job), ClosingStatement.objects.get(job=job)
    pages = [
        reverse("billing:document", args=[document.pk]),
        reverse("billing:document_pdf", args=[document.pk]),
        reverse("billing:statement", args=[statement.pk]),
        reverse("workroom:case_file", args=[job.pk]),
    ]
    for person in (desk.agent_of_the_desk(), desk.superuser()):
        for host, met in ((DESK, 200), ("escrow.example.com", 404)):
            browser = at(host, person)
            assert [browser.get(page).status_code for page in pages] == [met] * len(pages)
    freelancer.is_staff = True
    freelancer.save()
    own = at("escrow.example.com", freelancer)
    assert [own.get(page).status_code for page in pages] == [200] * len(pages)


@pytest.mark.usefixtures("hosts")
@pytest.mark.parametrize(
    ("host", "expected"), [(DESK, "/admin/"), ("escrow.example.com", "/jobs/")]
)
def test_where_an_agent_lands(host: str, expected: str, db: None) -> None:
    """A form leads to no other host, so on the site an agent begins as everybody does, and finds the link."""
    agent = at(host, desk.agent_of_the_desk())
    assert agent.get("/accounts/login/")["Location"] == expected
    if host != DESK:
        assert f'href="https://{DESK}/admin/"' in agent.get("/jobs/").content.decode()


def test_without_a_host_of_its_own_the_desk_is_on_the_site(db: None) -> None:
    agent = Client()
    agent.force_login(desk.agent_of_the_desk())
    assert agent.get("/")["Location"] == "/admin/"
    assert agent.get("/accounts/login/")["Location"] == "/admin/"
    assert agent.get("/admin/").status_code == 200
