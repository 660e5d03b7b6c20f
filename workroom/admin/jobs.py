"""Jobs at the support desk: found by anything a caller says, and told as a story on one page."""

import re
from datetime import UTC
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from billing.models import Dispute, Escrow, Intervention, Payment, Payout, Refund
from billing.selectors.spoken import job_of_paper
from billing.services import sweeping
from escrow_site.lib import money, timing
from escrow_site.lib.admin import (
    ReadOnlyAdmin,
    currency_filter,
    link,
    list_url,
    lists,
    presence_filter,
)
from escrow_site.lib.refusals import Refusal
from jobs.admin.desk import agent_of
from jobs.admin.people import belongs_to
from jobs.models import Job, Person, StoredFile
from workroom import seeing
from workroom.selectors.cases import is_kept_from
from workroom.selectors.desk_search import job_said
from workroom.selectors.interventions import openings_on
from workroom.selectors.story import as_parties_read, story_of

LISTS = (
    ("Terms", "workroom_terms", "job__id__exact"),
    ("Milestones’ money (Escrows)", "billing_escrow", "job__id__exact"),
    ("Funding Requests", "billing_fundingrequest", "escrow__job__id__exact"),
    ("Payments", "billing_payment", "job__id__exact"),
    ("Refunds", "billing_refund", "payment__job__id__exact"),
    ("Release Requests", "billing_releaserequest", "job__id__exact"),
    ("Releases", "billing_release", "job__id__exact"),
    ("Pro-forma invoices", "billing_proforma", "request__job__id__exact"),
    ("Invoices and receipts", "billing_document", "job__id__exact"),
    ("Closing Statements", "billing_closingstatement", "job__id__exact"),
    ("Disputes", "billing_dispute", "job__id__exact"),
    ("Requests to cancel", "billing_cancellation", "job__id__exact"),
    ("Interventions", "billing_intervention", "job__id__exact"),
    ("Transfers", "billing_transfer", "job"),
    ("Status Reports", "workroom_statusreport", "job__id__exact"),
    ("Timesheets", "workroom_timesheet", "job__id__exact"),
    ("Files", "jobs_storedfile", "job__id__exact"),
    ("History", "jobs_activity", "job__id__exact"),
    ("Notices", "jobs_notification", "activity__job__id__exact"),
)


NUMBERED = re.compile(r"(dispute|intervention)\s*#?\s*(\d{1,18})", re.IGNORECASE)


