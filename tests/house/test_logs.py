"""Log lines as a server writes them: what happened and to which row, and no word about whom.

One whole path through the product, with everything that goes wrong on it, and not one trace of a person or a secret.
"""

import io
import json
import logging
import logging.config
from collections.abc import Iterator
from typing import Any

import pytest
from celery import current_app
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse

from billing.models import Dispute, Payment, PaymentMethod
from escrow_site import logs
from escrow_site.lib.timing import real_now
from jobs.models import Job, Notification, Person
from tests.desk import agent_of_the_desk, browser_of
from tests.factories import PASSWORD, PersonFactory
from tests.mail_server import MailServer, link_in, wait_until
from tests.scenarios import running_job
from workroom import tasks
from workroom.services import delivery
from workroom.views import my_jobs

UUID = 36
ADDRESS = "203.0.113.77"
CARD = "4242424242424242"
WRONG = "hunter2-and-much-longer"
WORDS = "The plumber of Mrs Quimby never came"
FILE = "quimby-plumbing.pdf"
TITLE = "Bathroom of the Quimbys"
NAME = "Nora Quimby"
EMAIL = "nora.quimby@example.com"
AGENT = "Quimby-Browser/1.0"


class Lines:
    """All that is logged, as the lines of a server."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def every(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.text.splitlines()]

    def of(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.every if line["event"] == event]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """Everything from DEBUG up, whoever logs it."""
    kept = Lines()
    handler = logging.StreamHandler(kept.stream)
    configurator = logging.config.DictConfigurator({})
    handler.setFormatter(configurator.configure_formatter(logs.formatter(as_json=True)))
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield kept
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def logger() -> logging.Logger:
    return logging.getLogger("somebody.else")


# --- One line ---


def test_the_words_of_a_line_are_those_of_the_program(lines: Lines, logger: logging.Logger) -> None:
    logger.warning("%s paid %d of %.2f to %r", NAME, 7, 1.5, EMAIL)
    logger.warning("%(name)s[%(id)s] took %(seconds)ss: %(said)s",
                   {"name": "a.task", "id": "7", "seconds": 2, "said": WORDS})  # fmt: skip
    logger.warning("Lost: %s", ValueError(WORDS))
    logger.warning("100 % sure of it, " + EMAIL)
    assert [line["event"] for line in lines.every] == [
        "… paid 7 of 1.50 to '…'",
        "a.task[7] took 2s: …",
        "Lost: ValueError",
        "100 % sure of it, …",
    ]


def test_what_comes_with_a_line_is_numbers_and_known_words(
    lines: Lines, logger: logging.Logger
) -> None:
    logger.info("event", extra={"job": 7, "reason": WORDS, "error": "OSError", "paths": [FILE]})
    (line,) = lines.every
    del line["timestamp"]
    assert line == {
        "event": "event", "level": "info", "logger": "somebody.else", "job": 7, "error": "OSError",
    }  # fmt: skip


def test_an_error_is_told_by_class_and_place(lines: Lines, logger: logging.Logger) -> None:
    def fails(email: str) -> None:
        try:
            raise KeyError(email)
        except KeyError as error:
            raise ValueError(f"no {email}") from error

    try:
        fails(EMAIL)
    except ValueError:
        logger.exception("failed")
    (line,) = lines.every
    assert [one["error"] for one in line["exception"]] == ["ValueError", "KeyError"]
    assert line["exception"][0]["where"][-1].startswith("tests/house/test_logs.py:")
    assert "quimby" not in lines.text.lower()


@pytest.mark.django_db
def test_a_request_has_an_id_that_its_lines_and_its_answer_bear(lines: Lines) -> None:
    response = Client().get("/rules/", headers={"x-request-id": "Nora-Quimby"})
    (line,) = lines.of("request")
    assert (line["method"], line["view"], line["code"]) == ("GET", "workroom:rules", 200)
    assert line["request_id"] == response["X-Request-ID"]
    assert len(line["request_id"]) == UUID


@pytest.mark.django_db
def test_a_trusted_proxy_may_have_given_the_id(lines: Lines, settings: Any) -> None:
    settings.TRUSTED_PROXY_COUNT = 1
    given = "0123456789abcdef0123"
    assert Client().get("/rules/", headers={"x-request-id": given})["X-Request-ID"] == given
    words = Client().get("/rules/", headers={"x-request-id": "Nora Quimby was here"})
    assert len(words["X-Request-ID"]) == UUID


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "said"),
    [
        ("PUT", "/rules/", ("PUT", "", 405)),
        ("BREW", "/rules/", ("other", "", 405)),
        ("GET", "/nowhere/", ("GET", "", 404)),
    ],
)
def test_whoever_answers_the_answer_has_its_line_and_its_id(
    lines: Lines, method: str, path: str, said: tuple[str, str, int]
) -> None:
    response = Client().generic(method, path)
    (line,) = lines.of("request")
    assert (line["method"], line["view"], line["code"]) == said
    assert line["request_id"] == response["X-Request-ID"]


@pytest.mark.django_db
def test_what_machines_ask_has_an_id_and_a_line_only_if_it_tells_something(
    lines: Lines, settings: Any
) -> None:
    settings.METRICS_TOKEN = "a-token-of-twenty-letters"
    for path in ("/healthz", "/readyz"):
        response = Client().get(path)
        assert (response.status_code, len(response["X-Request-ID"])) == (200, UUID)
    assert lines.of("request") == []
    refused = Client().get("/metrics")
    (line,) = lines.of("request")
    assert (line["code"], line["request_id"]) == (401, refused["X-Request-ID"])


# --- A whole path ---


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("worker")
def test_no_line_of_a_whole_path_tells_who_or_what(
    lines: Lines, mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.clear()
    browser = Client(REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=AGENT, raise_request_exception=False)
    link = sign_up_and_in(browser, mail_server)
    nora = Person.objects.get(email=EMAIL)
    job = running_job(
        nora, PersonFactory(name="Frank Quimby", email="frank@quimby.example"), at=real_now()
    )
    Job.objects.filter(pk=job.pk).update(title=TITLE)
    fund(browser, job)
    mail_server.stop()
    dispute = open_dispute(browser, job)
    deliver_in_vain(mail_server)
    go_wrong(browser, monkeypatch)
    search_at_the_desk()
    secrets = {
        EMAIL, "quimby", ADDRESS, AGENT, PASSWORD, WRONG, CARD, CARD[-4:], WORDS, FILE, TITLE,
        browser.cookies["sessionid"].value, link.split("/")[-2], "plumb",
        PaymentMethod.objects.get().gateway_reference, nora.password,
    }  # fmt: skip
    said = lines.text.lower()
    assert [secret for secret in secrets if str(secret).lower() in said] == []
    assert the_story_is_told(lines, job, dispute)


def sign_up_and_in(browser: Client, mail_server: MailServer) -> str:
    """Sign up, confirm, out; in with a wrong password, then with the right one."""
    form = {"name": NAME, "email": EMAIL, "password1": PASSWORD, "time_zone": "UTC"}
    browser.post("/accounts/signup/", form)
    link = link_in(mail_server.wait_for(1)[-1], "confirm-email")
    browser.post(link)
    browser.post("/accounts/logout/")
    browser.post("/accounts/login/", {"login": EMAIL, "password": WRONG})
    browser.post("/accounts/login/", {"login": EMAIL, "password": PASSWORD})
    assert browser.get("/profile/").status_code == 200
    return link


def fund(browser: Client, job: Job) -> None:
    browser.post("/billing/cards/add/", {"number": CARD, "expires_on": "04 / 30"})
    card = PaymentMethod.objects.get()
    form = {"escrow": 1, "card": card.pk, "seen_minor": 500_00}
    browser.post(reverse("billing:fund", args=[job.pk]), form)
    assert Payment.objects.get().state == "succeeded"


def open_dispute(browser: Client, job: Job) -> Dispute:
    form = {
        "escrow": 1, "asks": "refund", "amount": "500.00", "seen_minor": 500_00, "reason": WORDS,
        "evidence": SimpleUploadedFile(FILE, b"%PDF-1.7\n1 0 obj\nplumbing"),
    }  # fmt: skip
    browser.post(f"{reverse('billing:open_dispute', args=[job.pk])}?escrow=1", form)
    return Dispute.objects.get()


def deliver_in_vain(mail_server: MailServer) -> None:
    """The server is away; when it is back it refuses every address."""
    deliver_now()
    mail_server.refused = {EMAIL, "frank@quimby.example"}
    mail_server.start()
    deliver_now()


def deliver_now() -> None:
    Notification.objects.filter(state="queued").update(next_attempt_at=real_now())
    tasks.deliver_notices()


def go_wrong(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page and a task that fail with a person's data in hand; addresses that hold them."""

    def fails(request: HttpRequest, *args: Any, **options: Any) -> None:
        password = PASSWORD
        raise ValueError(f"{request.user} {EMAIL} {password} {WORDS}")

    def fails_too() -> int:
        raise RuntimeError(f"{EMAIL}: {WORDS}")

    monkeypatch.setattr(my_jobs, "render", fails)
    assert browser.get("/jobs/", {"words": WORDS}).status_code == 500
    assert browser.get(f"/{NAME}/{EMAIL}/?q={WORDS}").status_code == 404
    assert browser.get("/", headers={"host": "quimby.example"}).status_code == 400
    monkeypatch.setattr(delivery, "deliver_waiting", fails_too)
    current_app.send_task("workroom.tasks.deliver_notices")


