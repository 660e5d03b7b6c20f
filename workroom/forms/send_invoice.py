"""The first step of Send Invoice: which Job."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.html import format_html
from django.utils.safestring import SafeString

from escrow_site.lib import money
from jobs.models import Job


class ChooseJobForm(forms.Form):
    """One card per Job of the page that is shown; the only Job is chosen already."""

    job = forms.TypedChoiceField(
        coerce=int,
        label="Job",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Choose the Job that you want to bill.",
            "invalid_choice": "This Job cannot be billed any more. Choose another.",
        },
    )

    def __init__(self, *arguments: Any, jobs: Iterable[Job], **options: Any) -> None:
        super().__init__(*arguments, **options)
        jobs = list(jobs)
        field = self.fields["job"]
        assert isinstance(field, forms.TypedChoiceField)
        field.choices = [(job.pk, label(job)) for job in jobs]
        if len(jobs) == 1:
            field.initial = jobs[0].pk


def label(job: Any) -> SafeString:
    """A Job of ``selectors.reports.billable_jobs``: title, Client, and what can be requested."""
    if job.requestable:
        amount = money.display(job.requestable_minor, job.currency)
        plural = "Milestone" if job.requestable == 1 else "Milestones"
        what = f"{amount} in {job.requestable} {plural} can be requested"
    else:
        what = "Nothing can be requested now"
    return format_html("{} <small>{}</small><small>{}</small>", job.title, job.client, what)
