"""What every page of a Job shares: the row as its reader may see it, the tabs, the role."""

from typing import Any

from django.http import Http404, HttpRequest
from django.urls import reverse

from escrow_site.lib.web import address_pattern
from jobs.models import Job, Person
from jobs.selectors import jobs

TABS = (
    ("Overview", "workroom:job"),
    ("Terms & Milestones", "workroom:terms"),
    ("Status Reports", "workroom:reports"),
    ("Timesheets", "workroom:timesheets"),
    ("Billing & Invoices", "workroom:job_billing"),
    ("Disputes", "workroom:disputes"),
    ("Activity", "workroom:activity"),
)

# What the Actions menu of every page leads to, by the names that its template knows.
ACTIONS = {
    "reports": "workroom:reports",
    "create_report": "workroom:create_report",
    "create_timesheet": "workroom:create_timesheet",
    "billing": "workroom:job_billing",
    "terms": "workroom:terms",
    "disputes": "workroom:disputes",
    "cancel": "billing:cancel_job",
    "case_file": "workroom:case_file",
}


def job_or_404(request: HttpRequest, job_id: int) -> Job:
    """The Job with its parties and Policy; to a stranger it does not exist (R1.4)."""
    assert isinstance(request.user, Person)
    job = jobs.seen_by(request.user, job_id)
    if job is None:
        raise Http404("There is no such Job.")
    return job


def _label(name: str, label: str, job: Job) -> str:
    """An hourly Job has no Milestones to be named on its tab."""
    return "Terms" if name == "workroom:terms" and job.kind == Job.Kind.HOURLY else label


def _url_of_rules(job: Job) -> str:
    """The rules by which the Job runs; before its award those that it would get."""
    if job.policy is None:
        return reverse("workroom:rules")
    return address_pattern("workroom:rules_version").format(job.policy.version)


def job_context(request: HttpRequest, job: Job, *, tab: str) -> dict[str, Any]:
    """Context of ``workroom/job_base.html``; ``tab`` is the URL name of the tab shown."""
    assert isinstance(request.user, Person)
    role = job.role_of(request.user)
    tabs = [
        {
            "label": _label(name, label, job),
            "url": address_pattern(name).format(job.pk),
            "current": name == tab,
        }
        for label, name in TABS
    ]
    return {
        "job": job,
        "role": role,
        "is_client": role == "client",
        "is_freelancer": role == "freelancer",
        "other_party": job.other_party(request.user),
        "tabs": tabs,
        "urls": {key: address_pattern(name).format(job.pk) for key, name in ACTIONS.items()},
        "url_of_rules": _url_of_rules(job),
    }
