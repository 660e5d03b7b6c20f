"""Seeing the pages of one Job exactly as a party does: an agent looks, and can do nothing.

Who looks stands in his session, until he stops or an hour is over. While he does, the pages of that Job
are drawn for the party, in a transaction that the database lets write nothing; each is logged and carries
a banner. Everything else is refused: other methods, and pages that are not the Job's. The support desk
stays the agent's own.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import InternalError, connection, transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from billing.models import (
    Cancellation,
    ClosingStatement,
    Dispute,
    Document,
    Offer,
    Payment,
    ProForma,
    ReleaseRequest,
)
from escrow_site.lib import timing
from escrow_site.lib.refusals import Refusal, WrongState
from jobs.models import Job, Person
from jobs.services.agents import refuse_non_agent

logger = logging.getLogger(__name__)

PERMISSION = "jobs.see_as_party"
SESSION_KEY = "seen_as"
SECONDS_AT_MOST = 3600
ROLES = {"client": "Client", "freelancer": "Freelancer"}
READING = ("GET", "HEAD")
# What stays the agent's own while he looks.
HIS_OWN = ("admin:", "account_logout", "local_", "usersessions_", "mfa_", "account_reauthenticate")

# The pages of a Job whose address names it. Downloads are not among them: no banner can stand on them.
OF_JOB = {
    "workroom:job", "workroom:draft", "workroom:award", "workroom:discard_draft", "workroom:withdraw_award",
    "workroom:decline_award", "workroom:terms", "workroom:terms_version", "workroom:propose_terms",
    "workroom:accept_terms", "workroom:decline_terms", "workroom:withdraw_terms", "workroom:activity",
    "workroom:job_billing", "workroom:disputes", "workroom:reports", "workroom:create_report",
    "workroom:report", "workroom:report_of_request", "workroom:timesheets", "workroom:create_timesheet",
    "workroom:timesheet", "workroom:send_invoice_job", "billing:release", "billing:release_part",
    "billing:refund", "billing:refund_released", "billing:complete_job", "billing:cancel_job",
    "billing:request_funding", "billing:fund", "billing:open_dispute",
}  # fmt: skip
# Those whose address names a row of the Job: the row, its name in the address, the way to the Job.
Row = tuple[type[Model], str, str]
REQUEST: Row = (ReleaseRequest, "request_id", "job_id")
CANCELLATION: Row = (Cancellation, "cancellation_id", "job_id")
DISPUTE: Row = (Dispute, "dispute_id", "job_id")
OFFER: Row = (Offer, "offer_id", "dispute__job_id")
PAYMENT: Row = (Payment, "payment_id", "job_id")
OF_ROW: dict[str, Row] = {
    "billing:release_request": REQUEST,
    "billing:void_request": REQUEST,
    "billing:request_changes": REQUEST,
    "billing:cancellation": CANCELLATION,
    "billing:accept_cancellation": CANCELLATION,
    "billing:decline_cancellation": CANCELLATION,
    "billing:withdraw_cancellation": CANCELLATION,
    # Without its page for a limit: what a party enters under seal is for nobody to see (R9.6).
    "billing:dispute": DISPUTE,
    "billing:answer_dispute": DISPUTE,
    "billing:add_statement": DISPUTE,
    "billing:add_evidence": DISPUTE,
    "billing:escalate_dispute": DISPUTE,
    "billing:withdraw_dispute": DISPUTE,
    "billing:dispute_offer": DISPUTE,
    "billing:accept_offer": OFFER,
    "billing:withdraw_offer": OFFER,
    "billing:payment": PAYMENT,
    "billing:cancel_payment": PAYMENT,
    "billing:pro_forma": (ProForma, "pro_forma_id", "request__job_id"),
    "billing:document": (Document, "document_id", "job_id"),
    "billing:statement": (ClosingStatement, "statement_id", "job_id"),
}


@dataclass(frozen=True, kw_only=True)
class View:
    """One of the two ways in which a Job's pages can be seen."""

    role: str
    label: str
    person: Person


@dataclass(frozen=True, kw_only=True)
class SeenAs:
    """Who looks at which Job, and as whom; on the request while a page is drawn, for its banner."""

    agent: Person
    job: Job
    role: str
    person: Person

    @property
    def label(self) -> str:
        return ROLES[self.role]


# --- Who may ---


def may_see(job: Job, *, role: str, by: Person) -> Refusal | None:
    """Staff with the right to look who are no party of the Job, as a party that is there."""
    if refusal := refuse_non_agent(job, by=by, permission=PERMISSION, act="see its pages"):
        return refusal
    if role not in ROLES or _party(job, role) is None:
        return WrongState("There is no such party on this Job.")
    if role == "freelancer" and job.awarded_at is None:
        return WrongState("The Freelancer does not see this Job: it is a draft.")
    return None