def job_meant(term: str) -> Q:
    """The Jobs that a card, a reference, a file or another address of a party may stand for, and what else
    ``desk_search`` knows; those of the Freelancer, if it is a payout's.
    """
    found = job_said(term) | belongs_to(term, "client") | belongs_to(term, "freelancer")
    found |= Q(pk__in=Payment.objects.filter(gateway_reference=term).values("job"))
    found |= Q(pk__in=Refund.objects.filter(gateway_reference=term).values("payment__job"))
    found |= Q(freelancer__in=Payout.objects.filter(gateway_reference=term).values("person"))
    if match := NUMBERED.fullmatch(term):
        model = Dispute if match[1].lower() == "dispute" else Intervention
        found |= Q(pk__in=model._default_manager.filter(pk=int(match[2])).values("job"))
    if len(term) == 4 and term.isdecimal():
        found |= Q(pk__in=Payment.objects.filter(method__last_four=term).values("job"))
    if "." in term and "@" not in term:
        found |= Q(pk__in=StoredFile.objects.filter(name__icontains=term).values("job"))
    return found


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """The desk's first page: every call is about a Job."""

    job_path = "pk"
    date_hierarchy = "drafted_at"
    list_display = (
        "id", "story", "state", "kind", "client", "freelancer_or_address", "held", "drafted_at",
    )  # fmt: skip
    list_display_links = ("id",)
    list_filter = (
        "state",
        "kind",
        currency_filter("currency"),
        ("drafted_at", admin.DateFieldListFilter),
        presence_filter("set_aside_at", "clock", there="Set aside: look at it", missing="Running"),
    )
    list_select_related = ("client", "freelancer")
    search_fields = (
        "title", "client__name", "client__email", "freelancer__name", "freelancer__email", "freelancer_email",
    )  # fmt: skip
    search_help_text = (
        "Number or title of the Job, title of a Milestone; a party’s name, company, tax id or e-mail address; "
        "INV-12-0007, REC-…, PF-000088, CS-7-1; an exact amount ($140.00); the last four digits of a card or of a bank "
        "account that was paid out to; a reference of the gateway; “dispute 3”; a file name"
    )
    fieldsets = (
        (None, {"fields": ("title", "state", "kind", "currency", "hourly_rate_minor", "held", "description")}),
        ("Parties", {"fields": ("client", "freelancer", "freelancer_email", "policy")}),
        ("When", {"fields": ("drafted_at", "awarded_at", "activated_at", "ended_at")}),
        (
            "Clocks",
            {
                "fields": (
                    "next_due_at", "last_activity_at", "last_activity_besides_requests_at", "dormant_at",
                    "freelancer_told_dormant_at", "open_proposal_until", "last_milestone_on", "open_ended",
                    "set_aside_at", "set_aside_reason",
                )
            },
        ),
        ("Belongs to this Job", {"fields": ("related",)}),
    )  # fmt: skip
    actions = ("try_again",)

    # --- What was set aside ---

    def has_try_again_permission(self, request: HttpRequest) -> bool:
        assert isinstance(request.user, Person)
        return request.user.has_perm(sweeping.PERMISSION)

    @admin.action(description="Try again: Jobs that are set aside", permissions=["try_again"])
    def try_again(self, request: HttpRequest, jobs: QuerySet[Job]) -> HttpResponse | None:
        """Ask for the reason first; then take up again each of the chosen Jobs that is set aside."""
        reason = request.POST.get("reason", "").strip()
        if reason:
            for job in jobs.order_by("pk"):
                self._take_up_again(request, job, reason=reason)
            return None
        if "reason" in request.POST:
            messages.error(request, "Give the reason: it stands in the history of the Job.")
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": "Try again",
            "opts": self.opts,
            "jobs": jobs.order_by("pk"),
            "reason_characters": sweeping.REASON_CHARACTERS,
        }
        return TemplateResponse(request, "admin/jobs/job/try_again.html", context)

    def _take_up_again(self, request: HttpRequest, job: Job, *, reason: str) -> None:
        assert isinstance(request.user, Person)
        try:
            swept = sweeping.take_up_again(job.pk, by=request.user, at=timing.now(), reason=reason)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return
        self.log_change(request, job, f"Tried again: {reason}")
        if swept.set_aside:
            messages.error(request, f"Job {job.pk} failed again and is set aside again.")
        else:
            text = f"Job {job.pk} is taken up again, and what was due is carried out."
            messages.success(request, text)

    # --- What is shown ---

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Each with what its Milestones hold."""
        held = (
            Escrow.objects.filter(job=OuterRef("pk"))
            .order_by()
            .values("job")
            .annotate(held=Sum(F("funded_minor") - F("released_minor") - F("refunded_minor")))
            .values("held")
        )
        return super().get_queryset(request).annotate(held_minor=Coalesce(Subquery(held), 0))

    @admin.display(description="Freelancer", ordering="freelancer")
    def freelancer_or_address(self, job: Job) -> SafeString | str:
        return link(job.freelancer) or job.freelancer_email

    @admin.display(description="held", ordering="held_minor")
    def held(self, job: Any) -> str:
        return money.display(job.held_minor, job.currency)

    @admin.display(description="title", ordering="title")
    def story(self, job: Job) -> SafeString:
        """What everybody wants; the number leads to the bare record."""
        url = reverse("admin:jobs_job_story", args=[job.pk])
        return format_html('<a href="{}">{}</a>', url, job.title)

    @admin.display(description="lists")
    def related(self, job: Job) -> SafeString:
        return lists(*((label, list_url(name, **{key: job.pk})) for label, name, key in LISTS))

    # --- What a caller says ---

    def named(self, term: str) -> Q | None:
        paper = job_of_paper(term)
        return super().named(term) if paper is None else paper

    def may_mean(self, term: str) -> Q:
        """Besides the Job's number: a card, a reference, a file, another address of a party."""
        return super().may_mean(term) | job_meant(term)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Job], search_term: str
    ) -> tuple[QuerySet[Job], bool]:
        """A proposal finds its Job, but not for a party of it: he is not to know that there is one."""
        jobs, has_doubles = super().get_search_results(request, queryset, search_term)
        meant = NUMBERED.fullmatch(" ".join(search_term.split()))
        if meant and meant[1].lower() == "intervention":
            by = agent_of(request)
            jobs = jobs.exclude(Q(client=by) | Q(freelancer=by))
        return jobs, has_doubles

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The log of the desk says what was proposed: nothing for an agent who is a party."""
        job = self.get_object(request, object_id)
        if isinstance(job, Job) and is_kept_from(job, reader=agent_of(request)):
            raise PermissionDenied
        return super().history_view(request, object_id, extra_context)

    # --- The story ---

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:job_id>/story/", wrap(self.story_view), name="jobs_job_story"),
            path(
                "<int:job_id>/see-as/<slug:role>/",
                wrap(require_POST(self.see_as_view)),
                name="jobs_job_see_as",
            ),
            path(
                "stop-seeing/",
                wrap(require_POST(self.stop_seeing_view)),
                name="jobs_job_stop_seeing",
            ),
            *super().get_urls(),
        ]

    def see_as_view(self, request: HttpRequest, job_id: int, role: str) -> HttpResponse:
        """Look at the Job's pages as a party does, read only."""
        assert isinstance(request.user, Person)
        job = get_object_or_404(Job.objects.select_related("client", "freelancer"), pk=job_id)
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        if refusal := seeing.may_see(job, role=role, by=request.user):
            messages.error(request, refusal.message)
            return redirect("admin:jobs_job_story", job.pk)
        seeing.start(request, job, role=role)
        seeing.log(request.user, job, f"Began to see its pages as the {seeing.ROLES[role]}")
        return redirect("workroom:job", job.pk)

    def stop_seeing_view(self, request: HttpRequest) -> HttpResponse:
        """Back to the desk."""
        job_id = seeing.stop(request)
        return redirect("admin:jobs_job_story", job_id) if job_id else redirect("admin:index")

    def story_view(self, request: HttpRequest, job_id: int) -> HttpResponse:
        """Everything that ever happened on the Job, on one page, all times in UTC."""
        job = get_object_or_404(
            Job.objects.select_related("client", "freelancer", "policy"), pk=job_id
        )
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        assert isinstance(request.user, Person)
        by, at = request.user, timing.now()
        with timezone.override(UTC):
            story = story_of(job)
            context: dict[str, Any] = {
                **self.admin_site.each_context(request),
                "title": job.title,
                "opts": self.opts,
                "original": job,
                "story": as_parties_read(story) if is_kept_from(job, reader=by) else story,
                "openings": openings_on(job, by=by, at=at),
                "views": seeing.views_of(job, by=by),
                "now": at,
            }
            return render(request, "admin/jobs/job/story.html", context)