def search_at_the_desk() -> None:
    browser_of(agent_of_the_desk()).get(reverse("admin:jobs_person_changelist"), {"q": EMAIL})


def the_story_is_told(lines: Lines, job: Job, dispute: Dispute) -> bool:
    """What was left out was not everything."""
    assert wait_until(lambda: "RuntimeError" in lines.text, timeout_seconds=10)
    by_view = {(line["method"], line["view"], line["code"]): line for line in lines.of("request")}
    funded = by_view["POST", "billing:fund", 302]
    assert funded["ids"] == {"job_id": job.pk}
    assert funded["user_id"] == job.client_id
    assert ("POST", "billing:open_dispute", 302) in by_view
    failed = by_view["GET", "workroom:my_jobs", 500]
    (told,) = [line for line in lines.every if line.get("logger") == "django.request"]
    assert told["request_id"] == failed["request_id"]
    assert told["exception"][0]["error"] == "ValueError"
    assert any("my_jobs" in place for place in told["exception"][0]["where"])
    assert {line["error"] for line in lines.of("mail_server_away")} == {"ConnectionRefusedError"}
    # A task bears the id of the request that handed it over.
    tasks_of = [line for line in lines.every if line.get("request_id") == funded["request_id"]]
    return any("task_id" in line for line in tasks_of)
