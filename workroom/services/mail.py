"""From a notice to a mail: text and HTML from the template of its kind, in its reader's language (R12).

When and how often it is sent is decided in ``delivery``.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation

# Imported for the kinds that they add to the table: a worker has no other reason to.
import billing.notices  # noqa: F401
import workroom.notices  # noqa: F401
from escrow_site.lib import display, timing
from jobs.models import Notification, Person
from jobs.notices import KINDS
from jobs.selectors import history, notices
from workroom.selectors import forecasts

LAYOUTS = {"text": "notices/layout.txt", "html": "notices/layout.html"}
MOMENTS_SHOWN = 3


def compose(notice: Notification) -> EmailMultiAlternatives:
    """The mail of a notice, ready to send; the same Message-ID whenever it is made.

    To be read with ``notices.with_all_they_name``, and the invitation of the Job when the reader
    has no account.
    """
    reader = notice.person
    language = reader.language if reader else settings.LANGUAGE_CODE
    zone = reader.time_zone if reader else settings.TIME_ZONE
    with translation.override(language), timezone.override(zone):
        known = _context(notice, reader=reader, zone=zone)
        template = KINDS[notice.activity.kind].template_name
        mail = EmailMultiAlternatives(
            subject=known["headline"],
            body=render_to_string(template, known | {"layout": LAYOUTS["text"]}),
            from_email=settings.DEFAULT_FROM_EMAIL,
            to=[reader.email if reader else notice.address],
            reply_to=[settings.SUPPORT_EMAIL],
            headers={"Message-ID": message_id(notice), "Auto-Submitted": "auto-generated"},
        )
        mail.attach_alternative(
            render_to_string(template, known | {"layout": LAYOUTS["html"]}), "text/html"
        )
    return mail


def message_id(notice: Notification) -> str:
    """Names the notice for ever, so that a mail sent a second time is known as the same."""
    return f"<notice-{notice.pk}@{urlsplit(settings.SITE_URL).hostname}>"


def url_of(notice: Notification) -> str:
    """The absolute address of the thing; for somebody without an account, of the invitation."""
    if notice.person is None:
        token = notice.activity.job.invitation.token
        return settings.SITE_URL + reverse("workroom:invitation", args=[token])
    return settings.SITE_URL + notices.target(notice.activity)


def _context(notice: Notification, *, reader: Person | None, zone: str) -> dict[str, Any]:
    at_the_reader = timezone.localtime(notice.activity.happened_at)
    abbreviation = display.zone_name(at_the_reader)
    return notices.context(notice.activity, reader=reader) | {
        "url": url_of(notice),
        "link_label": _link_label(notice),
        "zone": zone if zone == abbreviation else f"{zone} ({abbreviation})",
        "site_name": settings.SITE_NAME,
        "profile_url": settings.SITE_URL + reverse("jobs:profile") if reader else "",
        **_forecast(notice, reader=reader),
        "overtaken": _is_overtaken(notice),
    }


def _forecast(notice: Notification, *, reader: Person | None) -> dict[str, Any]:
    """What happens on the Job if nobody acts, as it is when the mail is sent: a mail that was
    delayed must not announce what has happened or was called off meanwhile.
    """
    job = notice.activity.job
    # Somebody without an account is the Freelancer to be.
    role = job.role_of(reader) if reader else "freelancer"
    moments = forecasts.of_mail(job, role=role, at=timing.now())
    shown = moments[:MOMENTS_SHOWN]
    request_id = notice.activity.facts.get("request")
    can = forecasts.ways_with(job, request_id, role=role, at=timing.now()) if request_id else set()
    return {"moments": shown, "more_moments": len(moments) - len(shown), "can": can}


def _is_overtaken(notice: Notification) -> bool:
    """Whether the fates that it tells of the Milestones are those of a Job on which nobody has acted since."""
    return "returns" in notice.activity.facts and history.acted_since(notice.activity)


def _link_label(notice: Notification) -> str:
    if notice.person is None:
        return translation.gettext("See the invitation")
    return translation.gettext("Open it in %(site)s") % {"site": settings.SITE_NAME}
