"""Every kind of answer has the headers of one table, and no page has anything inline that they would block."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from billing.models import Document
from escrow_site.charsets import CharsetGuard
from jobs.models import Invitation, Job, Person
from jobs.services import calendars, files
from tests import desk
from tests.factories import PASSWORD
from tests.scenarios import finished_job
from tests.workroom.agreements import awarded

PAGE = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
    "base-uri": "'none'",
}
DOWNLOAD = {
    "default-src": "'none'",
    "frame-ancestors": "'none'",
    "base-uri": "'none'",
    "sandbox": "",
}
EVERYWHERE = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
HSTS = "max-age=31536000; includeSubDomains; preload"
KEPT_NOWHERE = "private, no-store"
KEPT_BY_ALL = "max-age=60, public"  # in the tests, where the names of files have no hash in them


@dataclass(frozen=True, kw_only=True)
class Site:
    """Somebody of each kind, and things to look at."""

    anyone: Client
    party: Client
    agent: Client
    job: Job
    papers: dict[str, str]


@pytest.fixture
def site(settings: Any, client_person: Person, freelancer: Person, at: Any) -> Site:
    settings.ROOT_URLCONF = "tests.house.urls_with_errors"
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    (Path(settings.STATIC_ROOT) / "seen.txt").write_text("static")
    job = finished_job(client_person, freelancer)
    stored = files.store(
        job, by=client_person, upload=SimpleUploadedFile("plan.pdf", b"%PDF-1.7\n1"), at=at
    )
    awarded(freelancer, "nobody@example.com")
    document = Document.objects.get(job=job)
    return Site(
        anyone=browser(),
        party=browser(client_person),
        agent=browser(desk.agent_of_the_desk()),
        job=job,
        papers={
            "file": reverse("jobs:file", args=[stored.key]),
            "paper": reverse("billing:document", args=[document.pk]),
            "pdf": reverse("billing:document_pdf", args=[document.pk]),
            "archive": reverse("workroom:case_file", args=[job.pk]),
            "calendar": reverse(
                "workroom:calendar", args=[calendars.open_feed(client_person, at=at)]
            ),
            "invitation": reverse(
                "workroom:invitation", args=[Invitation.objects.latest("pk").token]
            ),
        },
    )


def browser(person: Person | None = None) -> Client:
    client = Client(raise_request_exception=False)
    if person is not None:
        client.force_login(person)
    return client


# Who asks, for what, which answer; then the policy and how long it may be kept, where they differ from a page's.
ANSWERS: list[tuple[str, str, int, dict[str, str], str]] = [
    ("anyone", "/", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/rules/", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/accounts/login/", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/accounts/signup/", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/accounts/password/reset/", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/accounts/password/reset/key/1-a-secret/", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/accounts/confirm-email/a-secret/", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "invitation", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "calendar", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/static/seen.txt", 200, PAGE, KEPT_BY_ALL),
    ("anyone", "/healthz", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/jobs/", 302, PAGE, KEPT_NOWHERE),
    ("anyone", "/jobs", 301, PAGE, KEPT_NOWHERE),
    ("anyone", "/admin/", 302, PAGE, KEPT_NOWHERE),
    ("anyone", "/nowhere/", 404, PAGE, KEPT_NOWHERE),
    ("anyone", "/static/nowhere.css", 404, PAGE, KEPT_NOWHERE),
    ("anyone", "/webhooks/simulated/", 405, PAGE, KEPT_NOWHERE),
    ("anyone", "/errors/400/", 400, PAGE, KEPT_NOWHERE),
    ("anyone", "/errors/403/", 403, PAGE, KEPT_NOWHERE),
    ("anyone", "/errors/429/", 429, PAGE, KEPT_NOWHERE),
    ("anyone", "/errors/500/", 500, PAGE, KEPT_NOWHERE),
    ("anyone", "/errors/503/", 503, PAGE, KEPT_NOWHERE),
    ("anyone", "/readyz", 200, PAGE, KEPT_NOWHERE),
    ("anyone", "/lax/", 200, PAGE, KEPT_NOWHERE),
    ("party", "/", 302, PAGE, KEPT_NOWHERE),
    ("party", "/jobs/", 200, PAGE, KEPT_NOWHERE),
    ("party", "/profile/", 200, PAGE, KEPT_NOWHERE),
    ("party", "/accounts/email/", 200, PAGE, KEPT_NOWHERE),
    ("party", "/billing/", 200, PAGE, KEPT_NOWHERE),
    ("party", "/billing/cards/add/", 200, PAGE, KEPT_NOWHERE),
    ("party", "paper", 200, PAGE, KEPT_NOWHERE),
    ("party", "pdf", 200, PAGE, KEPT_NOWHERE),
    ("party", "file", 200, DOWNLOAD, KEPT_NOWHERE),
    ("party", "archive", 200, DOWNLOAD, KEPT_NOWHERE),
    ("party", "/jobs/999999/", 404, PAGE, KEPT_NOWHERE),
    ("agent", "/admin/", 200, PAGE, KEPT_NOWHERE),
    ("agent", "/admin/jobs/job/", 200, PAGE, KEPT_NOWHERE),
    ("agent", "/admin/jsi18n/", 200, PAGE, KEPT_NOWHERE),
    ("agent", "/admin/jobs/policy/add/", 403, PAGE, KEPT_NOWHERE),
]


def test_every_answer_has_the_headers_of_the_table(site: Site) -> None:
    """One walk, as making the world costs more than all the answers."""
    for who, where, status, policy, kept in ANSWERS:
        answer = getattr(site, who).get(site.papers.get(where, where), secure=True)
        assert (where, answer.status_code) == (where, status)
        assert (where, headers(answer)) == (where, expected(policy, kept))
        assert (where, inline_parts(answer)) == (where, [])


def test_what_is_sent_and_refused_has_them_too(site: Site) -> None:
    strict = Client(enforce_csrf_checks=True)
    for status, answer in [
        (400, site.anyone.post("/webhooks/simulated/", b"{}", "application/json", secure=True)),
        (403, strict.post("/accounts/login/", {"login": "clara@example.com"}, secure=True)),
        (413, site.anyone.post("/accounts/login/", {"login": "x" * 3_000_000}, secure=True)),
        (413, site.anyone.post("/jobs/new/", b"x" * 3_000_000, "text/plain", secure=True)),
        (400, site.anyone.get("/", secure=True, headers={"host": "evil.example.net"})),
    ]:
        assert answer.status_code == status
        assert headers(answer) == expected(PAGE, KEPT_NOWHERE)
        assert inline_parts(answer) == []


def test_the_guard_around_the_application_has_them() -> None:
    said: dict[str, str] = {}

    def start_response(status: str, named: list[tuple[str, str]]) -> Any:
        said.update(named)

    CharsetGuard(HttpResponse)({"CONTENT_TYPE": "text/html; charset=rot13"}, start_response)  # type: ignore[arg-type]
    assert parsed(said["Content-Security-Policy"]) == DOWNLOAD
    assert said["Cache-Control"] == KEPT_NOWHERE
    assert {name: said[name] for name in EVERYWHERE} == EVERYWHERE


def test_the_redirect_to_https_has_them(site: Site, settings: Any) -> None:
    """All but HSTS, which browsers believe over HTTPS only."""
    settings.SECURE_SSL_REDIRECT = True
    answer = browser().get("/jobs/?page=2")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/jobs/?page=2")
    assert "Strict-Transport-Security" not in answer
    assert parsed(answer["Content-Security-Policy"]) == PAGE


def test_no_page_may_use_a_sensor_and_all_may_use_passkeys(client: Client, db: None) -> None:
    """Nothing is allowed to others; to ourselves passkeys alone."""
    allowed = dict(
        each.split("=") for each in client.get("/healthz")["Permissions-Policy"].split(", ")
    )
    assert {name for name, whom in allowed.items() if whom == "(self)"} == {
        "publickey-credentials-create",
        "publickey-credentials-get",
    }
    assert {"camera", "geolocation", "microphone", "payment", "usb"} <= {
        name for name, whom in allowed.items() if whom == "()"
    }


def test_cookies_are_for_this_host_alone(site: Site, settings: Any) -> None:
    """As in production; the names of local mode have no prefix, which browsers take over HTTPS only."""
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    visitor = browser()
    visitor.get("/accounts/login/", secure=True)
    signed_in = browser()
    known = {"login": site.job.client.email, "password": PASSWORD}
    assert signed_in.post("/accounts/login/", known, secure=True).status_code == 302
    for cookie in (visitor.cookies["__Host-csrftoken"], signed_in.cookies["__Host-sessionid"]):
        assert (cookie["secure"], cookie["httponly"]) == (True, True)
        assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")


def headers(answer: Any) -> dict[str, object]:
    return {
        **{name: answer.headers.get(name) for name in EVERYWHERE},
        "Content-Security-Policy": parsed(answer.headers.get("Content-Security-Policy", "")),
        "Strict-Transport-Security": answer.headers.get("Strict-Transport-Security", HSTS),
        "Cache-Control": answer.headers.get("Cache-Control"),
    }


def expected(policy: dict[str, str], kept: str) -> dict[str, object]:
    return {
        **EVERYWHERE,
        "Content-Security-Policy": policy,
        "Strict-Transport-Security": HSTS,
        "Cache-Control": kept,
    }


def parsed(policy: str) -> dict[str, str]:
    return {name: " ".join(words) for name, *words in map(str.split, policy.split(";"))}


class Inline(HTMLParser):
    """What a policy without 'unsafe-inline' blocks, and what comes from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attributes}
        is_data = given.get("type", "") == "application/json"
        if tag in ("style", "iframe", "object", "embed", "base"):
            self.found.append(f"<{tag}>")
        if tag == "script" and not given.get("src", "").startswith("/") and not is_data:
            self.found.append("<script> without a file of ours")
        self.found += [name for name in given if name == "style" or re.match(r"on[a-z]", name)]
        self.found += [value for value in given.values() if value.startswith("javascript:")]


def inline_parts(answer: Any) -> list[str]:
    if "text/html" not in answer.headers.get("Content-Type", "") or answer.streaming:
        return []
    parser = Inline()
    parser.feed(answer.content.decode())
    return parser.found
