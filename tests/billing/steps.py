"""Steps that the tests of pages share: signing in, requesting, looking."""

import re
from datetime import UTC, datetime
from html import unescape

from django.test import Client

from billing.models import Escrow, ReleaseRequest
from billing.services import release_requests
from jobs.models import Job, Person

NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)


def signed_in(person: Person) -> Client:
    """A browser in which the person is signed in."""
    browser = Client()
    browser.force_login(person)
    return browser


def request_release(
    job: Job, number: int = 1, *, at: datetime = NOON, comments: str = ""
) -> ReleaseRequest:
    """The Freelancer's request for one funded Milestone."""
    row = Job.objects.select_related("policy", "client", "freelancer").get(pk=job.pk)
    assert row.freelancer is not None
    (request,) = release_requests.request_release(
        row,
        [Escrow.objects.get(job=job, number=number)],
        by=row.freelancer,
        at=at,
        comments=comments,
    )
    return request


def text_of(response: object) -> str:
    """What a page says in its main part, without tags, in one line."""
    html = response.content.decode()  # type: ignore[attr-defined]
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", main)).split())
