"""Mails about accounts (confirm an address, reset a password): handed to a worker, sent, tried again.

They are not notices: they belong to no Job, carry secret links, and are worth nothing after a few
hours, so the broker is their only memory. A page never fails because a mail could not be sent.
"""

import logging
from dataclasses import asdict, dataclass
from email.utils import make_msgid
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import EmailMessage
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

TASK = "workroom.tasks.send_account_mail"


@dataclass(frozen=True, kw_only=True)
class AccountMail:
    """A mail as it travels through the broker; the Message-ID is the same at every attempt."""

    subject: str
    text: str
    html: str
    sender: str
    recipients: list[str]
    message_id: str

    @classmethod
    def of(cls, message: EmailMessage) -> "AccountMail":
        """What a rendered mail says."""
        alternatives = getattr(message, "alternatives", [])
        return cls(
            subject=str(message.subject),
            text=str(message.body),
            html=next((str(part[0]) for part in alternatives if part[1] == "text/html"), ""),
            sender=message.from_email,
            recipients=list(message.to),
            message_id=make_msgid(domain=urlsplit(settings.SITE_URL).hostname),
        )


def hand_over(message: EmailMessage) -> None:
    """Give the mail to a worker; with the broker away send it at once, and log it if that fails."""
    mail = AccountMail.of(message)
    try:
        # The arguments hold secret links: they are kept out of logs and monitors.
        current_app.send_task(TASK, [asdict(mail)], argsrepr="(an account mail)")
    except OperationalError:
        logger.warning("account_mail_without_broker")
        try:
            send(mail)
        except OSError as error:
            logger.error("account_mail_not_sent", extra={"error": type(error).__name__})


def send(mail: AccountMail) -> None:
    """Send it now. Raises OSError when the mail server is away or refuses it."""
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=mail.sender,
        to=mail.recipients,
        reply_to=[settings.SUPPORT_EMAIL],
        headers={"Message-ID": mail.message_id, "Auto-Submitted": "auto-generated"},
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    message.send()