def views_of(job: Job, *, by: Person) -> list[View]:
    """The parties as whom this reader may see the Job's pages."""
    found = []
    for role, label in ROLES.items():
        person = _party(job, role)
        if person is not None and may_see(job, role=role, by=by) is None:
            found.append(View(role=role, label=label, person=person))
    return found


def _party(job: Job, role: str) -> Person | None:
    return job.client if role == "client" else job.freelancer


# --- Beginning and stopping ---


def start(request: HttpRequest, job: Job, *, role: str) -> None:
    """Remember in the agent's session whose pages he looks at; asked by ``may_see`` on each page."""
    until = timing.real_now().timestamp() + SECONDS_AT_MOST
    request.session[SESSION_KEY] = {"job": job.pk, "role": role, "until": until}


def stop(request: HttpRequest) -> int | None:
    """Forget it; the Job that it was about."""
    kept = request.session.pop(SESSION_KEY, None)
    return kept["job"] if kept else None


def log(agent: Person, job: Job, message: str) -> None:
    """A line in the log of the desk, on the Job."""
    LogEntry.objects.create(
        user=agent,
        content_type=ContentType.objects.get_for_model(Job),
        object_id=str(job.pk),
        object_repr=str(job)[:200],
        action_flag=CHANGE,
        change_message=message,
    )


# --- The pages ---


class SeenAsMiddleware:
    """Draws a page for the party that the agent looks as; the last of the middleware, just above the views."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        assert request.resolver_match is not None
        name = request.resolver_match.view_name
        if not isinstance(request.user, Person) or not request.user.is_staff:
            return None
        if not request.user.is_at_the_desk:
            return None
        if SESSION_KEY not in request.session or name.startswith(HIS_OWN):
            return None
        seen = _seen_as(request)
        if seen is None:
            return None
        request.seen_as = seen  # type: ignore[attr-defined]
        if request.method not in READING:
            return _refused(request, "You only look: nothing can be done from here.")
        if job_of_page(name, kwargs) != seen.job.pk:
            return _refused(request, f"This page is not one of the Job “{seen.job}”.")
        return _drawn(request, seen, view, args, kwargs)


def is_seen_here(request: HttpRequest, view_name: str) -> bool:
    """Whether an agent looks at a Job's page in this browser: its cookie may be the desk's own host's."""
    return SESSION_KEY in request.session and (view_name in OF_JOB or view_name in OF_ROW)


def job_of_page(view_name: str, kwargs: dict[str, Any]) -> int | None:
    """The id of the Job that a page belongs to; None for what is no page of a Job."""
    if view_name in OF_JOB:
        return int(kwargs["job_id"])
    if view_name in OF_ROW:
        model, key, job_path = OF_ROW[view_name]
        rows = model._default_manager.filter(pk=kwargs[key])
        return rows.values_list(job_path, flat=True).first()
    return None


def _seen_as(request: HttpRequest) -> SeenAs | None:
    """As the session has it, if the agent still may; else it is forgotten."""
    kept = request.session[SESSION_KEY]
    agent = request.user
    assert isinstance(agent, Person)
    rows = Job.objects.select_related("client", "freelancer", "policy")
    job = rows.filter(pk=kept["job"]).first()
    is_over = kept["until"] < timing.real_now().timestamp()
    if job is None or is_over or may_see(job, role=kept["role"], by=agent):
        stop(request)
        return None
    person = _party(job, kept["role"])
    assert person is not None
    return SeenAs(agent=agent, job=job, role=kept["role"], person=person)


def _drawn(
    request: HttpRequest,
    seen: SeenAs,
    view: Callable[..., HttpResponse],
    args: Any,
    kwargs: Any,
) -> HttpResponse:
    log(seen.agent, seen.job, f"Saw {request.path} as the {seen.label}")
    about = {"agent": seen.agent.pk, "job": seen.job.pk, "role": seen.role, "page": request.path}
    logger.info("seen_as_party", extra=about)
    try:
        response = _draw(request, seen, view, args, kwargs)
    except InternalError:  # the page wanted to write: what is read must stay as it is
        logger.exception("seen_as_party_writes", extra=about)
        return _refused(request, "This page writes something when it is opened: it is not shown.")
    except Http404:
        return _refused(request, f"The {seen.label} does not see this page.")
    if response.status_code == 200 and not response.get("Content-Type", "").startswith("text/html"):
        return _refused(request, "Files are not shown here: open them from the Job’s story.")
    return response


def _draw(
    request: HttpRequest,
    seen: SeenAs,
    view: Callable[..., HttpResponse],
    args: Any,
    kwargs: Any,
) -> HttpResponse:
    """The party's page, while the database takes nothing; around it the request is the agent's."""
    request.user = seen.person
    try:
        with timezone.override(seen.person.zone), transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION READ ONLY")
            return view(request, *args, **kwargs)
    finally:
        request.user = seen.agent


def _refused(request: HttpRequest, message: str) -> HttpResponse:
    return render(request, "workroom/seen_as_refused.html", {"message": message}, status=403)
