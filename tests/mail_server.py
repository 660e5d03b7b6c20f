"""A real mail server on this machine, and real workers: what delivery is tested against."""

import email.policy
import logging
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from celery.contrib.testing.worker import start_worker
from django.conf import settings as django_settings

from escrow_site.celery import app

# It logs every line of every conversation.
logging.getLogger("mail.log").setLevel(logging.ERROR)


class MailServer:
    """Takes mails over SMTP and keeps them; can be stopped, started again and told to misbehave."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mails: list[EmailMessage] = []
        self.refused: set[str] = set()
        self.on_mail: Callable[[], None] | None = None
        self.controller: Controller | None = None

    def start(self) -> None:
        self.controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self.controller.start()

    def stop(self) -> None:
        if self.controller is not None:
            self.controller.stop(no_assert=True)
            self.controller = None

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 No such mailbox here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        if self.on_mail is not None:
            self.on_mail()
        return "250 OK"

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    def wait_for(self, count: int, *, timeout_seconds: float = 20) -> list[EmailMessage]:
        """The mails once there are that many, and a moment later, so that one too many is seen."""
        assert wait_until(lambda: len(self.mails) >= count, timeout_seconds=timeout_seconds)
        time.sleep(0.3)
        return self.mails


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """The mail server that the service sends through in this test."""
    server = MailServer()
    server.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST = "127.0.0.1"
    settings.EMAIL_PORT = server.port
    settings.EMAIL_TIMEOUT = 5
    yield server
    server.stop()


@pytest.fixture
def worker(transactional_db: None, mail_server: MailServer) -> Iterator[None]:
    """A Celery worker in a thread of this process, on the broker of this test run."""
    app.control.purge()
    with start_worker(app, perform_ping_check=False, shutdown_timeout=30):
        yield


@pytest.fixture
def no_broker(tmp_path: Path) -> Iterator[None]:
    """In this test there is nothing where the broker should be."""
    with broker_at(f"redis+socket://{tmp_path / 'nothing'}"):
        yield


@contextmanager
def broker_at(url: str) -> Iterator[None]:
    """Lets this process publish its tasks elsewhere."""
    before = app.conf.broker_url
    use_broker(url)
    try:
        yield
    finally:
        use_broker(before)


def use_broker(url: str) -> None:
    app.conf.broker_url = url
    # Forgets the connections that are kept open, as after a fork.
    app._after_fork()


@contextmanager
def running_worker(
    mail_server: MailServer, *, redis_url: str = ""
) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker in a process of its own, for a part of a test; the queue is empty when it starts."""
    if not redis_url:
        app.control.purge()
    database = django_settings.DATABASES["default"]["NAME"]
    environment = {
        **os.environ,
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database}").geturl(),
        "EMAIL_URL": mail_server.url,
        "SITE_URL": django_settings.SITE_URL,
    } | ({"REDIS_URL": redis_url} if redis_url else {})
    command = [sys.executable, "-m", "celery", "-A", "escrow_site", "worker", "--pool", "solo"]
    command += ["--without-gossip", "--without-mingle", "--loglevel", "INFO"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        try:
            assert wait_until(lambda: is_ready(process, said), timeout_seconds=30), read(said)
            yield process
        finally:
            process.kill()
            process.wait()
            # Shown by pytest with a failure.
            print(read(said))


def is_ready(process: "subprocess.Popen[bytes]", said: IO[bytes]) -> bool:
    assert process.poll() is None, read(said)
    return " ready." in read(said)


def read(file: IO[bytes]) -> str:
    """All that a process has written; where it writes on is not changed."""
    return os.pread(file.fileno(), 1_000_000, 0).decode(errors="replace")


def wait_until(condition: Callable[[], bool], *, timeout_seconds: float) -> bool:
    ends_at = time.monotonic() + timeout_seconds
    while time.monotonic() < ends_at:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def link_in(mail: EmailMessage, word: str) -> str:
    """The one address in the text of a mail that holds the word, as a path."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = [part for part in body.get_content().split() if part.startswith("http")]
    links = {part for part in found if word in part}
    assert len(links) == 1, found
    parts = urlsplit(links.pop())
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
